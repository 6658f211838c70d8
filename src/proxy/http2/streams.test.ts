/** Streams of clients that end in one way or another, with clients that write their frames themselves. */
import { connect } from 'node:http2';
import type { Socket } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { TICK_MS } from '../listener/sweep.ts';
import { createFront } from '../testing/front.ts';
import { backend, endpoint, host, listener, planOf, route } from '../testing/plans.ts';
import { type Backdrop, dial, listenRaw } from '../testing/sockets.ts';
import { uint32 } from './engine/frames.ts';
import { errorCode, flag, frameType, PREFACE } from './engine/protocol.ts';
import { block, END, frame, greeting, request, settingsFrame } from './engine/testing.ts';

const address = '127.92.6.2';
const port = 8080;
/** Shorter than this process has been there for: what is counted from its start is over. */
const sendTimeoutMs = 1_000;
const front = createFront({ http2: { maxConcurrentStreams: 2, streamWindowBytes: 16_384 }, client: { sendTimeoutMs } });
let app: Backdrop;
let play: (socket: Socket) => void = () => {};

beforeAll(async () => {
  app = await listenRaw(address, 8081, (socket) => play(socket));
  await front.endpoints({ app: [endpoint(address, 8081)] });
  await front.plan(planOf([listener(address, port, [host('*', [route()])])], [backend('app')]));
});

beforeEach(async () => {
  await app.drop();
  front.records.length = 0;
});

afterAll(async () => {
  await front.close();
  await app.close();
});

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
const opens = (id: number, text: string) => text.includes(frame(frameType.headers, flag.endHeaders, id, '').slice(3));

describe('a tunnel', () => {
  it('whose backend closes first leaves nothing behind', async () => {
    play = (socket) =>
      socket.once('data', (head) => {
        const key = /Sec-WebSocket-Key: (\S+)/i.exec(String(head))?.[1] ?? '';
        expect(key).not.toBe('');
        socket.end('HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\nbye');
      });
    const client = connect(`http://${address}:${port}`);
    await new Promise((resolve) => client.once('remoteSettings', resolve));
    for (let i = 1; i <= 4; i++) {
      const stream = client.request(
        { ':method': 'CONNECT', ':protocol': 'websocket', ':path': '/', ':authority': 'a', ':scheme': 'http' },
        { endStream: false },
      );
      const code = await new Promise((resolve) => {
        stream.resume();
        stream.on('error', () => {});
        stream.on('end', () => stream.end());
        stream.on('close', () => resolve(stream.rstCode));
      });
      expect(code, `tunnel ${i}`).toBe(errorCode.none);
      await front.record(i);
    }
    client.close();
  });
});

describe('a tunnel that is not opened', () => {
  it.each([
    ['200 OK', '502'],
    ['403 Forbidden', '403'],
  ])('%s is %s to the client, with the body', async (status, expected) => {
    play = (socket) => socket.on('data', () => socket.write(`HTTP/1.1 ${status}\r\nContent-Length: 4\r\n\r\nhtml`));
    const client = connect(`http://${address}:${port}`);
    await new Promise((resolve) => client.once('remoteSettings', resolve));
    const stream = client.request(
      { ':method': 'CONNECT', ':protocol': 'websocket', ':path': '/', ':authority': 'a', ':scheme': 'http' },
      { endStream: false },
    );
    let body = '';
    stream.on('data', (chunk) => {
      body += chunk;
    });
    const got = await new Promise((resolve) => stream.on('response', (headers) => resolve(headers[':status'])));
    expect(String(got)).toBe(expected);
    await new Promise((resolve) => stream.on('close', resolve));
    expect(body).toBe('html');
    client.close();
  });
});

describe('a request', () => {
  it('may bring as much as a client may send before it knows of our window', async () => {
    play = (socket) => socket.on('data', (bytes) => String(bytes).endsWith('0\r\n\r\n') && socket.write(OK));
    const client = await dial(address, port);
    const part = 'x'.repeat(16_000);
    client.send(
      PREFACE +
        settingsFrame() +
        frame(frameType.headers, flag.endHeaders, 1, request('POST')) +
        frame(frameType.data, 0, 1, part) +
        frame(frameType.data, 0, 1, part) +
        frame(frameType.data, 0, 1, part) +
        frame(frameType.data, flag.endStream, 1, '!'),
    );
    const text = await client.until(
      (all) => opens(1, all) || all.includes(frame(frameType.rstStream, 0, 1, uint32(errorCode.flowControl))),
    );
    expect(opens(1, text)).toBe(true);
    client.socket.destroy();
  });

  it('with more trailers than are passed on is refused', async () => {
    play = (socket) => socket.on('data', (bytes) => String(bytes).endsWith('0\r\n\r\n') && socket.write(OK));
    const client = await dial(address, port);
    const trailers = Array.from({ length: 70 }, (_, i): [string, string] => [`t${i}`, 'v']);
    client.send(
      greeting +
        frame(frameType.headers, flag.endHeaders, 1, request('POST')) +
        frame(frameType.data, 0, 1, 'body') +
        frame(frameType.headers, END, 1, block(trailers)),
    );
    await front.record(1);
    expect(front.records[0]).toMatchObject({ status: 400, flag: 'bad_request' });
    client.socket.destroy();
  });
});

describe('a response', () => {
  it('waits for a window that the client opens later than our first look at it', async () => {
    play = (socket) => socket.on('data', () => socket.write(OK));
    const client = await dial(address, port);
    const shut = frame(frameType.settings, 0, 0, `\0\x04${uint32(0)}`);
    client.send(PREFACE + shut + frame(frameType.headers, END, 1, request()));
    await client.until((all) => opens(1, all));
    // A stream is looked at with every tick.
    await new Promise((resolve) => setTimeout(resolve, 3 * TICK_MS));
    client.send(frame(frameType.windowUpdate, 0, 1, uint32(100)));
    const reset = frame(frameType.rstStream, 0, 1, uint32(errorCode.cancel));
    const text = await client.until((all) => all.includes(frame(frameType.data, 0, 1, 'ok')) || all.includes(reset));
    expect(text).not.toContain(reset);
    client.socket.destroy();
  });

  it('has the bytes of its fields, also at their ends', async () => {
    play = (socket) =>
      socket.on('data', () => socket.write('HTTP/1.1 204 No Content\r\nx-end: \t voil\xc3\xa0 \r\n\r\n', 'latin1'));
    const client = await dial(address, port);
    client.send(greeting + frame(frameType.headers, END, 1, request()));
    await client.until('\x05x-end\x06voil\xc3\xa0');
    client.socket.destroy();
  });
});
