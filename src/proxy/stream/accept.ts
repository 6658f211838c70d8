/** Accepting connections: what happens to each before a backend is chosen. */
import type { Server, Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { MIN_TLS_VERSION } from '../tls/contexts.ts';
import { createHelloReader, type HelloOutcome } from './client-hello.ts';
import {
  countStream,
  createStreamConnection,
  cutStream,
  type StreamConnection,
  type StreamDoor,
  type StreamShelf,
  withdrawStream,
} from './connection.ts';
import { forwardStream } from './relay.ts';
import type { CompiledStream } from './table.ts';

/** Where connections of `handover` routes go: their bytes are put back first. */
export type Handover = (socket: Socket) => void;

export function acceptTcp(server: Server, door: StreamDoor, shelf: StreamShelf): void {
  server.on('connection', (socket: Socket) => {
    const connection = admit(socket, door, shelf);
    if (connection) whenAnnounced(connection, () => routeTcp(connection, door));
  });
}

function routeTcp(connection: StreamConnection, door: StreamDoor): void {
  const stream = door.table.find(undefined);
  if (stream) forwardStream(connection, stream, undefined);
  else cutStream(connection, 'no_route', 'the listener has no route');
}

export function acceptTls(server: Server, door: StreamDoor, shelf: StreamShelf, handover: Handover): void {
  server.on('connection', (socket: Socket) => {
    const connection = admit(socket, door, shelf);
    if (connection) whenAnnounced(connection, () => readHello(connection, door, handover));
  });
}

/** Goes on when it is known whose connection it is: at once, unless its peer is a balancer that announces its clients. */
function whenAnnounced(connection: StreamConnection, go: () => void): void {
  const { client, shelf } = connection;
  const { announcements, settings } = shelf.runtime;
  if (!announcements.awaited) {
    go();
    return;
  }
  let waiting = true;
  const onClose = () => cutStream(connection, 'client_reset', 'closed before its PROXY header ended');
  connection.phase = 'announcement';
  client.on('close', onClose);
  announcements.receive(
    client,
    (headerBytes) => {
      waiting = false;
      client.off('close', onClose);
      connection.headerBytes = headerBytes;
      connection.ends = announcements.endsOf(client);
      connection.phase = 'hello';
      connection.deadline = shelf.runtime.now + settings.stream.helloTimeoutMs;
      go();
    },
    (reason) => cutStream(connection, 'bad_proxy_header', reason),
  );
  if (waiting) client.resume();
}

function admit(socket: Socket, door: StreamDoor, shelf: StreamShelf): StreamConnection | undefined {
  const { runtime, connections } = shelf;
  const connection = createStreamConnection(shelf, door, socket);
  if (connections.size <= runtime.settings.stream.maxConnections) return connection;
  socket.on('error', ignoreError);
  cutStream(connection, 'overflow', 'as many connections are open as may be');
  return undefined;
}

/** What an error means is said by the close that follows it. */
function ignoreError(): void {}

function readHello(connection: StreamConnection, door: StreamDoor, handover: Handover): void {
  const { client, shelf } = connection;
  const reader = createHelloReader(shelf.runtime.settings.stream.maxHelloBytes);
  const onEnd = () => cutStream(connection, 'bad_hello', 'the client ended before its ClientHello did');
  const onClose = () => cutStream(connection, 'client_reset', 'closed before its ClientHello ended');
  const onData = (segment: Buffer) => {
    const outcome = reader.push(segment);
    if (!outcome) return;
    client.off('data', onData).off('end', onEnd).off('close', onClose).off('error', ignoreError);
    client.pause();
    dispatch(connection, outcome, door, handover);
  };
  client.on('error', ignoreError);
  client.on('data', onData).on('end', onEnd).on('close', onClose);
  client.resume();
}

function dispatch(
  connection: StreamConnection,
  outcome: NonNullable<HelloOutcome>,
  door: StreamDoor,
  handover: Handover,
): void {
  if (outcome.kind === 'malformed') {
    cutStream(connection, 'bad_hello', outcome.reason);
    return;
  }
  connection.serverName = outcome.serverName;
  const stream = door.table.find(outcome.serverName);
  if (!stream) {
    cutStream(connection, 'no_route', 'nothing routes the server name');
  } else if (stream.route.tls === 'handover') {
    withdrawStream(connection);
    connection.client.unshift(outcome.bytes);
    handover(connection.client);
  } else if (stream.route.tls === 'terminate') terminate(connection, stream, outcome.bytes);
  else forwardStream(connection, stream, outcome.bytes);
}

/** TLS over the client's socket, beginning with the ClientHello that was read already. */
function terminate(connection: StreamConnection, stream: CompiledStream, hello: Buffer): void {
  const { client, shelf, serverName } = connection;
  const { identities } = stream;
  countStream(connection, stream);
  const secureContext = identities?.find(serverName ?? '*');
  if (!secureContext) {
    cutStream(connection, 'handshake_failed', 'no certificate for the server name');
    return;
  }
  connection.phase = 'handshake';
  connection.deadline = shelf.runtime.now + shelf.runtime.settings.client.tlsHandshakeTimeoutMs;
  client.unshift(hello);
  const { alpn } = stream.route;
  const front = new TLSSocket(client, {
    isServer: true,
    secureContext,
    minVersion: MIN_TLS_VERSION,
    ...(alpn && { ALPNProtocols: [...alpn] }),
  });
  connection.front = front;
  connection.secured = front;
  const onError = (error: Error) => cutStream(connection, 'handshake_failed', error.message);
  const onClose = () => cutStream(connection, 'handshake_failed', 'closed within the handshake');
  front.on('error', onError).on('close', onClose);
  client.on('error', ignoreError);
  front.once('secure', () => {
    front.off('error', onError).off('close', onClose);
    forwardStream(connection, stream, undefined);
  });
}
