/** Clients' certificates, resumed sessions and misdirected requests, with openssl and node:tls as clients. */
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Certificate, ListenerTls } from '../../routing/plan/plan.ts';
import { OK, type RecordingBackend, recordingBackend } from '../testing/backend.ts';
import { type Authority, authority, hasOpenssl } from '../testing/certificates.ts';
import { createFront } from '../testing/front.ts';
import { endpoint, host, listener, planOf, route } from '../testing/plans.ts';
import { converse } from '../testing/sockets.ts';

const address = '127.83.3.10';
const port = 8443;
const able = hasOpenssl();
if (!able) console.log('skipped: the openssl command is missing');

describe.skipIf(!able)('clients over TLS', () => {
  const front = createFront();
  const folder = mkdtempSync(join(tmpdir(), 'fairway-clients-'));
  let app: RecordingBackend;
  let ca: Authority;
  let stranger: Authority;
  let known: Certificate;
  let unknown: Certificate;
  let web: Certificate;
  let shop: Certificate;

  beforeAll(async () => {
    ca = authority('clients');
    stranger = authority('stranger');
    known = ca.issue('known', ['DNS:known.example']);
    unknown = stranger.issue('unknown', ['DNS:unknown.example']);
    web = ca.issue('web', ['DNS:web.example']);
    shop = ca.issue('shop', ['DNS:shop.example']);
    app = await recordingBackend(address, 8081, OK);
    await front.endpoints({ app: [endpoint(address, 8081)] });
    for (const { id, chain, key } of [known, unknown]) {
      writeFileSync(join(folder, `${id}.crt`), chain);
      writeFileSync(join(folder, `${id}.key`), key);
    }
  });
  beforeEach(() => {
    front.records.length = 0;
  });
  afterAll(async () => {
    await front.close();
    await app.close();
    rmSync(folder, { recursive: true });
  });

  /** A plan with these server names and their certificates on each of the ports. */
  async function serve(served: Record<string, Certificate>, more: Partial<ListenerTls> = {}, ports = [port]) {
    const certificates = Object.entries(served).map(([serverName, { id }]) => ({ serverName, certificate: id }));
    const doors = ports.map((at) =>
      listener(address, at, [host('*', [route()])], { protocol: 'HTTPS', tls: { certificates, ...more } }),
    );
    await front.plan(planOf(doors, undefined, [...new Set(Object.values(served))]));
  }

  interface Visit {
    readonly status: number;
    readonly resumed: boolean;
    readonly session: Buffer | undefined;
    readonly protocol: string | null;
  }

  /** One request on a connection of its own; rejects when the handshake or the connection fails. */
  function visit(options: ConnectionOptions & { hostHeader?: string } = {}): Promise<Visit> {
    return new Promise((resolve, reject) => {
      let session: Buffer | undefined;
      const socket: TLSSocket = connect(
        { host: address, port, servername: 'web.example', rejectUnauthorized: false, ...options },
        () => socket.write(`GET / HTTP/1.1\r\nHost: ${options.hostHeader ?? 'web.example'}\r\n\r\n`),
      );
      socket.on('session', (given: Buffer) => {
        session = given;
      });
      socket.on('error', reject);
      socket.on('close', () => reject(new Error('closed')));
      converse(socket)
        .until('\r\n\r\n')
        .then((text) => {
          const seen = { resumed: socket.isSessionReused(), protocol: socket.getProtocol() };
          resolve({ status: Number(text.slice(9, 12)), session, ...seen });
          socket.destroy();
        }, reject);
    });
  }
  const outcome = (options: Parameters<typeof visit>[0] = {}) =>
    visit(options).then(
      ({ status, resumed }) => (resumed ? `${status} resumed` : String(status)),
      () => 'refused',
    );
  const showing = ({ chain: cert, key }: Certificate) => ({ cert, key });

  describe.each(['TLSv1.2', 'TLSv1.3'] as const)('over %s', (version) => {
    const only = { minVersion: version, maxVersion: version };

    it('need a certificate of the authority where it is required', async () => {
      await serve({ 'web.example': web }, { clientValidation: { ca: ca.certificate, mode: 'require' } });
      expect(await outcome({ ...only, ...showing(known) })).toBe('200');
      expect(await outcome({ ...only, ...showing(unknown) })).toBe('refused');
      expect(await outcome(only)).toBe('refused');
    });

    it('are let in with any or none where the fallback allows it', async () => {
      await serve({ 'web.example': web }, { clientValidation: { ca: ca.certificate, mode: 'allow-insecure' } });
      expect(await outcome({ ...only, ...showing(known) })).toBe('200');
      expect(await outcome({ ...only, ...showing(unknown) })).toBe('200');
      expect(await outcome(only)).toBe('200');
    });

    it('resume what they began, at every door that serves the same', async () => {
      await serve({ 'web.example': web }, {}, [port, 8444]);
      const { session, resumed } = await visit(only);
      expect(resumed).toBe(false);
      expect(await outcome({ ...only, session })).toBe('200 resumed');
      expect(await outcome({ ...only, session, port: 8444 })).toBe('200 resumed');
      // A plan that changes nothing about TLS.
      await serve({ 'web.example': web }, {}, [port, 8444]);
      expect(await outcome({ ...only, session })).toBe('200 resumed');
    });

    it('resume nothing of a certificate that is gone or was renewed', async () => {
      await serve({ 'web.example': web, 'shop.example': shop });
      const { session } = await visit(only);
      await serve({ 'shop.example': shop });
      expect(await outcome({ ...only, session })).toBe('refused');
      await serve({ 'web.example': { ...ca.issue('web', ['DNS:web.example']) }, 'shop.example': shop });
      expect(await outcome({ ...only, session })).toBe('200');
    });

    it('do not get past validation with a session from before it, and are validated on an open door', async () => {
      await serve({ 'web.example': web });
      const { session } = await visit(only);
      await serve({ 'web.example': web }, { clientValidation: { ca: ca.certificate, mode: 'require' } });
      expect(await outcome({ ...only, session })).toBe('refused');
      const own = await visit({ ...only, ...showing(known) });
      expect(await outcome({ ...only, ...showing(known), session: own.session })).toBe('200 resumed');
      await serve({ 'web.example': web }, { clientValidation: { ca: stranger.certificate, mode: 'require' } });
      expect(await outcome({ ...only, ...showing(known), session: own.session })).toBe('refused');
      expect(await outcome({ ...only, ...showing(unknown) })).toBe('200');
      await serve({ 'web.example': web });
      expect(await outcome(only)).toBe('200');
    });

    it('resume in another process that was given the secret, and not in one that was not', async () => {
      const { createTickets } = await import('./tickets.ts');
      const ticketSecret = createTickets(60_000).secret();
      const tls = { ticketRotationMs: 60_000 };
      const fronts = [createFront({ tls, ticketSecret }), createFront({ tls, ticketSecret }), createFront({ tls })];
      const certificates = [{ serverName: 'web.example', certificate: web.id }];
      for (const [i, one] of fronts.entries()) {
        await one.endpoints({ app: [endpoint(address, 8081)] });
        const tlsOfDoor = { protocol: 'HTTPS', tls: { certificates } } as const;
        await one.plan(planOf([listener(address, 8450 + i, [host('*', [route()])], tlsOfDoor)], undefined, [web]));
      }
      const { session } = await visit({ ...only, port: 8450 });
      expect(await outcome({ ...only, port: 8451, session })).toBe('200 resumed');
      expect(await outcome({ ...only, port: 8452, session })).toBe('200');
      for (const one of fronts) await one.close();
    });
  });

  it('are asked for certificates of the authority, as openssl sees it', async () => {
    await serve({ 'web.example': web }, { clientValidation: { ca: ca.certificate, mode: 'require' } });
    const run = (...args: string[]) =>
      new Promise<string>((resolve) => {
        const all = ['s_client', '-connect', `${address}:${port}`, '-servername', 'web.example', ...args];
        const child = execFile('openssl', all, { timeout: 5_000 }, (_, out, errors) => resolve(out + errors));
        child.stdin?.end();
      });
    expect(await run()).toMatch(/Acceptable client certificate CA names\n.*CN ?= ?clients/);
    const own = ['-cert', join(folder, 'known.crt'), '-key', join(folder, 'known.key')];
    expect(await run('-tls1_2', ...own)).toMatch(/New, TLSv1\.2/);
    for (const old of ['-tls1', '-tls1_1'])
      expect(await run(old, '-cipher', 'DEFAULT@SECLEVEL=0', ...own)).not.toMatch(/New, TLS/);
  });

  describe('whose host is another than the server name', () => {
    // The cases of the conformance suite (HTTPRouteHTTPSListenerDetectMisdirectedRequests).
    const authorities = ['fourth-example.wildcard.org', 'second-example.org', '*.wildcard.org', '*'];

    it.each([
      ['example.org', 'example.org', 200],
      ['example.org', 'second-example.org', 421],
      ['example.org', 'SECOND-example.org:8443', 421],
      ['second-example.org', 'second-example.org', 200],
      ['second-example.org', 'example.org', 421],
      ['third-example.wildcard.org', 'fith-example.wildcard.org', 200],
      ['third-example.wildcard.org', 'fourth-example.wildcard.org', 421],
      ['third-example.wildcard.org', 'second-example.org', 421],
      ['third-example.wildcard.org', 'unknown-example.org', 421],
      ['fourth-example.wildcard.org', 'fith-example.wildcard.org', 421],
      ['unknown-example.org', 'example.org', 200],
      ['', 'example.org', 200],
      ['', 'second-example.org', 421],
    ])('%s and then %s: %i', async (servername, hostHeader, expected) => {
      await serve({ '*': web }, { authorities });
      expect((await visit({ servername, hostHeader })).status).toBe(expected);
      const record = await front.record(1);
      expect(record.flag).toBe(expected === 421 ? 'misdirected' : undefined);
    });

    it('get an answer to their next request on the same connection', async () => {
      await serve({ '*': web }, { authorities: ['a.example', 'b.example'] });
      const socket = connect({ host: address, port, servername: 'a.example', rejectUnauthorized: false });
      const client = converse(socket);
      const get = (name: string) => client.send(`GET / HTTP/1.1\r\nHost: ${name}\r\n\r\n`);
      get('b.example');
      await client.until('421 Misdirected Request');
      get('a.example');
      await client.until('\r\n\r\nok');
      socket.destroy();
    });
  });
});
