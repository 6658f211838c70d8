/** What can be set about a data plane, with its defaults. Sizes are bytes, times milliseconds. */
import type { Diagnostic } from '../base/diagnostics/index.ts';
import type { AccessRecord } from './access.ts';

/** Towards clients. */
export interface ClientLimits {
  /** Connections open at once; one more is closed as it comes. */
  readonly maxConnections: number;
  /** Request line and header lines together; 431 beyond. */
  readonly maxHeadBytes: number;
  /** Header lines; 431 beyond. */
  readonly maxHeaders: number;
  /** Request target; 414 beyond. */
  readonly maxTargetBytes: number;
  /** From the first byte of a request to the end of its head; 408 beyond. Also from connecting to the first byte. */
  readonly headTimeoutMs: number;
  /** Between a response and the first byte of the next request. */
  readonly keepAliveTimeoutMs: number;
  /** Between two reads of a request body; 408 beyond. */
  readonly bodyTimeoutMs: number;
  /** Between two moments at which the client takes bytes of a response. */
  readonly sendTimeoutMs: number;
  /** How long a response may be in the making for a client that has closed its sending side. */
  readonly halfCloseGraceMs: number;
  /** How long what a client still sends is read and thrown away after an answer that closes the connection. */
  readonly lingerMs: number;
  /** Bytes of further requests that wait behind the one in progress; reading stops beyond. */
  readonly maxPipelinedBytes: number;
  /** Requests answered from bytes already there before other connections get their turn. */
  readonly maxPipelinedBurst: number;
  readonly tlsHandshakeTimeoutMs: number;
}

/** Towards backends. */
export interface UpstreamLimits {
  readonly connectTimeoutMs: number;
  /** Between sending a request and the head of its response, and between two reads of its body; 504 before the head. */
  readonly responseTimeoutMs: number;
  /** How long an idle connection is kept; less when the backend says so in Keep-Alive. */
  readonly idleTimeoutMs: number;
  readonly maxIdlePerEndpoint: number;
  /** Beyond, another endpoint is tried, then 503. */
  readonly maxConnectionsPerEndpoint: number;
  /** Endpoints tried for one request when connecting fails. */
  readonly maxConnectAttempts: number;
  /** Head of a response; 502 beyond. */
  readonly maxHeadBytes: number;
  readonly maxHeaders: number;
  /** 1xx responses before the final one; 502 beyond. */
  readonly maxInformational: number;
}

/** Both ways. */
export interface RelayLimits {
  /** Bytes that wait for a slow reader; the sender is not read beyond. */
  readonly bufferBytes: number;
  /** Extensions of one chunk of a chunked body. */
  readonly maxChunkExtensionBytes: number;
  readonly maxTrailerBytes: number;
  /** A tunnel (WebSocket) in which nothing moves for so long is closed. */
  readonly tunnelIdleTimeoutMs: number;
}

/**
 * What backends are told of clients. From clients that are not trusted, X-Forwarded-For, -Proto, -Host and -Port are
 * replaced, and Forwarded and X-Real-IP removed. From trusted ones the address is appended to X-Forwarded-For and
 * the others are kept where they are present.
 */
export interface ForwardedOptions {
  /** `none` passes on what the client sent and adds nothing. */
  readonly headers: 'set' | 'none';
  /** CIDRs or addresses of proxies in front of this one. */
  readonly trustedProxies: readonly string[];
}

export interface ProxyOptions {
  readonly client?: Partial<ClientLimits>;
  readonly upstream?: Partial<UpstreamLimits>;
  readonly relay?: Partial<RelayLimits>;
  readonly forwarded?: Partial<ForwardedOptions>;
  /** Called once per request, when it is over. Must be quick and must not throw. */
  readonly onAccess?: (record: AccessRecord) => void;
  readonly onDiagnostic?: (finding: Diagnostic) => void;
}

export interface Settings {
  readonly client: ClientLimits;
  readonly upstream: UpstreamLimits;
  readonly relay: RelayLimits;
  readonly forwarded: ForwardedOptions;
}

export const defaults: Settings = {
  client: {
    maxConnections: 16_384,
    maxHeadBytes: 32_768,
    maxHeaders: 100,
    maxTargetBytes: 8_192,
    headTimeoutMs: 15_000,
    keepAliveTimeoutMs: 75_000,
    bodyTimeoutMs: 60_000,
    sendTimeoutMs: 60_000,
    halfCloseGraceMs: 5_000,
    lingerMs: 2_000,
    maxPipelinedBytes: 65_536,
    maxPipelinedBurst: 32,
    tlsHandshakeTimeoutMs: 10_000,
  },
  upstream: {
    connectTimeoutMs: 5_000,
    responseTimeoutMs: 60_000,
    // Below the 5 s after which Node.js servers close idle connections, so that the race with them is rare.
    idleTimeoutMs: 4_000,
    maxIdlePerEndpoint: 256,
    maxConnectionsPerEndpoint: 4_096,
    maxConnectAttempts: 3,
    maxHeadBytes: 65_536,
    maxHeaders: 200,
    maxInformational: 16,
  },
  relay: {
    bufferBytes: 65_536,
    maxChunkExtensionBytes: 256,
    maxTrailerBytes: 8_192,
    tunnelIdleTimeoutMs: 3_600_000,
  },
  forwarded: { headers: 'set', trustedProxies: [] },
};

export function resolveSettings(options: ProxyOptions): Settings {
  return {
    client: { ...defaults.client, ...options.client },
    upstream: { ...defaults.upstream, ...options.upstream },
    relay: { ...defaults.relay, ...options.relay },
    forwarded: { ...defaults.forwarded, ...options.forwarded },
  };
}
