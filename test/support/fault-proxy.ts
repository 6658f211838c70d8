/** A TCP proxy that does to connections what networks and servers do: cuts, delays, refusals, answers of its own. */
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

export interface Faults {
  /** Connections break at once. */
  down?: boolean;
  /** Bytes from the server after which a connection is cut, per connection. */
  cutAfter?: () => number;
  /** Bytes from the server go on in pieces of this size, a millisecond apart. */
  pieces?: number;
  /** Nothing from the server goes on, and the connections stay open. */
  silent?: boolean;
  /** An answer in place of the server's, by the request's first line and its head; undefined lets it through. */
  answer?: (requestLine: string, head: string) => string | undefined;
  /** Bytes to put into the stream from the server before what it sends next; asked for each chunk. */
  inject?: () => string | undefined;
}

export interface FaultProxy {
  readonly url: string;
  /** URL of the server behind; new connections go there. */
  target: string;
  /** Takes effect at once, on open connections too. */
  faults: Faults;
  readonly connections: number;
  /** Cuts what is open now. */
  cut(): void;
  close(): Promise<void>;
}

/** A whole HTTP response after which the connection ends. */
export function httpAnswer(code: number, body: object, headers: Readonly<Record<string, string>> = {}): string {
  const text = JSON.stringify(body);
  const lines = Object.entries({ 'content-type': 'application/json', connection: 'close', ...headers });
  const head = lines.map(([name, value]) => `${name}: ${value}\r\n`).join('');
  return `HTTP/1.1 ${code} -\r\n${head}content-length: ${Buffer.byteLength(text)}\r\n\r\n${text}`;
}

export const statusBody = (code: number, reason: string, message: string = reason) => ({
  kind: 'Status',
  apiVersion: 'v1',
  status: 'Failure',
  ...{ code, reason, message },
});

export async function openFaultProxy(target: string): Promise<FaultProxy> {
  const open = new Set<Socket>();
  let connections = 0;
  const proxy: { target: string; faults: Faults } = { target, faults: {} };

  async function relay(chunk: Buffer, client: Socket): Promise<void> {
    const { pieces, inject } = proxy.faults;
    const extra = inject?.();
    if (extra) client.write(extra);
    if (!pieces) {
      client.write(chunk);
      return;
    }
    for (let at = 0; at < chunk.length && !client.destroyed; at += pieces) {
      client.write(chunk.subarray(at, at + pieces));
      await new Promise((resume) => setTimeout(resume, 1));
    }
  }

  function join(client: Socket): void {
    connections++;
    const { hostname, port } = new URL(proxy.target);
    const server = connect({ host: hostname, port: Number(port) });
    for (const socket of [client, server]) {
      open.add(socket);
      socket.setNoDelay(true);
      socket.on('close', () => open.delete(socket));
    }
    const cut = () => {
      client.destroy();
      server.destroy();
    };
    for (const socket of [client, server]) socket.on('error', cut);
    let left = proxy.faults.cutAfter?.() ?? Number.POSITIVE_INFINITY;
    let relayed = Promise.resolve();
    client.on('data', (chunk) => {
      const head = chunk.toString('latin1').split('\r\n\r\n')[0]!;
      const answer = proxy.faults.answer?.(head.split('\r\n')[0]!, head);
      if (answer === undefined) server.write(chunk);
      else client.end(answer);
    });
    client.on('close', () => server.destroy());
    server.on('data', (chunk) => {
      if (proxy.faults.silent) return;
      const passed = chunk.subarray(0, left);
      left -= passed.length;
      relayed = relayed.then(() => relay(passed, client)).then(() => (left <= 0 ? client.destroySoon() : undefined));
    });
    server.on('close', () => relayed.then(() => client.end()));
  }

  const listener = createServer((client) => {
    if (proxy.faults.down) client.destroy();
    else join(client);
  });
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
  return Object.assign(proxy, {
    url: `http://127.0.0.1:${(listener.address() as AddressInfo).port}`,
    get connections() {
      return connections;
    },
    cut() {
      for (const socket of open) socket.destroy();
    },
    async close() {
      for (const socket of open) socket.destroy();
      await new Promise((resolve) => listener.close(resolve));
    },
  });
}
