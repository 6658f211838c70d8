/** What ingress-nginx asks for of TLS to backends besides trust: names, no name, versions, ciphers, depth of chains. */
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createSecureServer } from 'node:http2';
import { createServer as createHttpsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer as createTlsServer, type Server, type TLSSocket, type TlsOptions } from 'node:tls';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { BackendTls, Certificate, Plan } from '../../routing/plan/plan.ts';
import type { StreamRecord } from '../stream/record.ts';
import { streamBackend, streamListener, streamPlan, streamRoute } from '../stream/testing.ts';
import { askFront } from '../testing/ask.ts';
import { type Authority, authority, hasOpenssl } from '../testing/certificates.ts';
import { createFront } from '../testing/front.ts';
import { hasNginx, startNginx } from '../testing/nginx.ts';
import { backend, endpoint, host, listener, planOf, route, source } from '../testing/plans.ts';
import { dial } from '../testing/sockets.ts';

const address = '127.87.5.1';
const behind = '127.87.5.2';
const port = 8080;
const able = hasOpenssl();
if (!able) console.log('skipped: the openssl command is missing');
const judged = able && hasNginx();

interface Came {
  readonly serverName: string | false;
  readonly version: string | null;
  readonly cipher: string;
}

const kinds = ['https', 'h2', 'tcp'] as const;
type Kind = (typeof kinds)[number];

/** What came of one try. */
interface Outcome {
  readonly works: boolean;
  readonly flag: string | undefined;
  readonly reason: string | undefined;
}

describe.skipIf(!able)('TLS to backends', () => {
  const streams: StreamRecord[] = [];
  const front = createFront({ upstream: { connectTimeoutMs: 500 }, onStream: (record) => streams.push(record) });
  const servers: Server[] = [];
  const came: Came[] = [];
  let ca: Authority;
  let served: Certificate;

  beforeAll(() => {
    ca = authority('backends');
    served = ca.issue('app', ['DNS:app.example', 'IP:10.1.2.3']);
  });
  beforeEach(() => {
    came.length = 0;
    streams.length = 0;
    front.records.length = 0;
    front.findings.length = 0;
  });
  afterAll(async () => {
    await front.close();
    for (const server of servers) server.close();
  });

  /** A backend of a kind that says ok. */
  async function serve(kind: Kind, options: TlsOptions = {}, { chain, key } = served): Promise<number> {
    const all = { cert: chain, key, ...options };
    const make: Record<Kind, () => Server> = {
      https: () => createHttpsServer(all, (_request, response) => response.end('ok')),
      h2: () => createSecureServer(all, (_request, response) => response.end('ok')),
      tcp: () => createTlsServer(all, (socket) => socket.on('error', () => {}).write('ok')),
    };
    const server = make[kind]();
    server.on('tlsClientError', () => {});
    server.on('secureConnection', (socket: TLSSocket & { servername: string | false }) => {
      came.push({ serverName: socket.servername, version: socket.getProtocol(), cipher: socket.getCipher().name });
    });
    server.listen(0, behind);
    await once(server, 'listening');
    servers.push(server);
    const at = (server.address() as AddressInfo).port;
    await front.endpoints({ app: [endpoint(behind, at)] });
    return at;
  }

  const trust = (more: Partial<BackendTls> = {}): BackendTls => ({
    ...{ serverName: 'app.example', verify: true, ca: ca.certificate, subjectAltNames: [], source },
    ...more,
  });

  function planFor(kind: Kind, tls: BackendTls): Plan {
    if (kind !== 'tcp')
      return planOf([listener(address, port, [host('*', [route()])])], [{ ...backend('app', kind), tls }]);
    const door = streamListener(address, port + 1, 'TCP', [streamRoute({})]);
    return streamPlan([door], { backends: { app: { ...streamBackend('app'), tls } }, certificates: {} });
  }

  async function attempt(kind: Kind, tls: BackendTls): Promise<Outcome> {
    await front.plan(planFor(kind, tls));
    return kind === 'tcp' ? attemptStream() : attemptRequest();
  }

  async function attemptRequest(): Promise<Outcome> {
    const before = front.records.length;
    const { status } = await askFront(address, port);
    const { flag, reason } = await front.record(before + 1);
    return { works: status === 200, flag, reason };
  }

  async function attemptStream(): Promise<Outcome> {
    const client = await dial(address, port + 1).catch(() => undefined);
    const text = await client?.until('ok').catch(() => '');
    client?.socket.destroy();
    await expect.poll(() => streams.length, { interval: 5 }).toBeGreaterThan(0);
    const { flag, reason } = streams.splice(0).at(-1)!;
    return { works: text === 'ok', flag, reason };
  }

  describe.each(kinds)('%s', (kind) => {
    it('names nobody where it has no server name, and a name to verify all the same', async () => {
      await serve(kind);
      expect(await attempt(kind, trust({ serverName: '', verifyName: 'app.example' }))).toMatchObject({ works: true });
      expect(came).toMatchObject([{ serverName: false }]);
    });

    it('without any name is trusted nobody', async () => {
      await serve(kind);
      const outcome = await attempt(kind, trust({ serverName: '' }));
      expect(outcome).toMatchObject({ works: false, flag: 'upstream_tls_failed' });
    });

    it('has its certificate held against the name to verify, and not the one that is sent', async () => {
      await serve(kind);
      const fits = trust({ serverName: 'outer.example', verifyName: 'app.example' });
      expect(await attempt(kind, fits)).toMatchObject({ works: true });
      expect(came).toMatchObject([{ serverName: 'outer.example' }]);
      expect(await attempt(kind, trust({ verifyName: '10.1.2.3' }))).toMatchObject({ works: true });
      const wrong = await attempt(kind, trust({ verifyName: 'other.example' }));
      expect(wrong).toMatchObject({ works: false, flag: 'upstream_tls_failed' });
      expect(wrong.reason).toMatch(/other\.example/);
    });

    it('speaks the versions that are asked for', async () => {
      await serve(kind);
      await attempt(kind, trust({ maxVersion: 'TLSv1.2' }));
      await attempt(kind, trust({ minVersion: 'TLSv1.3' }));
      expect(came).toMatchObject([{ version: 'TLSv1.2' }, { version: 'TLSv1.3' }]);
      await serve(kind, { maxVersion: 'TLSv1.2' });
      const outcome = await attempt(kind, trust({ minVersion: 'TLSv1.3' }));
      expect(outcome).toMatchObject({ works: false, flag: 'upstream_tls_failed' });
    });

    it('speaks the ciphers that are asked for; those of TLS 1.3 are as they were', async () => {
      await serve(kind);
      const ciphers = 'ECDHE-ECDSA-AES256-GCM-SHA384:!aNULL';
      await attempt(kind, trust({ maxVersion: 'TLSv1.2', ciphers }));
      await attempt(kind, trust({ ciphers }));
      expect(came).toMatchObject([
        { version: 'TLSv1.2', cipher: 'ECDHE-ECDSA-AES256-GCM-SHA384' },
        { version: 'TLSv1.3', cipher: 'TLS_AES_256_GCM_SHA384' },
      ]);
    });

    it('is not spoken to where the ciphers are none', async () => {
      await serve(kind);
      expect(await attempt(kind, trust({ ciphers: 'ROT13' }))).toMatchObject({ works: false });
      expect(front.findings).toEqual([expect.stringMatching(/^FW5206 .*no cipher match/)]);
      expect(came).toEqual([]);
    });

    it('is refused with more certificates between than may be, also where the session could be resumed', async () => {
      const between = ca.intermediate('one').intermediate('two');
      await serve(kind, {}, between.issue('deep', ['DNS:app.example']));
      expect(await attempt(kind, trust())).toMatchObject({ works: true });
      expect(await attempt(kind, trust({ depth: 2 }))).toMatchObject({ works: true });
      for (const depth of [1, 0, 1]) {
        const outcome = await attempt(kind, trust({ depth }));
        expect(outcome).toMatchObject({ works: false, flag: 'upstream_tls_failed' });
        expect(outcome.reason).toContain('2 certificates between');
      }
      // Nobody is asked who they are.
      expect(await attempt(kind, trust({ depth: 0, verify: false }))).toMatchObject({ works: true });
    });
  });

  it.skipIf(!judged)('counts the certificates between as nginx does', async () => {
    const depths = [0, 1, 2];
    const chains = [ca, ca.intermediate('a'), ca.intermediate('b').intermediate('c')];
    const ports: number[] = [];
    for (const [i, signer] of chains.entries())
      ports.push(await serve('https', {}, signer.issue(`of-${i}`, ['DNS:app.example'])));
    const folder = mkdtempSync(join(tmpdir(), 'fairway-depth-'));
    const file = join(folder, 'ca');
    writeFileSync(file, ca.certificate);
    // With reuse, nginx remembers what came of a check at another depth.
    const locations = ports.flatMap((at, i) =>
      depths.map(
        (depth) =>
          `location /${i}/${depth} { proxy_pass https://${behind}:${at}; proxy_ssl_verify on; proxy_ssl_session_reuse off; proxy_ssl_name app.example;
           proxy_ssl_trusted_certificate ${file}; proxy_ssl_verify_depth ${depth}; }`,
      ),
    );
    const nginx = await startNginx(`server { listen 127.87.5.3:8080; ${locations.join(' ')} }`, '127.87.5.3', 8080);
    try {
      for (const [i, at] of ports.entries()) {
        await front.endpoints({ app: [endpoint(behind, at)] });
        for (const depth of depths) {
          const { status } = await askFront('127.87.5.3', 8080, { path: `/${i}/${depth}` });
          const { works } = await attempt('https', trust({ depth }));
          expect([i, depth, works]).toEqual([i, depth, status === 200]);
          expect(works).toBe(i <= depth);
        }
      }
    } finally {
      await nginx.close();
      rmSync(folder, { recursive: true });
    }
  });
});
