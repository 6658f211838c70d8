/** HTTP/2 towards backends: node:http2 and grpc-js as backends, HTTP/1.1 and HTTP/2 as what clients speak. */
import { connect, constants, createServer, type IncomingHttpHeaders, type ServerHttp2Stream } from 'node:http2';
import type { Socket } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { dechunk } from '../testing/backend.ts';
import { createFront } from '../testing/front.ts';
import { backend, endpoint, host, listener, planOf, route } from '../testing/plans.ts';
import { dial, shout } from '../testing/sockets.ts';

const address = '127.83.21.1';
const port = 8080;
const front = createFront({ upstream: { connectTimeoutMs: 400, idleTimeoutMs: 300 } });
const server = createServer({ settings: { enableConnectProtocol: true, maxConcurrentStreams: 4 } });
const client = () => connect(`http://${address}:${port}`);
type Play = (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => void;
let play: Play = () => {};
let sessions = 0;

beforeAll(async () => {
  server.on('session', () => {
    sessions++;
  });
  server.on('stream', (stream, headers) => {
    stream.on('error', () => {});
    play(stream, headers);
  });
  await new Promise<void>((resolve) => server.listen(8081, address, resolve));
  await front.endpoints({ app: [endpoint(address, 8081)] });
  await front.plan(planOf([listener(address, port, [host('*', [route()])])], [backend('app', 'h2c')]));
});

beforeEach(() => {
  sessions = 0;
  front.records.length = 0;
});

afterAll(async () => {
  await front.close();
  server.close();
});

const echo: Play = (stream, headers) => {
  let body = '';
  stream.on('data', (chunk) => {
    body += chunk;
  });
  stream.on('end', () => {
    stream.respond({ ':status': 200, 'content-type': 'application/json', 'x-a': ['1', '2'] });
    stream.end(JSON.stringify({ headers, body }));
  });
};

const get = (more = '') => `GET /x?y=1 HTTP/1.1\r\nHost: a.example\r\n${more}Connection: close\r\n\r\n`;
const bodyOf = (text: string) => text.slice(text.indexOf('\r\n\r\n') + 4);

describe('a backend that speaks HTTP/2', () => {
  it('serves clients that speak HTTP/1.1', async () => {
    play = echo;
    const text = await shout(address, port, get('Keep-Alive: 1\r\nTE: trailers\r\n'));
    expect(text).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
    expect(text).toMatch(/^x-a: 1\r\nx-a: 2\r$/m);
    const { data } = dechunk(bodyOf(text));
    expect(JSON.parse(data).headers).toMatchObject({
      ':method': 'GET',
      ':path': '/x?y=1',
      ':authority': 'a.example',
      ':scheme': 'http',
      'x-forwarded-host': 'a.example',
    });
    expect(data).not.toContain('keep-alive');
  });

  it.each([
    ['with a length', 'Content-Length: 5\r\n\r\nhello'],
    ['in chunks', 'Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n'],
  ])('gets bodies %s', async (_, rest) => {
    play = echo;
    const text = await shout(address, port, `POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n${rest}`);
    expect(JSON.parse(dechunk(bodyOf(text)).data).body).toBe('hello');
  });

  it('gives its trailers, and what has no body, to clients that speak HTTP/1.1', async () => {
    play = (stream, headers) => {
      if (headers[':method'] === 'HEAD') {
        stream.respond({ ':status': 200, 'content-length': '7' }, { endStream: true });
        return;
      }
      stream.respond({ ':status': 200 }, { waitForTrailers: true });
      stream.on('wantTrailers', () => stream.sendTrailers({ sum: '7' }));
      stream.end('hello');
    };
    expect(dechunk(bodyOf(await shout(address, port, get())))).toEqual({ data: 'hello', trailer: 'sum: 7\r\n\r\n' });
    const head = await shout(address, port, get().replace('GET', 'HEAD'));
    expect(head).toMatch(/^content-length: 7\r$/im);
    expect(bodyOf(head)).toBe('');
  });

  it('carries many requests at once, on as many connections as it takes', async () => {
    const open: ServerHttp2Stream[] = [];
    play = (stream) => open.push(stream);
    await new Promise((resolve) => setTimeout(resolve, 500));
    const own = client();
    const answers = Array.from({ length: 10 }, () => {
      const stream = own.request({ ':authority': 'a' });
      return new Promise((resolve) => stream.on('response', (headers) => resolve(headers[':status'])));
    });
    await expect.poll(() => open.length).toBe(10);
    for (const stream of open) stream.respond({ ':status': 204 }, { endStream: true });
    expect(new Set(await Promise.all(answers))).toEqual(new Set([204]));
    expect(sessions).toBe(3);
    own.close();
  });

  it('that says goodbye gets no further requests, and loses none', async () => {
    play = (stream) => {
      stream.respond({ ':status': 200 });
      stream.end('ok');
    };
    const own = client();
    for (let i = 0; i < 5; i++) {
      const body = await new Promise<string>((resolve, reject) => {
        let text = '';
        const stream = own.request({ ':authority': 'a' });
        stream.on('data', (chunk) => {
          text += chunk;
        });
        stream.on('error', reject);
        stream.on('end', () => resolve(text));
      });
      expect(body).toBe('ok');
      play = (stream) => {
        stream.respond({ ':status': 200 });
        stream.end('ok');
        stream.session?.close();
      };
    }
    own.close();
  });

  it('that refuses a stream before it has done anything is asked again, whatever the method', async () => {
    let asked = 0;
    play = (stream) => {
      if (++asked === 1) stream.close(constants.NGHTTP2_REFUSED_STREAM);
      else echo(stream, {});
    };
    const text = await shout(
      address,
      port,
      'POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 5\r\n\r\nhello',
    );
    expect(text).toMatch(/^HTTP\/1\.1 200 OK/);
    expect(dechunk(bodyOf(text)).data).toContain('"body":"hello"');
    expect(asked).toBe(2);
  });

  it('that resets a stream is a 502, or a response that is cut', async () => {
    play = (stream) => stream.close(constants.NGHTTP2_INTERNAL_ERROR);
    expect(await shout(address, port, get())).toMatch(/^HTTP\/1\.1 502 /);
    play = (stream) => {
      // node:http2 would end the body before it resets the stream.
      stream.respond({ ':status': 200 }, { waitForTrailers: true });
      stream.write('half');
      setTimeout(() => stream.close(constants.NGHTTP2_INTERNAL_ERROR), 20);
    };
    const text = await shout(address, port, get());
    expect(text).toContain('half');
    expect(text).not.toMatch(/0\r\n\r\n$/);
    const own = client();
    own.on('error', () => {});
    const code = await new Promise((resolve) => {
      const stream = own.request({ ':authority': 'a' });
      stream.on('error', () => {});
      stream.resume();
      stream.on('close', () => resolve(stream.rstCode));
    });
    expect(code).toBe(constants.NGHTTP2_INTERNAL_ERROR);
    own.close();
  });

  it('that does not speak it at all is a 502', async () => {
    const { createServer: createHttp1 } = await import('node:http');
    const plain = createHttp1((_, response) => response.end('ok'));
    await new Promise<void>((resolve) => plain.listen(8082, address, resolve));
    await front.endpoints({ app: [endpoint(address, 8082)] });
    expect(await shout(address, port, get())).toMatch(/^HTTP\/1\.1 50[24] /);
    await front.endpoints({ app: [endpoint(address, 8081)] });
    plain.closeAllConnections();
    plain.close();
  });

  it('takes WebSockets of clients that speak HTTP/1.1 (RFC 8441)', async () => {
    play = (stream, headers) => {
      if (headers[':protocol'] !== 'websocket') return stream.close();
      stream.respond({ ':status': 200 });
      // An unmasked text frame, and then the client's masked ones back as they came.
      stream.write(Buffer.from([0x81, 2, 104, 105]));
      stream.on('end', () => stream.end());
    };
    const socket = new WebSocket(`ws://${address}:${port}/chat`);
    const message = await new Promise((resolve, reject) => {
      socket.once('message', (data) => resolve(String(data)));
      socket.once('error', reject);
    });
    expect(message).toBe('hi');
    socket.terminate();
    await expect.poll(() => front.records.map(({ status }) => status)).toContain(101);
  });

  it.each([
    ['', false],
    [', its endpoint gone as well,', true],
  ])('that is gone without a word%s is given up', async (_, leaves) => {
    const silent = createFront({ upstream: { pingIntervalMs: 120 } });
    // Speaks HTTP/2 for as long as it takes to get a request, and says nothing from then on.
    const mute = createServer();
    let sockets: Socket[] = [];
    mute.on('connection', (socket: Socket) => sockets.push(socket));
    mute.on('stream', (stream) => {
      stream.on('error', () => {});
      for (const socket of sockets) {
        socket.removeAllListeners('data');
        (socket as unknown as { _handle: { readStop(): void } })._handle.readStop();
      }
      if (leaves) void silent.endpoints({ app: [] });
    });
    mute.on('sessionError', () => {});
    await new Promise<void>((resolve) => mute.listen(8083, address, resolve));
    await silent.endpoints({ app: [endpoint(address, 8083)] });
    await silent.plan(planOf([listener(address, 8084, [host('*', [route()])])], [backend('app', 'h2c')]));
    const began = performance.now();
    expect(await shout(address, 8084, get())).toMatch(/^HTTP\/1\.1 502 /);
    expect(performance.now() - began).toBeLessThan(2_000);
    await silent.close();
    for (const socket of sockets) socket.destroy();
    sockets = [];
    mute.close();
  });

  it('that says goodbye may take its time for what it has begun', async () => {
    const patient = createFront({ upstream: { pingIntervalMs: 60 } });
    play = (stream) => {
      stream.session!.goaway(constants.NGHTTP2_NO_ERROR);
      setTimeout(() => {
        stream.respond({ ':status': 200 });
        stream.end('late');
      }, 500);
    };
    await patient.endpoints({ app: [endpoint(address, 8081)] });
    await patient.plan(planOf([listener(address, 8085, [host('*', [route()])])], [backend('app', 'h2c')]));
    expect(await shout(address, 8085, get())).toMatch(/^HTTP\/1\.1 200 [\s\S]*late/);
    await patient.close();
  });

  it('closes its connection also when a request has come to it after its time', async () => {
    const changing = createFront();
    const app = (protocol: 'h2c' | 'http1') =>
      changing.plan(planOf([listener(address, 8086, [host('*', [retried])])], [backend('app', protocol)]));
    const retried = route({
      retry: { statuses: [503], on: [], attempts: 1, backoffMs: 200, maxBackoffMs: 200, methods: 'idempotent' },
    });
    const own = createServer();
    const open = new Set<Socket>();
    let first = true;
    own.on('connection', (socket: Socket) => {
      open.add(socket);
      socket.on('close', () => open.delete(socket));
    });
    own.on('stream', (stream) => {
      stream.respond({ ':status': first ? 503 : 200 });
      stream.end();
      if (first) void app('http1');
      first = false;
    });
    await new Promise<void>((resolve) => own.listen(8087, address, resolve));
    await changing.endpoints({ app: [endpoint(address, 8087)] });
    await app('h2c');
    expect(await shout(address, 8086, get())).toMatch(/^HTTP\/1\.1 200 /);
    await expect.poll(() => open.size, { timeout: 2_000 }).toBe(0);
    await changing.close();
    own.close();
  });

  it('is held back by a client that reads slowly', async () => {
    let written = 0;
    const size = 16 * 1024 * 1024;
    play = (stream) => {
      stream.respond({ ':status': 200, 'content-length': String(size) });
      const block = Buffer.alloc(65_536, 97);
      const pump = () => {
        while (written < size && stream.write(block)) written += block.length;
        if (written >= size) stream.end();
      };
      stream.on('drain', pump);
      pump();
    };
    const slow = await dial(address, port);
    slow.socket.pause();
    slow.send(get());
    await new Promise((resolve) => setTimeout(resolve, 400));
    expect(written).toBeLessThan(size / 1.5);
    let received = 0;
    slow.socket.on('data', (chunk) => {
      received += chunk.length;
    });
    slow.socket.resume();
    await expect.poll(() => received, { timeout: 10_000 }).toBeGreaterThan(size);
    slow.socket.destroy();
  });
});
