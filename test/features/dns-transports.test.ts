/** DNS over TLS and over HTTPS as clients see them: kdig, dig, curl, openssl's protocols through node, in both families. */
import { execFile, execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { connect as connectHttp2, type IncomingHttpHeaders } from 'node:http2';
import { request as requestHttps } from 'node:https';
import { connect as connectTcp } from 'node:net';
import { type ConnectionOptions, connect as connectTls, type TLSSocket } from 'node:tls';
import { promisify } from 'node:util';
import packet from 'dns-packet';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { serveCorefile, type TestServer, type TestServerOptions } from '../../src/dns/testing.ts';
import { encodeQuery } from '../../src/dns/wire/ask.ts';
import { recordType } from '../../src/dns/wire/numbers.ts';
import { eventually } from '../support/door.ts';
import { makeTlsFolder, type TlsFolder } from '../support/tls-files.ts';

const run = promisify(execFile);
const address = '127.82.4.1';
let files: TlsFolder;
const open: TestServer[] = [];

beforeAll(() => {
  files = makeTlsFolder('dns.test');
});
afterEach(async () => {
  await Promise.all(open.splice(0).map((server) => server.stop()));
});
afterAll(() => files.remove());

function has(command: string, ...args: string[]): boolean {
  try {
    execFileSync(command, args, { stdio: 'ignore' });
    return true;
  } catch {
    console.warn(`skipped: there is no ${command} here`);
    return false;
  }
}
const tools = { kdig: has('kdig', '-V'), dig: has('dig', '-v'), curl: has('curl', '-V') };

/** `a.test` has an address, `slow.test` too but later, `none.test` does not exist, `drop.test` is never answered. */
const zones = `
    template IN ANY slow.test {
        answer "{{ .Name }} 60 IN A 192.0.2.2"
    }
    template IN A none.test {
        rcode NXDOMAIN
        authority "none.test. 900 IN SOA ns.none.test. me.none.test. 1 7200 900 86400 7"
    }
    acl drop.test {
        drop
    }
    template IN A {
        answer "{{ .Name }} 60 IN A 192.0.2.1"
        answer "{{ .Name }} 20 IN A 192.0.2.3"
        additional "x.test. 30 IN A 192.0.2.4"
    }
`;

async function serve(
  block: string,
  key = 'tls://. https://.',
  options: Partial<TestServerOptions> = {},
): Promise<TestServer> {
  const tls = `tls ${files.path('server.crt')} ${files.path('server.key')}`;
  const text = `${key} {\n prometheus :9153\n ${block.includes('tls ') ? '' : tls}\n ${block}\n ${zones}\n}\n`;
  const server = await serveCorefile(text, { address, ...options });
  open.push(server);
  return server;
}

const dot = (server: TestServer) => server.port('tls://:853');
const doh = (server: TestServer) => server.port('https://:443');
const query = (name: string, id = 0) => Buffer.from(encodeQuery(name, recordType.A, { id }));
const framed = (message: Buffer) => Buffer.concat([Buffer.from([message.length >> 8, message.length & 255]), message]);

interface Web {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

type Ask = (port: number, path: string, options?: { method?: string; type?: string; body?: Buffer }) => Promise<Web>;

const overHttp1: Ask = (port, path, { method = 'GET', type, body } = {}) =>
  new Promise((resolve, reject) => {
    const outgoing = requestHttps({
      ...{ host: address, port, path, method, rejectUnauthorized: false, agent: false },
      headers: { ...(type && { 'content-type': type }), ...(body && { 'content-length': body.length }) },
    });
    outgoing.on('error', reject);
    outgoing.on('response', (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () =>
        resolve({ status: response.statusCode!, headers: response.headers, body: Buffer.concat(chunks) }),
      );
    });
    outgoing.end(body);
  });

const overHttp2: Ask = (port, path, { method = 'GET', type, body } = {}) =>
  new Promise((resolve, reject) => {
    const session = connectHttp2(`https://${address}:${port}`, { rejectUnauthorized: false });
    session.on('error', reject);
    const stream = session.request({ ':path': path, ':method': method, ...(type && { 'content-type': type }) });
    const chunks: Buffer[] = [];
    let headers: IncomingHttpHeaders = {};
    stream.on('response', (found) => {
      headers = found;
    });
    stream.on('data', (chunk: Buffer) => chunks.push(chunk));
    stream.on('error', () => {});
    stream.on('close', () => {
      session.close();
      resolve({
        status: Number((headers as Record<string, unknown>)[':status']),
        headers,
        body: Buffer.concat(chunks),
      });
    });
    stream.end(body);
  });

const getPath = (message: Buffer) => `/dns-query?dns=${message.toString('base64url')}`;
const wire = 'application/dns-message';

/** A frame of HTTP/2 (RFC 9113 section 4.1). */
function frame(type: number, flags: number, stream: number, payload: Buffer): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

/** GET by HPACK: the method and scheme of the static table, path and authority as literals. */
function requestHeaders(path: string): Buffer {
  const literal = (index: number, text: string) =>
    Buffer.concat([Buffer.from([index, text.length]), Buffer.from(text)]);
  return Buffer.concat([Buffer.from([0x82, 0x87]), literal(4, path), literal(1, 'dns.test')]);
}

describe('judges', () => {
  it.runIf(tools.kdig)('kdig asks over TLS, over HTTPS with POST and GET, and checks the certificate', async () => {
    const server = await serve('');
    const trust = [`+tls-ca=${files.path('ca.crt')}`, '+tls-hostname=dns.test'];
    const kdig = async (port: number, ...args: string[]) =>
      (await run('kdig', [`@${address}`, '-p', String(port), ...trust, ...args])).stdout;
    const tls = await kdig(dot(server), '+tls', 'a.test');
    expect(tls).toMatch(/TLS1\.3[\s\S]*NOERROR[\s\S]*192\.0\.2\.1/);
    const post = await kdig(doh(server), '+https', 'a.test');
    expect(post).toMatch(/HTTP\/2-POST[\s\S]*status: 200[\s\S]*NOERROR[\s\S]*192\.0\.2\.1/);
    const get = await kdig(doh(server), '+https-get', 'none.test');
    expect(get).toMatch(/HTTP\/2-GET[\s\S]*status: 200[\s\S]*NXDOMAIN/);
    const wrong = await run('kdig', [
      `@${address}`,
      '-p',
      String(dot(server)),
      '+tls',
      trust[0]!,
      '+tls-hostname=other.test',
      'a.test',
    ]).catch((error: { stdout: string; stderr: string }) => error);
    expect(`${wrong.stdout}${wrong.stderr}`).toMatch(/certificate|hostname/i);
  });

  it.runIf(tools.dig)('dig asks over TLS and HTTPS, several questions on one connection', async () => {
    const server = await serve('');
    const dig = async (port: number, ...args: string[]) =>
      (await run('dig', [`@${address}`, '-p', String(port), '+time=3', '+tries=1', '+short', ...args])).stdout;
    const both = '192.0.2.1\n192.0.2.3\n';
    expect(await dig(dot(server), '+tls', '+keepopen', 'a.test', 'b.test')).toBe(both + both);
    expect(await dig(doh(server), '+https', 'a.test')).toBe(both);
    expect(await dig(doh(server), '+https-get', 'a.test')).toBe(both);
  });

  it.runIf(tools.dig)('dig asks over both in IPv6', async () => {
    const server = await serve('', 'tls://. https://.', { address: '::1' });
    for (const [flag, port] of [
      ['+tls', dot(server)],
      ['+https', doh(server)],
    ] as const) {
      const { stdout } = await run('dig', [
        '@::1',
        '-p',
        String(port),
        flag,
        '+time=3',
        '+tries=1',
        '+short',
        'a.test',
      ]);
      expect(stdout).toContain('192.0.2.1');
    }
  });

  it.runIf(tools.curl)('curl speaks HTTP/1.1 and HTTP/2 to one port', async () => {
    const server = await serve('');
    for (const [flag, shown] of [
      ['--http1.1', 'HTTP/1.1 200'],
      ['--http2', 'HTTP/2 200'],
    ] as const) {
      const { stdout } = await run('curl', [
        ...['-sS', flag, '-D', '-', '-o', '/dev/null', '--cacert', files.path('ca.crt')],
        ...['--resolve', `dns.test:${doh(server)}:${address}`],
        `https://dns.test:${doh(server)}${getPath(query('a.test.'))}`,
      ]);
      expect(stdout).toContain(shown);
      expect(stdout).toContain(`content-type: ${wire}`);
      expect(stdout).toContain('cache-control: max-age=20');
    }
  });
});

describe.each<[string, Ask]>([
  ['HTTP/1.1', overHttp1],
  ['HTTP/2', overHttp2],
])('DNS over HTTPS, %s', (_, ask) => {
  it('answers GET and POST with the same message', async () => {
    const server = await serve('');
    const get = await ask(doh(server), getPath(query('wEb.tEst.', 0)));
    const post = await ask(doh(server), '/dns-query', { method: 'POST', type: wire, body: query('wEb.tEst.', 0) });
    expect(get).toMatchObject({ status: 200, headers: { 'content-type': wire } });
    expect(post.body).toEqual(get.body);
    expect(packet.decode(get.body)).toMatchObject({ id: 0, rcode: 'NOERROR', questions: [{ name: 'wEb.tEst' }] });
  });

  it('says how long an answer may be kept', async () => {
    const server = await serve('');
    const age = async (name: string) => (await ask(doh(server), getPath(query(name)))).headers['cache-control'];
    expect(await age('a.test.')).toBe('max-age=20');
    expect(await age('none.test.')).toBe('max-age=7');
    const refused = Buffer.from(encodeQuery('a.test.', recordType.MX, {}));
    expect((await ask(doh(server), getPath(refused))).headers['cache-control']).toBe('max-age=5');
  });

  const post = (body: Buffer, type = wire) => ({ method: 'POST', type, body });
  it.each<[string, number, string, Parameters<Ask>[2]]>([
    ['another path', 404, `/${getPath(query('a.'))}`, {}],
    ['no message', 400, '/dns-query', {}],
    ['two messages', 400, '/dns-query?dns=AAAA&dns=AAAA', {}],
    ['padding', 400, `${getPath(query('abc.'))}==`, {}],
    ['base64 of another alphabet', 400, '/dns-query?dns=AA+/', {}],
    ['less than a header', 400, '/dns-query?dns=AAAA', {}],
    ['a response', 400, getPath(Buffer.concat([Buffer.from([0, 0, 0x80]), query('a.').subarray(3)])), {}],
    ['an empty body', 400, '/dns-query', post(Buffer.alloc(0))],
    ['another media type', 415, '/dns-query', post(query('a.'), 'application/json')],
    ['a message beyond 65,535 bytes', 413, '/dns-query', post(Buffer.alloc(65_536))],
    ['another method', 405, getPath(query('a.')), { method: 'PUT', type: wire, body: query('a.') }],
    ['HEAD', 405, getPath(query('a.')), { method: 'HEAD' }],
    ['a query that gets no answer', 500, getPath(query('drop.test.')), {}],
    ['an unreadable question', 200, getPath(query('a.').subarray(0, 13)), {}],
    ['a media type with a parameter', 200, '/dns-query', post(query('a.'), `${wire}; charset=utf-8`)],
  ])('answers %s with %i', async (_name, status, path, options) => {
    const server = await serve('');
    const answer = await ask(doh(server), path, options);
    expect(answer.status).toBe(status);
    if (status === 405) expect(answer.headers.allow).toBe('GET, POST');
    const { text } = await server.page(':9153', '/metrics');
    expect(text).toContain(`coredns_dns_https_responses_total{server="https://:443",status="${status}"} 1`);
    expect((await ask(doh(server), getPath(query('a.test.')))).status).toBe(200);
  });
});

describe('DNS over HTTPS, bounds', () => {
  it('takes no more connections than `https` allows', async () => {
    const server = await serve('https {\n max_connections 1\n }');
    const first = connectHttp2(`https://${address}:${doh(server)}`, { rejectUnauthorized: false });
    await new Promise((resolve) => first.once('connect', resolve));
    await expect(overHttp1(doh(server), getPath(query('a.test.')))).rejects.toThrow();
    first.close();
    await eventually(
      () =>
        overHttp1(doh(server), getPath(query('a.test.'))).then(
          ({ status }) => status,
          () => 0,
        ),
      (status) => status === 200,
    );
  });

  it('gives up a body and a header that come too slowly, and rests only so long', async () => {
    const server = await serve('timeouts {\n read 2s\n idle 1s\n }');
    const started = performance.now();
    const slow = (first: string) =>
      new Promise<string>((resolve) => {
        const socket = connectTls({ host: address, port: doh(server), rejectUnauthorized: false });
        let seen = '';
        socket.on('data', (chunk) => (seen += String(chunk)));
        socket.on('error', () => {});
        socket.write(first);
        const drip = setInterval(() => first !== '' && socket.writable && socket.write('x'), 100);
        socket.on('close', () => {
          clearInterval(drip);
          resolve(seen);
        });
      });
    const post = `POST /dns-query HTTP/1.1\r\nhost: a\r\ncontent-type: ${wire}\r\ncontent-length: 500\r\n\r\n`;
    const [body, header, silent] = await Promise.all([slow(post), slow('GET /dns-query HTTP/1.1\r\nx: '), slow('')]);
    expect(body).toContain('HTTP/1.1 408');
    expect(header).toBe('');
    expect(silent).toBe('');
    expect(performance.now() - started).toBeLessThan(4000);
  });

  it('refuses a header that is too large', async () => {
    const server = await serve('');
    const long = `/dns-query?dns=${'A'.repeat(20_000)}`;
    expect((await overHttp1(doh(server), long)).status).toBe(431);
    expect((await overHttp2(doh(server), long)).status).toBe(431);
    expect((await overHttp2(doh(server), getPath(query('a.test.')))).status).toBe(200);
  });

  it('closes a connection that takes back request after request, and serves the others', async () => {
    const server = await serve('');
    const socket = connectTls({ host: address, port: doh(server), rejectUnauthorized: false, ALPNProtocols: ['h2'] });
    socket.on('error', () => {});
    socket.resume();
    const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
    await new Promise((resolve) => socket.once('secureConnect', resolve));
    socket.write(Buffer.concat([Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'), frame(4, 0, 0, Buffer.alloc(0))]));
    const headers = requestHeaders(getPath(query('a.test.')));
    let sent = 0;
    while (!socket.destroyed && socket.writable && sent < 20_000) {
      for (let i = 0; i < 20; i++, sent++) {
        const id = sent * 2 + 1;
        socket.write(Buffer.concat([frame(1, 0x05, id, headers), frame(3, 0, id, Buffer.from([0, 0, 0, 8]))]));
      }
      await new Promise((resume) => setImmediate(resume));
    }
    await closed;
    expect(sent).toBeLessThan(20_000);
    expect((await overHttp2(doh(server), getPath(query('a.test.')))).status).toBe(200);
  });

  it('answers many questions on one connection, and ends it in peace when the server stops', async () => {
    const server = await serve('');
    const session = connectHttp2(`https://${address}:${doh(server)}`, { rejectUnauthorized: false });
    const answers = await Promise.all(
      Array.from({ length: 300 }, (_, i) => {
        const stream = session.request({ ':path': getPath(query(`n${i}.test.`)) });
        return new Promise<string>((resolve, reject) => {
          const chunks: Buffer[] = [];
          stream.on('data', (chunk: Buffer) => chunks.push(chunk));
          stream.on('error', reject);
          stream.on('end', () => resolve(packet.decode(Buffer.concat(chunks)).questions![0]!.name));
        });
      }),
    );
    expect(answers).toEqual(Array.from({ length: 300 }, (_, i) => `n${i}.test`));
    const closed = new Promise<void>((resolve) => session.once('close', resolve));
    await server.stop();
    await closed;
  });

  it('without a certificate speaks HTTP/1.1 in the clear, for a proxy in front', async () => {
    const server = await serveCorefile('https://. {\n whoami\n}', { address });
    open.push(server);
    const response = await fetch(`http://${address}:${doh(server)}${getPath(query('a.test.'))}`);
    expect(response.status).toBe(200);
    expect(packet.decode(Buffer.from(await response.arrayBuffer())).additionals).toHaveLength(2);
    expect(server.logs.join('\n')).toContain('is plain HTTP');
  });
});

/** Connects; what came of the handshake, and one question when it was good. */
function visit(port: number, options: ConnectionOptions = {}): Promise<{ answer: string; socket: TLSSocket }> {
  return new Promise((resolve) => {
    const socket = connectTls({ host: address, port, rejectUnauthorized: false, ...options });
    socket.on('error', (error) => resolve({ answer: `error ${(error as NodeJS.ErrnoException).code}`, socket }));
    socket.on('close', () => resolve({ answer: 'closed', socket }));
    socket.on('secureConnect', () => socket.write(framed(query('a.test.', 9))));
    socket.on('data', (chunk: Buffer) => {
      socket.end();
      resolve({ answer: String(packet.decode(chunk.subarray(2)).id), socket });
    });
  });
}

describe('DNS over TLS', () => {
  it('offers `dot`, refuses other protocols, and resumes sessions', async () => {
    const server = await serve('');
    const first = connectTls({ host: address, port: dot(server), rejectUnauthorized: false, ALPNProtocols: ['dot'] });
    const session = await new Promise<Buffer>((resolve) => {
      first.once('session', resolve);
      first.once('secureConnect', () => first.write(framed(query('a.test.'))));
    });
    expect(first.alpnProtocol).toBe('dot');
    first.destroy();
    const again = await visit(dot(server), { session });
    expect(again.answer).toBe('9');
    expect(again.socket.isSessionReused()).toBe(true);
    expect((await visit(dot(server), { ALPNProtocols: ['h2'] })).answer).toMatch(/^error/);
    expect(
      (await visit(dot(server), { maxVersion: 'TLSv1.1', minVersion: 'TLSv1.1', ciphers: 'ALL@SECLEVEL=0' })).answer,
    ).toMatch(/^error/);
  });

  it('answers in the order in which answers are ready', async () => {
    const resolver = await serveCorefile('. {\n erratic {\n drop 0\n truncate 0\n delay 1 300ms\n }\n}', {
      address: '127.82.4.2',
    });
    open.push(resolver);
    const server = await serveCorefile(
      `tls://. {\n tls ${files.path('server.crt')} ${files.path('server.key')}\n template IN A fast.test {\n answer "{{ .Name }} 1 IN A 192.0.2.1"\n }\n forward . 127.82.4.2:${resolver.port()}\n}`,
      { address },
    );
    open.push(server);
    const socket = connectTls({ host: address, port: dot(server), rejectUnauthorized: false });
    const chunks: Buffer[] = [];
    socket.on('data', (chunk: Buffer) => chunks.push(chunk));
    const slow = Array.from({ length: 2 }, (_, i) => framed(query('slow.example.', i + 1)));
    socket.write(Buffer.concat([...slow, framed(query('fast.test.', 3))]));
    const ids = () => {
      const all = Buffer.concat(chunks);
      const found: number[] = [];
      for (let at = 0; at + 4 <= all.length; at += 2 + all.readUInt16BE(at)) found.push(all.readUInt16BE(at + 2));
      return found;
    };
    await eventually(ids, (found) => found.length === 3);
    expect(ids()[0]).toBe(3);
    socket.destroy();
  });

  it('ends handshakes that are never finished, and connections that rest', async () => {
    const server = await serve('timeouts {\n read 1s\n idle 1s\n }');
    const started = performance.now();
    const silent = Array.from({ length: 150 }, () => connectTcp({ host: address, port: dot(server) }));
    const ends = silent.map((socket) => {
      socket.on('error', () => {});
      return new Promise<number>((resolve) => socket.once('close', () => resolve(performance.now() - started)));
    });
    // Beyond 100 handshakes under way the oldest go first, so that an honest client still gets in.
    expect((await visit(dot(server))).answer).toBe('9');
    const times = await Promise.all(ends);
    expect(times.filter((ms) => ms < 1800).length).toBeGreaterThanOrEqual(50);
    expect(Math.max(...times)).toBeLessThan(8000);
    const resting = connectTls({ host: address, port: dot(server), rejectUnauthorized: false });
    resting.on('error', () => {});
    resting.resume();
    await new Promise((resolve) => resting.once('close', resolve));
  });

  const shown = ['nothing', 'stranger', 'client'] as const;
  it.each<[string, string[]]>([
    ['nocert', ['in', 'in', 'in']],
    ['request', ['in', 'in', 'in']],
    ['require', ['out', 'in', 'in']],
    ['verify_if_given', ['in', 'out', 'in']],
    ['require_and_verify', ['out', 'out', 'in']],
  ])('client_auth %s lets in as CoreDNS does', async (word, expected) => {
    const server = await serve(
      `tls ${files.path('server.crt')} ${files.path('server.key')} ${files.path('ca.crt')} {\n client_auth ${word}\n }`,
    );
    const seen: string[] = [];
    for (const name of shown) {
      const pair = name === 'nothing' ? {} : { cert: pem(`${name}.crt`), key: pem(`${name}.key`) };
      seen.push((await visit(dot(server), pair)).answer === '9' ? 'in' : 'out');
      const web = await overHttp1With(pair, doh(server));
      expect(web).toBe(seen.at(-1));
    }
    expect(seen).toEqual(expected);
  });

  it('writes the key log where it is told to, for nobody else to read', async () => {
    const log = files.path('keys.log');
    const server = await serve(`tls ${files.path('server.crt')} ${files.path('server.key')} {\n keylog ${log}\n }`);
    expect((await visit(dot(server))).answer).toBe('9');
    await server.stop();
    expect(readFileSync(log, 'utf8')).toMatch(/^SERVER_TRAFFIC_SECRET_0 [0-9a-f]{64} [0-9a-f]+$/m);
    expect(execFileSync('stat', ['-c', '%a', log]).toString().trim()).toBe('600');
    expect(server.logs.join('\n')).toContain('writing the secrets of all connections');
  });

  it.each<[string, string, string]>([
    ['acme in a block', 'tls {\n acme dns.example.org\n }', "'acme' is not supported"],
    ['an option of acme', 'tls {\n email a@example.org\n }', "'email' is not supported"],
    ['another authentication', 'tls CERT KEY {\n client_auth maybe\n }', "unknown authentication type 'maybe'"],
    ['a file that is not there', 'tls /nonexistent KEY', 'ENOENT'],
    ['a key of another certificate', 'tls CERT OTHER', 'tls: '],
    ['a key log that cannot be written', 'tls CERT KEY {\n keylog /nonexistent/x\n }', 'unable to write the key log'],
    ['one file', 'tls CERT', 'wrong argument count'],
  ])('refuses %s', async (_, text, message) => {
    const named = text
      .replace('CERT', files.path('server.crt'))
      .replace('KEY', files.path('server.key'))
      .replace('OTHER', files.path('client.key'));
    await expect(serve(named)).rejects.toThrow(message);
  });
});

const pem = (name: string) => readFileSync(files.path(name));

function overHttp1With(pair: object, port: number): Promise<'in' | 'out'> {
  return new Promise((resolve) => {
    const outgoing = requestHttps(
      { host: address, port, path: getPath(query('a.test.')), rejectUnauthorized: false, agent: false, ...pair },
      (response) => {
        response.resume();
        resolve(response.statusCode === 200 ? 'in' : 'out');
      },
    );
    outgoing.on('error', () => resolve('out'));
    outgoing.end();
  });
}
