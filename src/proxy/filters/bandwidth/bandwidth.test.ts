/** Responses at a speed, over both versions of HTTP: how much may be there by when, and what else goes on meanwhile. */
import { readFileSync } from 'node:fs';
import { get as getHttp } from 'node:http';
import { type ClientHttp2Session, connect as connectHttp2 } from 'node:http2';
import type { Socket } from 'node:net';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import type { Filter } from '../../../routing/plan/plan.ts';
import { type OneRoute, oneRoute, PORT } from '../../testing/one-route.ts';
import { endpoint } from '../../testing/plans.ts';
import { dial } from '../../testing/sockets.ts';

let place: OneRoute;

beforeAll(async () => {
  place = await oneRoute('127.87.6.1', '127.87.6.2', { upstream: { responseTimeoutMs: 1_000 } });
});
beforeEach(() => {
  place.front.findings.length = 0;
});
afterAll(() => place.close());

const slow = (bytesPerSecond: number, afterBytes = 0): Filter => ({ type: 'bandwidth', bytesPerSecond, afterBytes });

interface Arrival {
  /** Milliseconds since the first byte of the body, and bytes of it that were there by then. */
  readonly curve: readonly (readonly [ms: number, bytes: number])[];
  readonly body: Buffer;
  readonly tookMs: number;
}

function collect(take: (onData: (bytes: Buffer) => void, onEnd: () => void, onError: (error: Error) => void) => void) {
  return new Promise<Arrival>((resolve, reject) => {
    const curve: (readonly [number, number])[] = [];
    const pieces: Buffer[] = [];
    let began = 0;
    let total = 0;
    take(
      (bytes) => {
        began ||= performance.now();
        pieces.push(bytes);
        total += bytes.length;
        curve.push([performance.now() - began, total]);
      },
      () => resolve({ curve, body: Buffer.concat(pieces), tookMs: performance.now() - began }),
      reject,
    );
  });
}

const overHttp1 = (headers = {}) =>
  collect((onData, onEnd, onError) => {
    const asking = getHttp({ host: place.address, port: PORT, agent: false, headers }, (response) => {
      response.on('data', onData).on('end', onEnd).on('error', onError);
    });
    asking.on('error', onError);
  });

async function overHttp2(headers = {}): Promise<Arrival> {
  const session: ClientHttp2Session = connectHttp2(`http://${place.address}:${PORT}`);
  try {
    return await collect((onData, onEnd, onError) => {
      session.on('error', onError);
      session
        .request({ ':path': '/', ...headers })
        .on('data', onData)
        .on('end', onEnd)
        .on('error', onError);
    });
  } finally {
    session.close();
  }
}

const clients = [
  ['HTTP/1.1', overHttp1],
  ['HTTP/2', overHttp2],
] as const;

/** A tenth of a second more than what is had in advance: clocks of two sides. */
function expectNoFaster({ curve }: Arrival, bytesPerSecond: number, afterBytes = 0): void {
  for (const [ms, bytes] of curve) expect(bytes).toBeLessThanOrEqual(afterBytes + bytesPerSecond * (1.1 + ms / 1_000));
}

const text = (length: number) => 'x'.repeat(length);
const sized = (length: number) => `HTTP/1.1 200 OK\r\nContent-Length: ${length}\r\n\r\n${text(length)}`;

describe.each(clients)('a response at a speed, over %s', (_version, get) => {
  it('comes as fast as it may and no faster, whole', async () => {
    place.app.answer(sized(60_000));
    await place.use([slow(40_000)]);
    const arrival = await get();
    expect(arrival.body.toString()).toBe(text(60_000));
    expectNoFaster(arrival, 40_000);
    expect(arrival.tookMs).toBeGreaterThan(400);
    expect(arrival.tookMs).toBeLessThan(1_500);
    // In many small steps.
    expect(arrival.curve.length).toBeGreaterThan(2);
  });

  it('may begin with some of it at any speed', async () => {
    place.app.answer(sized(90_000));
    await place.use([slow(40_000, 40_000)]);
    const arrival = await get();
    expectNoFaster(arrival, 40_000, 40_000);
    expect(arrival.tookMs).toBeGreaterThan(150);
    expect(arrival.tookMs).toBeLessThan(1_200);
  });

  it('has its chunks, its trailers left aside, and its compression', async () => {
    const lines = Array.from({ length: 1_500 }, () => `${Math.random()}`).join('\n');
    const chunk = `${lines.length.toString(16)}\r\n${lines}\r\n`;
    place.app.answer(
      `HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n${chunk}0\r\nX-Sum: 1\r\n\r\n`,
    );
    await place.use([slow(20_000)]);
    const plain = await get();
    expect(plain.body.toString()).toBe(lines);
    expectNoFaster(plain, 20_000);
    await place.use([
      slow(10_000),
      { type: 'compression', codings: ['gzip'], types: ['text/plain'], minBytes: 10, level: { gzip: 1, br: 1 } },
    ]);
    const packed = await get({ 'accept-encoding': 'gzip' });
    expect(packed.body.length).toBeLessThan(lines.length * 0.7);
    expect(gunzipSync(packed.body).toString()).toBe(lines);
    expectNoFaster(packed, 10_000);
    expect(packed.tookMs).toBeGreaterThan(200);
  });

  it('comes at full speed where that is more than there is', async () => {
    place.app.answer(sized(300_000));
    await place.use([slow(1_000_000)]);
    expect((await get()).tookMs).toBeLessThan(400);
    await place.use([slow(4_000_000)]);
    place.app.answer(sized(5_000_000));
    const arrival = await get();
    expect(arrival.body.length).toBe(5_000_000);
    expectNoFaster(arrival, 4_000_000);
    expect(arrival.tookMs).toBeGreaterThan(150);
    expect(arrival.tookMs).toBeLessThan(1_500);
  });

  it('is not gathered here: the backend goes no faster than the client', async () => {
    let written = 0;
    let stop = () => {};
    place.app.answer((_request, socket: Socket) => {
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 400000000\r\n\r\n');
      const piece = Buffer.alloc(65_536);
      let isOpen = true;
      stop = () => {
        isOpen = false;
      };
      socket.on('close', stop);
      const more = () => {
        while (isOpen && socket.write(piece)) written += piece.length;
      };
      socket.on('drain', more);
      more();
    });
    await place.use([slow(10_000)]);
    const before = place.front.records.length;
    const leave = new AbortController();
    const got = get === overHttp1 ? leavingOverHttp1(leave.signal) : leavingOverHttp2(leave.signal);
    await new Promise((resolve) => setTimeout(resolve, 600));
    expect(written).toBeLessThan(heldBySockets() + 4_000_000);
    leave.abort();
    await got;
    const record = await place.front.record(before + 1);
    expect(record.responseBytes).toBeLessThan(40_000);
    stop();
  });
});

function leavingOverHttp1(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const asking = getHttp({ host: place.address, port: PORT, agent: false }, (response) => {
      response.resume().on('error', () => {});
    });
    asking.on('error', () => {});
    asking.on('close', () => resolve());
    signal.addEventListener('abort', () => asking.destroy());
  });
}

function leavingOverHttp2(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const session = connectHttp2(`http://${place.address}:${PORT}`);
    session.on('error', () => {});
    session.on('close', () => resolve());
    session
      .request({ ':path': '/' })
      .on('error', () => {})
      .resume();
    signal.addEventListener('abort', () => session.destroy());
  });
}

/** What the sockets between two processes of this machine hold at most, in bytes: the one sends, the other has received. */
function heldBySockets(): number {
  const most = (what: string) => Number(readFileSync(`/proc/sys/net/ipv4/tcp_${what}`, 'utf8').trim().split(/\s+/)[2]);
  return process.platform === 'linux' ? most('rmem') + most('wmem') : 16_000_000;
}

describe('a speed', () => {
  it('leaves connections of both sides in use', async () => {
    place.app.answer(sized(5_000));
    await place.use([slow(4_000)]);
    const client = await dial(place.address, PORT);
    for (let i = 1; i <= 2; i++) {
      client.send('GET / HTTP/1.1\r\nHost: a.example\r\n\r\n');
      await client.until((got) => got.split('x').length === 1 + i * 5_000);
    }
    client.socket.destroy();
    const [one, two] = place.app.requests.slice(-2);
    expect(one!.connection).toBe(two!.connection);
  });

  it('is each response’s own', async () => {
    place.app.answer(sized(11_000));
    await place.use([slow(10_000)]);
    const took = await Promise.all(Array.from({ length: 8 }, async () => (await overHttp1()).tookMs));
    for (const ms of took) expect(ms).toBeLessThan(700);
  });

  it('takes longer than a backend may be silent', async () => {
    place.app.answer(sized(30_000));
    await place.use([slow(12_000)]);
    const { body, tookMs } = await overHttp1();
    expect(body.length).toBe(30_000);
    expect(tookMs).toBeGreaterThan(1_200);
  });

  it('ends with a response that is cut', async () => {
    place.app.answer((_request, socket) => {
      socket.end(`HTTP/1.1 200 OK\r\nContent-Length: 20000\r\n\r\n${text(12_000)}`);
    });
    await place.use([slow(10_000)]);
    await expect(overHttp1()).rejects.toThrow(/aborted/);
  });

  it('is not that of tunnels', async () => {
    const server = new WebSocketServer({ host: '127.87.6.3', port: PORT });
    server.on('connection', (socket) => socket.send(text(100_000)));
    try {
      await place.front.endpoints({ app: [endpoint('127.87.6.3', PORT)] });
      await place.use([slow(1_000)]);
      const began = performance.now();
      const socket = new WebSocket(`ws://${place.address}:${PORT}/`);
      const length = await new Promise<number>((resolve, reject) => {
        socket.once('message', (bytes: Buffer) => resolve(bytes.length));
        socket.once('error', reject);
      });
      expect([length, performance.now() - began < 900]).toEqual([100_000, true]);
      socket.terminate();
    } finally {
      await place.front.endpoints({ app: [endpoint('127.87.6.2', PORT)] });
      for (const one of server.clients) one.terminate();
      await new Promise((resolve) => server.close(resolve));
    }
  });

  it('that is none is said, and responses go out at any', async () => {
    place.app.answer(sized(50_000));
    await place.use([slow(0)]);
    expect((await overHttp1()).body.length).toBe(50_000);
    expect(place.front.findings).toEqual([expect.stringMatching(/^FW5204 .*no speed/)]);
  });
});
