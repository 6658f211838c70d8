/**
 * What an echo Pod answers to an HTTP request, whatever carried it. Semantics of the Gateway API conformance echo
 * server (`echo-basic`): paths, field names and log wording are what its clients and tests rely on.
 */
import type { EchoPort, TlsAssertions } from './connection.ts';
import { parseGoDuration } from './go-duration.ts';
import { type HeaderPair, headerMap, isWritable } from './headers.ts';
import type { EchoLimits } from './limits.ts';

export interface EchoRequest {
  readonly method: string;
  /** Request target as it came, with the query. */
  readonly uri: string;
  readonly host: string;
  readonly proto: 'HTTP/1.0' | 'HTTP/1.1' | 'HTTP/2.0';
  readonly headers: readonly HeaderPair[];
  /** `address:port` of the client. */
  readonly remote: string;
  readonly tls: TlsAssertions | undefined;
}

export interface EchoAnswer {
  /** Wait before answering, in ms. */
  readonly delayMs: number;
  /** Reset the connection instead of answering. */
  readonly reset?: boolean;
  readonly status: number;
  readonly headers: readonly HeaderPair[];
  readonly body: string;
}

type Handler = (request: EchoRequest, port: EchoPort, limits: EchoLimits) => EchoAnswer;

const json: readonly HeaderPair[] = [
  ['Content-Type', 'application/json'],
  ['X-Content-Type-Options', 'nosniff'],
];
const text: readonly HeaderPair[] = [['Content-Type', 'text/plain; charset=utf-8']];

/** The answer, with the status that the Pod's annotation forces on it. */
export function answerRequest(request: EchoRequest, port: EchoPort, limits: EchoLimits): EchoAnswer {
  const answer = handlerOf(request, port)(request, port, limits);
  return port.status === undefined ? answer : { ...answer, reset: false, status: port.status };
}

function handlerOf(request: EchoRequest, port: EchoPort): Handler {
  if (port.h2cOnly && request.proto !== 'HTTP/2.0') return expectH2c;
  const path = pathOf(request.uri);
  if (path === '/health') return health;
  if (path.startsWith('/status/')) return status;
  if (path.startsWith('/retry/')) return retry;
  if (path === '/ws') return webSocketWanted;
  return echo;
}

/** Decoded path with `//` as `/`: only for choosing a handler, the answer shows the target as it came. */
function pathOf(uri: string): string {
  const path = uri.replace(/^[a-z]+:\/\/[^/?]*/i, '').split('?', 1)[0]!;
  return decodePath(path).replaceAll('//', '/');
}

function decodePath(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    // A stray % belongs to no special path.
    return path;
  }
}

function queryOf(uri: string): URLSearchParams {
  const mark = uri.indexOf('?');
  return new URLSearchParams(mark < 0 ? '' : uri.slice(mark + 1));
}

function plain(status: number, body: string, delayMs = 0): EchoAnswer {
  return { delayMs, status, headers: body ? text : [], body };
}

function failure(message: string): EchoAnswer {
  return { delayMs: 0, status: 500, headers: json, body: JSON.stringify({ message }) };
}

function note(request: EchoRequest, port: EchoPort, answer: EchoAnswer): EchoAnswer {
  const outcome = answer.reset ? 'a reset' : String(answer.status);
  port.log(`Answering ${outcome} to ${request.method} ${request.uri} to client (${request.remote})`);
  return answer;
}

const expectH2c: Handler = (request, port) => note(request, port, plain(400, 'Expected h2c request'));
const health: Handler = (request, port) => note(request, port, plain(200, 'OK'));
const webSocketWanted: Handler = (request, port) => note(request, port, plain(400, 'Expected a WebSocket handshake'));

/** `/status/NNN`, compared with the whole target; anything else below `/status/` is a bad request. */
const status: Handler = (request, port) => {
  const match = /^\/status\/([2-9]\d\d)$/.exec(request.uri);
  return note(request, port, plain(match ? Number(match[1]) : 400, ''));
};

/** Fails the first `succeedAfter` requests of a `uuid` by a reset or `responseCode`, then echoes. */
const retry: Handler = (request, port, limits) => {
  const query = queryOf(request.uri);
  const uuid = query.get('uuid');
  const succeedAfter = query.get('succeedAfter') ?? '';
  if (!uuid) return note(request, port, plain(400, 'uuid is required'));
  if (!/^[+-]?\d+$/.test(succeedAfter)) return note(request, port, plain(400, 'succeedAfter is required'));

  const failures = port.retries.get(uuid) ?? 0;
  if (failures >= Number(succeedAfter)) return echo(request, port, limits);
  if (!port.retries.has(uuid) && port.retries.size >= limits.retrySimulations)
    port.retries.delete(port.retries.keys().next().value!);
  port.retries.set(uuid, failures + 1);

  const delay = delayOf(query.get('delayRetry'), limits);
  if (typeof delay === 'string') return note(request, port, failure(delay));
  const code = query.get('responseCode') ?? '';
  if (/^[2-9]\d\d$/.test(code)) return note(request, port, plain(Number(code), '', delay));
  if (request.proto === 'HTTP/2.0')
    return note(request, port, failure('an HTTP/2 stream cannot be taken over to reset its connection'));
  return note(request, port, { ...plain(200, '', delay), reset: true });
};

const echo: Handler = (request, port, limits) => {
  port.log(`Echoing back request made to ${request.uri} to client (${request.remote})`);
  const delay = delayOf(queryOf(request.uri).get('delay'), limits);
  if (typeof delay === 'string') return failure(delay);
  const body = {
    path: request.uri,
    host: request.host,
    method: request.method,
    proto: request.proto,
    headers: headerMap(request.headers),
    httpPort: String(port.port),
    ...port.identity,
    ...(request.tls && { tls: request.tls }),
  };
  return {
    delayMs: delay,
    status: 200,
    headers: [...json, ...wantedHeaders(request.headers)],
    body: JSON.stringify(body, undefined, 1),
  };
};

/** Milliseconds, or why there are none. */
function delayOf(value: string | null, limits: EchoLimits): number | string {
  if (!value) return 0;
  const delay = parseGoDuration(value);
  if (delay === undefined) return `time: invalid duration ${JSON.stringify(value)}`;
  if (delay > limits.delayMs) return `delay is longer than ${limits.delayMs} ms`;
  return Math.max(0, delay);
}

/** Fields that the answer sets itself. */
const ownFields = new Set(['content-type', 'x-content-type-options', 'content-length', 'transfer-encoding']);

/** `X-Echo-Set-Header: name:value,name2:value2`, case kept; a name given twice gets its values joined by a comma. */
function wantedHeaders(headers: readonly HeaderPair[]): HeaderPair[] {
  const wanted = new Map<string, string>();
  for (const [name, list] of headers) {
    if (name.toLowerCase() !== 'x-echo-set-header') continue;
    for (const item of list.split(',')) {
      const pair = item.trim();
      const colon = pair.indexOf(':');
      const key = colon < 0 ? pair : pair.slice(0, colon);
      const value = colon < 0 ? '' : pair.slice(colon + 1);
      const known = wanted.get(key);
      wanted.set(key, known === undefined ? value : `${known},${value.trim()}`);
    }
  }
  return [...wanted].filter((pair) => isWritable(pair) && !ownFields.has(pair[0].toLowerCase()));
}
