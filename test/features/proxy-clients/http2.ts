/** Clients that speak HTTP/2, over TLS and with prior knowledge (h2c): curl, nghttp, h2load, node:http2, undici. */
import { once } from 'node:events';
import { type ClientHttp2Session, connect, type IncomingHttpHeaders } from 'node:http2';
import type { LookupFunction } from 'node:net';
import { fetch, Agent as UndiciAgent } from 'undici';
import { describe, expect, it } from 'vitest';
import { curl } from './curl.ts';
import { HOST, hasTool, runTool, TEXT, type WebEcho, type Zoo } from './zoo.ts';

const schemes = ['http', 'https'] as const;
type Scheme = (typeof schemes)[number];
const hasCurl = hasTool('curl', '--version');
const hasNghttp = hasTool('nghttp', '--version');
const hasH2load = hasTool('h2load', '--version');

export function http2Suite(zoo: () => Zoo): void {
  describe.skipIf(!hasCurl).each(schemes)('curl with HTTP/2 over %s', (scheme) => {
    const flag = scheme === 'https' ? '--http2' : '--http2-prior-knowledge';
    const get = (path: string, ...flags: string[]) => curl(zoo(), scheme, path, flag, ...flags);

    it('gets, asks for the head and for a part', async () => {
      expect(await get('/text')).toMatchObject({ code: 0, text: TEXT, outcome: '200 2' });
      expect(await get('/text', '-r', '5-9')).toMatchObject({ text: TEXT.slice(5, 10), outcome: '206 2' });
      const { text, outcome } = await get('/text', '-I');
      expect(outcome).toBe('200 2');
      expect(text).toMatch(/^content-length: 10000\r$/m);
    });

    it('sends bodies of known and unknown length', async () => {
      const known = await get('/echo', '-d', TEXT);
      expect(JSON.parse(known.text)).toMatchObject({ bytes: TEXT.length, method: 'POST' });
      const unknown = await runCurlStdin(zoo(), scheme, flag);
      expect(JSON.parse(unknown)).toMatchObject({ bytes: TEXT.length, method: 'PUT' });
    });
  });

  // Not with prior knowledge: curl 7.88 fails at its second request then, whatever the server.
  it.skipIf(!hasCurl)('curl with HTTP/2 over https asks for many things at once', async () => {
    const write = '%{http_version} %{http_code} %{size_download}\\n';
    const flags = ['--http2', '-Z', '--parallel-max', '20', '-o', '/dev/null', '-w', write];
    const where = ['-sSk', '--resolve', `${HOST}:443:${zoo().address}`];
    const { code, stdout } = await runTool('curl', [...where, ...flags, `https://${HOST}/text?[1-60]`]);
    expect(code).toBe(0);
    expect(stdout.trim().split('\n')).toEqual(Array(60).fill('2 200 10000'));
  });

  describe.skipIf(!hasNghttp).each(schemes)('nghttp over %s', (scheme) => {
    it('gets several things, and sends', async () => {
      const url = (path: string) => `${scheme}://${zoo().address}${path}`;
      const flags = ['-H', `:authority: ${HOST}`, '--no-verify-peer'];
      const { stdout } = await runTool('nghttp', [...flags, '-s', '-n', url('/text'), url('/small'), url('/gzip')]);
      expect(stdout.match(/ 200 +\S+ \/(text|small|gzip)$/gm)).toHaveLength(3);
      const seen = await runTool('nghttp', [...flags, '-v', '-n', '--trailer', 'x-end: yes', '-d', '-', url('/echo')], TEXT); // biome-ignore format: one line
      expect(seen.stdout).toMatch(/:status: 200/);
      expect(seen.stdout).not.toMatch(/error_code=(?!NO_ERROR)/);
    });
  });

  it.skipIf(!hasH2load).each([
    ['https', []],
    ['http', []],
    ['https', ['--h1']],
  ] as const)('h2load over %s %j sees nothing fail', async (scheme, more) => {
    const port = scheme === 'https' ? 443 : 80;
    const args = ['-n', '1000', '-c', '4', '-m', '16', `--connect-to=${zoo().address}:${port}`, ...more];
    const { stdout } = await runTool('h2load', [...args, `${scheme}://${HOST}/small`]);
    expect(stdout).toMatch(/1000 succeeded, 0 failed, 0 errored, 0 timeout/);
    expect(stdout).toMatch(/status codes: 1000 2xx/);
  });

  describe.each(schemes)('node:http2 over %s', (scheme) => {
    it('sends and gets on many streams at once', async () => {
      const session = dial(zoo(), scheme);
      const asked = Array.from({ length: 50 }, (_, i) =>
        i % 2 === 0 ? exchange(session, `/echo?${i}`, 'POST', TEXT) : exchange(session, '/text', 'GET'),
      );
      const texts = (await Promise.all(asked)).map(({ text }) => text);
      texts.forEach((text, i) => {
        if (i % 2 === 1) expect(text).toBe(TEXT);
        else expect(JSON.parse(text)).toMatchObject({ bytes: TEXT.length, url: `/echo?${i}` });
      });
      session.close();
    });

    it('gets trailers, and bodies as fast as it reads', async () => {
      const session = dial(zoo(), scheme);
      const { trailers, text } = await exchange(session, '/trailers', 'GET');
      expect([text, trailers?.['x-checksum']]).toEqual(['body', 'abc']);
      const { headers, text: echoed } = await exchange(session, '/echo', 'PUT', TEXT.repeat(100));
      expect(headers[':status']).toBe(200);
      const { bytes, headers: seen } = JSON.parse(echoed) as WebEcho;
      expect([bytes, seen['host']]).toEqual([TEXT.length * 100, HOST]);
      session.close();
    });

    it('resets a stream without harm to the others', async () => {
      const session = dial(zoo(), scheme);
      const [kept] = await Promise.all([
        exchange(session, '/text', 'GET'),
        ...Array.from({ length: 20 }, () => cancel(session)),
      ]);
      expect(kept.text).toBe(TEXT);
      expect((await exchange(session, '/small', 'GET')).text).toBe('small\n');
      session.close();
    });
  });

  it('undici fetches over HTTP/2', async () => {
    const lookup: LookupFunction = (_, __, found) => found(null, [{ address: zoo().address, family: 4 }]);
    const dispatcher = new UndiciAgent({ allowH2: true, connect: { rejectUnauthorized: false, lookup } });
    const send = async (i: number) => {
      const sent = { method: 'POST', body: TEXT, dispatcher } as const;
      return (await (await fetch(`https://${HOST}/echo?${i}`, sent)).json()) as WebEcho;
    };
    const echoes = await Promise.all(Array.from({ length: 20 }, (_, i) => send(i)));
    expect(echoes.map(({ bytes, url }) => `${url} ${bytes}`)).toEqual(
      Array.from({ length: 20 }, (_, i) => `/echo?${i} ${TEXT.length}`),
    );
    await dispatcher.close();
  });
}

/** A body of which curl does not know the length. */
async function runCurlStdin(zoo: Zoo, scheme: Scheme, flag: string): Promise<string> {
  const port = scheme === 'https' ? 443 : 80;
  const where = ['-sSk', '-m', '8', '--resolve', `${HOST}:${port}:${zoo.address}`];
  return (await runTool('curl', [...where, flag, '-T', '-', `${scheme}://${HOST}/echo`], TEXT)).stdout;
}

function dial(zoo: Zoo, scheme: Scheme): ClientHttp2Session {
  return connect(`${scheme}://${zoo.address}`, { rejectUnauthorized: false, servername: HOST });
}

interface Exchanged {
  readonly headers: IncomingHttpHeaders & { ':status'?: number };
  readonly trailers: IncomingHttpHeaders | undefined;
  readonly text: string;
}

async function exchange(session: ClientHttp2Session, path: string, method: string, body?: string): Promise<Exchanged> {
  const stream = session.request({ ':path': path, ':method': method, ':authority': HOST }, { endStream: !body });
  if (body) stream.end(body);
  let trailers: IncomingHttpHeaders | undefined;
  stream.on('trailers', (lines: IncomingHttpHeaders) => {
    trailers = lines;
  });
  const [headers] = (await once(stream, 'response')) as [Exchanged['headers']];
  let text = '';
  for await (const chunk of stream) text += chunk;
  return { headers, trailers, text };
}

async function cancel(session: ClientHttp2Session): Promise<void> {
  const stream = session.request({ ':path': '/echo', ':method': 'POST', ':authority': HOST }, { endStream: false });
  stream.on('error', () => undefined);
  stream.write('some of it');
  await new Promise((resume) => setTimeout(resume, 5));
  const closed = once(stream, 'close');
  stream.close();
  await closed;
}
