import type { Socket } from 'node:net';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Backdrop, dial, listenRaw } from '../testing/sockets.ts';
import { onChunk } from './chunks.ts';

const address = '127.79.10.1';
const port = 8080;
let server: Backdrop;
let serve: (socket: Socket) => void;

beforeAll(async () => {
  server = await listenRaw(address, port, (socket) => {
    socket.removeAllListeners('data');
    serve(socket);
  });
});

afterAll(() => server.close());

/** Every four bytes hold their own number. */
const counted = Buffer.alloc(1 << 21);
for (let i = 0; i < counted.length; i += 4) counted.writeUInt32BE(i, i);

it('hands over every byte once and in order, through pauses of any length, and then the end', async () => {
  const received: Buffer[] = [];
  const ended = new Promise<void>((resolve) => {
    serve = (socket) => {
      let turn = 0;
      onChunk(socket, (chunk) => {
        expect(socket.isPaused()).toBe(false);
        received.push(Buffer.from(chunk));
        if (++turn % 3 !== 0) return;
        socket.pause();
        if (turn % 2 === 0) setTimeout(() => socket.resume(), turn % 5);
        else setImmediate(() => socket.resume());
      });
      socket.on('end', resolve);
    };
  });
  const client = await dial(address, port);
  for (let at = 0; at < counted.length; at += 50_000) client.socket.write(counted.subarray(at, at + 50_000));
  client.socket.end();
  await ended;
  expect(Buffer.concat(received).equals(counted)).toBe(true);
  client.socket.destroy();
});

it('leaves the bytes with the peer while the socket is paused', async () => {
  let taken = 0;
  let served: Socket | undefined;
  serve = (socket) => {
    served = socket;
    onChunk(socket, (chunk) => {
      taken += chunk.length;
      socket.pause();
    });
  };
  const client = await dial(address, port);
  const much = Buffer.alloc(64 << 20);
  client.socket.write(much);
  await new Promise((resolve) => setTimeout(resolve, 200));
  expect(taken).toBeGreaterThan(0);
  expect(taken + served!.readableLength).toBeLessThan(1 << 20);
  expect(client.socket.writableLength).toBeGreaterThan(much.length / 4);
  client.socket.destroy();
});
