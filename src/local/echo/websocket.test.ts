/** WebSocket echo, judged by the `ws` client and by hand-made frames. */
import { once } from 'node:events';
import { connect } from 'node:net';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import WebSocket from 'ws';
import { echoPod, startRuntime } from './testing.ts';
import { closePayload, createFrameReader, encodeFrame, type Frame, isCloseCode } from './websocket-frames.ts';

const { runtime, run } = startRuntime({ limits: { webSocketFrameBytes: 100_000 } });
beforeAll(() => run(echoPod('web-1', '127.78.11.1')));
afterAll(() => runtime.close());

const url = 'ws://127.78.11.1:8080';

async function open(path = '/ws', protocols: string[] = []): Promise<WebSocket> {
  const socket = new WebSocket(url + path, protocols);
  await once(socket, 'open');
  return socket;
}

async function exchange(socket: WebSocket, data: string | Buffer): Promise<{ data: string; binary: boolean }> {
  socket.send(data);
  const [answer, binary] = (await once(socket, 'message')) as [Buffer, boolean];
  return { data: answer.toString('latin1'), binary };
}

/** A frame of a client, masked. */
function masked(first: number, payload: Buffer): Buffer {
  const mask = Buffer.of(1, 2, 3, 4);
  const length = payload.length < 126 ? Buffer.of(128 | payload.length) : Buffer.alloc(3);
  if (length.length === 3) {
    length[0] = 128 | 126;
    length.writeUInt16BE(payload.length, 1);
  }
  return Buffer.concat([Buffer.of(first), length, mask, payload.map((byte, i) => byte ^ mask[i & 3]!)]);
}

/** Sends bytes after a handshake; gives what comes back until the server closes. */
async function rawExchange(...frames: Buffer[]): Promise<Buffer> {
  const socket = connect({ host: '127.78.11.1', port: 8080 });
  const key = Buffer.alloc(16).toString('base64');
  const upgrade = `Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${key}`;
  socket.write(Buffer.concat([Buffer.from(`GET /any HTTP/1.1\r\nHost: h\r\n${upgrade}\r\n\r\n`), ...frames]));
  const chunks: Buffer[] = [];
  socket.on('data', (chunk) => chunks.push(chunk));
  await once(socket, 'end');
  const all = Buffer.concat(chunks);
  return all.subarray(all.indexOf('\r\n\r\n') + 4);
}

const closeCode = (bytes: Buffer) => [bytes[0], bytes.readUInt16BE(2)];

describe('WebSocket echo', () => {
  it('echoes text and binary of all length forms, on /ws and on any other path', async () => {
    for (const path of ['/ws', '/chat?room=1']) {
      const socket = await open(path);
      expect(await exchange(socket, 'hello')).toEqual({ data: 'hello', binary: false });
      expect(await exchange(socket, Buffer.alloc(200, 1))).toEqual({ data: '\x01'.repeat(200), binary: true });
      expect((await exchange(socket, Buffer.alloc(90_000, 2))).data).toHaveLength(90_000);
      socket.close(4001, 'done');
      expect((await once(socket, 'close'))[0]).toBe(4001);
    }
    const lines = runtime.logs('shop/web-1')!.lines();
    expect(lines.at(-1)!.text).toMatch(/^Echoing WebSocket made to \/chat\?room=1 to client \(127\.0\.0\.1:\d+\)$/);
  });

  it('answers pings, and carries fragments with a ping between them', async () => {
    const socket = await open();
    socket.ping('are you there');
    expect(String((await once(socket, 'pong'))[0])).toBe('are you there');
    socket.send('frag', { fin: false });
    socket.ping();
    socket.send('ments', { fin: true });
    expect(String((await once(socket, 'message'))[0])).toBe('fragments');
    socket.terminate();
  });

  it('chooses the first subprotocol that is offered', async () => {
    const socket = await open('/ws', ['one', 'two']);
    expect(socket.protocol).toBe('one');
    socket.terminate();
  });

  it('closes with 1009 on frames beyond the limit', async () => {
    const socket = await open();
    socket.on('error', () => undefined);
    socket.send(Buffer.alloc(100_001));
    expect((await once(socket, 'close'))[0]).toBe(1009);
  });

  it.each([
    ['unmasked frames', Buffer.of(0x81, 0x00), 1002],
    ['reserved bits', masked(0xc1, Buffer.alloc(0)), 1002],
    ['unknown opcodes', masked(0x83, Buffer.alloc(0)), 1002],
    ['fragmented control frames', masked(0x09, Buffer.alloc(0)), 1002],
    ['long control frames', masked(0x89, Buffer.alloc(126)), 1002],
    ['continuations of nothing', masked(0x80, Buffer.alloc(0)), 1002],
    ['text that is not UTF-8', masked(0x81, Buffer.of(0xff)), 1007],
    ['close frames of one byte', masked(0x88, Buffer.of(3)), 1002],
    ['close codes that must not be sent', masked(0x88, closePayload(1005, '')), 1002],
  ])('closes %s', async (_what, frame, code) => {
    expect(closeCode(await rawExchange(frame))).toEqual([0x88, code]);
  });

  it('answers an empty close frame with an empty one, and drops what comes after', async () => {
    const answer = await rawExchange(masked(0x88, Buffer.alloc(0)), masked(0x81, Buffer.from('late')));
    expect(answer).toEqual(Buffer.of(0x88, 0x00));
  });

  it('refuses bad handshakes', async () => {
    const refuse = async (headers: Record<string, string>, method = 'GET') => {
      const socket = connect({ host: '127.78.11.1', port: 8080 });
      const all = { Host: 'h', Connection: 'Upgrade', Upgrade: 'websocket', ...headers };
      const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
      socket.write(`${method} /ws HTTP/1.1\r\n${lines.join('')}\r\n`);
      return String((await once(socket, 'data'))[0]).split('\r\n')[0];
    };
    const key = { 'Sec-WebSocket-Key': Buffer.alloc(16).toString('base64') };
    expect(await refuse({ ...key, 'Sec-WebSocket-Version': '12' })).toBe('HTTP/1.1 426 Upgrade Required');
    expect(await refuse({ 'Sec-WebSocket-Version': '13' })).toBe('HTTP/1.1 400 Bad Request');
    expect(await refuse({ ...key, 'Sec-WebSocket-Version': '13' }, 'POST')).toBe('HTTP/1.1 405 Method Not Allowed');
  });
});

describe('frame reader', () => {
  const frame = fc.record({
    fin: fc.boolean(),
    opcode: fc.constantFrom(0 as const, 1 as const, 2 as const),
    payload: fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
  });

  it('finds the frames however the bytes are cut', () => {
    fc.assert(
      fc.property(fc.array(frame), fc.integer({ min: 1, max: 50 }), (frames, cut) => {
        const bytes = Buffer.concat(frames.map((it) => masked((it.fin ? 128 : 0) | it.opcode, it.payload)));
        const reader = createFrameReader(1000);
        const found: Frame[] = [];
        for (let at = 0; at < bytes.length; at += cut) {
          reader.push(bytes.subarray(at, at + cut));
          for (let next = reader.next(); next.type === 'frame'; next = reader.next()) found.push(next.frame);
        }
        expect(found).toEqual(frames);
      }),
    );
  });

  it('never throws, whatever comes', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 40 })), (chunks) => {
        const reader = createFrameReader(100);
        for (const chunk of chunks) {
          reader.push(Buffer.from(chunk));
          for (let i = 0; i < 50 && reader.next().type === 'frame'; i++);
        }
      }),
    );
  });

  it('writes the length forms of RFC 6455 section 5.2', () => {
    const head = (length: number) =>
      encodeFrame({ fin: true, opcode: 2, payload: Buffer.alloc(length) }).subarray(0, 10);
    expect([...head(125).subarray(0, 2)]).toEqual([0x82, 125]);
    expect([...head(126).subarray(0, 4)]).toEqual([0x82, 126, 0, 126]);
    expect([...head(65_536)]).toEqual([0x82, 127, 0, 0, 0, 0, 0, 1, 0, 0]);
  });

  it('knows which close codes may be sent', () => {
    expect([999, 1000, 1003, 1004, 1005, 1006, 1014, 1015, 2999, 3000, 4999, 5000].filter(isCloseCode)).toEqual([
      1000, 1003, 1014, 3000, 4999,
    ]);
  });
});
