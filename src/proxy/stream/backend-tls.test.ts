/** Streams to backends over TLS: who is trusted, what is offered, with openssl as the other side, on 127.77.11.0/24. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect as connectTls, createServer, type TLSSocket, type TlsOptions } from 'node:tls';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { BackendTls, Certificate, Plan, StreamListener, StreamRoute } from '../../routing/plan/plan.ts';
import { type Authority, authority, hasOpenssl, selfSigned } from '../testing/certificates.ts';
import { createFront } from '../testing/front.ts';
import { endpoint, source } from '../testing/plans.ts';
import { converse, dial, listenRaw } from '../testing/sockets.ts';
import type { StreamRecord } from './record.ts';
import { streamBackend, streamListener, streamPlan, streamRoute } from './testing.ts';

const front = '127.77.11.1';
const backs = '127.77.11.2';
const able = hasOpenssl();
if (!able) console.log('skipped: the openssl command is missing');

const streams: StreamRecord[] = [];
const proxy = createFront({ upstream: { connectTimeoutMs: 400 }, onStream: (record) => streams.push(record) });
const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const clean of cleanups.splice(0).reverse()) await clean();
  streams.length = 0;
});
afterAll(() => proxy.close());

async function record(port: number): Promise<StreamRecord | undefined> {
  const find = () => streams.find(({ listener }) => listener.startsWith(`${front}:${port}/`));
  await expect.poll(find, { timeout: 3_000 }).toBeDefined();
  return find();
}

describe.skipIf(!able)('a stream to a backend over TLS', () => {
  let ca: Authority;
  let stranger: Authority;
  let served: Certificate;
  beforeAll(() => {
    ca = authority('backends');
    stranger = authority('stranger');
    served = ca.issue('db', ['DNS:db.example']);
  });

  /** A TLS server that tells what it knows of its client, and then echoes. */
  async function serve(port: number, more: TlsOptions = {}): Promise<void> {
    const server = createServer({ cert: served.chain, key: served.key, ...more }, (socket: TLSSocket) => {
      socket.on('error', () => {});
      const { servername, alpnProtocol } = socket as TLSSocket & { servername: string };
      const client = socket.getPeerCertificate()?.subject?.CN ?? 'nobody';
      socket.write(`${servername} ${alpnProtocol} ${socket.isSessionReused()} ${client}\n`);
      socket.pipe(socket);
    });
    server.on('tlsClientError', () => {});
    server.listen(port, backs);
    await once(server, 'listening');
    cleanups.push(() => server.close());
    await proxy.endpoints({ app: [endpoint(backs, port)] });
  }

  const trust = (more: Partial<BackendTls> = {}): BackendTls => ({
    ...{ serverName: 'db.example', verify: true, ca: ca.certificate, subjectAltNames: [], source },
    ...more,
  });

  function planWith(port: number, tls: BackendTls, how: Partial<StreamRoute> = {}, more: Partial<StreamListener> = {}) {
    const listener = streamListener(front, port, how.tls && how.tls !== 'none' ? 'TLS' : 'TCP', [streamRoute(how)]);
    const backends = { app: { ...streamBackend('app'), tls } };
    return (certificates: readonly Certificate[] = []): Plan =>
      streamPlan([{ ...listener, ...more }], {
        backends,
        certificates: Object.fromEntries(certificates.map((one) => [one.id, one])),
      });
  }

  async function greeting(port: number): Promise<string> {
    const client = await dial(front, port);
    cleanups.push(() => client.socket.destroy());
    return client.until('\n').catch(() => '');
  }

  it('carries what a TCP client sends in plain text, half-closes included', async () => {
    await serve(6001, { ALPNProtocols: ['own'] });
    await proxy.plan(planWith(6100, trust())());
    const client = await dial(front, 6100);
    await client.until('db.example false false nobody\n');
    client.send('x'.repeat(300_000));
    client.socket.end();
    const text = await client.closed();
    expect(text).toHaveLength('db.example false false nobody\n'.length + 300_000);
    expect(await record(6100)).toMatchObject({ receivedBytes: 300_000, attempts: 1, backend: 'app' });
    expect(await record(6100)).not.toHaveProperty('flag');
    expect(await greeting(6100)).toBe('db.example false true nobody\n');
  });

  it.each([
    [6101, 'another authority', () => trust({ ca: stranger.certificate }), /unable to verify the first certificate/],
    [6107, 'another name', () => trust({ serverName: 'wrong.example' }), /wrong\.example\. is not in the cert/],
  ] as const)('at port %i with trust in %s is refused', async (port, _, tls, reason) => {
    await serve(6002);
    await proxy.plan(planWith(port, tls())());
    expect(await greeting(port)).toBe('');
    expect(await record(port)).toMatchObject({
      ...{ flag: 'upstream_tls_failed', reason: expect.stringMatching(reason), sentBytes: 0 },
    });
  });

  it('shows the client certificate of its listener', async () => {
    const door = ca.issue('door', ['DNS:door.example']);
    await serve(6003, { requestCert: true, rejectUnauthorized: true, ca: ca.certificate });
    await proxy.plan(planWith(6102, trust(), {}, { backendClientCertificate: 'door' })([door]));
    expect(await greeting(6102)).toBe('db.example false false door\n');
  });

  it('goes to the next endpoint when one speaks no TLS, and gives up in time on one that is silent', async () => {
    const plain = await listenRaw(backs, 6014, (socket) => socket.on('data', () => socket.write('no TLS here\n')));
    const mute = await listenRaw(backs, 6015, () => {});
    cleanups.push(plain.close, mute.close);
    await serve(6004);
    await proxy.endpoints({ app: [endpoint(backs, 6014), endpoint(backs, 6004)] });
    await proxy.plan(planWith(6103, trust())());
    for (let i = 0; i < 2; i++) expect(await greeting(6103)).toMatch(/^db.example/);
    await proxy.endpoints({ app: [endpoint(backs, 6015)] });
    expect(await greeting(6103)).toBe('');
    await expect.poll(() => streams.at(-1)?.flag).toBe('upstream_connect_timeout');
    expect(mute.sockets.size).toBe(0);
  });

  it('is offered what was agreed with the client, where TLS is terminated', async () => {
    const certificate = selfSigned('front', 'db.test');
    const how = {
      ...({ tls: 'terminate', alpn: ['two', 'one'] } as const),
      certificates: [{ serverName: '*', certificate: 'front' }],
    };
    await serve(6005, { ALPNProtocols: ['one', 'two'] });
    await proxy.plan(planWith(6104, trust(), how)([certificate]));
    const client = connectTls({ host: front, port: 6104, ALPNProtocols: ['one'], rejectUnauthorized: false });
    cleanups.push(() => client.destroy());
    await once(client, 'secureConnect');
    expect(client.alpnProtocol).toBe('one');
    await converse(client).until('db.example one false nobody\n');
  });

  it('is sent what is passed through as it came, whatever the policy', async () => {
    await serve(6006);
    await proxy.plan(planWith(6105, trust({ ca: stranger.certificate }), { tls: 'passthrough' })());
    const client = connectTls({ host: front, port: 6105, servername: 'db.example', ca: ca.certificate });
    cleanups.push(() => client.destroy());
    await once(client, 'secureConnect');
    expect(client.authorized).toBe(true);
    await converse(client).until('db.example false false nobody\n');
  });

  it('follows its endpoints where it is passed through', async () => {
    await serve(6016);
    await proxy.endpoints({ app: [] });
    const plan = planWith(6108, trust(), { tls: 'passthrough' })();
    await proxy.plan(plan);
    await proxy.endpoints({ app: [endpoint(backs, 6016)] });
    await proxy.plan(plan);
    const client = connectTls({ host: front, port: 6108, servername: 'db.example', ca: ca.certificate });
    cleanups.push(() => client.destroy());
    await once(client, 'secureConnect');
    await converse(client).until('db.example false false nobody\n');
  });

  it('agrees with openssl about authorities, names and versions', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'fairway-stream-tls-'));
    const file = (name: string, text: string) => {
      writeFileSync(join(folder, name), text);
      return join(folder, name);
    };
    const [cert, key] = [file('cert', served.chain), file('key', served.key)];
    let peer: ChildProcess | undefined;
    cleanups.push(() => peer?.kill());
    try {
      for (const [at, version, tls, expected] of [
        [6007, '-tls1_3', trust(), 'answer'],
        [6008, '-tls1_2', trust(), 'answer'],
        [6009, '-tls1_1', trust(), ''],
        [6010, '-tls1_3', trust({ ca: stranger.certificate }), ''],
        [6011, '-tls1_3', trust({ serverName: 'wrong.example' }), ''],
      ] as const) {
        const args = ['s_server', '-accept', `${backs}:${at}`, '-cert', cert, '-key', key, version, '-quiet', '-rev'];
        peer = spawn('openssl', args, { stdio: 'ignore' });
        await listening(at);
        await proxy.endpoints({ app: [endpoint(backs, at)] });
        await proxy.plan(planWith(6106, tls)());
        const client = await dial(front, 6106);
        client.send('rewsna\n');
        const answer = await client.until('answer').catch(() => '');
        expect(answer.trim(), `port ${at}: ${streams.at(-1)?.reason}`).toBe(expected);
        client.socket.destroy();
        peer.kill();
      }
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

describe.skipIf(!able)('ALPN on TLS that is terminated', () => {
  it.each([
    ['is left unanswered unless the listener names protocols', undefined, 'h2,http/1.1', /No ALPN negotiated/],
    [
      'agrees on the listener’s first that the client offers',
      ['postgresql', 'h2'],
      'h2,postgresql',
      /ALPN protocol: postgresql/,
    ],
    ['is no condition for clients that offer nothing', ['postgresql'], undefined, /No ALPN negotiated/],
    ['fails without one in common', ['postgresql'], 'h2', /alert no application protocol/],
  ])('%s', async (_, alpn, offered, expected) => {
    const backend = await listenRaw(backs, 6020, (socket) => socket.write('plain\n'));
    cleanups.push(backend.close);
    const route = streamRoute({
      ...({ tls: 'terminate', certificates: [{ serverName: '*', certificate: 'one' }] } as const),
      ...(alpn && { alpn }),
    });
    await proxy.endpoints({ app: [endpoint(backs, 6020)] });
    const certificates = { one: selfSigned('one', 'a.example') };
    await proxy.plan(streamPlan([streamListener(front, 6120, 'TLS', [route])], { certificates }));
    const args = ['s_client', '-connect', `${front}:6120`, '-servername', 'a.example'];
    const client = spawn('openssl', [...args, ...(offered ? ['-alpn', offered] : [])], {
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    cleanups.push(() => client.kill());
    let said = '';
    for (const stream of [client.stdout, client.stderr])
      stream.on('data', (chunk: Buffer) => {
        said += chunk.toString();
      });
    await expect.poll(() => said, { timeout: 3_000 }).toMatch(expected);
  });
});

async function listening(port: number): Promise<void> {
  for (let i = 0; i < 200; i++) {
    const open = await dial(backs, port).catch(() => undefined);
    if (open) {
      open.socket.destroy();
      return;
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error(`nothing listens on port ${port}`);
}
