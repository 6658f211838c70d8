/** TLS to backends: who is trusted, what is shown, what is kept, over sockets and with openssl as the other side. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer as createHttpsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Server, TLSSocket, TlsOptions } from 'node:tls';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { BackendTls, Certificate, Plan } from '../../routing/plan/plan.ts';
import { type Authority, authority, hasOpenssl } from '../testing/certificates.ts';
import { createFront } from '../testing/front.ts';
import { backend, endpoint, host, listener, planOf, route, source } from '../testing/plans.ts';
import { dial, shout } from '../testing/sockets.ts';

const address = '127.83.3.1';
const port = 8080;
const able = hasOpenssl();
if (!able) console.log('skipped: the openssl command is missing');

describe.skipIf(!able)('TLS to backends', () => {
  const front = createFront({ upstream: { connectTimeoutMs: 500 } });
  const servers: Server[] = [];
  let ca: Authority;
  let stranger: Authority;
  let served: Certificate;

  beforeAll(() => {
    ca = authority('backends');
    stranger = authority('stranger');
    served = ca.issue('app', ['DNS:app.example', 'URI:spiffe://shop/app', 'DNS:other.example']);
  });
  beforeEach(() => {
    front.records.length = 0;
  });
  afterAll(async () => {
    await front.close();
    for (const server of servers) server.close();
  });

  /** An HTTPS backend; what it saw of its connections. */
  async function serve(options: TlsOptions = {}, body = 'ok') {
    const seen: TLSSocket[] & { reused: boolean[] } = Object.assign([], { reused: [] });
    const server = createHttpsServer(
      { cert: served.chain, key: served.key, ALPNProtocols: ['h2', 'http/1.1'], ...options },
      (_request, response) => response.end(body),
    );
    server.on('secureConnection', (socket: TLSSocket) => {
      seen.push(socket);
      seen.reused.push(socket.isSessionReused());
    });
    server.listen(0, '127.83.3.2');
    await new Promise((resolve) => server.once('listening', resolve));
    servers.push(server);
    await front.endpoints({ app: [endpoint('127.83.3.2', (server.address() as AddressInfo).port)] });
    return seen;
  }

  const trust = (more: Partial<BackendTls> = {}): BackendTls => ({
    serverName: 'app.example',
    verify: true,
    ca: ca.certificate,
    subjectAltNames: [],
    source,
    ...more,
  });

  function planWith(tls: BackendTls, shown?: Certificate): Plan {
    const more = shown ? { backendClientCertificate: shown.id } : {};
    const door = listener(address, port, [host('*', [route()])], more);
    return planOf([door], [{ ...backend('app', 'https'), tls }], shown ? [shown] : []);
  }

  const ask = (path = '/') =>
    shout(address, port, `GET ${path} HTTP/1.1\r\nHost: www.example\r\nConnection: close\r\n\r\n`);
  const status = async () => Number((await ask()).slice(9, 12));

  it('sends the server name, offers HTTP/1.1 alone and speaks TLS 1.3', async () => {
    const seen = await serve();
    await front.plan(planWith(trust()));
    expect(await ask()).toMatch(/^HTTP\/1\.1 200 OK\r\n.*ok$/s);
    const [socket] = seen;
    expect(socket).toMatchObject({ servername: 'app.example', alpnProtocol: 'http/1.1' });
    expect(socket?.getProtocol()).toBe('TLSv1.3');
  });

  it.each<[string, number, () => Partial<BackendTls>, RegExp?]>([
    ['another authority', 502, () => ({ ca: stranger.certificate }), /unable to verify the first certificate/],
    ['the authorities of the machine', 502, () => ({ ca: 'system' }), /unable to (get|verify)/],
    ['another name', 502, () => ({ serverName: 'wrong.example' }), /wrong\.example\. is not in the cert/],
    ['no one in particular', 200, () => ({ verify: false, ca: 'system', serverName: 'wrong.example' })],
    ['one of two URIs', 200, () => ({ subjectAltNames: [uri('spiffe://shop/x'), uri('spiffe://shop/app')] })],
    [
      'a DNS name beside the server name',
      200,
      () => ({ serverName: 'x.example', subjectAltNames: [dns('OTHER.example')] }),
    ],
    ['a wildcard', 200, () => ({ subjectAltNames: [dns('*.example')] })],
    ['names of others', 502, () => ({ subjectAltNames: [dns('shop'), uri('spiffe://shop/ap')] }), /none of the names/],
  ])('with trust in %s answers %i', async (_, expected, more, reason) => {
    await serve();
    await front.plan(planWith(trust(more())));
    expect(await status()).toBe(expected);
    const record = await front.record(1);
    if (!reason) expect(record.flag).toBeUndefined();
    else expect(record).toMatchObject({ flag: 'upstream_tls_failed', reason: expect.stringMatching(reason) });
  });

  const dns = (value: string) => ({ type: 'dns', value }) as const;
  const uri = (value: string) => ({ type: 'uri', value }) as const;

  it.each([['TLSv1.2'], ['TLSv1.3']] as const)(
    'shows the client certificate of the listener over %s',
    async (version) => {
      const seen = await serve({
        requestCert: true,
        rejectUnauthorized: true,
        ca: ca.certificate,
        minVersion: version,
        maxVersion: version,
      });
      await front.plan(planWith(trust()));
      expect(await status()).toBe(502);
      expect(await front.record(1)).toMatchObject({
        flag: 'upstream_tls_failed',
        reason: expect.stringMatching(/alert/),
      });
      await front.plan(planWith(trust(), ca.issue('door', ['DNS:door.example'])));
      expect(await status()).toBe(200);
      expect(seen.at(-1)?.getPeerCertificate().subject.CN).toBe('door');
    },
  );

  it('shows a client certificate of the backend’s own in place of that of the listener', async () => {
    const seen = await serve({ requestCert: true, rejectUnauthorized: true, ca: ca.certificate });
    const door = ca.issue('door', ['DNS:door.example']);
    for (const name of ['own', 'other']) {
      const clientCertificate = ca.issue(name, [`DNS:${name}.example`]);
      await front.plan(planWith(trust({ clientCertificate }), door));
      expect(await status()).toBe(200);
      expect(seen.at(-1)?.getPeerCertificate().subject.CN).toBe(name);
    }
    await front.plan(planWith(trust(), door));
    expect(await status()).toBe(200);
    expect(seen.at(-1)?.getPeerCertificate().subject.CN).toBe('door');
  });

  it('resumes its session, and not under another identity', async () => {
    const seen = await serve();
    await front.plan(planWith(trust()));
    for (let i = 0; i < 2; i++) {
      expect(await status()).toBe(200);
      seen.at(-1)?.destroy();
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    expect(seen.reused).toEqual([false, true]);
    await front.plan(planWith(trust({ subjectAltNames: [dns('app.example')] })));
    expect(await status()).toBe(200);
    expect(seen.reused).toEqual([false, true, false]);
  });

  it('keeps connections for later, over plans that change nothing about trust, and closes them when it changes', async () => {
    const seen = await serve();
    await front.plan(planWith(trust()));
    await status();
    await front.plan(planWith(trust()));
    await status();
    expect(seen).toHaveLength(1);
    const closed = new Promise((resolve) => seen[0]?.once('close', resolve));
    await front.plan(planWith(trust({ ca: stranger.certificate })));
    await closed;
    expect(await status()).toBe(502);
  });

  it('moves large bodies both ways, with a client that reads slowly', async () => {
    const big = 'x'.repeat(8 * 1024 * 1024);
    await serve({}, big);
    await front.plan(planWith(trust()));
    const client = await dial(address, port);
    client.send('GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
    client.socket.pause();
    await new Promise((resolve) => setTimeout(resolve, 200));
    client.socket.resume();
    const text = await client.closed(10_000);
    expect(text.length - text.indexOf('\r\n\r\n') - 4).toBe(big.length);
    client.socket.destroy();
  });

  it('gives up on a backend that does not finish its handshake, and on one that speaks no TLS', async () => {
    const { listenRaw } = await import('../testing/sockets.ts');
    const mute = await listenRaw('127.83.3.3', 8443, () => {});
    const plain = await listenRaw('127.83.3.3', 8444, (socket) =>
      socket.on('data', () => socket.write('HTTP/1.1 400 Bad\r\n\r\n')),
    );
    await front.plan(planWith(trust()));
    await front.endpoints({ app: [endpoint('127.83.3.3', 8443)] });
    expect(await status()).toBe(504);
    await front.endpoints({ app: [endpoint('127.83.3.3', 8444)] });
    expect(await status()).toBe(502);
    expect(await front.record(2)).toMatchObject({
      flag: 'upstream_tls_failed',
      reason: expect.stringMatching(/wrong version number/),
    });
    await mute.close();
    await plain.close();
  });

  it('costs only its own requests when the identity cannot be made', async () => {
    await serve();
    await front.plan(planWith(trust({ ca: '-----BEGIN CERTIFICATE-----\nnonsense\n-----END CERTIFICATE-----\n' })));
    expect(await status()).toBe(502);
    expect(front.findings.at(-1)).toMatch(/^FW5206 backend app: /);
  });

  it('agrees with openssl about versions and certificates', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'fairway-tls-'));
    const [cert, key, ours] = ['cert', 'key', 'ca'].map((name) => join(folder, name)) as [string, string, string];
    writeFileSync(cert, served.chain);
    writeFileSync(key, served.key);
    writeFileSync(ours, ca.certificate);
    let peer: ChildProcess | undefined;
    try {
      for (const [at, version, expected] of [
        [9001, '-tls1_3', 200],
        [9002, '-tls1_2', 200],
        [9003, '-tls1_1', 502],
      ] as const) {
        const args = ['s_server', '-accept', `127.83.3.4:${at}`, '-cert', cert, '-key', key, version, '-www', '-quiet'];
        peer = spawn('openssl', [...args, '-verify', '1', '-CAfile', ours], { stdio: 'ignore' });
        await listening('127.83.3.4', at);
        await front.endpoints({ app: [endpoint('127.83.3.4', at)] });
        await front.plan(planWith(trust(), ca.issue('door', ['DNS:door.example'])));
        const text = await ask();
        expect(text.slice(9, 12), version).toBe(String(expected));
        if (expected === 200) expect(text).toMatch(/Subject: CN ?= ?door/);
        peer.kill();
      }
    } finally {
      peer?.kill();
      rmSync(folder, { recursive: true });
    }
  });
});

async function listening(at: string, on: number): Promise<void> {
  for (let i = 0; i < 200; i++) {
    const open = await dial(at, on).catch(() => undefined);
    if (open) {
      open.socket.destroy();
      return;
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error(`nothing listens at ${at}:${on}`);
}
