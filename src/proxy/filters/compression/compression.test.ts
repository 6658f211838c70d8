import { get } from 'node:http';
import { connect as connectH2 } from 'node:http2';
import type { Socket } from 'node:net';
import { brotliDecompressSync, createGunzip, gunzipSync } from 'node:zlib';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { CompressionFilter } from '../../../routing/plan/plan.ts';
import { type OneRoute, oneRoute, PORT } from '../../testing/one-route.ts';
import { chooseCoding } from './accept.ts';

const filter = (more: Partial<CompressionFilter> = {}): CompressionFilter => ({
  type: 'compression',
  codings: ['br', 'gzip'],
  types: ['text/*', 'application/json'],
  minBytes: 100,
  level: { gzip: 5, br: 4 },
  ...more,
});

describe('Accept-Encoding', () => {
  it.each([
    ['gzip, br', 'br'],
    ['gzip, deflate', 'gzip'],
    ['GZIP', 'gzip'],
    ['x-gzip', 'gzip'],
    ['gzip;q=1, br;q=0.5', 'gzip'],
    ['gzip; q=0.2 , br ; q=0.5', 'br'],
    ['gzip;q=0, *', 'br'],
    ['br;q=0, *;q=0.1', 'gzip'],
    ['*', 'br'],
    ['*;q=0', undefined],
    ['gzip;q=0', undefined],
    ['identity, gzip;q=0.5', undefined],
    ['identity;q=0.5, gzip;q=0.5', 'gzip'],
    ['deflate', undefined],
    ['', undefined],
    [undefined, undefined],
    ['gzip;q=x', undefined],
  ])('%j: %s', (accepted, expected) => expect(chooseCoding(accepted, ['br', 'gzip'])).toBe(expected));

  it('may be anything', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        expect([undefined, 'gzip']).toContain(chooseCoding(text, ['gzip']));
      }),
    );
  });
});

describe('compression', () => {
  let place: OneRoute;
  beforeAll(async () => {
    place = await oneRoute('127.77.14.60', '127.77.14.61');
    await place.use([filter()]);
  });
  afterAll(() => place.close());

  interface Got {
    readonly status: number;
    readonly headers: NodeJS.Dict<string | string[]>;
    readonly bytes: Buffer;
    readonly trailers: NodeJS.Dict<string>;
  }
  /** Node's own client: it knows nothing of codings. */
  const ask = (accepted: string | undefined, method = 'GET', more: Record<string, string> = {}) =>
    new Promise<Got>((resolve, reject) => {
      const headers = accepted === undefined ? more : { 'Accept-Encoding': accepted, ...more };
      get({ host: place.address, port: PORT, method, headers, agent: false }, (response) => {
        const pieces: Buffer[] = [];
        response.on('data', (bytes: Buffer) => pieces.push(bytes));
        response.on('end', () => {
          const { statusCode: status = 0, trailers } = response;
          resolve({ status, headers: response.headers, bytes: Buffer.concat(pieces), trailers });
        });
        response.on('error', reject);
      }).on('error', reject);
    });
  const answer = (lines: readonly string[], body: string, status = 200) =>
    place.app.answer(
      `HTTP/1.1 ${status} OK\r\n${lines.map((line) => `${line}\r\n`).join('')}Content-Length: ${body.length}\r\n\r\n${body}`,
    );
  const text = 'All work and no play makes Jack a dull boy. '.repeat(200);

  it.each([
    ['gzip', gunzipSync],
    ['br', brotliDecompressSync],
  ])('%s, with what follows from it in the head', async (coding, decode) => {
    answer(['Content-Type: text/html; charset=utf-8', 'ETag: "v1"', 'Accept-Ranges: bytes', 'Content-MD5: x'], text);
    const got = await ask(coding);
    expect(got.headers).toMatchObject({ 'content-encoding': coding, vary: 'Accept-Encoding', etag: 'W/"v1"' });
    expect(Object.keys(got.headers)).not.toEqual(
      expect.arrayContaining([expect.stringMatching(/content-length|accept-ranges|content-md5/)]),
    );
    expect(got.bytes.length).toBeLessThan(text.length / 10);
    expect(decode(got.bytes).toString()).toBe(text);
    expect(place.front.records.at(-1)!.responseBytes).toBe(got.bytes.length);
  });

  it('tells caches also where the client takes none', async () => {
    answer(['Content-Type: application/json', 'Vary: Origin'], text);
    const got = await ask(undefined);
    expect(got.headers).toMatchObject({ vary: 'Origin, Accept-Encoding', 'content-length': String(text.length) });
    expect(got.bytes.toString()).toBe(text);
  });

  it.each<[string, readonly string[], number, string]>([
    ['another type', ['Content-Type: image/png'], 200, text],
    ['no type', [], 200, text],
    ['events', ['Content-Type: text/event-stream'], 200, text],
    ['what is small', ['Content-Type: text/html'], 200, 'x'.repeat(99)],
    ['a part', ['Content-Type: text/html', 'Content-Range: bytes 0-9/20'], 206, text],
    ['what is encoded', ['Content-Type: text/html', 'Content-Encoding: br'], 200, text],
    ['what may not be transformed', ['Content-Type: text/html', 'Cache-Control: private, no-transform'], 200, text],
  ])('leaves %s alone', async (_, lines, status, body) => {
    answer(lines, body, status);
    const got = await ask('gzip, br');
    expect(got.headers['vary']).toBeUndefined();
    expect(got.bytes.toString()).toBe(body);
    expect(got.status).toBe(status);
  });

  it('leaves alone what the client does not want transformed, and gRPC', async () => {
    answer(['Content-Type: text/html'], text);
    const got = await ask('gzip', 'GET', { 'Cache-Control': 'max-age=0, No-Transform' });
    expect(got.headers['content-encoding']).toBeUndefined();
    expect(got.bytes.toString()).toBe(text);
    await place.use([filter({ types: ['application/*'] })]);
    answer(['Content-Type: application/grpc+proto'], text);
    expect((await ask('gzip')).headers['content-encoding']).toBeUndefined();
    await place.use([filter()]);
  });

  it('leaves HEAD and 304 alone', async () => {
    place.app.answer(`HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: ${text.length}\r\n\r\n`);
    const got = await ask('gzip', 'HEAD');
    expect(got.headers).toMatchObject({ 'content-length': String(text.length), vary: 'Accept-Encoding' });
    expect(got.headers['content-encoding']).toBeUndefined();
    place.app.answer('HTTP/1.1 304 Not Modified\r\nContent-Type: text/html\r\nETag: "v1"\r\n\r\n');
    expect(await ask('gzip')).toMatchObject({ status: 304, headers: { etag: '"v1"' } });
  });

  it('compresses events where they are listed, and errors', async () => {
    await place.use([filter({ types: ['text/event-stream'] })]);
    answer(['Content-Type: text/event-stream'], text, 500);
    expect(gunzipSync((await ask('gzip')).bytes).toString()).toBe(text);
    await place.use([filter()]);
  });

  it('passes chunks and trailers on, with or without a length', async () => {
    place.app.answer((_, socket) => {
      socket.write(
        'HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nTrailer: X-Sum\r\nTransfer-Encoding: chunked\r\n\r\n',
      );
      for (let i = 0; i < 50; i++) socket.write(`64\r\n${String(i % 10).repeat(100)}\r\n`);
      socket.write('0\r\nX-Sum: 9\r\n\r\n');
    });
    const got = await ask('gzip');
    expect(gunzipSync(got.bytes).length).toBe(5_000);
    expect(got.trailers).toEqual({ 'x-sum': '9' });
  });

  it('does not hold a slow stream back', async () => {
    let socket: Socket | undefined;
    place.app.answer((_, to) => {
      socket = to;
      to.write('HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n');
    });
    let text = '';
    const until = async (wanted: string) => {
      for (let i = 0; i < 300 && text !== wanted; i++) await new Promise((resolve) => setTimeout(resolve, 10));
      expect(text).toBe(wanted);
    };
    for (const coding of ['gzip', 'br'] as const) {
      text = '';
      const request = get({ host: place.address, port: PORT, headers: { 'Accept-Encoding': coding }, agent: false });
      request.on('error', () => {});
      request.on('response', (response) => {
        if (coding === 'gzip') {
          const gunzip = createGunzip();
          gunzip.on('data', (bytes) => {
            text += bytes;
          });
          response.pipe(gunzip);
        } else
          response.once('data', () => {
            text = 'one';
          });
      });
      await until('one');
      if (coding === 'gzip') {
        socket!.write('3\r\ntwo\r\n');
        await until('onetwo');
      }
      request.destroy();
    }
  });

  it('stops reading from the backend while the client reads nothing, and gives up with it', async () => {
    let written = 0;
    let closed = false;
    place.app.answer((_, socket) => {
      socket.write('HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n');
      socket.on('close', () => {
        closed = true;
      });
      const noise = Buffer.from(Array.from({ length: 65_536 }, () => Math.floor(Math.random() * 256)));
      const write = () => {
        while (!closed && written < 64_000_000) {
          written += noise.length;
          if (!socket.write(noise)) {
            socket.once('drain', write);
            return;
          }
        }
      };
      write();
    });
    const request = get({ host: place.address, port: PORT, headers: { 'Accept-Encoding': 'gzip' }, agent: false });
    request.on('error', () => {});
    await new Promise<void>((resolve) => request.on('response', (response) => resolve(void response.pause())));
    let before = -1;
    for (let i = 0; i < 100 && before !== written; i++) {
      before = written;
      await new Promise((resolve) => setTimeout(resolve, 150));
    }
    expect(written).toBeLessThan(40_000_000);
    request.destroy();
    for (let i = 0; i < 300 && !closed; i++) await new Promise((resolve) => setTimeout(resolve, 10));
    expect(closed).toBe(true);
  });

  it('passes a large body whole', async () => {
    const lines = Array.from({ length: 40_000 }, (_, i) => `line ${i} ${Math.sin(i)}\n`).join('');
    answer(['Content-Type: text/plain'], lines);
    expect(gunzipSync((await ask('gzip')).bytes).toString() === lines).toBe(true);
  });

  it('cuts a response that the backend has cut', async () => {
    place.app.answer((_, socket) => {
      socket.end(`HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 5000\r\n\r\n${'x'.repeat(4_000)}`);
    });
    await expect(ask('gzip')).rejects.toThrow(/aborted|hang up/);
  });

  it('serves HTTP/2 likewise', async () => {
    answer(['Content-Type: text/html'], text);
    const session = connectH2(`http://${place.address}:${PORT}`);
    const stream = session.request({ ':path': '/', ':authority': 'a.example', 'accept-encoding': 'br' });
    const pieces: Buffer[] = [];
    let coding: unknown;
    stream.on('response', (headers) => {
      coding = headers['content-encoding'];
    });
    stream.on('data', (bytes: Buffer) => pieces.push(bytes));
    await new Promise((resolve, reject) => stream.on('end', resolve).on('error', reject));
    expect(coding).toBe('br');
    expect(brotliDecompressSync(Buffer.concat(pieces)).toString()).toBe(text);
    session.destroy();
  });

  it('compresses only so many at once', async () => {
    const other = await oneRoute('127.77.14.62', '127.77.14.63', { filters: { maxEncoders: 0 } });
    await other.use([filter()]);
    other.app.answer(`HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: ${text.length}\r\n\r\n${text}`);
    const got = await other.ask({ lines: ['Accept-Encoding: gzip'] });
    expect(got.headers['content-encoding']).toBeUndefined();
    expect(got.body).toBe(text);
    await other.close();
  });

  it('is left out with a finding where its levels are none', async () => {
    await place.use([filter({ level: { gzip: 10, br: 4 } })]);
    answer(['Content-Type: text/html'], text);
    expect((await ask('gzip')).headers['content-encoding']).toBeUndefined();
    expect(place.front.findings.at(-1)).toMatch(/^FW5204 .*level of gzip/);
  });
});
