/** Backends that refuse, hang, reset, lie and babble. */
import type { Socket } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { OK } from '../testing/backend.ts';
import { createFront } from '../testing/front.ts';
import { backend, endpoint, host, listener, planOf, route, share } from '../testing/plans.ts';
import { type Backdrop, dial, listenRaw, shout } from '../testing/sockets.ts';

const address = '127.79.5.1';
const port = 8080;
const front = createFront({
  upstream: {
    responseTimeoutMs: 400,
    connectTimeoutMs: 300,
    maxHeadBytes: 8_192,
    maxHeaders: 50,
    maxConnectionsPerEndpoint: 40,
  },
});
let raw: Backdrop;
let play: (socket: Socket) => void = () => {};

const timed = route({
  id: 'timed',
  match: { path: { type: 'prefix', value: '/timed' } },
  timeouts: { requestMs: 150 },
});
const backendTimed = route({
  id: 'backend-timed',
  match: { path: { type: 'prefix', value: '/backend-timed' } },
  timeouts: { backendRequestMs: 150, requestMs: 5_000 },
});
const to = (id: string) =>
  route({
    id,
    match: { path: { type: 'prefix', value: `/${id}` } },
    action: { type: 'forward', backends: [share(id)] },
  });

beforeAll(async () => {
  raw = await listenRaw(address, 8081, (socket) => play(socket));
  await front.endpoints({
    app: [endpoint(address, 8081)],
    dead: [endpoint(address, 9)],
    mixed: [endpoint(address, 9), endpoint('127.79.5.2', 9), endpoint(address, 8081)],
  });
  const plan = planOf(
    [listener(address, port, [host('*', [timed, backendTimed, to('dead'), to('mixed'), route()])])],
    ['app', 'dead', 'mixed'].map((id) => backend(id)),
  );
  await front.plan(plan);
});

beforeEach(async () => {
  await raw.drop();
  front.records.length = 0;
});

afterAll(async () => {
  await front.close();
  await raw.close();
});

const get = (path = '/', more = '') => `GET ${path} HTTP/1.1\r\nHost: a\r\n${more}\r\n`;
const ask = (path?: string) => shout(address, port, get(path, 'Connection: close\r\n'));
/** Answers each connection's first bytes with these, and then does something to it. */
const says = (bytes: string, then: (socket: Socket) => void = () => {}) => {
  play = (socket) => socket.on('data', () => socket.write(bytes, 'latin1', () => then(socket)));
};
const reset = (socket: Socket) => {
  // Later than the bytes, which a reset would overtake.
  setTimeout(() => socket.resetAndDestroy(), 20);
};

describe('no connection', () => {
  it('is 502 when all endpoints refuse', async () => {
    expect(await ask('/dead')).toMatch(/^HTTP\/1\.1 502 Bad Gateway\r\n/);
    expect(await front.record(1)).toMatchObject({
      flag: 'upstream_connect_failed',
      reason: expect.stringContaining('ECONNREFUSED'),
    });
  });

  it('is made to another endpoint when one refuses', async () => {
    says(OK);
    for (let i = 1; i <= 6; i++) {
      expect(await ask('/mixed')).toMatch(/\r\n\r\nok$/);
      expect((await front.record(i)).endpoint).toBe(`${address}:8081`);
    }
    expect(Math.max(...front.records.map(({ attempts }) => attempts))).toBe(3);
  });
});

describe('before a response', () => {
  it.each([
    ['closes', (socket: Socket) => socket.once('data', () => socket.end()), 'upstream_reset'],
    ['resets', (socket: Socket) => socket.once('data', () => socket.resetAndDestroy()), 'upstream_reset'],
    ['closes at once', (socket: Socket) => socket.destroy(), 'upstream_reset'],
    [
      'closes in the midst of the head',
      (socket: Socket) => socket.once('data', () => socket.end('HTTP/1.1 200 OK\r\nConte')),
      'upstream_truncated',
    ],
    [
      'resets in the midst of the head',
      (socket: Socket) => socket.once('data', () => socket.write('HTTP/1.1 200 OK\r\nX: ', () => reset(socket))),
      'upstream_truncated',
    ],
  ])('a backend that %s is a 502', async (_, how, flag) => {
    play = how;
    expect(await ask()).toMatch(/^HTTP\/1\.1 502 Bad Gateway\r\n/);
    expect(await front.record(1)).toMatchObject({ flag, status: 502 });
  });

  it.each([
    ['/', 'upstream_timeout'],
    ['/timed', 'request_timeout'],
    ['/backend-timed', 'backend_request_timeout'],
  ])('a backend that hangs at %s is a 504 by %s', async (path, flag) => {
    const closed = new Promise<void>((resolve) => {
      play = (socket) => socket.on('close', () => resolve());
    });
    expect(await ask(path)).toMatch(/^HTTP\/1\.1 504 Gateway Timeout\r\n/);
    expect(await front.record(1)).toMatchObject({ flag, status: 504 });
    await closed;
  });
});

/** All the ways in which one may be wrong: test/hostile/http1. */
describe('a head that is wrong is a 502', () => {
  it.each([
    ['garbage', '\x00\xff\x17garbage\r\n\r\n'],
    ['both framings', 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'],
    ['a status line without an end', `HTTP/1.1 200 ${'a'.repeat(100_000)}`],
  ])('%s', async (_, bytes) => {
    says(bytes);
    expect(await ask()).toMatch(/^HTTP\/1\.1 502 Bad Gateway\r\n/);
    expect(await front.record(1)).toMatchObject({ flag: 'upstream_protocol', status: 502 });
  });

  it('even when it never ends', async () => {
    play = (socket) => {
      socket.once('data', () => {
        socket.write('HTTP/1.1 200 OK\r\nX: ');
        const pump = () => {
          while (!socket.destroyed && socket.write('a'.repeat(65_536)));
        };
        socket.on('drain', pump);
        pump();
      });
    };
    expect(await ask()).toMatch(/^HTTP\/1\.1 502 Bad Gateway\r\n/);
  });
});

describe('a response that breaks off cuts the client’s connection', () => {
  it.each([
    [
      'shorter than its length',
      'HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello',
      (socket: Socket) => socket.end(),
      'upstream_truncated',
    ],
    ['reset within its length', 'HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello', reset, 'upstream_truncated'],
    [
      'chunked without an end',
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n',
      (socket: Socket) => socket.end(),
      'upstream_truncated',
    ],
    [
      'bad chunk',
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nzz\r\n',
      () => {},
      'upstream_protocol',
    ],
    ['reset before the end of a body without length', 'HTTP/1.1 200 OK\r\n\r\nhello', reset, 'upstream_truncated'],
    ['hanging within its length', 'HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello', () => {}, 'upstream_timeout'],
  ])('%s', async (_, bytes, then, flag) => {
    says(bytes, then);
    const client = await dial(address, port);
    client.send(get());
    const text = await client.closed();
    expect(text).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
    expect(text).toContain('hello');
    expect(text).not.toContain('\r\n0\r\n\r\n');
    expect(await front.record(1)).toMatchObject({ flag, status: 200 });
    client.socket.destroy();
  });

  it('for HTTP/1.0 by a reset, since an end would look like success', async () => {
    says('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n', reset);
    const client = await dial(address, port);
    const error = new Promise<string | undefined>((resolve) => {
      client.socket.once('error', (reason: NodeJS.ErrnoException) => resolve(reason.code));
      client.socket.once('end', () => resolve('end'));
    });
    client.send('GET / HTTP/1.0\r\n\r\n');
    expect(await error).toBe('ECONNRESET');
  });
});

describe('a response that goes on after its end', () => {
  it('is taken as framed, and the connection not used again', async () => {
    says('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison');
    const client = await dial(address, port);
    for (let i = 1; i <= 3; i++) {
      client.send(get());
      await client.until((text) => text.split('\r\n\r\nok').length === i + 1);
    }
    expect(client.text()).not.toContain('poison');
    client.socket.destroy();
  });

  it('even when it goes on later', async () => {
    says(OK, (socket) => setTimeout(() => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison'), 30));
    const client = await dial(address, port);
    for (let i = 1; i <= 3; i++) {
      client.send(get());
      await client.until((text) => text.split('\r\n\r\nok').length === i + 1);
      await new Promise((resolve) => setTimeout(resolve, 60));
    }
    expect(client.text()).not.toContain('poison');
    client.socket.destroy();
  });
});

describe('an idle connection that the backend closes at the worst moment', () => {
  /** Answers the first request of a connection and resets at the second; returns how many requests it has seen. */
  const closesOnSecond = () => {
    let requests = 0;
    play = (socket) => {
      let count = 0;
      socket.on('data', () => {
        requests++;
        if (++count === 1) socket.write(OK);
        else socket.resetAndDestroy();
      });
    };
    return () => requests;
  };

  it('costs a GET nothing', async () => {
    closesOnSecond();
    const client = await dial(address, port);
    for (let i = 1; i <= 4; i++) {
      client.send(get());
      await client.until((text) => text.split('\r\n\r\nok').length === i + 1);
    }
    expect(front.records.map(({ status, attempts }) => [status, attempts])).toEqual([
      [200, 1],
      [200, 2],
      [200, 2],
      [200, 2],
    ]);
    client.socket.destroy();
  });

  it('is not repaired for a POST, which might be done twice', async () => {
    const requests = closesOnSecond();
    const client = await dial(address, port);
    client.send(get());
    await client.until('\r\n\r\nok');
    client.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx');
    await client.until('502 Bad Gateway');
    expect(requests()).toBe(2);
    client.socket.destroy();
  });

  it('is repaired once only', async () => {
    let accepted = 0;
    play = (socket) => {
      const first = ++accepted === 1;
      let count = 0;
      socket.on('data', () => {
        if (first && ++count === 1) socket.write(OK);
        else socket.resetAndDestroy();
      });
    };
    const client = await dial(address, port);
    client.send(get());
    await client.until('\r\n\r\nok');
    client.send(get());
    await client.until('502 Bad Gateway');
    expect(accepted).toBe(2);
    client.socket.destroy();
  });
});

describe('limits', () => {
  it('of connections to an endpoint are 503 beyond', async () => {
    play = () => {};
    const clients = await Promise.all(Array.from({ length: 40 }, () => dial(address, port)));
    for (const client of clients) client.send(get());
    await expect.poll(() => raw.sockets.size).toBeGreaterThanOrEqual(40);
    expect(await ask()).toMatch(/^HTTP\/1\.1 503 Service Unavailable\r\n/);
    for (const client of clients) client.socket.resetAndDestroy();
  });

  it('leave nothing behind', async () => {
    await expect.poll(() => raw.sockets.size, { timeout: 5_000 }).toBe(0);
    says(OK);
    expect(await ask()).toMatch(/\r\n\r\nok$/);
  });
});
