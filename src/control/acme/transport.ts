/** HTTPS to an ACME server, with bounds on time and size, and trust in the authorities that the issuer names. */
import type { IncomingHttpHeaders } from 'node:http';
import { Agent, request } from 'node:https';
import { AcmeError } from './problem.ts';

export interface AcmeRequest {
  readonly method: 'GET' | 'HEAD' | 'POST';
  readonly url: string;
  /** JSON of a JWS. */
  readonly body?: string;
  readonly accept?: string;
  readonly signal?: AbortSignal;
}

export interface AcmeResponse {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export interface AcmeTransport {
  send(request: AcmeRequest): Promise<AcmeResponse>;
  close(): void;
}

export interface TransportOptions {
  /** PEM: trusted in place of the machine's authorities. */
  readonly ca?: string;
  readonly userAgent: string;
  /** For one request, in milliseconds. Default 30,000. */
  readonly timeoutMs?: number;
  /** Largest response, in bytes. Default 1 MiB. */
  readonly maxBytes?: number;
}

/** Sends reject with an AcmeError of status 0 when there is no response. Redirects are not followed. */
export function createTransport(options: TransportOptions): AcmeTransport {
  const { ca, userAgent, timeoutMs = 30_000, maxBytes = 1024 * 1024 } = options;
  const agent = new Agent({ keepAlive: true, maxSockets: 8, ...(ca !== undefined && { ca }) });

  function send({ method, url, body, accept, signal }: AcmeRequest): Promise<AcmeResponse> {
    return new Promise((resolve, reject) => {
      const timeout = AbortSignal.timeout(timeoutMs);
      const fail = (error: Error) => {
        const detail = timeout.aborted ? `no answer within ${timeoutMs} ms` : reasonOf(error);
        reject(new AcmeError({ type: '', detail: `${hostOf(url)}: ${detail}`, status: 0 }));
      };
      const headers = {
        'User-Agent': userAgent,
        ...(accept !== undefined && { Accept: accept }),
        ...(body !== undefined && {
          'Content-Type': 'application/jose+json',
          'Content-Length': Buffer.byteLength(body),
        }),
      };
      const both = signal ? AbortSignal.any([signal, timeout]) : timeout;
      const sent = request(url, { method, headers, agent, signal: both }, (response) => {
        const chunks: Buffer[] = [];
        let size = 0;
        response.on('data', (chunk: Buffer) => {
          size += chunk.length;
          if (size <= maxBytes) {
            chunks.push(chunk);
            return;
          }
          fail(new Error(`more than ${maxBytes} bytes`));
          sent.destroy();
        });
        response.on('error', fail);
        response.on('end', () =>
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            body: Buffer.concat(chunks).toString('utf8'),
          }),
        );
      });
      sent.on('error', fail);
      sent.end(body);
    });
  }

  return { send, close: () => agent.destroy() };
}

function hostOf(url: string): string {
  return URL.canParse(url) ? new URL(url).host : url;
}

function reasonOf(error: Error): string {
  // An address list that failed has its reasons inside.
  const { errors } = error as AggregateError;
  return error.message || errors?.[0]?.message || error.name;
}
