/**
 * DNS over HTTPS on one address (RFC 8484): HTTP/2 and HTTP/1.1 on one port, GET and POST at `/dns-query`. Without a
 * certificate it is HTTP/1.1 in the clear, for a proxy in front that speaks TLS.
 */
import { createServer } from 'node:http';
import { constants, performServerHandshake } from 'node:http2';
import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import type { Result } from '../../base/result.ts';
import type { Client } from '../plugins/plugin.ts';
import { answerHttp, type HttpAnswer, type HttpRequest } from './https-request.ts';
import type { PacketHandler } from './responder.ts';
import type { TlsIdentity } from './secure.ts';
import { bindStream, type Connection, type StreamAddress } from './stream-door.ts';
import { defaultTcpLimits, type TcpLimits } from './tcp.ts';
import { type BoundSocket, plainAddress } from './udp.ts';

/** `idleTimeoutMs`, `readTimeoutMs`, `writeTimeoutMs`, `maxQueriesPerConnection` and `maxPipelined` as over TCP. */
export interface HttpsLimits extends TcpLimits {
  /** Open connections; more are closed at once. Default 200, as in CoreDNS. */
  maxHttpsConnections?: number;
  /** Bytes of the header of a request, its path among them. Default 16,384. */
  maxHeaderSize?: number;
  /** Requests that one connection may take back (RST_STREAM) before it is closed. Default 100. */
  maxResets?: number;
}

export interface HttpsOptions {
  readonly handle: PacketHandler;
  /** Asked for each new connection. */
  limits(): HttpsLimits;
  /** Makes the connections TLS; asked for each new one. */
  secure(): TlsIdentity | undefined;
  /** Hears the status of each response. */
  onStatus(status: number): void;
}

const defaults = { ...defaultTcpLimits, maxHttpsConnections: 200, maxHeaderSize: 16_384, maxResets: 100 };
type Limits = typeof defaults;

/** How an answer gets to the client, by the version of HTTP. */
interface Way {
  isGone(): boolean;
  send(answer: HttpAnswer): void;
  /** Nothing more of this request comes or goes; true when the client took it back. */
  readonly over: Promise<boolean>;
  abort(): void;
}

/** One connection, whatever its version of HTTP. */
interface Visit extends Connection {
  /** Reads a request, asks, answers. Never rejects. */
  attend(request: HttpRequest, way: Way): Promise<void>;
  isFinishing(): boolean;
}

function clientOf(socket: Socket): Client {
  return {
    address: plainAddress(socket.remoteAddress ?? ''),
    port: socket.remotePort ?? 0,
    protocol: 'https',
    local: { address: plainAddress(socket.localAddress ?? ''), port: socket.localPort ?? 0 },
  };
}

/**
 * Keeps a connection within its limits. Only a request whose header is whole stops the idle timer, so that a byte now
 * and then buys no time. `leave` tells the client that no more requests are taken, and closes once none is under way.
 */
function createVisit(socket: Socket, limits: Limits, options: HttpsOptions, leave: (idle: boolean) => void): Visit {
  const client = clientOf(socket);
  let active = 0;
  let requests = 0;
  let resets = 0;
  let finishing = false;
  let timer: NodeJS.Timeout | undefined;

  function rest(): void {
    clearTimeout(timer);
    timer = setTimeout(() => socket.destroy(), limits.idleTimeoutMs);
    if (finishing) leave(true);
  }

  function finish(): void {
    finishing = true;
    leave(active === 0);
  }

  /** The answer must be taken in time; its stream or connection is given up otherwise. True: it was not wanted. */
  async function send(answer: HttpAnswer, way: Way): Promise<boolean> {
    options.onStatus(answer.status);
    const deadline = setTimeout(() => way.abort(), limits.writeTimeoutMs);
    way.send(answer);
    const reset = await way.over;
    clearTimeout(deadline);
    return reset;
  }

  async function attend(request: HttpRequest, way: Way): Promise<void> {
    active++;
    clearTimeout(timer);
    // The queries of requests that were taken back are still under way: streams alone do not bound the work.
    if (active > limits.maxPipelined) {
      socket.destroy();
      return;
    }
    if (++requests === limits.maxQueriesPerConnection) finish();
    const bounds = { timeoutMs: limits.readTimeoutMs, maxTarget: limits.maxHeaderSize };
    const answer = await answerHttp(request, client, { handle: options.handle, ...bounds });
    const reset = !answer || way.isGone() || (await send(answer, way));
    active--;
    if (reset) resets++;
    if (resets > limits.maxResets) socket.destroy();
    else if (active === 0 && !socket.destroyed) rest();
  }

  socket.on('error', () => socket.destroy());
  socket.on('close', () => clearTimeout(timer));
  rest();
  return {
    attend,
    finish,
    isFinishing: () => finishing,
    isBusy: () => !socket.destroyed && (active > 0 || socket.writableLength > 0),
  };
}

/** Serves a connection that chose HTTP/2. */
function serveHttp2(socket: Socket, limits: Limits, options: HttpsOptions): Connection {
  const session = performServerHandshake(socket, {
    settings: { maxConcurrentStreams: limits.maxPipelined, maxHeaderListSize: limits.maxHeaderSize },
    maxHeaderListPairs: 64,
    // Megabytes; a session that needs more gets no new streams.
    maxSessionMemory: 2,
    maxOutstandingPings: 4,
    maxSessionInvalidFrames: 100,
    maxSessionRejectedStreams: 100,
  });
  const visit = createVisit(socket, limits, options, () => {
    if (!session.closed) session.close();
  });
  session.on('error', () => session.destroy());
  session.on('stream', (stream, headers) => {
    const request: HttpRequest = {
      method: String(headers[':method']),
      target: String(headers[':path']),
      contentType: headers['content-type'] ?? '',
      contentLength: Number(headers['content-length'] ?? 0),
      body: stream,
    };
    // Resets are the client's right, and counted.
    stream.on('error', () => {});
    void visit.attend(request, {
      isGone: () => stream.destroyed || stream.closed,
      send(answer) {
        stream.respond({ ':status': answer.status, ...answer.headers });
        stream.end(answer.body);
      },
      over: new Promise((resolve) =>
        stream.once('close', () => resolve(stream.rstCode !== constants.NGHTTP2_NO_ERROR)),
      ),
      abort: () => stream.close(constants.NGHTTP2_CANCEL),
    });
  });
  return visit;
}

/** Serves connections of HTTP/1.1; the parser is that of node:http, the limits are ours. */
function createHttp1(options: HttpsOptions) {
  const visits = new WeakMap<Socket, Visit>();
  const server = createServer({
    maxHeaderSize: { ...defaults, ...options.limits() }.maxHeaderSize,
    keepAliveTimeout: 0,
  });
  server.timeout = 0;
  server.on('request', (request, response) => {
    const { socket } = request;
    const visit = visits.get(socket)!;
    void visit.attend(
      {
        method: request.method ?? '',
        target: request.url ?? '',
        contentType: request.headers['content-type'] ?? '',
        contentLength: Number(request.headers['content-length'] ?? 0),
        body: request,
      },
      {
        isGone: () => socket.destroyed,
        send({ status, headers, body, unread }) {
          const last = unread || visit.isFinishing();
          response.writeHead(status, { ...headers, ...(last && { connection: 'close' }) });
          response.end(body);
        },
        over: new Promise((resolve) => response.once('close', () => resolve(false))),
        abort: () => socket.destroy(),
      },
    );
  });
  return (socket: Socket, limits: Limits): Connection => {
    const visit = createVisit(socket, limits, options, (idle) => {
      if (idle) socket.end();
    });
    visits.set(socket, visit);
    server.emit('connection', socket);
    return visit;
  };
}

export function bindHttps(
  listen: StreamAddress,
  options: HttpsOptions,
): Promise<Result<BoundSocket, NodeJS.ErrnoException>> {
  const limits = (): Limits => ({ ...defaults, ...options.limits() });
  const serveHttp1 = createHttp1(options);
  return bindStream(listen, {
    secure: options.secure,
    limits: () => ({ ...limits(), maxConnections: limits().maxHttpsConnections }),
    protocols: ['h2', 'http/1.1'],
    serve: (socket) =>
      socket instanceof TLSSocket && socket.alpnProtocol === 'h2'
        ? serveHttp2(socket, limits(), options)
        : serveHttp1(socket, limits()),
  });
}
