/** Raw ends of connections for tests: clients that send what they like, backends that answer what they like. */
import { connect, createServer, type Server, type Socket } from 'node:net';

/** Bytes collected from a socket, with waiting. */
export interface Conversation {
  readonly socket: Socket;
  /** Everything received so far, one character per byte. */
  text(): string;
  send(text: string): void;
  /** Resolves to what was received when `enough` says so; rejects when the peer closes or the time is up before. */
  until(enough: string | ((text: string) => boolean), timeoutMs?: number): Promise<string>;
  /** Resolves to what was received when the peer has closed. */
  closed(timeoutMs?: number): Promise<string>;
}

export function converse(socket: Socket): Conversation {
  let text = '';
  let isClosed = false;
  const waiting = new Set<() => void>();
  const look = () => {
    for (const check of [...waiting]) check();
  };
  const close = () => {
    isClosed = true;
    look();
  };
  socket.on('data', (chunk: Buffer) => {
    text += chunk.toString('latin1');
    look();
  });
  socket.on('error', close);
  socket.on('end', close);
  socket.on('close', close);

  function wait(enough: () => boolean, hopeless: () => boolean, timeoutMs: number): Promise<string> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(
        () => settle(() => reject(new Error(`timed out with ${JSON.stringify(text.slice(-400))}`))),
        timeoutMs,
      );
      const settle = (how: () => void) => {
        clearTimeout(timer);
        waiting.delete(check);
        how();
      };
      const check = () => {
        if (enough()) settle(() => resolve(text));
        else if (hopeless()) settle(() => reject(new Error(`closed with ${JSON.stringify(text.slice(-400))}`)));
      };
      waiting.add(check);
      check();
    });
  }

  return {
    socket,
    text: () => text,
    send: (bytes) => socket.write(bytes, 'latin1'),
    until: (enough, timeoutMs = 5_000) => {
      const is = typeof enough === 'string' ? () => text.includes(enough) : () => enough(text);
      return wait(is, () => isClosed, timeoutMs);
    },
    closed: (timeoutMs = 5_000) =>
      wait(
        () => isClosed,
        () => false,
        timeoutMs,
      ),
  };
}

export function dial(address: string, port: number): Promise<Conversation> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: address, port, allowHalfOpen: true, noDelay: true });
    socket.once('error', reject);
    socket.once('connect', () => {
      socket.off('error', reject);
      resolve(converse(socket));
    });
  });
}

/** Sends bytes on a new connection and returns everything up to its closing. */
export async function shout(address: string, port: number, bytes: string, timeoutMs?: number): Promise<string> {
  const client = await dial(address, port);
  client.send(bytes);
  const text = await client.closed(timeoutMs);
  client.socket.destroy();
  return text;
}

export interface Backdrop {
  readonly server: Server;
  readonly sockets: Set<Socket>;
  /** Connections accepted so far. */
  accepted(): number;
  /** Closes all connections, those that peers keep for later included, and gives the peers time to notice. */
  drop(): Promise<void>;
  close(): Promise<void>;
}

/** A server whose connections are handed over as they are. */
export function listenRaw(address: string, port: number, onConnection: (socket: Socket) => void): Promise<Backdrop> {
  const sockets = new Set<Socket>();
  let count = 0;
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    count++;
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => {});
    // Read, so that the other side's leaving is noticed, and answered in kind.
    socket.on('data', () => {});
    socket.on('end', () => socket.end());
    onConnection(socket);
  });
  const backdrop: Backdrop = {
    server,
    sockets,
    accepted: () => count,
    async drop() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => setTimeout(resolve, 20));
    },
    close: () =>
      new Promise((resolve) => {
        for (const socket of sockets) socket.destroy();
        server.close(() => resolve());
      }),
  };
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, address, () => resolve(backdrop));
  });
}
