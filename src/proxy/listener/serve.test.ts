/** Connections of clients: what one request leaves behind for the next, slow readers, and bounds under odd options. */
import { connect as connectH2 } from 'node:http2';
import { connect, type Socket } from 'node:net';
import { networkInterfaces } from 'node:os';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ProxyOptions } from '../options.ts';
import { createFront, type Front } from '../testing/front.ts';
import { endpoint, host, listener, planOf, route } from '../testing/plans.ts';
import { type Backdrop, dial, listenRaw, shout } from '../testing/sockets.ts';

const address = '127.83.90.1';
const get = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';
const fronts: Front[] = [];
let raw: Backdrop;
let play: (socket: Socket) => void = () => {};

async function start(port: number, options: ProxyOptions): Promise<Front> {
  const front = createFront(options);
  fronts.push(front);
  await front.endpoints({ app: [endpoint(address, 8081)] });
  await front.plan(planOf([listener(address, port, [host('*', [route()])])]));
  return front;
}

beforeAll(async () => {
  raw = await listenRaw(address, 8081, (socket) => play(socket));
});

afterAll(async () => {
  for (const front of fronts) await front.close();
  await raw.close();
});

/** Answers every request with so many bytes. */
const answerWith = (bytes: number) => (socket: Socket) => {
  socket.on('data', () => socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${bytes}\r\n\r\n${'x'.repeat(bytes)}`));
};

describe('what is refused over HTTP/1.1', () => {
  it('is refused in its terms, whatever came before over HTTP/2', async () => {
    await start(8090, { client: { headTimeoutMs: 300 } });
    play = answerWith(2);
    const session = connectH2(`http://${address}:8090`);
    const call = session.request({ ':method': 'POST', ':path': '/', 'content-type': 'application/grpc' });
    call.end('x');
    await new Promise((resolve) => call.on('response', resolve));
    expect(await shout(address, 8090, 'GET / HTTP/1.1\r\nBad : 1\r\n\r\n')).toMatch(/^HTTP\/1\.1 400 /);
    session.destroy();
  });
});

describe('a request line without an end', () => {
  it('is refused when targets may be longer than heads', async () => {
    await start(8091, { client: { maxHeadBytes: 1_024, maxTargetBytes: 65_536 } });
    expect(await shout(address, 8091, `GET /${'a'.repeat(4_000)}`, 2_000)).toMatch(/^HTTP\/1\.1 4(14|31) /);
  });
});

describe('a client that reads late', () => {
  it('gets everything with buffers smaller than those of sockets', async () => {
    await start(8092, { relay: { bufferBytes: 4_096 } });
    const piece = 'x'.repeat(3_000);
    let left = 4_000;
    const size = left * piece.length;
    // One piece at a time, so that what waits is more than one of the two and less than the other.
    play = (socket) => {
      const more = () => {
        if (left-- <= 0 || socket.destroyed) return;
        if (socket.write(piece)) setImmediate(more);
        else socket.once('drain', more);
      };
      socket.once('data', () => {
        socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${size}\r\n\r\n`);
        more();
      });
    };
    const client = connect({ host: address, port: 8092 });
    client.write(get);
    client.pause();
    for (let before = -1; before !== left; ) {
      before = left;
      await new Promise((resolve) => setTimeout(resolve, 150));
    }
    let got = 0;
    client.on('data', (chunk) => {
      got += chunk.length;
    });
    client.resume();
    await expect.poll(() => got, { timeout: 4_000 }).toBeGreaterThanOrEqual(size);
    client.destroy();
  });
});

describe('a listener that is gone', () => {
  it('answers the request whose head has begun to come, and closes', async () => {
    const front = await start(8094, {});
    play = answerWith(2);
    const [half, idle] = [await dial(address, 8094), await dial(address, 8094)];
    half.send('GET / HTTP/1.1\r\nHo');
    idle.send(get);
    await idle.until('\r\n\r\nxx');
    await front.plan(planOf([]));
    await idle.closed();
    half.send('st: a\r\n\r\n');
    expect(await half.closed()).toMatch(/^HTTP\/1\.1 200 .*Connection: close\r\n.*xx$/s);
    for (const { socket } of [half, idle]) socket.destroy();
  });

  it('answers what was pipelined before', async () => {
    const front = await start(8095, { client: { maxPipelinedBurst: 1 } });
    const gone = route({ action: { type: 'respond', status: 410, reason: 'gone' } });
    await front.plan(planOf([listener(address, 8095, [host('*', [gone])])]));
    const client = await dial(address, 8095);
    const count = 50;
    client.send(get.repeat(count));
    await client.until('410');
    await front.plan(planOf([]));
    const text = await client.closed();
    const answers = text.split('HTTP/1.1 410').length - 1;
    // Those that came before the end was announced; what came after it, the client may send again.
    expect(text.includes('Connection: close\r\n') || answers === count).toBe(true);
    client.socket.destroy();
  });
});

describe('a request of HTTP/1.0 without a host', () => {
  const hasIpv6 = Object.values(networkInterfaces()).some((all) => all?.some(({ address: one }) => one === '::1'));
  if (!hasIpv6) console.warn('skipped: a host of IPv6, because this machine has no ::1');
  it.skipIf(!hasIpv6)('gets that of its listener, an IPv6 address in brackets', async () => {
    const front = createFront();
    fronts.push(front);
    await front.endpoints({ app: [endpoint(address, 8081)] });
    await front.plan(planOf([listener('::1', 18_096, [host('*', [route()])])]));
    let seen = '';
    play = (socket) =>
      socket.on('data', (chunk: Buffer) => {
        seen += chunk.toString('latin1');
        socket.write('HTTP/1.1 204 No Content\r\n\r\n');
      });
    await shout('::1', 18_096, 'GET / HTTP/1.0\r\n\r\n');
    expect(seen).toContain('\r\nHost: [::1]:18096\r\n');
  });
});

describe('empty lines', () => {
  it('do not keep a connection open', async () => {
    await start(8096, { client: { keepAliveTimeoutMs: 400, headTimeoutMs: 400 } });
    play = answerWith(2);
    const [fresh, used] = [await dial(address, 8096), await dial(address, 8096)];
    used.send(get);
    await used.until('\r\n\r\nxx');
    const pieces = ['\r\n', '\r', '\n'];
    let sent = 0;
    const timer = setInterval(() => {
      for (const { send } of [fresh, used]) send(pieces[sent % 3]!);
      sent++;
    }, 40);
    await Promise.all([fresh.closed(2_000), used.closed(2_000)]).finally(() => clearInterval(timer));
    expect(sent).toBeGreaterThan(3);
    for (const { socket } of [fresh, used]) socket.destroy();
  });
});
