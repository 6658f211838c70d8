/** `/ready` and `/live` over HTTP, for the probes of a kubelet or a load balancer. */
import type { ServerResponse } from 'node:http';
import { openSmallPage, type SmallPage } from '../../base/small-page.ts';

export interface HealthOptions {
  readonly host: string;
  /** 0 picks a free one. */
  readonly port: number;
  /** Why it is not ready; undefined when it is. */
  readonly unready: () => string | undefined;
}

/** Probes that are connected at once. */
const MAX_CONNECTIONS = 64;

/** Rejects when the address cannot be bound. */
export function openHealth({ host, port, unready }: HealthOptions): Promise<SmallPage> {
  return openSmallPage({
    ...{ host, port, maxConnections: MAX_CONNECTIONS },
    answer({ method, url = '' }, response) {
      const path = url.split('?', 1)[0]!;
      if (path !== '/ready' && path !== '/live') send(response, 404, '/ready or /live\n');
      else if (method !== 'GET' && method !== 'HEAD') send(response, 405, 'GET or HEAD\n');
      else {
        const reason = path === '/ready' ? unready() : undefined;
        send(response, reason === undefined ? 200 : 503, `${reason ?? 'ok'}\n`);
      }
    },
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
