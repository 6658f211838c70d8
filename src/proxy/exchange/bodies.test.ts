/** Bodies in both directions: framing, trailers, interim responses, early responses, back-pressure, leaving. */
import type { Socket } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { dechunk, OK, type RecordingBackend, recordingBackend } from '../testing/backend.ts';
import { createFront } from '../testing/front.ts';
import { endpoint, host, listener, planOf, route, share } from '../testing/plans.ts';
import { type Backdrop, dial, listenRaw, shout } from '../testing/sockets.ts';

const address = '127.79.4.1';
const port = 8080;
const front = createFront({ client: { halfCloseGraceMs: 300, sendTimeoutMs: 1_000 } });
let app: RecordingBackend;
let raw: Backdrop;
/** What the raw backend does with a connection. */
let play: (socket: Socket) => void = () => {};

beforeAll(async () => {
  app = await recordingBackend(address, 8081);
  raw = await listenRaw(address, 8082, (socket) => play(socket));
  await front.endpoints({ app: [endpoint(address, 8081)], raw: [endpoint(address, 8082)] });
  const toRaw = route({
    id: 'raw',
    match: { path: { type: 'prefix', value: '/raw' } },
    action: { type: 'forward', backends: [share('raw')] },
  });
  const backends = ['app', 'raw'].map((id) => ({ ...planOf([]).backends.app!, id }));
  await front.plan(planOf([listener(address, port, [host('*', [toRaw, route()])])], backends));
});

beforeEach(async () => {
  await raw.drop();
  app.requests.length = 0;
  front.records.length = 0;
  app.answer(OK);
});

afterAll(async () => {
  await front.close();
  await app.close();
  await raw.close();
});

const get = (path = '/', more = '') => `GET ${path} HTTP/1.1\r\nHost: a\r\n${more}\r\n`;
const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const bodyOf = (text: string) => text.slice(text.indexOf('\r\n\r\n') + 4);

describe('a chunked request', () => {
  it('reaches the backend chunked, with its trailers', async () => {
    await shout(
      address,
      port,
      'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTrailer: Sum\r\nConnection: close\r\n\r\n5;ext=1\r\nhello\r\n1\r\n!\r\n0\r\nSum: 7\r\n\r\n',
    );
    const [request] = app.requests;
    expect(request?.lines).toContain('Transfer-Encoding: chunked');
    expect(request?.lines).toContain('Trailer: Sum');
    expect(dechunk(request?.body ?? '')).toEqual({ data: 'hello!', trailer: 'Sum: 7\r\n\r\n' });
    expect(request?.body).not.toContain('ext');
  });

  it('is passed on as it comes, before it is complete', async () => {
    let seen = '';
    play = (socket) => {
      socket.on('data', (chunk) => {
        seen += chunk.toString();
        if (seen.endsWith('0\r\n\r\n')) socket.write(OK);
      });
    };
    const client = await dial(address, port);
    client.send('POST /raw HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n');
    await expect.poll(() => seen).toContain('one');
    client.send('3\r\ntwo\r\n');
    await expect.poll(() => seen).toContain('two');
    client.send('0\r\n\r\n');
    await client.until('\r\n\r\nok');
    client.socket.destroy();
  });
});

describe('a response', () => {
  const chunked =
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: Sum\r\n\r\n5;x\r\nhello\r\n1\r\n!\r\n0\r\nSum: 7\r\n\r\n';

  it('that is chunked stays so, with its trailers', async () => {
    app.answer(chunked);
    const text = await shout(address, port, get('/', 'Connection: close\r\n'));
    expect(text).toContain('\r\nTransfer-Encoding: chunked\r\n');
    expect(text).toContain('\r\nTrailer: Sum\r\n');
    expect(dechunk(bodyOf(text))).toEqual({ data: 'hello!', trailer: 'Sum: 7\r\n\r\n' });
  });

  it('that is chunked ends with the connection for HTTP/1.0', async () => {
    app.answer(chunked);
    const text = await shout(address, port, 'GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n');
    expect(text).not.toMatch(/transfer-encoding|trailer/i);
    expect(text).toContain('\r\nConnection: close\r\n');
    expect(bodyOf(text)).toBe('hello!');
  });

  it('that ends with the connection becomes chunked, and the client keeps its connection', async () => {
    play = (socket) => socket.once('data', () => socket.end('HTTP/1.1 200 OK\r\n\r\nall of it'));
    const client = await dial(address, port);
    client.send(get('/raw'));
    const text = await client.until('0\r\n\r\n');
    expect(dechunk(bodyOf(text))).toEqual({ data: 'all of it', trailer: '\r\n' });
    client.send(get());
    await client.until('\r\n\r\nok');
    client.socket.destroy();
  });

  it.each([
    ['HEAD with a length', 'HEAD', 'HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n', /\r\nContent-Length: 500\r\n/],
    [
      'HEAD of a chunked one',
      'HEAD',
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n',
      /^HTTP\/1\.1 200 OK\r\n/,
    ],
    [
      '204',
      'GET',
      'HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n',
      /^HTTP\/1\.1 204 No Content\r\n(?!.*Content-Length)/s,
    ],
    [
      '304 with a length',
      'GET',
      'HTTP/1.1 304 Not Modified\r\nContent-Length: 500\r\n\r\n',
      /\r\nContent-Length: 500\r\n/,
    ],
    ['length zero', 'GET', 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n', /\r\nContent-Length: 0\r\n/],
    ['no reason phrase', 'GET', 'HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n', /^HTTP\/1\.1 200 \r\n/],
  ])('without a body, %s, leaves the connection ready', async (_, method, answer, expected) => {
    app.answer(answer);
    const client = await dial(address, port);
    client.send(`${method} / HTTP/1.1\r\nHost: a\r\n\r\n`);
    expect(await client.until('\r\n\r\n')).toMatch(expected);
    app.answer(OK);
    client.send(get());
    await client.until('\r\n\r\nok');
    expect(app.requests[1]?.connection).toBe(app.requests[0]?.connection);
    client.socket.destroy();
  });

  it('is preceded by the interim ones, for HTTP/1.1', async () => {
    app.answer(`HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n${OK}`);
    const text = await shout(address, port, get('/', 'Connection: close\r\n'));
    expect(text).toMatch(
      /^HTTP\/1\.1 103 Early Hints\r\nLink: <\/a.css>\r\n\r\nHTTP\/1\.1 102 Processing\r\n\r\nHTTP\/1\.1 200 OK\r\n/,
    );
    expect(await shout(address, port, 'GET / HTTP/1.0\r\n\r\n')).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
  });
});

describe('Expect: 100-continue', () => {
  const expecting = 'POST /raw HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n';

  it('is the backend’s to answer', async () => {
    play = (socket) => {
      socket.once('data', (head) => {
        expect(head.toString()).toContain('Expect: 100-continue');
        socket.write('HTTP/1.1 100 Continue\r\n\r\n');
        socket.once('data', (body) => socket.write(`HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n${body}`));
      });
    };
    const client = await dial(address, port);
    client.send(expecting);
    await client.until('HTTP/1.1 100 Continue\r\n\r\n');
    client.send('hello');
    expect(await client.until('hello')).toMatch(/\r\n\r\nhello$/);
    client.send(get());
    await client.until('\r\n\r\nok');
    client.socket.destroy();
  });

  it('may be answered with a final response, after which the connection closes', async () => {
    play = (socket) => socket.once('data', () => socket.write('HTTP/1.1 413 Too Much\r\nContent-Length: 2\r\n\r\nno'));
    const client = await dial(address, port);
    client.send(expecting);
    const text = await client.closed();
    expect(text).toMatch(/^HTTP\/1\.1 413 Too Much\r\n/);
    expect(text).toContain('\r\nConnection: close\r\n');
    client.socket.destroy();
  });
});

describe('an early response', () => {
  it('reaches a client that is still sending', async () => {
    play = (socket) => socket.once('data', () => socket.write('HTTP/1.1 403 No\r\nContent-Length: 2\r\n\r\nno'));
    const client = await dial(address, port);
    client.send('POST /raw HTTP/1.1\r\nHost: a\r\nContent-Length: 100000000\r\n\r\n');
    const chatter = setInterval(() => client.send('x'.repeat(10_000)), 5);
    const text = await client.closed();
    clearInterval(chatter);
    client.socket.destroy();
    expect(text).toMatch(/^HTTP\/1\.1 403 No\r\n/);
    expect(bodyOf(text)).toBe('no');
  });

  it('may stream while the request does', async () => {
    play = (socket) => {
      socket.once('data', () => {
        socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n');
        socket.on('data', (chunk) => {
          const { length } = chunk;
          socket.write(`${length.toString(16)}\r\n${chunk}\r\n`);
          if (chunk.includes('0\r\n\r\n')) socket.write('0\r\n\r\n');
        });
      });
    };
    const client = await dial(address, port);
    client.send('POST /raw HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n');
    await client.until('200 OK');
    client.send('4\r\nping\r\n');
    await client.until('ping');
    client.send('4\r\npong\r\n');
    await client.until('pong');
    client.send('0\r\n\r\n');
    await client.until('\r\n0\r\n\r\n\r\n0\r\n\r\n');
    client.socket.destroy();
  });
});

describe('a slow reader', () => {
  const size = 64 * 1024 * 1024;

  it('of a response holds the backend back', async () => {
    let written = 0;
    play = (socket) => {
      const block = Buffer.alloc(65_536, 97);
      const pump = () => {
        while (written < size && socket.write(block)) written += block.length;
      };
      socket.once('data', () => {
        socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${size}\r\n\r\n`);
        pump();
      });
      socket.on('drain', pump);
    };
    const client = await dial(address, port);
    client.socket.pause();
    client.send(get('/raw'));
    await sleep(500);
    const stuck = written;
    const { rss } = process.memoryUsage();
    expect(stuck).toBeGreaterThan(0);
    expect(stuck).toBeLessThan(size / 4);
    await sleep(200);
    expect(written).toBe(stuck);
    expect(process.memoryUsage().rss - rss).toBeLessThan(8 * 1024 * 1024);
    let received = 0;
    client.socket.removeAllListeners('data');
    client.socket.on('data', (chunk: Buffer) => {
      received += chunk.length;
    });
    client.socket.resume();
    await expect.poll(() => received, { timeout: 10_000 }).toBeGreaterThanOrEqual(size);
    client.socket.destroy();
  });

  it('of a request holds the client back', async () => {
    let backend: Socket | undefined;
    play = (socket) => {
      backend = socket;
      socket.once('data', () => socket.pause());
    };
    const client = await dial(address, port);
    client.send(`POST /raw HTTP/1.1\r\nHost: a\r\nContent-Length: ${size}\r\n\r\n`);
    const block = Buffer.alloc(65_536, 97);
    let written = 0;
    const pump = () => {
      while (written < size && client.socket.write(block)) written += block.length;
    };
    client.socket.on('drain', pump);
    pump();
    await sleep(500);
    const stuck = written;
    expect(stuck).toBeLessThan(size / 4);
    let received = 0;
    backend?.on('data', (chunk: Buffer) => {
      received += chunk.length;
    });
    backend?.resume();
    await expect.poll(() => received, { timeout: 10_000 }).toBeGreaterThan(size - 65_536);
    client.socket.destroy();
  });

  it('that takes nothing at all is cut off', async () => {
    play = (socket) => {
      socket.once('data', () => {
        socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${size}\r\n\r\n`);
        socket.write(Buffer.alloc(size / 4));
      });
    };
    const client = await dial(address, port);
    client.socket.pause();
    client.send(get('/raw'));
    expect(await front.record(1)).toMatchObject({ flag: 'client_timeout', status: 200 });
    client.socket.destroy();
  });
});

describe('a client that leaves', () => {
  const hang = () => {
    const closed = new Promise<void>((resolve) => {
      play = (socket) => socket.on('close', () => resolve());
    });
    return closed;
  };

  it('by a reset takes the request to the backend with it', async () => {
    const closed = hang();
    const client = await dial(address, port);
    client.send(get('/raw'));
    await sleep(50);
    client.socket.resetAndDestroy();
    await closed;
    expect(await front.record(1)).toMatchObject({ flag: 'client_closed', status: 0 });
  });

  it('by an orderly end does so after the grace, if no response begins', async () => {
    const closed = hang();
    const client = await dial(address, port);
    client.send(get('/raw'));
    client.socket.end();
    await closed;
    expect(await front.record(1)).toMatchObject({ flag: 'client_closed', status: 0 });
    client.socket.destroy();
  });

  it('in the midst of its body leaves a request that is not complete', async () => {
    const closed = hang();
    const client = await dial(address, port);
    client.send('POST /raw HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhel');
    await sleep(50);
    client.socket.end();
    await closed;
    expect(await front.record(1)).toMatchObject({ flag: 'client_closed', status: 0 });
    client.socket.destroy();
  });

  it('or only stops sending gets its response', async () => {
    play = (socket) => socket.once('data', () => setTimeout(() => socket.write(OK), 100));
    const client = await dial(address, port);
    client.send(get('/raw'));
    client.socket.end();
    expect(await client.closed()).toMatch(/\r\n\r\nok$/);
  });
});
