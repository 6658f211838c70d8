/** The PROXY protocol on stream listeners, from balancers and to backends, on 127.77.11.0/24. */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect as connectTcp, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect as connectTls, createServer } from 'node:tls';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import type { Backend, StreamRoute } from '../../routing/plan/plan.ts';
import { parseProxyHeader } from '../listener/proxy-header.ts';
import { recordingBackend } from '../testing/backend.ts';
import { hasOpenssl, selfSigned } from '../testing/certificates.ts';
import { createFront } from '../testing/front.ts';
import { backend, endpoint, host, listener, route, source } from '../testing/plans.ts';
import { converse, dial, listenRaw } from '../testing/sockets.ts';
import type { StreamRecord } from './record.ts';
import { streamBackend, streamListener, streamPlan, streamRoute } from './testing.ts';

const front = '127.77.11.11';
const backs = '127.77.11.12';
const streams: StreamRecord[] = [];
const onStream = (record: StreamRecord) => void streams.push(record);
const behind = createFront({ proxyProtocol: { from: ['127.0.0.0/8'], timeoutMs: 300, maxHeaderBytes: 200 }, onStream });
const alone = createFront({ onStream });
const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const clean of cleanups.splice(0).reverse()) await clean();
  streams.length = 0;
});
afterAll(() => Promise.all([behind.close(), alone.close()]));

const one = 'PROXY TCP4 203.0.113.7 198.51.100.1 1234 80\r\n';
const two = '\r\n\r\n\0\r\nQUIT\n\x21\x11\x00\x0c\xcb\x00\x71\x08\xc6\x33\x64\x01\x04\xd2\x00\x50';

async function backdrop(port: number, serve: (socket: Socket) => void): Promise<void> {
  const made = await listenRaw(backs, port, serve);
  cleanups.push(made.close);
}

async function record(): Promise<StreamRecord> {
  await expect.poll(() => streams.length, { timeout: 3_000 }).toBeGreaterThan(0);
  return streams[0]!;
}

const echo = (socket: Socket) => void socket.on('data', (chunk) => socket.write(chunk));

function planFor(port: number, how: Partial<StreamRoute> = {}, app: Partial<Backend> = {}) {
  const protocol = how.tls && how.tls !== 'none' ? 'TLS' : 'TCP';
  const backends = { app: { ...streamBackend('app'), ...app } };
  return streamPlan([streamListener(front, port, protocol, [streamRoute(how)])], { backends });
}

describe('a balancer in front of a TCP listener', () => {
  it.each([
    ['version 1', one, '203.0.113.7', 1234],
    ['version 2', two, '203.0.113.8', 1234],
    ['no client', 'PROXY UNKNOWN\r\n', '127.0.0.1', expect.any(Number)],
  ])('names the client with %s, in any pieces', async (_, header, client, clientPort) => {
    await backdrop(7001, echo);
    await behind.endpoints({ app: [endpoint(backs, 7001)] });
    await behind.plan(planFor(7101));
    const caller = await dial(front, 7101);
    for (const byte of `${header}ping`) {
      caller.send(byte);
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(await caller.until('ping')).toBe('ping');
    caller.socket.end();
    await caller.closed();
    expect(await record()).toMatchObject({ client, clientPort, receivedBytes: 4, sentBytes: 4 });
  });

  it.each([
    ['no header', 'hello, this is no PROXY header'],
    ['a malformed one', 'PROXY TCP4 nonsense\r\n'],
    ['one over the bound', `${two.slice(0, 14)}\x01\x00${'x'.repeat(256)}`],
    ['half a header', 'PROXY TCP4 '],
    ['nothing', ''],
  ])('that sends %s is cut off', async (_, bytes) => {
    let reached = 0;
    await backdrop(7002, () => reached++);
    await behind.endpoints({ app: [endpoint(backs, 7002)] });
    await behind.plan(planFor(7102));
    const caller = await dial(front, 7102);
    caller.send(bytes);
    expect(await caller.closed(2_000)).toBe('');
    expect(await record()).toMatchObject({ flag: 'bad_proxy_header', client: '127.0.0.1', attempts: 0 });
    expect(reached).toBe(0);
  });

  it('that goes away before its header ends leaves a record and nothing else', async () => {
    await behind.plan(planFor(7103));
    const caller = await dial(front, 7103);
    caller.send('PROXY ');
    await new Promise((resolve) => setTimeout(resolve, 30));
    caller.socket.resetAndDestroy();
    expect(await record()).toMatchObject({ flag: 'client_reset' });
  });
});

describe.skipIf(!hasOpenssl())('a balancer in front of a TLS listener', () => {
  const certificate = selfSigned('web', 'web.test');

  async function dialTls(port: number, header: string) {
    const raw = connectTcp({ host: front, port });
    await once(raw, 'connect');
    raw.write(header, 'latin1');
    const socket = connectTls({ socket: raw, servername: 'web.test', rejectUnauthorized: false });
    cleanups.push(() => socket.destroy());
    await once(socket, 'secureConnect');
    return converse(socket);
  }

  it('is believed where TLS is passed through, terminated, and handed over to HTTPS', async () => {
    const server = createServer({ cert: certificate.chain, key: certificate.key }, (socket) => {
      socket.on('error', () => {});
      socket.end('through\n');
    });
    server.listen(7003, backs);
    await once(server, 'listening');
    cleanups.push(() => server.close());
    await backdrop(7004, (socket) => socket.end('terminated\n'));
    const web = await recordingBackend(backs, 7005);
    cleanups.push(web.close);
    await behind.endpoints({
      ...{ through: [endpoint(backs, 7003)], inside: [endpoint(backs, 7004)], web: [endpoint(backs, 7005)] },
    });
    const tls = { certificates: [{ serverName: '*', certificate: 'web' }] };
    const shares = (id: string) => [{ weight: 1, backend: id, source }];
    const at = (port: number, how: Partial<StreamRoute>) =>
      streamListener(front, port, 'TLS', [streamRoute({ ...how })]);
    const forwarded = route({ action: { type: 'forward', backends: [{ ...shares('web')[0]!, filters: [] }] } });
    await behind.plan(
      streamPlan(
        [
          at(7104, { tls: 'passthrough', backends: shares('through') }),
          at(7105, { tls: 'terminate', backends: shares('inside'), ...tls }),
          at(7106, { tls: 'handover', backends: [] }),
        ],
        {
          listeners: [listener(front, 7106, [host('*', [forwarded])], { protocol: 'HTTPS', tls })],
          certificates: { web: certificate },
          backends: { through: streamBackend('through'), inside: streamBackend('inside'), web: backend('web') },
        },
      ),
    );
    await (await dialTls(7104, two)).until('through\n');
    await (await dialTls(7105, one)).until('terminated\n');
    const asked = await dialTls(7106, two);
    asked.send('GET / HTTP/1.1\r\nHost: web.test\r\nConnection: close\r\n\r\n');
    await asked.until('\r\n\r\nok');
    expect(web.requests[0]?.lines).toContain('X-Forwarded-For: 203.0.113.8');
    for (const caller of cleanups.splice(-3)) await caller();
    await expect.poll(() => streams.length).toBe(2);
    expect(streams.map(({ client, route: id }) => [client, id])).toEqual([
      ['203.0.113.8', 'Test/test/rules/0'],
      ['203.0.113.7', 'Test/test/rules/0'],
    ]);
  });
});

describe('a backend that is told whose connection it is', () => {
  /** What came before the payload, as text. */
  async function told(port: number, how: Partial<Backend>, header = ''): Promise<Buffer> {
    const chunks: Buffer[] = [];
    await backdrop(port, (socket) => void socket.on('data', (chunk) => chunks.push(chunk)));
    const proxy = header === '' ? alone : behind;
    await proxy.endpoints({ app: [endpoint(backs, port)] });
    await proxy.plan(planFor(port + 100, {}, how));
    const caller = await dial(front, port + 100);
    caller.send(`${header}payload`);
    caller.socket.end();
    await caller.closed();
    return Buffer.concat(chunks);
  }

  it.each([
    ['v1', 7011],
    ['v2', 7012],
  ] as const)('reads a header of %s first, with the ends of the connection', async (proxyProtocol, port) => {
    const bytes = await told(port, { proxyProtocol });
    const header = parseProxyHeader(bytes, 1_024);
    expect(header).toMatchObject({
      ends: { client: { address: '127.0.0.1' }, local: { address: front, port: port + 100 } },
    });
    expect(bytes.subarray((header as { length: number }).length).toString()).toBe('payload');
    expect(await record()).toMatchObject({ receivedBytes: 7 });
  });

  it('reads what a balancer announced, so that it goes on along a chain', async () => {
    expect((await told(7013, { proxyProtocol: 'v1' }, two)).toString()).toBe(
      'PROXY TCP4 203.0.113.8 198.51.100.1 1234 80\r\npayload',
    );
  });

  it('is told even when it speaks first', async () => {
    await backdrop(7014, (socket) => socket.once('data', (chunk) => socket.end(chunk)));
    await alone.endpoints({ app: [endpoint(backs, 7014)] });
    await alone.plan(planFor(7114, {}, { proxyProtocol: 'v1' }));
    expect(await (await dial(front, 7114)).closed()).toMatch(/^PROXY TCP4 127\.0\.0\.1 127\.77\.11\.11 \d+ 7114\r\n$/);
  });

  it.skipIf(!hasOpenssl())('is told the server name and the protocol agreed on, before its own TLS', async () => {
    const certificate = selfSigned('web', 'web.test');
    let header = '';
    const secured = createServer({ cert: certificate.chain, key: certificate.key, ALPNProtocols: ['own'] }, (socket) =>
      socket.end(`${socket.alpnProtocol}\n`),
    );
    await backdrop(7015, (socket) => {
      socket.removeAllListeners('data');
      socket.once('data', (bytes: Buffer) => {
        socket.pause();
        const { length } = parseProxyHeader(bytes, 1_024) as { length: number };
        header = bytes.toString('latin1', 0, length);
        if (length < bytes.length) socket.unshift(bytes.subarray(length));
        secured.emit('connection', socket);
      });
    });
    const tls = { serverName: 'x', verify: false, ca: 'system', subjectAltNames: [], source } as const;
    const certificates = [{ serverName: '*', certificate: 'web' }];
    const plan = planFor(7115, { tls: 'terminate', alpn: ['own'], certificates }, { proxyProtocol: 'v2', tls });
    await alone.endpoints({ app: [endpoint(backs, 7015)] });
    await alone.plan({ ...plan, certificates: { web: certificate } });
    const caller = connectTls({
      ...{ host: front, port: 7115, servername: 'web.test', rejectUnauthorized: false, ALPNProtocols: ['own'] },
    });
    cleanups.push(() => caller.destroy());
    await converse(caller).until('own\n');
    expect(header.slice(28)).toBe('\x01\x00\x03own\x02\x00\x08web.test');
  });
});

/** Web servers that refuse what does not begin with a PROXY header, and answer with the client that it names. */
const judges = {
  nginx: (folder: string, port: number) => ({
    file: `daemon off;\nmaster_process off;\npid ${folder}/pid;\nevents {}\nhttp {
      access_log off;
      ${['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((one) => `${one}_temp_path ${folder}/${one};`).join('\n')}
      server {
        listen ${backs}:${port} proxy_protocol;
        location / { return 200 "$proxy_protocol_addr $proxy_protocol_port $proxy_protocol_server_addr $proxy_protocol_server_port\\n"; }
      }
    }`,
    args: ['-p', folder, '-c', join(folder, 'conf'), '-e', join(folder, 'error.log')],
  }),
  haproxy: (folder: string, port: number) => ({
    file: `defaults\n  mode http\n  timeout client 5s\n  timeout connect 1s\n  timeout server 5s
frontend f\n  bind ${backs}:${port} accept-proxy
  http-request return status 200 content-type text/plain lf-string "%[src] %[src_port] %[dst] %[dst_port]\\n"\n`,
    args: ['-db', '-q', '-f', join(folder, 'conf')],
  }),
} as const;

describe.each(Object.keys(judges) as (keyof typeof judges)[])('%s as a backend', (name) => {
  const absent = absence(name);
  if (absent) console.log(absent);
  it.skipIf(absent).each(['v1', 'v2'] as const)(
    'reads the client from %s, and refuses us without it',
    async (version) => {
      const port = 7020 + (name === 'nginx' ? 0 : 2) + (version === 'v1' ? 0 : 1);
      const folder = mkdtempSync(join(tmpdir(), 'fairway-judge-'));
      const { file, args } = judges[name](folder, port);
      writeFileSync(join(folder, 'conf'), file);
      const judge = spawn(name, args, { stdio: 'ignore' });
      cleanups.push(async () => {
        judge.kill('SIGKILL');
        await once(judge, 'exit');
        rmSync(folder, { recursive: true });
      });
      await expect
        .poll(async () => (await dial(backs, port).catch(() => undefined))?.socket.destroy() !== undefined, {
          timeout: 4_000,
        })
        .toBe(true);
      await behind.endpoints({ app: [endpoint(backs, port)] });
      const ask = async () => {
        const caller = await dial(front, port + 100);
        cleanups.push(() => caller.socket.destroy());
        caller.send(`${two}GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`);
        return caller.closed();
      };
      await behind.plan(planFor(port + 100, {}, { proxyProtocol: version }));
      expect(await ask()).toContain('203.0.113.8 1234 198.51.100.1 80\n');
      await behind.plan(planFor(port + 100));
      expect(await ask()).not.toContain('200 OK');
    },
  );
});

function absence(name: string): string | undefined {
  try {
    execFileSync(name, ['-v'], { stdio: 'ignore' });
    return undefined;
  } catch (error) {
    return `skipped: ${name} cannot be run (${(error as Error).message})`;
  }
}
