/**
 * Requests to one Kubernetes API: credentials, bounded retries, bounded bodies, errors as values. Reads are repeated
 * when the connection or the server fails; any request is repeated when the server says that it has not begun with it
 * (429) and when a kept connection turns out to be dead; 401 fetches new credentials once.
 */
import type { IncomingMessage } from 'node:http';
import { isNestedTooDeep } from '../../base/nesting.ts';
import { err, ok, type Result } from '../../base/result.ts';
import { createAgents } from './agents.ts';
import { type ApiError, errorOfStatus } from './api-error.ts';
import type { ClientConfig } from './config.ts';
import { createCredentials } from './credentials.ts';
import { type BodyBounds, type Exchange, readBody, sendRequest, streamBody } from './exchange.ts';
import { createLimiter, type LimiterOptions } from './limiter.ts';
import { queryOf } from './paths.ts';
import { createBackoff, systemTiming, type Timing } from './timing.ts';

export type Query = Readonly<Record<string, string | number | boolean | undefined>>;
export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

export interface ApiRequest {
  /** Default GET. */
  readonly method?: Method;
  /** From the API's root: `/api/v1/pods`. */
  readonly path: string;
  readonly query?: Query;
  /** Sent as JSON. */
  readonly body?: unknown;
  /** Of the body. Default application/json. */
  readonly contentType?: string;
  /** Form of the answer that is asked for. Default application/json. */
  readonly accept?: string;
  readonly signal?: AbortSignal;
  /** Milliseconds for one attempt, answer included. Default that of the client. */
  readonly timeoutMs?: number;
  /** Default that of the client. */
  readonly retries?: number;
  /** Hears how many bytes the answer had; while it comes, when it is streamed. */
  readonly onBytes?: (bytes: number) => void;
}

export interface KubeClient {
  /** URL of the server, for people. */
  readonly server: string;
  /** Namespace of the context. */
  readonly namespace: string;
  readonly timing: Timing;
  /** The JSON of the answer; its shape is the caller's belief. */
  request<T>(request: ApiRequest): Promise<Result<T, ApiError>>;
  /**
   * Hands over the answer as it comes, chunk by chunk. `begin` is called for each attempt: a repeated one begins at the
   * start. What its result returns is what is wrong with the answer, which ends the attempts.
   */
  read(request: ApiRequest, begin: () => (chunk: Buffer) => string | undefined): Promise<Result<void, ApiError>>;
  /** The answer as a stream, for watches. `timeoutMs` is for its head only. Repeated for 401 and dead connections only. */
  open(request: ApiRequest): Promise<Result<IncomingMessage, ApiError>>;
  /** Closes the connections. What is under way fails. */
  close(): void;
}

/** What a client tells of its requests, for metrics. Times in seconds. */
export interface RequestObserver {
  /** The head of an answer came, or none did (`code` undefined). `host` as in the URL. */
  answered(method: Method, host: string, code: number | undefined, seconds: number): void;
  /** How long our own limits held a request back. */
  waited(method: Method, host: string, seconds: number): void;
}

export interface ClientOptions {
  readonly config: ClientConfig;
  /** Sent as User-Agent. Default `fairway`. */
  readonly userAgent?: string;
  /** Milliseconds for one attempt. Default 30,000. */
  readonly timeoutMs?: number;
  /** Bytes of one answer. Default 64 MiB. */
  readonly maxBytes?: number;
  /** Attempts after the first. Default 3. */
  readonly retries?: number;
  /** Longest pause between attempts in milliseconds; a longer Retry-After ends the attempts. Default 10,000. */
  readonly maxPauseMs?: number;
  /** Milliseconds that token and certificate files are trusted for before they are read again. Default 60,000. */
  readonly rereadMs?: number;
  /** Bounds on our own requests. Default none. */
  readonly limits?: LimiterOptions;
  readonly observer?: RequestObserver;
  readonly timing?: Timing;
}

/** Seconds or a date (RFC 9110, section 10.2.3), as milliseconds from now. */
export function parseRetryAfter(header: string | undefined, now: number): number | undefined {
  if (!header) return undefined;
  if (/^\d{1,9}$/.test(header.trim())) return Number(header) * 1000;
  const date = Date.parse(header);
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}

/** Undefined for what is no JSON, or nested too deep for those who walk it. */
export function parseJson(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text);
    return isNestedTooDeep(value) ? undefined : value;
  } catch {
    // Undefined is no JSON value: callers tell it from everything that parses.
    return undefined;
  }
}

/** Kept connections in a row that may turn out to be dead before that counts as a failure. */
const maxStale = 3;
/** Bytes of a refusal that are read. */
const refusalBytes = 256 * 1024;

/** Throws only when `config.server` is no URL, which findClientConfig sees to. */
export function createKubeClient(options: ClientOptions): KubeClient {
  const { config, userAgent = 'fairway', maxPauseMs = 10_000, timing = systemTiming, observer } = options;
  const server = new URL(config.server);
  const root = server.pathname.replace(/\/$/, '');
  const agents = createAgents(server, config.tls, timing, options.rereadMs);
  const credentials = createCredentials(config, timing, options.rereadMs);
  const limiter = createLimiter(options.limits ?? {}, timing);
  const defaultTimeoutMs = options.timeoutMs ?? 30_000;
  let closed = false;

  const askedOf = ({ method = 'GET', path }: ApiRequest) => `${method} ${server.origin}${root}${path}`;
  const failure = (request: ApiRequest, kind: ApiError['kind'], text: string) =>
    err<ApiError>({ kind, message: `${askedOf(request)}: ${text}` });

  async function exchangeFor(request: ApiRequest): Promise<Result<Exchange, ApiError>> {
    if (closed) return failure(request, 'aborted', 'the client is closed');
    const who = await credentials.current();
    if (!who.ok) return failure(request, 'credentials', who.error);
    const door = agents.current(who.value.certificate);
    if (!door.ok) return failure(request, 'credentials', door.error);
    const { body, contentType = 'application/json', accept = 'application/json' } = request;
    return ok({
      door: door.value,
      url: new URL(`${root}${request.path}${queryOf(request.query)}`, server),
      method: request.method ?? 'GET',
      headers: {
        accept,
        'user-agent': userAgent,
        ...(body !== undefined && { 'content-type': contentType }),
        ...who.value.headers,
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
      timeoutMs: request.timeoutMs ?? defaultTimeoutMs,
      ...(request.signal && { signal: request.signal }),
    });
  }

  async function refusal(request: ApiRequest, exchange: Exchange, response: IncomingMessage): Promise<ApiError> {
    const { timeoutMs, signal } = exchange;
    const body = await readBody(response, exchange, { maxBytes: refusalBytes, timeoutMs, signal });
    const text = body.ok ? body.value.toString('utf8') : '';
    const requestId = response.headers['audit-id'];
    const retryAfterMs = parseRetryAfter(response.headers['retry-after'], timing.now());
    return errorOfStatus(parseJson(text) ?? text, {
      asked: askedOf(request),
      code: response.statusCode,
      ...(typeof requestId === 'string' && { requestId }),
      ...(retryAfterMs !== undefined && { retryAfterMs }),
    });
  }

  const secondsSince = (started: number) => (timing.monotonic() - started) / 1000;

  /** Sends a request when our own limits let it; the head of its answer. A stream counts until it has begun. */
  async function send(
    request: ApiRequest,
    exchange: Exchange,
    stream: boolean,
  ): Promise<Result<IncomingMessage, ApiError>> {
    const { method = 'GET', signal } = request;
    const asked = timing.monotonic();
    const release = await limiter.acquire(signal);
    observer?.waited(method, server.host, secondsSince(asked));
    if (!release) return failure(request, 'aborted', 'given up');
    const sent = timing.monotonic();
    const response = await sendRequest(exchange);
    observer?.answered(method, server.host, response.ok ? response.value.statusCode : undefined, secondsSince(sent));
    if (response.ok && !stream) response.value.once('close', release);
    else release();
    return response;
  }

  /** One attempt; an answer that is no success is an error. */
  async function attempt(request: ApiRequest, stream = false): Promise<Result<[Exchange, IncomingMessage], ApiError>> {
    const exchange = await exchangeFor(request);
    if (!exchange.ok) return exchange;
    const response = await send(request, exchange.value, stream);
    if (!response.ok) return response;
    const code = response.value.statusCode ?? 0;
    if (code >= 200 && code < 300) return ok([exchange.value, response.value]);
    return err(await refusal(request, exchange.value, response.value));
  }

  const boundsOf = ({ timeoutMs, signal }: Exchange): BodyBounds => ({
    maxBytes: options.maxBytes ?? 64 * 1024 * 1024,
    timeoutMs,
    ...(signal && { signal }),
  });

  async function attemptStream(
    request: ApiRequest,
    onChunk: (chunk: Buffer) => string | undefined,
  ): Promise<Result<void, ApiError>> {
    const answer = await attempt(request);
    if (!answer.ok) return answer;
    const [exchange, response] = answer.value;
    return streamBody(response, exchange, boundsOf(exchange), (chunk) => {
      request.onBytes?.(chunk.length);
      return onChunk(chunk);
    });
  }

  async function attemptJson<T>(request: ApiRequest): Promise<Result<T, ApiError>> {
    const answer = await attempt(request);
    if (!answer.ok) return answer;
    const [exchange, response] = answer.value;
    const body = await readBody(response, exchange, boundsOf(exchange));
    if (!body.ok) return body;
    request.onBytes?.(body.value.length);
    const value = parseJson(body.value.toString('utf8'));
    return value === undefined ? failure(request, 'malformed', 'the answer is no JSON') : ok(value as T);
  }

  /** New credentials, when the answer was 401 and there may be some. */
  function renewed({ code }: ApiError): boolean {
    if (code !== 401) return false;
    agents.forget();
    return credentials.refused();
  }

  /** Whether the same request may be sent again. */
  function repeatable({ method = 'GET' }: ApiRequest, error: ApiError): boolean {
    if (error.code === 429) return true;
    if (method !== 'GET') return false;
    return error.kind === 'unreachable' || error.kind === 'timeout' || (error.code ?? 0) >= 500;
  }

  async function withRetries<T>(
    request: ApiRequest,
    retries: number,
    once: () => Promise<Result<T, ApiError>>,
  ): Promise<Result<T, ApiError>> {
    const backoff = createBackoff({ baseMs: 200, maxMs: maxPauseMs }, timing.random);
    let renewals = 0;
    let stale = 0;
    for (let failures = 0; ; ) {
      const result = await once();
      if (result.ok) return result;
      const { error } = result;
      if (renewed(error) && renewals++ === 0) continue;
      if (error.staleConnection && request.method !== 'POST' && stale++ < maxStale) continue;
      if (failures++ >= retries || !repeatable(request, error)) return result;
      const pause = error.retryAfterMs ?? backoff.next();
      if (pause > maxPauseMs) return result;
      await timing.sleep(pause, request.signal);
      if (request.signal?.aborted) return failure(request, 'aborted', 'given up');
    }
  }

  return {
    server: config.server,
    namespace: config.namespace,
    timing,
    request: <T>(request: ApiRequest) =>
      withRetries(request, request.retries ?? options.retries ?? 3, () => attemptJson<T>(request)),
    read: (request, begin) =>
      withRetries(request, request.retries ?? options.retries ?? 3, () => attemptStream(request, begin())),
    async open(request) {
      const answer = await withRetries(request, 0, () => attempt(request, true));
      return answer.ok ? ok(answer.value[1]) : answer;
    },
    close() {
      closed = true;
      agents.close();
    },
  };
}
