/**
 * What can be set about a data plane, with its defaults. Sizes are bytes (names in `Bytes`), times milliseconds (`Ms`).
 * Each option has its row in config/schema.ts, which does not compile without it.
 */
import type { Diagnostic } from '../base/diagnostics/index.ts';
import type { MetricsRegistry } from '../base/metrics.ts';
import { defaultMatchLimits } from '../routing/match/matcher.ts';
import type { AccessRecord } from './access.ts';
import type { Listen } from './listener/listen.ts';
import type { StreamRecord } from './stream/record.ts';
import type { TicketSecret } from './tls/tickets.ts';
import type { SpanRecord } from './trace/span.ts';

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
  /** Steps that patterns of routes may take for one request (routing/match); 414 beyond. */
  readonly maxPatternSteps: number;
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

/** Towards clients that speak HTTP/2, beside `ClientLimits`. */
export interface Http2Limits {
  /** Streams open at once on one connection (SETTINGS_MAX_CONCURRENT_STREAMS); one more is refused. */
  readonly maxConcurrentStreams: number;
  /** What a client may send of one request body, and of all on a connection, before they are taken. */
  readonly streamWindowBytes: number;
  readonly connectionWindowBytes: number;
  /** What one connection may hold in memory; new streams are refused beyond. */
  readonly maxSessionBytes: number;
  /** Streams that may be reset before their response is done, at once and per second; the connection ends beyond. */
  readonly maxResets: number;
  readonly resetsPerSecond: number;
  /** While streams are open, the client is asked for a sign of life so often; the connection ends without one. */
  readonly pingIntervalMs: number;
  /**
   * Frames that move nothing (SETTINGS, PING, PRIORITY, WINDOW_UPDATE, empty DATA, unknown ones and those for closed
   * streams), at once and per second; the connection ends beyond. Each request and each DATA frame, in either direction,
   * permits four more.
   */
  readonly maxIdleFrames: number;
  readonly idleFramesPerSecond: number;
  /** CONTINUATION frames of one field block; the connection ends beyond. */
  readonly maxContinuations: number;
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
  /** An HTTP/2 connection that owes answers is asked for a sign of life so often, and ends without one. */
  readonly pingIntervalMs: number;
  /** Requests at once on one HTTP/2 connection, fewer where the backend says so; then another one is opened. */
  readonly maxStreamsPerConnection: number;
  /** Retries of a backend's requests, in percent of those of the last ten seconds; and so many per second in any case. */
  readonly retryBudgetPercent: number;
  readonly minRetriesPerSecond: number;
  /** Endpoints tried for one request when connecting fails. */
  readonly maxConnectAttempts: number;
  /** Head of a response; 502 beyond. */
  readonly maxHeadBytes: number;
  readonly maxHeaders: number;
  /** 1xx responses before the final one; 502 beyond. */
  readonly maxInformational: number;
  /** How long requests wait where a backend's policy lets them wait and does not say for how long; 503 beyond. */
  readonly pendingTimeoutMs: number;
  /** Health checks under way, over all backends; further ones wait, the longest due first. */
  readonly maxHealthChecks: number;
}

/** Both ways. */
export interface RelayLimits {
  /** Bytes that wait for a slow reader; the sender is not read beyond. */
  readonly bufferBytes: number;
  /**
   * Buffers of 256 KiB for connections that move large bodies, which spare them a copy; beyond, bytes are copied. Made
   * when they are needed, and kept.
   */
  readonly maxReadBuffers: number;
  /** Extensions of one chunk of a chunked body; those of a whole body may outweigh its data by 64 times as much. */
  readonly maxChunkExtensionBytes: number;
  readonly maxTrailerBytes: number;
  /** Bytes of a request's body that are kept in case it must be sent again; larger ones are sent once. */
  readonly maxRepeatBytes: number;
  /** A tunnel (WebSocket) in which nothing moves for so long is closed. */
  readonly tunnelIdleTimeoutMs: number;
}

/** What filters may hold, over all routes of a data plane. */
export interface FilterLimits {
  /** Copies of requests under way to mirrors at once; further ones are not made. */
  readonly maxMirrorCopies: number;
  /** Bytes of one copy that wait for a mirror; the copy is given up beyond. */
  readonly mirrorBufferBytes: number;
  /** From the beginning of a copy to the end of the mirror's response. */
  readonly mirrorTimeoutMs: number;
  /** Clients, or values of a header, that one zone of a rate limit tells apart; the one not seen for longest is forgotten. */
  readonly maxRateLimitKeys: number;
  /** Hashes of passwords that take long to compute (apr1), per second; 503 beyond. */
  readonly maxPasswordChecksPerSecond: number;
  /** Passwords that wait for their bcrypt hash to be computed, which one thread does; 503 beyond. */
  readonly maxPasswordQueue: number;
  /** Requests made here under way at once (external auth, error pages); further ones fail. */
  readonly maxSubrequests: number;
  /** Body of a response to such a request: a longer error page is not used, and a longer denial goes without its body. */
  readonly maxSubrequestBodyBytes: number;
  /** From such a request to the end of its response, unless its filter says otherwise. */
  readonly subrequestTimeoutMs: number;
  /** Outcomes of external auth that are remembered, over all routes; the oldest is forgotten. */
  readonly maxAuthOutcomes: number;
  /** Responses being compressed at once; further ones go as they are. */
  readonly maxEncoders: number;
}

/** TCP, TLS and UDP carried as they are. Connecting to backends has the limits of `UpstreamLimits`. */
export interface StreamLimits {
  /** TCP and TLS connections open at once, over all stream listeners; one more is reset as it comes. */
  readonly maxConnections: number;
  /** A connection in which nothing moves in either direction for so long is closed. */
  readonly idleTimeoutMs: number;
  /** TLS records of one ClientHello; the connection is reset beyond. */
  readonly maxHelloBytes: number;
  /** From connecting to the end of the ClientHello. */
  readonly helloTimeoutMs: number;
  /** UDP clients remembered at once, over all listeners; beyond, the longest silent one is forgotten. */
  readonly maxUdpFlows: number;
  /** A UDP client is forgotten after this time without a datagram in either direction. */
  readonly udpIdleTimeoutMs: number;
}

/**
 * What backends are told of clients. From clients that are not trusted, X-Forwarded-For, -Proto, -Host and -Port are
 * replaced, and Forwarded and X-Real-IP removed. From trusted ones the address is appended to X-Forwarded-For and
 * Forwarded and the others are kept where they are present.
 */
export interface ForwardedOptions {
  /**
   * `x-forwarded` writes X-Forwarded-*, `forwarded` writes Forwarded (RFC 7239) in their place, `both` writes both.
   * `none` passes on what the client sent and adds nothing.
   */
  readonly headers: 'x-forwarded' | 'forwarded' | 'both' | 'none';
  /** Name to add to Via of requests (RFC 9110 section 7.6.3): a token or a host. Empty, as it is by default, adds none. */
  readonly via: string;
  /** CIDRs or addresses of proxies in front of this one. */
  readonly trustedProxies: readonly string[];
}

/** Balancers below HTTP that pass connections on and say whose they are (PROXY protocol, versions 1 and 2). */
export interface ProxyProtocolOptions {
  /**
   * CIDRs or addresses of the balancers. Every connection from there, to any listener but those of UDP, must begin with
   * a PROXY header and is closed without one; from elsewhere none is looked for.
   */
  readonly from: readonly string[];
  /** Header with all it carries; closed beyond. */
  readonly maxHeaderBytes: number;
  /** From connecting to the end of the header. */
  readonly timeoutMs: number;
}

/** What is told about traffic. Rates are shares from 0 to 1. */
export interface TelemetryOptions {
  /** Share of requests that `onAccess` hears of, and of connections and flows that `onStream` does. */
  readonly accessSampleRate: number;
  /** Requests without a valid traceparent get one, which begins a trace (W3C Trace Context). */
  readonly startTraces: boolean;
  /** Share of the traces begun here that are marked as sampled. */
  readonly traceSampleRate: number;
  /** Routes with series of their own; those beyond share the route `(more)` of their listener. */
  readonly maxRouteSeries: number;
  /** Likewise backends; those beyond share the backend `(more)`. */
  readonly maxBackendSeries: number;
  /** Certificates whose expiry is shown: the first of the plan. */
  readonly maxCertificateSeries: number;
}

/** TLS towards clients. */
export interface TlsSettings {
  /** How long session tickets are sealed with the same key; they are good for no longer. */
  readonly ticketRotationMs: number;
}

export interface ProxyOptions {
  readonly tls?: Partial<TlsSettings>;
  /** Of the process that began; so that clients can resume here what they began there. */
  readonly ticketSecret?: TicketSecret;
  /**
   * What the values of session cookies are made with, at least 16 characters. Data planes that have it in common know
   * each other's sessions, and so does one that starts again. Absent: one that the data plane makes for itself, workers
   * included; sessions begin anew when all of it starts again.
   */
  readonly affinitySecret?: string;
  /** Where this data plane runs (topology.kubernetes.io/zone of its node): endpoints there are preferred (BackendPolicy.zones). */
  readonly zone?: string;
  readonly client?: Partial<ClientLimits>;
  readonly http2?: Partial<Http2Limits>;
  readonly upstream?: Partial<UpstreamLimits>;
  readonly relay?: Partial<RelayLimits>;
  readonly filters?: Partial<FilterLimits>;
  readonly stream?: Partial<StreamLimits>;
  readonly forwarded?: Partial<ForwardedOptions>;
  readonly proxyProtocol?: Partial<ProxyProtocolOptions>;
  readonly telemetry?: Partial<TelemetryOptions>;
  /** Where the series `fairway_proxy_*` are kept; without it nothing is counted. */
  readonly metrics?: MetricsRegistry;
  /** Called once per sampled request, when it is over. Must be quick and must not throw. */
  readonly onAccess?: (record: AccessRecord) => void;
  /** Records have the line of their listener's `logFormat`. */
  readonly accessLines?: boolean;
  /** The same for TCP and TLS connections and for UDP flows of stream listeners. */
  readonly onStream?: (record: StreamRecord) => void;
  /**
   * Called once per request whose trace is sampled, when it is over. Where it is given, the span of the request here
   * becomes the parent of what the backend does. Must be quick and must not throw.
   */
  readonly onSpan?: (span: SpanRecord) => void;
  readonly onDiagnostic?: (finding: Diagnostic) => void;
  /** Makes servers listen. Default: on sockets bound by this process. */
  readonly listen?: Listen;
}

export interface Settings {
  readonly tls: TlsSettings;
  readonly client: ClientLimits;
  readonly http2: Http2Limits;
  readonly upstream: UpstreamLimits;
  readonly relay: RelayLimits;
  readonly filters: FilterLimits;
  readonly stream: StreamLimits;
  readonly forwarded: ForwardedOptions;
  readonly proxyProtocol: ProxyProtocolOptions;
  readonly telemetry: TelemetryOptions;
}

export const defaults: Settings = {
  tls: { ticketRotationMs: 6 * 3_600_000 },
  client: {
    maxConnections: 16_384,
    maxHeadBytes: 32_768,
    maxHeaders: 100,
    maxTargetBytes: 8_192,
    maxPatternSteps: defaultMatchLimits.maxPatternSteps,
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
  http2: {
    maxConcurrentStreams: 128,
    streamWindowBytes: 262_144,
    connectionWindowBytes: 1_048_576,
    maxSessionBytes: 32_000_000,
    maxResets: 200,
    resetsPerSecond: 20,
    pingIntervalMs: 15_000,
    maxIdleFrames: 1_000,
    idleFramesPerSecond: 100,
    maxContinuations: 16,
  },
  upstream: {
    connectTimeoutMs: 5_000,
    responseTimeoutMs: 60_000,
    // Below the 5 s after which Node.js servers close idle connections, so that the race with them is rare.
    idleTimeoutMs: 4_000,
    maxIdlePerEndpoint: 256,
    maxConnectionsPerEndpoint: 4_096,
    pingIntervalMs: 10_000,
    maxStreamsPerConnection: 100,
    retryBudgetPercent: 20,
    minRetriesPerSecond: 10,
    maxConnectAttempts: 3,
    maxHeadBytes: 65_536,
    maxHeaders: 200,
    maxInformational: 16,
    pendingTimeoutMs: 5_000,
    maxHealthChecks: 64,
  },
  relay: {
    bufferBytes: 65_536,
    maxReadBuffers: 64,
    maxChunkExtensionBytes: 256,
    maxTrailerBytes: 8_192,
    maxRepeatBytes: 65_536,
    tunnelIdleTimeoutMs: 3_600_000,
  },
  filters: {
    maxMirrorCopies: 1_024,
    mirrorBufferBytes: 65_536,
    mirrorTimeoutMs: 10_000,
    maxRateLimitKeys: 65_536,
    maxPasswordChecksPerSecond: 200,
    maxPasswordQueue: 64,
    maxSubrequests: 1_024,
    maxSubrequestBodyBytes: 65_536,
    subrequestTimeoutMs: 5_000,
    maxAuthOutcomes: 4_096,
    maxEncoders: 256,
  },
  stream: {
    maxConnections: 16_384,
    idleTimeoutMs: 3_600_000,
    maxHelloBytes: 16_384,
    helloTimeoutMs: 10_000,
    maxUdpFlows: 8_192,
    udpIdleTimeoutMs: 60_000,
  },
  forwarded: { headers: 'x-forwarded', via: '', trustedProxies: [] },
  proxyProtocol: { from: [], maxHeaderBytes: 1_024, timeoutMs: 3_000 },
  telemetry: {
    accessSampleRate: 1,
    startTraces: false,
    traceSampleRate: 1,
    maxRouteSeries: 500,
    maxBackendSeries: 500,
    maxCertificateSeries: 500,
  },
};

export function resolveSettings(options: ProxyOptions): Settings {
  return {
    tls: { ...defaults.tls, ...options.tls },
    client: { ...defaults.client, ...options.client },
    http2: { ...defaults.http2, ...options.http2 },
    upstream: { ...defaults.upstream, ...options.upstream },
    relay: { ...defaults.relay, ...options.relay },
    filters: { ...defaults.filters, ...options.filters },
    stream: { ...defaults.stream, ...options.stream },
    forwarded: { ...defaults.forwarded, ...options.forwarded },
    proxyProtocol: { ...defaults.proxyProtocol, ...options.proxyProtocol },
    telemetry: { ...defaults.telemetry, ...options.telemetry },
  };
}
