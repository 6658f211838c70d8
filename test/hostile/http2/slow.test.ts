/** Clients that are slow or silent, by mistake or on purpose: each is given up in its time, and leaves nothing behind. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sleep } from '../http1/run.ts';
import { END, get, open, pseudo } from './case.ts';
import { pendingOf } from './deviations.ts';
import { code, continuation, data, flag, headers, PREFACE, ping, setting, settings, windowUpdate } from './frames.ts';
import { block } from './hpack.ts';
import { connectPeer, laneAddress } from './run.ts';
import { BIG_BYTES, type ProxySubject, proxySubject } from './subject.ts';
import { createPeer, greeting, openSocket, type Peer } from './wire.ts';

let subject: ProxySubject;
/** Clients that never close their side. */
const held: Peer[] = [];

beforeAll(async () => {
  subject = await proxySubject('127.77.12.6', {
    client: { headTimeoutMs: 500, keepAliveTimeoutMs: 500, bodyTimeoutMs: 500, sendTimeoutMs: 500, lingerMs: 200 },
  });
});

afterAll(async () => {
  for (const peer of held) peer.leave();
  await subject.close();
});

const big = (stream: number) => headers(stream, block(pseudo({ ':path': '/big' })), END);
/** More than all the limits together, on a machine that is busy with something else. */
const SOON = 6_000;

describe('is closed', () => {
  const half = PREFACE.subarray(0, 16);
  it.concurrent.each<[string, Buffer[]]>([
    ['9113 3.4 no preface', []],
    ['9113 3.4 half a preface', [half]],
    ['9113 3.4 a preface without SETTINGS', [PREFACE]],
    ['9113 3.4 half of SETTINGS', [PREFACE, settings([setting.push, 0]).subarray(0, 12)]],
    ['9113 9.1 nothing behind SETTINGS', [greeting()]],
    ['9113 9.1 half a frame', [greeting(), ping('12345678').subarray(0, 10)]],
    ['9113 4.3 a field block without its end', [greeting(), headers(1, get(), flag.endStream)]],
    ['9113 4.3 half of HEADERS', [greeting(), headers(1, get()).subarray(0, 12)]],
    ['9113 8.1 a body without its end', [greeting(), open(1), data(1, 'x')]],
    ['9113 8.1 no body', [greeting(), open(1)]],
    ['9113 6.9 no window for a response', [greeting([setting.window, 0]), big(1)]],
  ])('RFC %s', async (name, bytes) => {
    for (const place of [subject.plain, subject.secure]) {
      const peer = createPeer(await openSocket(laneAddress(50), place));
      peer.send(...bytes);
      held.push(peer);
      expect(await peer.until(() => peer.closed(), SOON), `${name}: ${peer.summary()}`).toBe(true);
    }
  });

  it.concurrent.each<[string, (n: number) => Buffer]>([
    ['9113 6.7 nothing but PING', (n) => ping(`${n}`.padStart(8, '0'))],
    ['9113 6.5 nothing but SETTINGS', () => settings()],
    ['9113 6.9 nothing but WINDOW_UPDATE', () => windowUpdate(0, 1)],
    [
      '9113 6.10 a field block that drips in',
      (n) => (n === 0 ? headers(1, get(), flag.endStream) : continuation(1, Buffer.alloc(0), 0)),
    ],
  ])('RFC %s', async (_, round) => {
    const peer = await connectPeer(laneAddress(51), subject.plain);
    for (let n = 0; n < 60 && !peer.closed(); n++) {
      peer.send(round(n));
      await peer.until(() => peer.closed(), 100);
    }
    expect(peer.closed(), peer.summary()).toBe(true);
    peer.leave();
  });
});

describe('a long response', () => {
  /** Bytes that the proxy has taken from the backend beyond what the client got; kernels keep some of them. */
  const KERNEL = 3 << 20;

  it.concurrent('RFC 9113 6.9 that is taken in windows of a byte is not held in memory', async () => {
    const peer = createPeer(await openSocket(laneAddress(52), subject.plain));
    peer.send(greeting([setting.window, 1]), big(1));
    for (let n = 1; n <= 200; n++) {
      await peer.until(() => peer.stream(1).bodyBytes >= n || peer.over());
      peer.send(windowUpdate(1, 1));
    }
    expect(peer.stream(1).bodyBytes).toBeGreaterThanOrEqual(200);
    const waiting = [...subject.backend.sockets].reduce((sum, socket) => sum + socket.writableLength, 0);
    expect(waiting).toBeGreaterThan(BIG_BYTES - KERNEL);
    peer.leave();
  });

  it.concurrent('RFC 9113 6.9 for which there is no window is cut, and the connection lives', async () => {
    const peer = await connectPeer(laneAddress(53), subject.plain);
    peer.send(settings([setting.window, 0]), ...[1, 3, 5].map(big));
    const cut = (id: number) => peer.stream(id).reset !== undefined;
    const all = await peer.until(() => [1, 3, 5].every(cut) || peer.closed(), SOON);
    expect(all, peer.summary()).toBe(true);
    peer.leave();
  });
});

describe('a client that goes away', () => {
  const leave: [string, (peer: Peer) => void][] = [
    ['closes', (peer) => peer.socket.end()],
    ['resets', (peer) => peer.socket.resetAndDestroy()],
    [
      'resets the stream with NO_ERROR',
      (peer) => peer.send(Buffer.from([0, 0, 4, 3, 0, 0, 0, 0, 1, 0, 0, 0, code.none])),
    ],
    [
      'resets the stream with CANCEL',
      (peer) => peer.send(Buffer.from([0, 0, 4, 3, 0, 0, 0, 0, 1, 0, 0, 0, code.cancel])),
    ],
  ];
  it.concurrent.for(
    leave.map(([name, how], i): [string, (peer: Peer) => void, string] => [name, how, laneAddress(60 + i)]),
  )('RFC 9113 8.1 and %s leaves no request behind that looks whole', async ([, how, from], context) => {
    const peer = await connectPeer(from, subject.plain);
    peer.send(open(1), data(1, 'hello'));
    await sleep(150);
    how(peer);
    await sleep(300);
    peer.leave();
    const requests = subject.take(from).map(({ line }) => line);
    const missing = pendingOf('resets the stream', `the backend got ${requests.length} requests: ${requests}`);
    if (missing) context.skip(missing.why);
    expect(requests).toEqual([]);
  });
});

describe('all together', () => {
  it('leave no connection behind, not even of clients that do not close their side', async (context) => {
    for (let i = 0; i < 40 && subject.connections() > 0; i++) await sleep(50);
    const missing = subject.connections() > 0 && pendingOf('half-closed', 'not closed');
    if (missing) context.skip(`${missing.why}: ${subject.connections()}`);
    expect(subject.connections()).toBe(0);
  });
});
