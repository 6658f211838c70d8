/** Bounds of echo Pods: what a hostile or broken client can cost. */

export interface EchoLimits {
  /** TCP connections open at once, over all Pods. Default 10,000; further ones are reset. */
  readonly connections: number;
  /** A client that has sent bytes that may still become a known protocol gets TCP echo after this time. Default 2,000 ms. */
  readonly sniffMs: number;
  /** Connections without traffic are closed after this time. Default 600,000 ms. */
  readonly idleMs: number;
  /** Longest request head over HTTP/1.1. Default 65,536 bytes. */
  readonly headBytes: number;
  /** Largest gRPC message that is read. Default 4 MiB. */
  readonly grpcMessageBytes: number;
  /** Largest WebSocket frame that is echoed. Default 1 MiB; larger ones close with 1009. */
  readonly webSocketFrameBytes: number;
  /** Longest `?delay=`. Default 300,000 ms. */
  readonly delayMs: number;
  /** Requests that may wait for a delay at once, over all Pods. Default 10,000; beyond, they get 503. */
  readonly delayedRequests: number;
  /** Retry simulations remembered per Pod (`/retry/…?uuid=`). Default 1,000; beyond, the oldest is forgotten. */
  readonly retrySimulations: number;
  /** Lines kept of each container's log. Default 1,000. */
  readonly logLines: number;
  /** Characters kept of each container's log. Default 262,144. */
  readonly logChars: number;
  /** Ports that a Pod may listen on. Default 64. */
  readonly portsPerPod: number;
  /** How often ports that could not be bound are tried again. Default 2,000 ms. */
  readonly retryMs: number;
}

export const defaultEchoLimits: EchoLimits = {
  connections: 10_000,
  sniffMs: 2_000,
  idleMs: 600_000,
  headBytes: 65_536,
  grpcMessageBytes: 4 << 20,
  webSocketFrameBytes: 1 << 20,
  delayMs: 300_000,
  delayedRequests: 10_000,
  retrySimulations: 1_000,
  logLines: 1_000,
  logChars: 262_144,
  portsPerPod: 64,
  retryMs: 2_000,
};
