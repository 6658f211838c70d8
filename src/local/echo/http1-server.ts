/** HTTP/1.1 of all echo Pods: one `node:http` server that never listens; sockets are handed to it. */
import http, { type IncomingMessage, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { type EchoPort, echoPortOf, remoteOf, setEchoPort, tlsAssertionsOf } from './connection.ts';
import type { Delays } from './delays.ts';
import { decodeHeadText, headerPairs } from './headers.ts';
import { answerRequest, type EchoAnswer, type EchoRequest } from './http-answer.ts';
import type { EchoLimits } from './limits.ts';
import { acceptWebSocket } from './websocket.ts';

/** Serves connections that begin with an HTTP/1.x request. */
export type AcceptConnection = (socket: Socket, port: EchoPort) => void;

export function createHttp1Server(limits: EchoLimits, delays: Delays): AcceptConnection {
  const server = http.createServer({
    maxHeaderSize: limits.headBytes,
    // Idle connections end by the server's timeout below; this one would be announced in a Keep-Alive header.
    keepAliveTimeout: 0,
    noDelay: true,
  });
  server.timeout = limits.idleMs;

  server.on('request', (request, response) => respond(request, response));
  server.on('upgrade', (request, socket: Socket, head) => {
    const port = echoPortOf(socket)!;
    if (request.headers.upgrade?.toLowerCase() === 'websocket') acceptWebSocket(request, socket, head, port, limits);
    else respondWithoutUpgrade(request, socket);
  });
  server.on('clientError', (_error, socket) => {
    if (socket.writable) socket.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n');
    else socket.destroy();
  });

  function respond(request: IncomingMessage, response: ServerResponse): void {
    const port = echoPortOf(request.socket)!;
    const answer = answerRequest(toEchoRequest(request), port, limits);
    const waits = delays.after(answer.delayMs, () => write(request, response, answer));
    if (!waits) write(request, response, { ...answer, status: 503, body: '' });
  }

  /** An offer that is not taken (h2c, say) leaves an ordinary request; Node has let go of the connection, so it ends. */
  function respondWithoutUpgrade(request: IncomingMessage, socket: Socket): void {
    const response = new http.ServerResponse(request);
    response.shouldKeepAlive = false;
    response.assignSocket(socket);
    response.once('finish', () => socket.end());
    respond(request, response);
  }

  return (socket, port) => {
    setEchoPort(socket, port);
    server.emit('connection', socket);
    // The socket comes paused, with the first bytes in its buffer.
    socket.resume();
  };
}

function toEchoRequest(request: IncomingMessage): EchoRequest {
  return {
    method: request.method ?? '',
    uri: decodeHeadText(request.url ?? ''),
    host: decodeHeadText(request.headers.host ?? ''),
    proto: request.httpVersion === '1.0' ? 'HTTP/1.0' : 'HTTP/1.1',
    headers: headerPairs(request.rawHeaders),
    remote: remoteOf(request.socket),
    tls: tlsAssertionsOf(request.socket),
  };
}

function write(request: IncomingMessage, response: ServerResponse, answer: EchoAnswer): void {
  if (request.socket.destroyed) return;
  if (answer.reset) {
    request.socket.resetAndDestroy();
    return;
  }
  const length: [string, string][] = bodyAllowed(answer.status)
    ? [['Content-Length', String(Buffer.byteLength(answer.body))]]
    : [];
  // Persistence is the default of HTTP/1.1, so a Go server says nothing about it.
  if (response.shouldKeepAlive && request.httpVersion === '1.1') response.removeHeader('Connection');
  response.writeHead(answer.status, [...answer.headers, ...length].flat());
  response.end(bodyAllowed(answer.status) ? answer.body : undefined);
}

/** RFC 9110 section 6.4.1. */
function bodyAllowed(status: number): boolean {
  return status !== 204 && status !== 304;
}
