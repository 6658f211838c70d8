/** Small pages over HTTP for machines: metrics, readiness. Bounded in connections and time. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface SmallPageOptions {
  readonly host: string;
  /** 0 picks a free one. */
  readonly port: number;
  /** Clients that are connected at once. */
  readonly maxConnections: number;
  readonly answer: (request: IncomingMessage, response: ServerResponse) => void;
}

export interface SmallPage {
  /** Without a path. */
  readonly url: string;
  close(): Promise<void>;
}

/** For a whole request, and for a connection on which nothing moves. Milliseconds. */
const REQUEST_TIMEOUT_MS = 10_000;
const IDLE_TIMEOUT_MS = 60_000;

/** Rejects when the address cannot be bound. */
export function openSmallPage({ host, port, maxConnections, answer }: SmallPageOptions): Promise<SmallPage> {
  const server = createServer({ requestTimeout: REQUEST_TIMEOUT_MS, headersTimeout: REQUEST_TIMEOUT_MS });
  server.maxConnections = maxConnections;
  server.setTimeout(IDLE_TIMEOUT_MS);
  server.on('request', answer);
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      const bound = server.address() as AddressInfo;
      const name = bound.family === 'IPv6' ? `[${bound.address}]` : bound.address;
      resolve({
        url: `http://${name}:${bound.port}`,
        close: () =>
          new Promise((done) => {
            server.close(() => done());
            server.closeAllConnections();
          }),
      });
    });
  });
}
