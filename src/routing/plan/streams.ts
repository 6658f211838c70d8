/** TCP, UDP, and TLS told apart by server name. Part of the plan: see plan.ts. */
import type { BackendId, Provenance } from './plan.ts';
import type { CertificateId, ListenerTls } from './tls.ts';

/**
 * One socket for TCP connections, UDP datagrams, or TLS connections told apart by server name. A TLS one and an HTTPS
 * `Listener` may have the same address and port: then this one holds the socket, and `handover` routes name what goes
 * to the other.
 */
export interface StreamListener {
  /** `127.250.0.1:9000/TCP`, stable over plans. */
  readonly id: string;
  readonly address: string;
  readonly port: number;
  readonly protocol: 'TCP' | 'UDP' | 'TLS';
  /** Shown to backends that are spoken to over TLS (Gateway spec.tls.backend.clientCertificateRef). */
  readonly backendClientCertificate?: CertificateId;
  /** At most one per server name, most specific first. What none of them covers is refused. */
  readonly routes: readonly StreamRoute[];
  readonly sources: readonly Provenance[];
}

export interface StreamRoute {
  /** `TCPRoute/shop/db/rules/0`; for names without a route, `Gateway/shop/gw/listeners/tls`. */
  readonly id: string;
  /** Name of the rule (TCPRoute rules[].name). */
  readonly name?: string;
  /**
   * Server name of the TLS ClientHello: exact, `*.example.com` (one label and more), or `*` for all others and for
   * clients that name none. Always `*` for TCP and UDP.
   */
  readonly serverName: string;
  /**
   * `none`: TCP and UDP. `passthrough`: backends get the TLS bytes as they came. `terminate`: they get what was
   * inside. `handover`: the connection is one for the HTTPS listener of this address and port.
   */
  readonly tls: 'none' | 'passthrough' | 'terminate' | 'handover';
  /** For `terminate`: by server name, as in `ListenerTls`. */
  readonly certificates?: ListenerTls['certificates'];
  /**
   * For `terminate`: application protocols, the one preferred first, of which one is agreed with clients that offer any
   * (ALPN, RFC 7301); without one in common the handshake fails. Absent: what clients offer is left unanswered.
   */
  readonly alpn?: readonly string[];
  /** None, or none with a weight: refused. */
  readonly backends: readonly StreamBackend[];
  readonly source: Provenance;
}

/** Connections, or UDP flows (one client's datagrams), are shared out by weight. */
export interface StreamBackend {
  readonly weight: number;
  /** Absent: the reference is invalid; its share is refused, for the reason given. */
  readonly backend?: BackendId;
  readonly invalid?: string;
  readonly source: Provenance;
}
