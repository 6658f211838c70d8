/** Backends that speak HTTP/2 and break off, lie or babble: their frames are written here, one by one. */
import type { Socket } from 'node:net';
import { createServer, type Server, type TlsOptions } from 'node:tls';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { hasOpenssl, selfSigned } from '../testing/certificates.ts';
import { createFront } from '../testing/front.ts';
import { backend, endpoint, host, listener, planOf, route, source } from '../testing/plans.ts';
import { type Backdrop, dial, listenRaw, shout } from '../testing/sockets.ts';
import { createFrameReader, readFrames, uint32 } from './engine/frames.ts';
import { createDecoder, decodeBlock } from './engine/hpack/decoder.ts';
import { errorCode, flag, frameType } from './engine/protocol.ts';
import { block, END, frame, settingsFrame } from './engine/testing.ts';

const address = '127.92.6.1';
const port = 8080;
const front = createFront({
  client: { bodyTimeoutMs: 3_000 },
  upstream: {
    connectTimeoutMs: 400,
    idleTimeoutMs: 300,
    responseTimeoutMs: 3_000,
    pingIntervalMs: 400,
    maxConnectionsPerEndpoint: 20,
  },
});

/** One connection of the data plane to the backend. */
interface Peer {
  readonly socket: Socket;
  send(...frames: readonly string[]): void;
}
/** Called for every request, with the number of its connection. */
let play: (peer: Peer, stream: number, connection: number) => void = () => {};
let settings = settingsFrame();
let raw: Backdrop;
/** Names and values of the request that came last. */
let seen: string[] = [];

function speak(socket: Socket, connection: number): void {
  const reader = createFrameReader();
  const decoder = createDecoder({ maxTableBytes: 4_096, maxFields: 400, maxListBytes: 65_536 });
  const peer: Peer = { socket, send: (...frames) => void socket.write(frames.join(''), 'latin1') };
  peer.send(settings);
  socket.on('data', (bytes: Buffer) => {
    readFrames(reader, bytes, 0, (type, flags, stream, payload, start, end) => {
      if (type === frameType.settings && (flags & flag.ack) === 0) peer.send(frame(frameType.settings, flag.ack, 0));
      if (type === frameType.ping && (flags & flag.ack) === 0)
        peer.send(frame(frameType.ping, flag.ack, 0, payload.toString('latin1', start, end)));
      if (type !== frameType.headers) return true;
      decodeBlock(decoder, payload, start + (flags & flag.priority ? 5 : 0), end);
      seen = decoder.fields.slice(0, decoder.count).map(({ name, value }) => `${name.text}: ${value}`);
      play(peer, stream, connection);
      return true;
    });
  });
}

beforeAll(async () => {
  raw = await listenRaw(address, 8081, (socket) => speak(socket, raw.accepted()));
  await front.endpoints({ app: [endpoint(address, 8081)] });
  await front.plan(planOf([listener(address, port, [host('*', [route()])])], [backend('app', 'h2c')]));
});

beforeEach(async () => {
  settings = settingsFrame();
  await raw.drop();
  front.records.length = 0;
});

afterAll(async () => {
  await front.close();
  await raw.close();
});

const get = 'GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n';
const post = 'POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 2\r\n\r\nhi';
const head = (stream: number, ...more: (readonly [string, string])[]) =>
  frame(frameType.headers, flag.endHeaders, stream, block([[':status', '200'], ...more]));
const whole = (stream: number, ...more: (readonly [string, string])[]) =>
  frame(frameType.headers, END, stream, block([[':status', '200'], ...more]));
const data = (stream: number, text: string, last = false) =>
  frame(frameType.data, last ? flag.endStream : 0, stream, text);
const reset = (stream: number, code: number) => frame(frameType.rstStream, 0, stream, uint32(code));
const goaway = (last: number, code: number) => frame(frameType.goaway, 0, 0, uint32(last) + uint32(code));

const ends: Record<string, (peer: Peer, stream: number) => void> = {
  'a bad frame': (peer) => peer.send(frame(frameType.headers, flag.endHeaders, 0, '')),
  FIN: ({ socket }) => void socket.end(),
  RST: ({ socket }) => void socket.resetAndDestroy(),
};
const { none, internal, streamClosed, refusedStream, cancel, enhanceYourCalm } = errorCode;
for (const code of [none, internal, streamClosed, refusedStream, cancel])
  ends[`RST_STREAM ${code}`] = (peer, stream) => peer.send(reset(stream, code));
for (const code of [none, enhanceYourCalm]) {
  ends[`GOAWAY ${code} below it`] = (peer, stream) => peer.send(goaway(Math.max(0, stream - 2), code));
  ends[`GOAWAY ${code} and FIN`] = (peer, stream) => {
    peer.send(goaway(stream, code));
    peer.socket.end();
  };
}

describe.each(Object.entries(ends))('%s', (_, end) => {
  it('before the head of a response is a 502, at once', async () => {
    play = end;
    const began = performance.now();
    expect(await shout(address, port, post)).toMatch(/^HTTP\/1.1 502 /);
    expect(performance.now() - began).toBeLessThan(1_500);
  });

  it('in a body does not make it a whole one', async () => {
    play = (peer, stream) => {
      peer.send(head(stream), data(stream, 'half'));
      setTimeout(end, 20, peer, stream);
    };
    const began = performance.now();
    const text = await shout(address, port, get);
    expect(text).toContain('half');
    expect(text).not.toMatch(/0\r\n\r\n$/);
    expect(performance.now() - began).toBeLessThan(1_500);
    expect((await front.record(1)).flag).toBe('upstream_truncated');
  });
});

describe('a backend', () => {
  it('that closes behind a whole response has it delivered, to a client that reads slowly as well', async () => {
    const body = 'x'.repeat(60_000);
    play = (peer, stream) => {
      peer.send(head(stream));
      for (let i = 0; i < 4; i++)
        for (let at = 0; at < body.length; at += 15_000) peer.send(data(stream, body.slice(at, at + 15_000)));
      peer.send(data(stream, '', true));
      peer.socket.end();
    };
    const client = await dial(address, port);
    client.socket.pause();
    client.send(get);
    await front.record(1).catch(() => undefined);
    client.socket.resume();
    expect(await client.closed()).toMatch(/\r\n0\r\n\r\n$/);
    expect(front.records[0]).toMatchObject({ status: 200, responseBytes: 240_000 });
  });

  it('that closes while nothing is under way gets no request over that connection', async () => {
    play = (peer, stream) => peer.send(whole(stream));
    expect(await shout(address, port, post)).toMatch(/^HTTP\/1.1 200 /);
    for (const socket of raw.sockets) socket.end();
    await expect.poll(() => raw.sockets.size).toBe(0);
    expect(await shout(address, port, post)).toMatch(/^HTTP\/1.1 200 /);
  });

  it('that says with an error which requests it has not looked at gets these once more', async () => {
    const first = raw.accepted() + 1;
    play = (peer, stream, connection) =>
      peer.send(connection === first ? goaway(0, enhanceYourCalm) : whole(stream, ['x-second', 'yes']));
    expect(await shout(address, port, post)).toMatch(/x-second: yes/);
  });

  it('that takes no streams is not asked for ever more connections', async () => {
    settings = settingsFrame([3, 0]);
    const before = raw.accepted();
    const client = await dial(address, port);
    client.send(get);
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(raw.accepted() - before).toBeLessThanOrEqual(2);
    client.socket.destroy();
    settings = settingsFrame();
  });

  it('that never closes its side is cut off', async () => {
    const before = new Set(raw.sockets);
    play = (peer, stream) => {
      peer.socket.removeAllListeners('end');
      peer.send(whole(stream));
    };
    expect(await shout(address, port, get)).toMatch(/^HTTP\/1.1 200 /);
    const [socket] = [...raw.sockets].filter((one) => !before.has(one));
    await new Promise((resolve) => socket!.once('end', resolve));
    await expect
      .poll(() => {
        socket!.write('x');
        return socket!.destroyed;
      })
      .toBe(true);
  });

  it('that takes nothing more is given up, and the next request goes elsewhere', async () => {
    const first = raw.accepted() + 1;
    play = (peer, stream, connection) => {
      if (connection > first) peer.send(whole(stream));
      else {
        peer.send(settingsFrame([4, 0x7fffffff]) + frame(frameType.windowUpdate, 0, 0, uint32(0x7fff0000)));
        setTimeout(() => peer.socket.pause(), 50);
      }
    };
    const size = 16 * 1024 * 1024;
    const client = await dial(address, port);
    client.send(`POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${size}\r\n\r\n`);
    for (let i = 0; i < 16; i++) client.socket.write(Buffer.alloc(size / 16));
    await client.until(/^HTTP\/1.1 502 /.test.bind(/^HTTP\/1.1 502 /));
    expect(await shout(address, port, post)).toMatch(/^HTTP\/1.1 200 /);
    client.socket.destroy();
    const [hung] = raw.sockets;
    hung!.resume();
    await new Promise((resolve) => hung!.once('close', resolve));
  });

  it('gets fields whose names are those of properties, and values as they came', async () => {
    play = (peer, stream) => peer.send(whole(stream, ['x-end', 'voil\xc3\xa0']));
    const text = await shout(
      address,
      port,
      get.replace('Host', '__proto__: 1\r\nconstructor: 2\r\nX-End: voil\xc3\xa0\r\nHost'),
    );
    expect(seen).toContain('__proto__: 1');
    expect(seen).toContain('constructor: 2');
    expect(seen.filter((line) => line.startsWith('constructor'))).toHaveLength(1);
    expect(seen.find((line) => line.startsWith('x-end'))).toBe('x-end: voil\xc3\xa0');
    expect(text).toContain('x-end: voil\xc3\xa0\r\n');
  });

  it.each([
    ['too many', Array.from({ length: 70 }, (_, i): [string, string] => [`t${i}`, 'v'])],
    ['too large', [['t', 'v'.repeat(9_000)]] as [string, string][]],
  ])('whose trailers are %s has its response cut', async (_, trailers) => {
    play = (peer, stream) =>
      peer.send(head(stream), data(stream, 'body'), frame(frameType.headers, END, stream, block(trailers)));
    const text = await shout(address, port, get);
    expect(text).toContain('body');
    expect(text).not.toMatch(/0\r\n\r\n$/);
    expect((await front.record(1)).flag).toBe('upstream_protocol');
  });
});

describe.skipIf(!hasOpenssl())('a backend over TLS', () => {
  let server: Server;
  const secured = createFront({ upstream: { responseTimeoutMs: 3_000 } });
  beforeAll(async () => {
    const { chain, key } = selfSigned('app', 'app.example');
    let count = 0;
    server = createServer({ cert: chain, key, ALPNProtocols: ['h2'], allowHalfOpen: true } as TlsOptions, (socket) => {
      socket.on('error', () => {});
      speak(socket, ++count);
    });
    await new Promise<void>((resolve) => server.listen(8082, address, resolve));
    const tls = { serverName: 'app.example', verify: false, ca: 'system', subjectAltNames: [], source } as const;
    await secured.endpoints({ app: [endpoint(address, 8082)] });
    const door = listener(address, 8083, [host('*', [route()])]);
    await secured.plan(planOf([door], [{ ...backend('app', 'h2'), tls }]));
  });
  afterAll(async () => {
    await secured.close();
    server.close();
  });

  it('that closes in a body does not make it a whole one', async () => {
    play = (peer, stream) => {
      peer.send(head(stream), data(stream, 'half'));
      setTimeout(() => peer.socket.end(), 20);
    };
    const text = await shout(address, 8083, get, 1_500);
    expect(text).toContain('half');
    expect(text).not.toMatch(/0\r\n\r\n$/);
  });

  it('that closes before the head of a response is a 502, at once', async () => {
    play = ({ socket }) => void socket.end();
    expect(await shout(address, 8083, post, 1_500)).toMatch(/^HTTP\/1.1 502 /);
  });
});
