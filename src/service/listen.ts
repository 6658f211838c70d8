/** Light sockets on given addresses, by the thousand: opening reports one outcome and never throws. */
import dgram from 'node:dgram';
import { createServer, type Socket } from 'node:net';
import type { Binding } from './bind.ts';

export interface OpenListener {
  /** Stops receiving at once; TCP connections that were accepted go on. */
  close(): void;
}

/** Called once: without an error when the socket is open. */
export type OpenOutcome = (error?: NodeJS.ErrnoException) => void;

/** Told of errors of an open socket (for example while accepting with no file descriptor left). */
export type ListenerTrouble = (error: Error) => void;

/** Accepted sockets are half-open and paused, so that nothing is read before somebody listens. */
export function openTcp(
  binding: Binding,
  onConnection: (socket: Socket) => void,
  outcome: OpenOutcome,
  trouble: ListenerTrouble,
): OpenListener {
  if (binding.port === 0) return refused(outcome);
  const server = createServer({ allowHalfOpen: true, pauseOnConnect: true, noDelay: true }, onConnection);
  let open = false;
  server.on('error', (error) => (open ? trouble(error) : outcome(error)));
  server.listen({ host: binding.address, port: binding.port, backlog: 1024 }, () => {
    open = true;
    outcome();
  });
  return { close: () => void server.close() };
}

export interface OpenDatagramSocket extends OpenListener {
  send(data: Uint8Array, port: number, address: string): void;
}

export function openUdp(
  binding: Binding,
  onDatagram: (data: Buffer, from: dgram.RemoteInfo) => void,
  outcome: OpenOutcome,
  trouble: ListenerTrouble,
): OpenDatagramSocket {
  if (binding.port === 0) return { ...refused(outcome), send: () => undefined };
  const socket = dgram.createSocket({ type: 'udp4', lookup: numericLookup });
  let state: 'opening' | 'open' | 'closed' = 'opening';
  socket.on('error', (error) => (state === 'opening' ? outcome(error) : trouble(error)));
  socket.on('message', onDatagram);
  socket.bind({ address: binding.address, port: binding.port, exclusive: true }, () => {
    state = 'open';
    outcome();
  });
  return {
    send(data, port, address) {
      // UDP may lose datagrams; a reply that cannot be sent (client gone, buffers full) is one of those.
      if (state === 'open') socket.send(data, port, address, (error) => error && trouble(error));
    },
    close() {
      if (state === 'closed') return;
      state = 'closed';
      socket.close();
    },
  };
}

function refused(outcome: OpenOutcome): OpenListener {
  process.nextTick(outcome, Object.assign(new Error('no port is left'), { code: 'ENOPORT' }));
  return { close: () => undefined };
}

/** Addresses here are always numeric: no resolver, no thread pool. */
export function numericLookup(
  address: string,
  _options: unknown,
  callback: (error: null, address: string, family: number) => void,
): void {
  callback(null, address, 4);
}

const causes: Readonly<Record<string, string>> = {
  EADDRINUSE: 'the port is already in use',
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  EADDRNOTAVAIL: 'this machine has no such address',
  EMFILE: 'this process has too many files open (raise `ulimit -n`)',
  ENFILE: 'the machine has too many files open',
  ENOPORT: 'no port is left to stand for it',
};

/** Why a socket could not be opened, in words. */
export function bindFailure(error: NodeJS.ErrnoException): string {
  return causes[error.code ?? ''] ?? error.message;
}
