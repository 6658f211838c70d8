/** One HTTP request and the head of its answer; bodies within bounds. No retries and no meaning: see client.ts. */
import type { ClientRequest, IncomingMessage, OutgoingHttpHeaders } from 'node:http';
import { err, ok, type Result } from '../../base/result.ts';
import type { Door } from './agents.ts';
import type { ApiError, ApiErrorKind } from './api-error.ts';

export interface Exchange {
  readonly door: Door;
  readonly url: URL;
  readonly method: string;
  readonly headers: Readonly<Record<string, string | readonly string[]>>;
  readonly body?: string;
  /** Milliseconds until the head of the answer must be there. */
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
}

const askedOf = ({ method, url }: Pick<Exchange, 'method' | 'url'>) => `${method} ${url.origin}${url.pathname}`;

function failure(kind: ApiErrorKind, exchange: Exchange, text: string): ApiError {
  return { kind, message: `${askedOf(exchange)}: ${text}` };
}

/** What a failed connection says; one to several addresses fails with a list. */
export function describeFailure(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) return describeFailure(error.errors[0]);
  if (!(error instanceof Error)) return String(error);
  return error.message || (error as NodeJS.ErrnoException).code || error.name;
}

/** The request, not yet sent; a token with characters that no header may have is refused by Node. */
function beginRequest({ door, url, method, headers, body }: Exchange): Result<ClientRequest, string> {
  const length = body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) };
  try {
    return ok(
      door.request(url, { ...door.options, method, headers: { ...headers, ...length } as OutgoingHttpHeaders }),
    );
  } catch (error) {
    return err(describeFailure(error));
  }
}

/** Resolves with the head of the answer; its body is unread. */
export function sendRequest(exchange: Exchange): Promise<Result<IncomingMessage, ApiError>> {
  const { body, timeoutMs, signal } = exchange;
  if (signal?.aborted) return Promise.resolve(err(failure('aborted', exchange, 'given up')));
  const begun = beginRequest(exchange);
  if (!begun.ok) return Promise.resolve(err(failure('credentials', exchange, begun.error)));
  const request = begun.value;
  return new Promise((resolve) => {
    let ended = false;
    const settle = (result: Result<IncomingMessage, ApiError>) => {
      if (ended) return;
      ended = true;
      clearTimeout(timer);
      signal?.removeEventListener('abort', abort);
      resolve(result);
    };
    const fail = (kind: ApiErrorKind, text: string, staleConnection = false) => {
      settle(err({ ...failure(kind, exchange, text), ...(staleConnection && { staleConnection }) }));
      request.destroy();
    };
    const abort = () => fail('aborted', 'given up');
    const timer = setTimeout(() => fail('timeout', `no answer within ${timeoutMs} ms`), timeoutMs);
    signal?.addEventListener('abort', abort);
    request.on('error', (error: NodeJS.ErrnoException) =>
      fail('unreachable', describeFailure(error), request.reusedSocket && error.code === 'ECONNRESET'),
    );
    request.on('response', (response) => {
      settle(ok(response));
      // Whoever reads the body hears of errors; until then there must be somebody who does.
      response.on('error', () => undefined);
    });
    request.end(body);
  });
}

export interface BodyBounds {
  /** Bytes. */
  readonly maxBytes: number;
  /** Milliseconds for the whole body. */
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
}

/**
 * Hands over a body as it comes. What `onChunk` returns is what is wrong with it, which ends the reading. Whatever goes
 * wrong, the connection is gone afterwards.
 */
export function streamBody(
  response: IncomingMessage,
  exchange: Exchange,
  bounds: BodyBounds,
  onChunk: (chunk: Buffer) => string | undefined,
): Promise<Result<void, ApiError>> {
  return new Promise((resolve) => {
    let bytes = 0;
    let ended = false;
    const finish = (result: Result<void, ApiError>) => {
      if (ended) return;
      ended = true;
      clearTimeout(timer);
      bounds.signal?.removeEventListener('abort', abort);
      if (!result.ok) response.destroy();
      resolve(result);
    };
    const fail = (kind: ApiErrorKind, text: string) => finish(err(failure(kind, exchange, text)));
    const abort = () => fail('aborted', 'given up');
    const timer = setTimeout(
      () => fail('timeout', `the answer was not whole within ${bounds.timeoutMs} ms`),
      bounds.timeoutMs,
    );
    bounds.signal?.addEventListener('abort', abort);
    response.on('data', (chunk: Buffer) => {
      if (ended) return;
      bytes += chunk.length;
      if (bytes > bounds.maxBytes) return fail('too-large', `the answer is larger than ${bounds.maxBytes} bytes`);
      const problem = onChunk(chunk);
      if (problem !== undefined) return fail('malformed', problem);
      // Others have their turn between chunks: a list of many megabytes must not hold up what is to be answered.
      response.pause();
      setImmediate(() => response.resume());
    });
    response.on('end', () => finish(ok(undefined)));
    response.on('error', (error) => fail('unreachable', `the answer broke off: ${describeFailure(error)}`));
    response.on('close', () => fail('unreachable', 'the answer broke off'));
    if (response.destroyed) fail('unreachable', 'the answer broke off');
  });
}

/** Reads a body whole. */
export async function readBody(
  response: IncomingMessage,
  exchange: Exchange,
  bounds: BodyBounds,
): Promise<Result<Buffer, ApiError>> {
  const chunks: Buffer[] = [];
  const read = await streamBody(response, exchange, bounds, (chunk) => {
    chunks.push(chunk);
    return undefined;
  });
  return read.ok ? ok(Buffer.concat(chunks)) : read;
}
