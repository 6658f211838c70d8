/** HTTP/2 towards clients: node:http2 and curl as clients, over clear text and TLS, in front of an HTTP/1.1 backend. */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { type ClientHttp2Session, connect, constants, type IncomingHttpHeaders } from 'node:http2';
import type { Socket } from 'node:net';
import { promisify } from 'node:util';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { dechunk, OK, type RecordingBackend, recordingBackend } from '../testing/backend.ts';
import { hasOpenssl, selfSigned } from '../testing/certificates.ts';
import { createFront } from '../testing/front.ts';
import { backend, endpoint, host, listener, planOf, route, share } from '../testing/plans.ts';
import { type Backdrop, dial, listenRaw, shout } from '../testing/sockets.ts';

const address = '127.83.20.1';
const port = 8080;
const front = createFront({ http2: { maxConcurrentStreams: 50 } });
let app: RecordingBackend;
let raw: Backdrop;
let play: (socket: Socket) => void = () => {};
let session: ClientHttp2Session;
const run = promisify(execFile);

beforeAll(async () => {
  app = await recordingBackend(address, 8081);
  raw = await listenRaw(address, 8082, (socket) => play(socket));
  await front.endpoints({ app: [endpoint(address, 8081)], raw: [endpoint(address, 8082)] });
  const toRaw = route({
    id: 'raw',
    match: { path: { type: 'prefix', value: '/raw' } },
    action: { type: 'forward', backends: [share('raw')] },
  });
  await front.plan(planOf([listener(address, port, [host('*', [toRaw, route()])])], [backend('app'), backend('raw')]));
  session = connect(`http://${address}:${port}`);
});

beforeEach(() => {
  app.requests.length = 0;
  front.records.length = 0;
  app.answer(OK);
});

afterAll(async () => {
  session.close();
  await front.close();
  await app.close();
  await raw.close();
});

interface Answer {
  readonly headers: IncomingHttpHeaders & { ':status'?: number };
  readonly body: string;
  readonly trailers: IncomingHttpHeaders | undefined;
  readonly code: number;
}

function ask(headers: Record<string, string | string[]>, body?: string | Buffer): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const stream = session.request({ ':authority': 'a.example', ...headers }, { endStream: body === undefined });
    let text = '';
    let got: Answer['headers'] = {};
    let trailers: IncomingHttpHeaders | undefined;
    stream.on('response', (one) => {
      got = one;
    });
    stream.on('trailers', (one) => {
      trailers = one;
    });
    stream.on('data', (chunk) => {
      text += chunk;
    });
    stream.on('error', reject);
    stream.on('close', () => resolve({ headers: got, body: text, trailers, code: stream.rstCode ?? 0 }));
    if (body !== undefined) stream.end(body);
  });
}

const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
/** Lets a raw backend answer every request with these bytes. */
const answering = (text: string) => (socket: Socket) => socket.on('data', () => socket.write(text));

describe('a request over HTTP/2', () => {
  it('reaches an HTTP/1.1 backend as one, and its response comes back', async () => {
    const { headers, body } = await ask({
      ':path': '/x?y=1',
      cookie: ['a=1', 'b=2'],
      'x-one': 'yes',
      te: 'trailers',
    });
    expect(headers[':status']).toBe(200);
    expect(body).toBe('ok');
    const [request] = app.requests;
    expect(request?.line).toBe('GET /x?y=1 HTTP/1.1');
    expect(request?.lines).toEqual(
      expect.arrayContaining(['Host: a.example', 'x-one: yes', 'cookie: a=1; b=2', 'X-Forwarded-Proto: http']),
    );
    expect(await front.record(1)).toMatchObject({ protocol: 'HTTP/2.0', status: 200, responseBytes: 2 });
  });

  it('may have a body of a known length', async () => {
    await ask({ ':method': 'POST', 'content-length': '5' }, 'hello');
    expect(app.requests[0]?.lines).toContain('content-length: 5');
    expect(app.requests[0]?.body).toBe('hello');
  });

  it('may have a body of an unknown length, and trailers', async () => {
    const stream = session.request({ ':method': 'POST', ':authority': 'a' }, { waitForTrailers: true });
    stream.on('wantTrailers', () => stream.sendTrailers({ sum: '7' }));
    stream.write('hel');
    stream.end('lo');
    stream.resume();
    await new Promise((resolve) => stream.on('close', resolve));
    const [request] = app.requests;
    expect(request?.lines).toContain('Transfer-Encoding: chunked');
    expect(dechunk(request?.body ?? '')).toEqual({ data: 'hello', trailer: 'sum: 7\r\n\r\n' });
  });

  it('without a body says so where one is expected', async () => {
    await ask({ ':method': 'POST' });
    expect(app.requests[0]?.lines).toContain('Content-Length: 0');
  });

  it('is one of many at once, over one connection', async () => {
    const answers = await Promise.all(Array.from({ length: 200 }, (_, i) => ask({ ':path': `/${i}` })));
    expect(new Set(answers.map(({ headers }) => headers[':status']))).toEqual(new Set([200]));
    expect(app.requests).toHaveLength(200);
  });

  it.each([
    ['a host that differs from the authority', { host: 'b.example' }, 400],
    ['CONNECT', { ':method': 'CONNECT' }, 501],
    ['a target that is too long', { ':path': `/${'a'.repeat(8_200)}` }, 414],
    ['an unknown expectation', { expect: 'the-best' }, 417],
    ['an authority that is none', { ':authority': 'user@a.example' }, 400],
    ['too many fields', Object.fromEntries(Array.from({ length: 120 }, (_, i) => [`x-${i}`, '1'])), 431],
  ])('with %s is refused, and the connection goes on', async (_, headers, status) => {
    const answer = await ask(headers as Record<string, string>);
    expect(answer.headers[':status']).toBe(status);
    expect(app.requests).toHaveLength(0);
    expect((await ask({})).headers[':status']).toBe(200);
  });
});

describe('a response over HTTP/2', () => {
  it('keeps its length, and loses what belongs to the hop', async () => {
    app.answer(
      'HTTP/1.1 200 OK\r\nConnection: x-hop\r\nX-Hop: 1\r\nKeep-Alive: timeout=5\r\nX-Two: a\r\nX-Two: b\r\nContent-Length: 2\r\n\r\nok',
    );
    const { headers } = await ask({});
    expect(headers).toMatchObject({ 'content-length': '2', 'x-two': 'a, b' });
    expect(Object.keys(headers)).not.toEqual(expect.arrayContaining(['x-hop']));
    expect(headers).not.toHaveProperty('keep-alive');
  });

  it('may be chunked, with trailers', async () => {
    app.answer(
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: Sum\r\n\r\n5;x\r\nhello\r\n1\r\n!\r\n0\r\nSum: 7\r\n\r\n',
    );
    const { body, trailers, headers } = await ask({ te: 'trailers' });
    expect(body).toBe('hello!');
    expect(headers).not.toHaveProperty('transfer-encoding');
    expect(trailers).toMatchObject({ sum: '7' });
  });

  it('may end with the connection', async () => {
    play = (socket) => socket.once('data', () => socket.end('HTTP/1.1 200 OK\r\n\r\nall of it'));
    expect((await ask({ ':path': '/raw' })).body).toBe('all of it');
  });

  it.each([
    ['HEAD', 'HEAD', 'HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n', 200],
    ['204', 'GET', 'HTTP/1.1 204 No Content\r\n\r\n', 204],
    ['304', 'GET', 'HTTP/1.1 304 Not Modified\r\nContent-Length: 500\r\n\r\n', 304],
    ['an empty one', 'GET', 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n', 200],
  ])('may have no body: %s', async (_, method, text, status) => {
    app.answer(text);
    const { headers, body, code } = await ask({ ':method': method });
    expect([headers[':status'], body, code]).toEqual([status, '', 0]);
  });

  it('is preceded by the interim ones', async () => {
    app.answer(`HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n${OK}`);
    const stream = session.request({ ':authority': 'a' });
    const interim = new Promise<IncomingHttpHeaders>((resolve) => stream.on('headers', resolve));
    expect(await interim).toMatchObject({ ':status': 103, link: '</a.css>' });
    stream.resume();
    await new Promise((resolve) => stream.on('close', resolve));
  });

  it('that breaks off resets the stream, and no other', async () => {
    play = (socket) => socket.once('data', () => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf'));
    await expect(ask({ ':path': '/raw' })).rejects.toThrow('NGHTTP2_INTERNAL_ERROR');
    expect((await ask({})).body).toBe('ok');
    expect(await front.record(1)).toMatchObject({ flag: 'upstream_truncated' });
  });

  it('that comes early ends the request, again and again, without using up the windows of the connection', async () => {
    play = (socket) => socket.once('data', () => socket.write('HTTP/1.1 413 No\r\nContent-Length: 2\r\n\r\nno'));
    for (let i = 0; i < 12; i++) {
      await raw.drop();
      const { headers } = await ask({ ':path': '/raw', ':method': 'POST' }, Buffer.alloc(400_000));
      expect(headers[':status']).toBe(413);
    }
    await ask({ ':method': 'POST' }, Buffer.alloc(300_000));
    expect(app.requests.at(-1)?.body.length).toBeGreaterThan(300_000);
  });

  it('made here says why', async () => {
    await front.endpoints({ app: [] });
    const { headers, body } = await ask({});
    expect(headers[':status']).toBe(503);
    expect(body).toContain('no ready endpoints');
    await front.endpoints({ app: [endpoint(address, 8081)] });
  });
});

describe('a client over HTTP/2', () => {
  it('that reads slowly holds the backend back', async () => {
    const size = 32 * 1024 * 1024;
    let written = 0;
    play = (socket) => {
      const block = Buffer.alloc(65_536, 97);
      const pump = () => {
        while (written < size && socket.write(block)) written += block.length;
      };
      socket.on('drain', pump);
      socket.once('data', () => {
        socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${size}\r\n\r\n`);
        pump();
      });
    };
    await raw.drop();
    const stream = session.request({ ':authority': 'a', ':path': '/raw' });
    stream.pause();
    await sleep(400);
    const stuck = written;
    expect(stuck).toBeGreaterThan(0);
    expect(stuck).toBeLessThan(size / 2);
    await sleep(150);
    expect(written).toBe(stuck);
    expect((await ask({})).body).toBe('ok');
    let received = 0;
    stream.on('data', (chunk: Buffer) => {
      received += chunk.length;
    });
    stream.resume();
    await new Promise((resolve) => stream.on('close', resolve));
    expect(received).toBe(size);
  });

  it('that sends faster than the backend takes is held back', async () => {
    let backendSocket: Socket | undefined;
    play = (socket) => {
      backendSocket = socket;
      socket.once('data', () => socket.pause());
    };
    await raw.drop();
    const stream = session.request({ ':authority': 'a', ':path': '/raw', ':method': 'POST' });
    stream.on('error', () => {});
    let taken = 0;
    const block = Buffer.alloc(65_536);
    const pump = () => {
      while (taken < 32 * 1024 * 1024 && stream.write(block)) taken += block.length;
    };
    stream.on('drain', pump);
    pump();
    await sleep(400);
    expect(taken).toBeLessThan(16 * 1024 * 1024);
    expect((await ask({})).body).toBe('ok');
    stream.close(constants.NGHTTP2_CANCEL);
    backendSocket?.resume();
    await expect.poll(() => front.records.map(({ flag }) => flag)).toContain('client_closed');
  });

  it('that gives up takes the request from the backend', async () => {
    const gone = new Promise((resolve) => {
      play = (socket) => {
        socket.on('data', () => {});
        socket.on('close', resolve);
      };
    });
    await raw.drop();
    const stream = session.request({ ':authority': 'a', ':path': '/raw' });
    await sleep(50);
    stream.close(constants.NGHTTP2_CANCEL);
    await gone;
    expect(await front.record(1)).toMatchObject({ flag: 'client_closed', status: 0 });
  });

  it('may have its preface in pieces, and speak HTTP/1.1 on the same port', async () => {
    const pieces = await dial(address, port);
    const preface = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n';
    for (const piece of [preface.slice(0, 1), preface.slice(1, 17), preface.slice(17)]) {
      pieces.send(piece);
      await sleep(20);
    }
    pieces.send('\0\0\0\x04\0\0\0\0\0');
    // Our SETTINGS, and the acknowledgement of theirs.
    await pieces.until((text) => text.includes('\0\0\0\x04\x01\0\0\0\0'));
    pieces.socket.destroy();
    const text = await shout(address, port, 'GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
    expect(text).toMatch(/^HTTP\/1\.1 200 OK/);
    expect(await shout(address, port, 'PRI * HTTP/2.0\r\n\r\nsomething else')).toMatch(/^HTTP\/1\.1 505 /);
  });

  it('that resets streams as fast as it opens them is sent away', async () => {
    const own = connect(`http://${address}:${port}`);
    own.on('error', () => {});
    const code = new Promise<number>((resolve) => own.on('goaway', resolve));
    const closed = new Promise((resolve) => own.on('close', resolve));
    play = () => {};
    for (let i = 0; i < 2_000 && !own.closed && !own.destroyed; i++) {
      const stream = own.request({ ':authority': 'a', ':path': '/raw' });
      stream.on('error', () => {});
      stream.close(constants.NGHTTP2_CANCEL);
      if (i % 40 === 39) await sleep(1);
    }
    expect(await code).toBe(constants.NGHTTP2_ENHANCE_YOUR_CALM);
    await closed;
    expect((await ask({})).body).toBe('ok');
  });
});

describe('WebSocket over HTTP/2 (RFC 8441)', () => {
  it('is one over HTTP/1.1 for the backend', async () => {
    let head = '';
    play = (socket) => {
      socket.removeAllListeners('end');
      socket.once('data', (bytes) => {
        head = bytes.toString();
        const key = /^Sec-WebSocket-Key: (.*)\r$/m.exec(head)![1]!;
        const accept = createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');
        socket.write(
          `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\nhello`,
        );
        socket.on('data', (more) => socket.write(`echo ${more}`));
        socket.on('end', () => socket.end('bye'));
      });
    };
    await raw.drop();
    const stream = session.request({
      ':method': 'CONNECT',
      ':protocol': 'websocket',
      ':scheme': 'http',
      ':authority': 'a',
      ':path': '/raw',
      'sec-websocket-version': '13',
    });
    let text = '';
    stream.on('data', (chunk) => {
      text += chunk;
    });
    const status = new Promise((resolve) => stream.on('response', (headers) => resolve(headers[':status'])));
    expect(await status).toBe(200);
    stream.write('one');
    await expect.poll(() => text).toBe('helloecho one');
    stream.end();
    await new Promise((resolve) => stream.on('close', resolve));
    expect(text).toBe('helloecho onebye');
    expect(head).toMatch(/^GET \/raw HTTP\/1\.1\r\n/);
    expect(head).toMatch(/^Upgrade: websocket\r$/m);
    expect(await front.record(1)).toMatchObject({ status: 101, flag: undefined });
  });

  it('that the backend refuses is an answer like others', async () => {
    play = answering('HTTP/1.1 403 No\r\nContent-Length: 2\r\n\r\nno');
    await raw.drop();
    const stream = session.request({
      ':method': 'CONNECT',
      ':protocol': 'websocket',
      ':scheme': 'http',
      ':authority': 'a',
      ':path': '/raw',
    });
    const status = await new Promise((resolve) => stream.on('response', (headers) => resolve(headers[':status'])));
    expect(status).toBe(403);
    stream.close();
  });
});

describe('a plan that takes the listener away', () => {
  it('lets streams finish, and ends the connection', async () => {
    const two = (ports: readonly number[]) =>
      planOf(
        ports.map((one) =>
          listener(address, one, [host('*', [route({ action: { type: 'forward', backends: [share('raw')] } })])]),
        ),
        [backend('app'), backend('raw')],
      );
    const own = createFront();
    await own.endpoints({ raw: [endpoint(address, 8082)] });
    await own.plan(two([9090]));
    const other = connect(`http://${address}:9090`);
    other.on('error', () => {});
    let release = () => {};
    play = (socket) => {
      socket.once('data', () => {
        socket.write('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nha');
        release = () => socket.write('lf');
      });
    };
    await raw.drop();
    const stream = other.request({ ':authority': 'a' });
    let text = '';
    stream.on('data', (chunk) => {
      text += chunk;
    });
    await expect.poll(() => text).toBe('ha');
    const closed = new Promise((resolve) => other.on('close', resolve));
    await own.plan(two([]));
    release();
    await closed;
    expect(text).toBe('half');
    await own.close();
  });
});

describe('HTTP/2 over TLS', () => {
  const able = hasOpenssl();
  if (!able) console.log('skipped: the openssl command is missing');
  it.skipIf(!able)('is chosen by ALPN, as curl sees it, and requests for other names are misdirected', async () => {
    const one = selfSigned('one', 'one.example');
    const two = selfSigned('two', 'two.example');
    const tls = {
      certificates: [
        { serverName: 'one.example', certificate: one.id },
        { serverName: 'two.example', certificate: two.id },
      ],
      authorities: ['one.example', 'two.example'],
    };
    const hosts = ['one.example', 'two.example'].map((name) => host(name, [route()]));
    const own = createFront();
    await own.endpoints({ app: [endpoint(address, 8081)] });
    await own.plan(planOf([listener(address, 8443, hosts, { protocol: 'HTTPS', tls })], undefined, [one, two]));
    const curl = (...args: string[]) =>
      run('curl', [
        '-sk',
        '-m',
        '5',
        '-o',
        '/dev/null',
        '-w',
        '%{http_version} %{http_code} ',
        '--connect-to',
        `::${address}:8443`,
        ...args,
      ]);
    expect((await curl('https://one.example/')).stdout).toBe('2 200 ');
    expect((await curl('--http1.1', 'https://one.example/')).stdout).toBe('1.1 200 ');
    expect((await curl('-H', 'Host: two.example', 'https://one.example/')).stdout).toBe('2 421 ');
    await own.close();
  });

  it('is not what Upgrade: h2c makes of a connection, and is what prior knowledge does', async () => {
    const curl = (...args: string[]) =>
      run('curl', ['-s', '-m', '5', '-w', ' %{http_version}', ...args, `http://${address}:${port}/`]);
    expect((await curl('--http2')).stdout).toBe('ok 1.1');
    expect((await curl('--http2-prior-knowledge')).stdout).toBe('ok 2');
  });
});
