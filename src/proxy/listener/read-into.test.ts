import { once } from 'node:events';
import { connect, createServer, type TLSSocket, type TlsOptions } from 'node:tls';
import { describe, expect, it } from 'vitest';
import { hasOpenssl, selfSigned } from '../testing/certificates.ts';
import { readInto } from './accepted.ts';

const address = '127.77.15.4';
const port = 8443;

/** Every four bytes hold their own number. */
const counted = Buffer.alloc(1 << 21);
for (let i = 0; i < counted.length; i += 4) counted.writeUInt32BE(i, i);

/** Bytes wait in the client that are as many as at the last look. */
const waited = new WeakMap<TLSSocket, number>();
function stalled(client: TLSSocket): boolean {
  const before = waited.get(client);
  waited.set(client, client.bytesWritten);
  return before === client.bytesWritten && client.writableLength > 0;
}

describe.skipIf(!hasOpenssl())('a connection over TLS', () => {
  /** Both ends of one connection; `serve` gets the server's as soon as its handshake is finished. */
  async function withConnection(serve: (socket: TLSSocket) => void, work: (client: TLSSocket) => Promise<void>) {
    const { chain: cert, key } = selfSigned('a', 'a.example');
    const server = createServer({ cert, key, allowHalfOpen: true } as TlsOptions, serve).listen(port, address);
    await once(server, 'listening');
    const options = { host: address, port, rejectUnauthorized: false, allowHalfOpen: true };
    const client = connect(options);
    try {
      await once(client, 'secureConnect');
      await work(client);
    } finally {
      client.destroy();
      server.close();
    }
  }

  it('is read into the buffers that are given: every byte, once and in order, through pauses, and then the end', async () => {
    const buffers = [Buffer.alloc(9_000), Buffer.alloc(40_000)];
    const received: Buffer[] = [];
    let given = -1;
    let turn = 0;
    await withConnection(
      (socket) => {
        const callback = (length: number, bytes: Uint8Array) => {
          expect(bytes).toBe(buffers[given]);
          received.push(Buffer.from(bytes.subarray(0, length)));
          if (++turn % 7 === 0) {
            socket.pause();
            setImmediate(() => socket.resume());
          }
          return true;
        };
        const buffer = () => {
          given = turn % 2;
          return buffers[given]!;
        };
        expect(readInto(socket, { buffer, callback })).toBe(true);
        socket.on('end', () => socket.end('answer'));
      },
      async (client) => {
        const answer = once(client, 'data');
        for (let at = 0; at < counted.length; at += 50_000) client.write(counted.subarray(at, at + 50_000));
        client.end();
        expect(String((await answer)[0])).toBe('answer');
        expect(Buffer.concat(received).equals(counted)).toBe(true);
      },
    );
  });

  it('hands over little more once it is paused', async () => {
    let taken = 0;
    let paused = 0;
    await withConnection(
      (socket) => {
        const callback = (length: number) => {
          taken += length;
          if (paused === 0) {
            paused = taken;
            socket.pause();
          }
          return true;
        };
        const shared = Buffer.alloc(65_536);
        expect(readInto(socket, { buffer: () => shared, callback })).toBe(true);
      },
      async (client) => {
        const much = Buffer.alloc(32 << 20);
        for (let at = 0; at < much.length; at += 1 << 16) client.write(much.subarray(at, at + (1 << 16)));
        await expect.poll(() => paused).toBeGreaterThan(0);
        // What it sends no longer fits into the kernel: that of the server would have been read by then.
        await expect.poll(() => stalled(client), { timeout: 10_000, interval: 100 }).toBe(true);
        expect(taken - paused).toBeLessThan(1 << 16);
      },
    );
  });

  it('stays as it is where something waits to be handed over, and is not given a second pair of hands', async () => {
    const outcomes: boolean[] = [];
    const onread = { buffer: () => Buffer.alloc(16), callback: () => true };
    await withConnection(
      (socket) => {
        socket.unshift(Buffer.from('waits'));
        outcomes.push(readInto(socket, onread));
        socket.read();
        outcomes.push(readInto(socket, onread), readInto(socket, onread));
      },
      async () => {
        await expect.poll(() => outcomes).toEqual([false, true, false]);
      },
    );
  });

  it('stays as it is where node:tls is not as expected', async () => {
    let read = '';
    await withConnection(
      (socket) => {
        const { _handle: handle } = socket as unknown as { _handle: object };
        Object.defineProperty(handle, 'useUserBuffer', { value: undefined });
        expect(readInto(socket, { buffer: () => Buffer.alloc(16), callback: () => true })).toBe(false);
        socket.on('data', (chunk) => {
          read += String(chunk);
        });
      },
      async (client) => {
        client.write('as ever');
        await expect.poll(() => read).toBe('as ever');
      },
    );
  });
});
