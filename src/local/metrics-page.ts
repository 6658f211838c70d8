/** `/metrics` over HTTP, for Prometheus. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { openSmallPage } from '../base/small-page.ts';

export interface MetricsPageOptions {
  readonly host: string;
  /** 0 picks a free one. */
  readonly port: number;
  /** Text of all metrics. Must not take long. */
  readonly read: () => string | Promise<string>;
}

export interface MetricsPage {
  readonly url: string;
  close(): Promise<void>;
}

/** Scrapers that are connected at once. */
const MAX_CONNECTIONS = 32;
/** A page is given again for so long, so that many readers cost what one does. */
const FRESH_MS = 100;

/** Rejects when the address cannot be bound. */
export async function openMetricsPage({ host, port, read: readNow }: MetricsPageOptions): Promise<MetricsPage> {
  const read = createReader(readNow);
  const page = await openSmallPage({
    ...{ host, port, maxConnections: MAX_CONNECTIONS },
    answer: (request, response) => void answer(request, response, read),
  });
  return { url: `${page.url}/metrics`, close: page.close };
}

type Read = MetricsPageOptions['read'];

function createReader(read: Read): Read {
  let text: string | Promise<string> = '';
  let at = Number.NEGATIVE_INFINITY;
  return () => {
    const now = performance.now();
    if (now - at < FRESH_MS) return text;
    text = read();
    at = now;
    return text;
  };
}

async function answer({ method, url = '' }: IncomingMessage, response: ServerResponse, read: Read): Promise<void> {
  const path = url.split('?', 1)[0];
  if (path !== '/metrics') send(response, 404, 'The metrics are at /metrics.\n');
  else if (method !== 'GET' && method !== 'HEAD') send(response, 405, 'GET or HEAD\n');
  else await sendPage(response, read);
}

/** What cannot be read is told to the reader: nothing else may suffer from it. */
async function sendPage(response: ServerResponse, read: Read): Promise<void> {
  let page: string;
  try {
    page = await read();
  } catch (error) {
    send(response, 500, `The metrics cannot be read: ${error instanceof Error ? error.message : String(error)}\n`);
    return;
  }
  send(response, 200, page, 'text/plain; version=0.0.4; charset=utf-8');
}

function send(response: ServerResponse, status: number, text: string, type = 'text/plain; charset=utf-8'): void {
  response.writeHead(status, { 'Content-Type': type, 'Content-Length': Buffer.byteLength(text) });
  response.end(text);
}
