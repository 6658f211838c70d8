/** HTTP of echo Pods, judged by curl, fetch and node:http2. */
import http2 from 'node:http2';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { statusAnnotation } from './pod-identity.ts';
import { echoPod, hasTool, runTool, startRuntime } from './testing.ts';

const { runtime, run } = startRuntime({ limits: { sniffMs: 100 } });
const at = (host: number, port = 8080) => `http://127.78.10.${host}:${port}`;
const curl = hasTool('curl');

beforeAll(async () => {
  const env = (name: string, fieldPath: string) => ({ name, valueFrom: { fieldRef: { fieldPath } } });
  await run(
    echoPod('web-1', '127.78.10.1'),
    echoPod('env-1', '127.78.10.2', {
      containers: [
        {
          name: 'main',
          ports: [{ containerPort: 8080 }],
          env: [
            env('POD_NAME', 'metadata.name'),
            env('NAMESPACE', 'metadata.namespace'),
            { name: 'SERVICE_NAME', value: 'front' },
            { name: 'INGRESS_NAME', value: 'fairway' },
          ],
        },
      ],
    }),
    echoPod('sick-1', '127.78.10.3', {}, { annotations: { [statusAnnotation]: '503' } }),
    echoPod('basic-1', '127.78.10.4', {
      containers: [{ name: 'main', image: 'registry.k8s.io/gateway-api/conformance/echo-basic:v0.1.0' }],
    }),
  );
});
afterAll(() => runtime.close());

const logOf = (pod: string) => (runtime.logs(`shop/${pod}`)?.lines() ?? []).map((line) => line.text);

async function raw(host: number, bytes: string, port = 8080): Promise<string> {
  const socket = connect({ host: `127.78.10.${host}`, port, allowHalfOpen: true });
  socket.end(bytes);
  return await text(socket);
}

interface H2Answer {
  headers: http2.IncomingHttpHeaders;
  body: string;
}

async function h2(host: number, headers: http2.OutgoingHttpHeaders, port = 8080): Promise<H2Answer> {
  const session = http2.connect(at(host, port));
  try {
    const stream = session.request(headers);
    const response = new Promise<http2.IncomingHttpHeaders>((resolve, reject) => {
      stream.once('response', resolve);
      stream.once('error', reject);
    });
    return { headers: await response, body: await text(stream) };
  } finally {
    session.close();
  }
}

describe('HTTP/1.1 echo', () => {
  it('shows the request as it came, repeated headers apart, in the form of the conformance echo server', async (context) => {
    if (!curl) context.skip('curl is not installed');
    const args = ['-si', '--path-as-is', '-H', 'x-multi: 1', '-H', 'x-multi: 2', '-H', 'x-sp: é'];
    const { stdout } = await runTool('curl', [...args, `${at(1)}//a%20b/../c?x=1&y=%2F`]);
    const [head, body] = stdout.split('\r\n\r\n') as [string, string];
    expect(head).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
    expect(head).toMatch(/\r\nContent-Type: application\/json\r\n/);
    expect(head).toMatch(/\r\nX-Content-Type-Options: nosniff\r\n/);
    expect(head).not.toMatch(/keep-alive|chunked/i);
    expect(body.startsWith('{\n "path": "//a%20b/../c?x=1&y=%2F",\n "host": "127.78.10.1:8080",\n')).toBe(true);
    const { headers, ...rest } = JSON.parse(body);
    expect(rest).toEqual({
      path: '//a%20b/../c?x=1&y=%2F',
      host: '127.78.10.1:8080',
      method: 'GET',
      proto: 'HTTP/1.1',
      httpPort: '8080',
      namespace: 'shop',
      ingress: '',
      service: 'web',
      pod: 'web-1',
    });
    expect(headers).toEqual({
      Accept: ['*/*'],
      'User-Agent': [expect.stringMatching(/^curl/)],
      'X-Multi': ['1', '2'],
      'X-Sp': ['é'],
    });
    expect(logOf('web-1').at(-1)).toMatch(
      /^Echoing back request made to \/\/a%20b\/\.\.\/c\?x=1&y=%2F to client \(127\.0\.0\.1:\d+\)$/,
    );
  });

  it('keeps the connection and answers several requests on it', async () => {
    const request = 'GET /n HTTP/1.1\r\nHost: h\r\n\r\n';
    const answers = await raw(1, `${request}${request}GET /last HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n`);
    expect(answers.match(/HTTP\/1\.1 200 OK/g)).toHaveLength(3);
    expect(answers.match(/Connection: close/g)).toHaveLength(1);
  });

  it('takes its names from the environment of the conformance manifests', async () => {
    expect(await (await fetch(at(2))).json()).toMatchObject({
      namespace: 'shop',
      ingress: 'fairway',
      service: 'front',
      pod: 'env-1',
    });
  });

  it.each([
    ['/health', 200, 'OK'],
    ['/status/418', 418, ''],
    ['/status/418?x', 400, ''],
    ['/status/xyz', 400, ''],
    ['/status/204', 204, ''],
    ['/ws', 400, 'Expected a WebSocket handshake'],
    ['/retry/x', 400, 'uuid is required'],
    ['/retry/x?uuid=1', 400, 'succeedAfter is required'],
    ['/?delay=soon', 500, '{"message":"time: invalid duration \\"soon\\""}'],
    ['/?delay=10h', 500, '{"message":"delay is longer than 300000 ms"}'],
  ])('%s answers %i', async (path, status, body) => {
    const response = await fetch(at(1) + path);
    expect(response.status).toBe(status);
    expect(await response.text()).toBe(body);
  });

  it('waits as long as ?delay= says', async () => {
    const start = performance.now();
    expect((await fetch(`${at(1)}/slow?delay=0.12s`)).status).toBe(200);
    expect(performance.now() - start).toBeGreaterThan(115);
  });

  it('sets the headers that X-Echo-Set-Header asks for, case kept, and leaves out what cannot be written', async (context) => {
    if (!curl) context.skip('curl is not installed');
    const wanted = 'X-Echo-Set-Header: fOo:bar, fOo:baz,Content-Length:1,b ad:x,ok:,nocolon';
    const { stdout } = await runTool('curl', ['-si', '-H', wanted, at(1)]);
    expect(stdout).toContain('\r\nfOo: bar,baz\r\n');
    expect(stdout).toContain('\r\nok: \r\n');
    const [head] = stdout.split('\r\n\r\n') as [string];
    expect(head).not.toContain('b ad');
    expect(head.match(/content-length/gi)).toHaveLength(1);
    expect((await fetch(at(1), { headers: { 'X-Echo-Set-Header': '' } })).status).toBe(200);
  });

  it('fails as often as a retry simulation says, by reset or by status, then echoes', async () => {
    const reset = `${at(1)}/retry/x?uuid=a&succeedAfter=2`;
    await expect(fetch(reset)).rejects.toThrow();
    await expect(fetch(reset)).rejects.toThrow();
    expect(await (await fetch(reset)).json()).toMatchObject({ path: '/retry/x?uuid=a&succeedAfter=2' });
    const status = `${at(1)}/retry/x?uuid=b&succeedAfter=1&responseCode=503&delayRetry=50ms`;
    const start = performance.now();
    expect((await fetch(status)).status).toBe(503);
    expect(performance.now() - start).toBeGreaterThan(45);
    expect((await fetch(status)).status).toBe(200);
  });

  it('reads request bodies away and answers HEAD without a body', async () => {
    const body = Buffer.alloc(2 << 20);
    const response = await fetch(`${at(1)}/upload`, { method: 'POST', body });
    expect(await response.json()).toMatchObject({ method: 'POST' });
    const head = await fetch(at(1), { method: 'HEAD' });
    expect(Number(head.headers.get('content-length'))).toBeGreaterThan(100);
  });

  it('answers every request with the status of the annotation, and still tells who it is', async () => {
    const response = await fetch(`${at(3)}/health-like`);
    expect(response.status).toBe(503);
    expect(await response.json()).toMatchObject({ pod: 'sick-1' });
    runtime.ensure(echoPod('sick-1', '127.78.10.3'));
    expect((await fetch(at(3))).status).toBe(200);
  });

  it('refuses what is no good request', async () => {
    expect(await raw(1, 'GET / HTTP/1.1\r\nHost: a\r\nbad header\r\n\r\n')).toMatch(/^HTTP\/1\.1 400 /);
    expect(await raw(1, `GET / HTTP/1.1\r\nHost: a\r\nx: ${'y'.repeat(70_000)}\r\n\r\n`)).toMatch(/^HTTP\/1\.1 4/);
  });
});

describe('HTTP/2 echo', () => {
  it('speaks h2c on the same port, judged by curl', async (context) => {
    if (!curl) context.skip('curl is not installed');
    const url = `${at(1)}/two?x=1`;
    const { stdout } = await runTool('curl', [
      '-si',
      '--http2-prior-knowledge',
      '-H',
      'x-multi: 1',
      '-H',
      'x-multi: 2',
      url,
    ]);
    expect(stdout).toMatch(/^HTTP\/2 200/);
    const answer = JSON.parse(stdout.split('\r\n\r\n')[1]!);
    expect(answer).toMatchObject({ path: '/two?x=1', proto: 'HTTP/2.0', host: '127.78.10.1:8080', pod: 'web-1' });
    expect(answer.headers['X-Multi']).toEqual(['1', '2']);
    expect(Object.keys(answer.headers).some((name) => name.startsWith(':'))).toBe(false);
  });

  it('answers an HTTP/1.1 request that offers h2c in HTTP/1.1', async (context) => {
    if (!curl) context.skip('curl is not installed');
    const { stdout } = await runTool('curl', ['-si', '--http2', `${at(1)}/offer`]);
    expect(stdout).toMatch(/^HTTP\/1\.1 200/);
    expect(stdout).toContain('"path": "/offer"');
  });

  it('has statuses, delays and wanted headers as over HTTP/1.1', async () => {
    expect((await h2(1, { ':path': '/status/404' })).headers[':status']).toBe(404);
    const answer = await h2(1, { ':path': '/?delay=10ms', 'x-echo-set-header': 'Foo:bar,connection:close' });
    expect(answer.headers).toMatchObject({ ':status': 200, foo: 'bar' });
    expect((await h2(1, { ':method': 'HEAD', ':path': '/' })).body).toBe('');
    const reset = await h2(1, { ':path': '/retry/x?uuid=h2&succeedAfter=1' });
    expect(reset.headers[':status']).toBe(500);
  });

  it('refuses HTTP/1.1 on the h2c port of the conformance server, and takes both on the other', async () => {
    const refused = await fetch(at(4, 3001));
    expect([refused.status, await refused.text()]).toEqual([400, 'Expected h2c request']);
    expect(JSON.parse((await h2(4, { ':path': '/' }, 3001)).body)).toMatchObject({ pod: 'basic-1', httpPort: '3001' });
    expect((await fetch(at(4, 3000))).status).toBe(200);
  });
});

describe('connections that speak something else', () => {
  it.each([
    ['text', 'hello\nworld\n'],
    ['a Redis command', 'GET key\r\n'],
    ['a lower-case request', 'get / http/1.1\r\n\r\n'],
    ['the start of a request', 'GET /unfinished'],
    ['the start of the HTTP/2 preface', 'PRI * HTTP/2.0\r\n\r\nSM'],
    ['one byte of TLS', '\x16'],
  ])('%s comes back as it was', async (_name, bytes) => {
    expect(await raw(1, bytes)).toBe(bytes);
  });

  it('an unfinished beginning comes back after a while, with what follows', async () => {
    const socket = connect({ host: '127.78.10.1', port: 8080 });
    socket.write('PUT');
    const first = await new Promise((resolve) => socket.once('data', (data) => resolve(data.toString())));
    expect(first).toBe('PUT');
    socket.write(' it there');
    const second = await new Promise((resolve) => socket.once('data', (data) => resolve(data.toString())));
    expect(second).toBe(' it there');
    socket.destroy();
  });

  it('TLS to a Pod without a certificate is closed', async () => {
    expect(await raw(1, '\x16\x03\x01\x00\x05hello')).toBe('');
    expect(logOf('web-1').at(-1)).toMatch(/^Refusing TLS .*: the Pod has no certificate$/);
  });
});
