/** `/ready` and `/live` over HTTP, for the probes of a kubelet or a load balancer. */
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface HealthOptions {
  readonly host: string;
  /** 0 picks a free one. */
  readonly port: number;
  /** Why it is not ready; undefined when it is. */
  readonly unready: () => string | undefined;
}

export interface HealthPage {
  /** Without a path. */
  readonly url: string;
  close(): Promise<void>;
}

/** Probes that are connected at once. */
const MAX_CONNECTIONS = 64;
/** For a whole request, and for a connection on which nothing moves. Milliseconds. */
const REQUEST_TIMEOUT_MS = 10_000;
const IDLE_TIMEOUT_MS = 60_000;

/** Rejects when the address cannot be bound. */
export function openHealth({ host, port, unready }: HealthOptions): Promise<HealthPage> {
  const server = createServer({ requestTimeout: REQUEST_TIMEOUT_MS, headersTimeout: REQUEST_TIMEOUT_MS });
  server.maxConnections = MAX_CONNECTIONS;
  server.setTimeout(IDLE_TIMEOUT_MS);
  server.on('request', ({ method, url = '' }, response) => {
    const path = url.split('?', 1)[0]!;
    if (path !== '/ready' && path !== '/live') send(response, 404, '/ready or /live\n');
    else if (method !== 'GET' && method !== 'HEAD') send(response, 405, 'GET or HEAD\n');
    else {
      const reason = path === '/ready' ? unready() : undefined;
      send(response, reason === undefined ? 200 : 503, `${reason ?? 'ok'}\n`);
    }
  });
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

function send(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, {
    'Content-Type': 'text/plain; charset=utf-8',
    'Content-Length': Buffer.byteLength(text),
    'Cache-Control': 'no-store',
  });
  response.end(text);
}
