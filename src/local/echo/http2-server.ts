/** HTTP/2 of all echo Pods (h2c by prior knowledge, h2 over TLS): one `node:http2` server that never listens. */
import http2, { constants, type ServerHttp2Stream } from 'node:http2';
import type { Socket } from 'node:net';
import { type EchoPort, echoPortOf, remoteOf, setEchoPort, tlsAssertionsOf } from './connection.ts';
import type { Delays } from './delays.ts';
import { answerGrpc } from './grpc.ts';
import { decodeHeadText, type HeaderPair, headerPairs } from './headers.ts';
import { answerRequest, type EchoAnswer, type EchoRequest } from './http-answer.ts';
import type { AcceptConnection } from './http1-server.ts';
import type { EchoLimits } from './limits.ts';

const concurrentStreams = 250;

export function createHttp2Server(limits: EchoLimits, delays: Delays): AcceptConnection {
  const server = http2.createServer({
    settings: { maxConcurrentStreams: concurrentStreams },
    maxSessionInvalidFrames: 100,
    maxSessionMemory: 10,
  });
  server.setTimeout(limits.idleMs);

  function serve(stream: ServerHttp2Stream, rawHeaders: readonly string[]): void {
    // Errors of a stream (client gone, bad frames) are the client's loss; the session reports its own.
    stream.on('error', () => undefined);
    const socket = stream.session?.socket as Socket | undefined;
    const port = socket && echoPortOf(socket);
    if (!socket || !port) {
      stream.close(constants.NGHTTP2_INTERNAL_ERROR);
      return;
    }
    const request = toEchoRequest(rawHeaders, socket);
    const type = request.headers.find(([name]) => name === 'content-type')?.[1] ?? '';
    if (/^application\/grpc([+;]|$)/.test(type)) answerGrpc(stream, request, port, limits);
    else answer(stream, request, port);
  }

  function answer(stream: ServerHttp2Stream, request: EchoRequest, port: EchoPort): void {
    stream.resume();
    const result = answerRequest(request, port, limits);
    const waits = delays.after(result.delayMs, () => write(stream, request, result));
    if (!waits) write(stream, request, { ...result, status: 503, body: '' });
  }

  // The typings know no fourth argument: names and values in the order they came.
  server.on('stream', (stream: ServerHttp2Stream, _headers: unknown, _flags: unknown, rawHeaders: string[]) =>
    serve(stream, rawHeaders),
  );
  server.on('sessionError', (_error, session) => session.destroy());

  return (socket, port) => {
    setEchoPort(socket, port);
    // Our sockets are half-open, which Node's session does not expect: a client that ends is gone, as for Go's server.
    server.once('session', (session) => socket.once('end', () => session.destroy()));
    server.emit('connection', socket);
  };
}

function toEchoRequest(rawHeaders: readonly string[], socket: Socket): EchoRequest {
  const pseudo = (name: string) => {
    const at = rawHeaders.findIndex((text, index) => index % 2 === 0 && text === name);
    return at < 0 ? '' : decodeHeadText(rawHeaders[at + 1]!);
  };
  const headers = joinCookies(headerPairs(rawHeaders));
  return {
    method: pseudo(':method'),
    uri: pseudo(':path'),
    host: pseudo(':authority') || (headers.find(([name]) => name === 'host')?.[1] ?? ''),
    proto: 'HTTP/2.0',
    headers,
    remote: remoteOf(socket),
    tls: tlsAssertionsOf(socket),
  };
}

/** Crumbs of one Cookie field come together again (RFC 9113 section 8.2.3). */
function joinCookies(pairs: readonly HeaderPair[]): HeaderPair[] {
  const crumbs = pairs.filter(([name]) => name === 'cookie').map(([, value]) => value);
  if (crumbs.length < 2) return [...pairs];
  return [...pairs.filter(([name]) => name !== 'cookie'), ['cookie', crumbs.join('; ')]];
}

/** Fields of a connection, which HTTP/2 forbids (RFC 9113 section 8.2.2). */
const connectionFields = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'transfer-encoding',
  'upgrade',
  'te',
]);

function write(stream: ServerHttp2Stream, request: EchoRequest, answer: EchoAnswer): void {
  if (stream.destroyed) return;
  const headers: Record<string, string | string[]> = {};
  for (const [name, value] of answer.headers) {
    const lower = name.toLowerCase();
    if (!connectionFields.has(lower)) headers[lower] = value;
  }
  const bodyless = answer.status === 204 || answer.status === 304;
  if (!bodyless) headers['content-length'] = String(Buffer.byteLength(answer.body));
  stream.respond({ ...headers, ':status': answer.status });
  stream.end(bodyless || request.method === 'HEAD' ? undefined : answer.body);
}
