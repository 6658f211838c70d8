/** One request of DNS over HTTPS (RFC 8484 sections 4 and 5), whatever the version of HTTP it came by. */
import type { Readable } from 'node:stream';
import type { Client } from '../plugins/plugin.ts';
import { maxMessageSize } from '../wire/encode.ts';
import { freshnessOf } from '../wire/freshness.ts';
import type { PacketHandler } from './responder.ts';

export interface HttpRequest {
  readonly method: string;
  /** Path and query. */
  readonly target: string;
  /** '' when it is not said. */
  readonly contentType: string;
  /** Bytes; 0 when it is not said. */
  readonly contentLength: number;
  readonly body: Readable;
}

export interface HttpAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | number>>;
  readonly body: Uint8Array;
  /** Some of the request may not have been read: HTTP/1.1 cannot go on behind it. */
  readonly unread: boolean;
}

const path = '/dns-query';
const mediaType = 'application/dns-message';

const reasons: Readonly<Record<number, string>> = {
  400: 'invalid request',
  404: 'DNS is at /dns-query',
  405: 'method not allowed',
  408: 'the request did not arrive in time',
  413: 'the message is too large',
  415: 'the media type is application/dns-message',
  431: 'the header is too large',
  500: 'no response',
};

function failure(status: number, unread = true): HttpAnswer {
  const body = Buffer.from(`${reasons[status]}\n`);
  return {
    ...{ status, body, unread },
    headers: {
      'content-type': 'text/plain; charset=utf-8',
      'content-length': body.length,
      ...(status === 405 && { allow: 'GET, POST' }),
    },
  };
}

/** The message of a GET: base64url without padding, once. */
function messageInQuery(query: string): Buffer | HttpAnswer {
  const values = new URLSearchParams(query).getAll('dns');
  const [text = ''] = values;
  if (values.length !== 1 || !/^[\w-]+$/.test(text) || text.length % 4 === 1) return failure(400);
  return Buffer.from(text, 'base64url');
}

/** Reads no more than a message may have, and no longer than `timeoutMs`. Undefined: the client is gone. */
function readBody(body: Readable, timeoutMs: number): Promise<Buffer | HttpAnswer | undefined> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let size = 0;
    const timer = setTimeout(() => finish(failure(408)), timeoutMs);
    const finish = (found: Buffer | HttpAnswer | undefined) => {
      clearTimeout(timer);
      body.off('data', take);
      resolve(found);
    };
    const take = (chunk: Buffer) => {
      size += chunk.length;
      if (size > maxMessageSize) finish(failure(413));
      else chunks.push(chunk);
    };
    body.on('data', take);
    body.once('end', () => finish(Buffer.concat(chunks)));
    body.once('close', () => finish(undefined));
  });
}

interface Bounds {
  /** For the body to arrive. */
  readonly timeoutMs: number;
  /** Characters of path and query. */
  readonly maxTarget: number;
}

function messageOf(request: HttpRequest, bounds: Bounds): ReturnType<typeof readBody> | Buffer | HttpAnswer {
  if (request.target.length > bounds.maxTarget) return failure(431);
  const [where, query = ''] = request.target.split('?', 2) as [string, string?];
  if (where !== path) return failure(404);
  if (request.method === 'GET') return messageInQuery(query);
  if (request.method !== 'POST') return failure(405);
  if (request.contentType.split(';')[0]!.trim().toLowerCase() !== mediaType) return failure(415);
  if (request.contentLength > maxMessageSize) return failure(413);
  return readBody(request.body, bounds.timeoutMs);
}

/**
 * Asks the DNS server and says what to send; undefined when the client went before its request was whole.
 *
 * What cannot be a query is 400; a query that DNS refuses is 200 with the rcode in its message. A query that is meant
 * to get no answer is 500, as is a zone transfer of more than one message.
 */
export async function answerHttp(
  request: HttpRequest,
  client: Client,
  options: Bounds & { readonly handle: PacketHandler },
): Promise<HttpAnswer | undefined> {
  const message = await messageOf(request, options);
  if (!message || 'status' in message) return message;
  // Less than a header, or a response.
  if (message.length < 12 || (message[2]! & 0x80) !== 0) return failure(400, false);
  const sent = await options.handle(message, client);
  const response = sent instanceof Uint8Array || sent === undefined ? sent : sent.length === 1 ? sent[0] : undefined;
  if (!response) return failure(500, false);
  const headers = {
    'content-type': mediaType,
    'content-length': response.length,
    'cache-control': `max-age=${freshnessOf(response)}`,
  };
  return { status: 200, headers, body: response, unread: false };
}
