/** Bounds of L4 forwarding: what a hostile or broken client can cost. */

export interface ForwardLimits {
  /** TCP connections open at once, over all Services. Default 10,000; further ones are reset. */
  readonly connections: number;
  /** Time for one endpoint to accept a connection, in ms. Default 2,000. */
  readonly connectTimeoutMs: number;
  /** Time for a client to be connected to any endpoint, in ms. Default 10,000. */
  readonly connectDeadlineMs: number;
  /** A TCP connection without a byte in either direction is closed after this time, in ms. Default 3,600,000. */
  readonly tcpIdleMs: number;
  /** UDP clients remembered at once, over all Services. Default 4,096; beyond, the longest silent one is forgotten. */
  readonly udpFlows: number;
  /** A UDP client is forgotten after this time without a datagram, in ms. Default 30,000. */
  readonly udpIdleMs: number;
  /** Clients remembered for sessionAffinity, per Service port. Default 10,000; beyond, the oldest is forgotten. */
  readonly affinityClients: number;
  /** How often sockets that could not be opened are tried again, in ms. Default 3,000. */
  readonly retryMs: number;
}

export const defaultForwardLimits: ForwardLimits = {
  connections: 10_000,
  connectTimeoutMs: 2_000,
  connectDeadlineMs: 10_000,
  tcpIdleMs: 3_600_000,
  udpFlows: 4_096,
  udpIdleMs: 30_000,
  affinityClients: 10_000,
  retryMs: 3_000,
};
