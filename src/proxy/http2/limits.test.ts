/** Time limits of HTTP/2 connections of clients, with clients that write their frames themselves. */
import type { Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TICK_MS } from '../listener/sweep.ts';
import { createFront } from '../testing/front.ts';
import { backend, endpoint, host, listener, planOf, route } from '../testing/plans.ts';
import { type Backdrop, dial, listenRaw } from '../testing/sockets.ts';
import { uint32 } from './engine/frames.ts';
import { errorCode, flag, frameType, MAX_31_BITS, PREFACE, setting } from './engine/protocol.ts';
import { END, frame, greeting, request, settingsFrame, windowUpdate } from './engine/testing.ts';

const address = '127.77.18.3';
const port = 8080;
const PING_MS = 150;
const front = createFront({
  client: { headTimeoutMs: 400, keepAliveTimeoutMs: 600, sendTimeoutMs: 900, lingerMs: 150 },
  http2: { pingIntervalMs: PING_MS },
});
let app: Backdrop;
let play: (socket: Socket) => void = () => {};

beforeAll(async () => {
  app = await listenRaw(address, 8081, (socket) => play(socket));
  await front.endpoints({ app: [endpoint(address, 8081)] });
  await front.plan(planOf([listener(address, port, [host('*', [route()])])], [backend('app')]));
});

afterAll(async () => {
  await front.close();
  await app.close();
});

const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const get = (id: number) => frame(frameType.headers, END, id, request());
const goaway = (last: number, code: number) => frame(frameType.goaway, 0, 0, uint32(last) + uint32(code));
const ask = PREFACE + settingsFrame();
const isPing = (text: string) => text.includes(frame(frameType.ping, 0, 0, 'alive?\0\0'));
const pong = frame(frameType.ping, flag.ack, 0, 'alive?\0\0');
const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';

describe('a client', () => {
  it('that does not acknowledge our SETTINGS is sent away', async () => {
    const client = await dial(address, port);
    client.send(ask);
    expect(await client.until((text) => text.includes(goaway(0, errorCode.settingsTimeout)))).toBeTruthy();
    client.socket.destroy();
  });

  it('whose acknowledgement was not read, because it is slow to take a response, is not sent away', async () => {
    const size = 8 * 1024 * 1024;
    play = (socket) =>
      socket.once('data', () => {
        socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${size}\r\n\r\n`);
        socket.write(Buffer.alloc(size));
      });
    const client = await dial(address, port);
    let bytes = 0;
    let goaways = 0;
    client.socket.pause();
    client.socket.removeAllListeners('data');
    client.send(PREFACE + settingsFrame([setting.initialWindowSize, MAX_31_BITS]) + windowUpdate(0, 1 << 30) + get(1));
    await sleep(300);
    client.send(frame(frameType.settings, flag.ack, 0));
    await sleep(400);
    client.socket.on('data', (chunk) => {
      bytes += chunk.length;
      if (chunk.includes(goaway(1, errorCode.settingsTimeout), 0, 'latin1')) goaways++;
    });
    client.socket.resume();
    await expect.poll(() => bytes + goaways * 2 * size, { timeout: 4_000 }).toBeGreaterThan(size);
    expect(goaways).toBe(0);
    client.socket.destroy();
  });

  it('that is idle is told so, twice, and the connection closed', async () => {
    const client = await dial(address, port);
    client.send(greeting);
    const announced = goaway(MAX_31_BITS, errorCode.none);
    await client.until((text) => text.includes(announced));
    const text = await client.until((all) => all.includes(goaway(0, errorCode.none)));
    expect(text.indexOf(announced)).toBeLessThan(text.indexOf(goaway(0, errorCode.none)));
    client.socket.destroy();
  });

  it('that has been idle for longer than it may be silent is served', async () => {
    play = (socket) => socket.on('data', () => socket.write(OK));
    await app.drop();
    const client = await dial(address, port);
    client.send(greeting);
    await sleep(2.5 * PING_MS);
    client.send(get(1));
    expect(await client.until((text) => text.endsWith('ok'))).toBeTruthy();
    client.socket.destroy();
  });

  it('that does not answer PING while a response is in the making is gone, and one that does is not', async () => {
    play = () => {};
    await app.drop();
    front.records.length = 0;
    const [silent, present] = [await dial(address, port), await dial(address, port)];
    for (const client of [silent, present]) client.send(greeting + get(1));
    const gone = silent.closed().then(() => performance.now());
    const start = performance.now();
    for (let i = 0; i < 4; i++) {
      await present.until(isPing);
      present.send(pong);
      await sleep(PING_MS);
    }
    expect((await gone) - start).toBeGreaterThanOrEqual(2 * PING_MS - TICK_MS);
    expect(present.socket.closed).toBe(false);
    expect(front.records.map(({ flag: why }) => why)).toEqual(['client_closed']);
    present.socket.destroy();
  });

  it('that takes nothing of a response is cut off in time, and one that is slow is not', async () => {
    play = (socket) => {
      socket.once('data', () => socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${2 ** 30}\r\n\r\n`));
      const block = Buffer.alloc(65_536, 'x');
      const pump = () => {
        while (!socket.destroyed && socket.write(block));
      };
      socket.on('drain', pump);
      socket.once('data', pump);
    };
    await app.drop();
    front.records.length = 0;
    const open = settingsFrame([setting.initialWindowSize, MAX_31_BITS]) + windowUpdate(0, MAX_31_BITS - 65_535);
    const [deaf, slow] = [await dial(address, port), await dial(address, port)];
    let taken = 0;
    slow.socket.on('data', (bytes: Buffer) => {
      taken += bytes.length;
      slow.socket.pause();
    });
    deaf.socket.pause();
    for (const client of [deaf, slow]) client.send(greeting + open + get(1));
    const start = performance.now();
    while (front.records.length === 0 && performance.now() - start < 5_000) {
      await sleep(10);
      slow.socket.resume();
    }
    expect(front.records.map(({ flag: why, status }) => `${why} ${status}`)).toEqual(['client_timeout 200']);
    expect(performance.now() - start).toBeGreaterThan(2 * PING_MS);
    const before = taken;
    await sleep(30);
    slow.socket.resume();
    await sleep(30);
    expect(taken).toBeGreaterThan(before);
    for (const client of [deaf, slow]) client.socket.destroy();
  });
});
