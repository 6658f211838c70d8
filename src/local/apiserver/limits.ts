/** What one client may ask of the API server. Every bound is an option with a default. */
export interface ApiLimits {
  /** Bytes of a request body. Default 3 MiB, as in Kubernetes. */
  readonly bodyBytes: number;
  /** How deep the values of a body may nest. Default 200. */
  readonly bodyDepth: number;
  /** Milliseconds until a request's head must be there. Default 10,000. */
  readonly headersTimeoutMs: number;
  /** Milliseconds until the whole request must be there. Default 60,000. */
  readonly requestTimeoutMs: number;
  /** Open connections. Default 1,024. */
  readonly connections: number;
  /** Open watches and followed logs. Default 1,000. */
  readonly watchers: number;
  /** Changes that wait for one slow watcher before it is closed. Default 20,000. */
  readonly watchBacklog: number;
  /** Bytes that may wait in one response before its writer pauses. Default 1 MiB. */
  readonly responseBuffer: number;
  /** Milliseconds that a paused response waits for its reader before it is cut. Default 30,000. */
  readonly stallTimeoutMs: number;
  /** Milliseconds between bookmarks of a watch. Default 60,000. */
  readonly bookmarkIntervalMs: number;
  /** Milliseconds after which a watch ends when the client names no end. Default 30 to 60 minutes, by chance. */
  readonly watchTimeoutMs: number;
}

export function apiLimits(given: Partial<ApiLimits> = {}): ApiLimits {
  return {
    bodyBytes: 3 * 1024 * 1024,
    bodyDepth: 200,
    headersTimeoutMs: 10_000,
    requestTimeoutMs: 60_000,
    connections: 1024,
    watchers: 1000,
    watchBacklog: 20_000,
    responseBuffer: 1024 * 1024,
    stallTimeoutMs: 30_000,
    bookmarkIntervalMs: 60_000,
    watchTimeoutMs: 1_800_000 * (1 + Math.random()),
    ...given,
  };
}
