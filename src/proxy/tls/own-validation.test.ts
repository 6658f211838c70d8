/** Names that ask clients for certificates of their own, beside names that do not, on one socket. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect as connectHttp2 } from 'node:http2';
import { connect as connectTcp, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type {
  Certificate,
  ClientCertificateFilter,
  ClientValidation,
  ListenerTls,
  VirtualHost,
} from '../../routing/plan/plan.ts';
import { OK, type RecordingBackend, recordingBackend } from '../testing/backend.ts';
import { type Authority, authority, hasOpenssl } from '../testing/certificates.ts';
import { createFront } from '../testing/front.ts';
import { endpoint, host, listener, planOf, route } from '../testing/plans.ts';
import { converse } from '../testing/sockets.ts';

const address = '127.83.3.40';
const port = 8443;
const able = hasOpenssl();
if (!able) console.log('skipped: the openssl command is missing');

describe.skipIf(!able)('client certificates by name', () => {
  const front = createFront();
  let app: RecordingBackend;
  let ca: Authority;
  let other: Authority;
  let web: Certificate;
  let mine: Certificate;
  let theirs: Certificate;
  const validations: Record<string, ClientValidation> = {};

  beforeAll(async () => {
    [ca, other] = [authority('partners'), authority('others')];
    web = ca.issue('web', ['DNS:*.example']);
    mine = ca.issue('acme', ['DNS:acme.example']);
    theirs = other.issue('stranger', ['DNS:stranger.example']);
    app = await recordingBackend(address, 8081, OK);
    await front.endpoints({ app: [endpoint(address, 8081)] });
    validations['one'] = { ca: ca.certificate, mode: 'ask', id: 'one' };
    validations['two'] = { ca: other.certificate, mode: 'ask', id: 'two' };
  });
  afterAll(async () => {
    await front.close();
    await app.close();
  });

  interface Asking extends Partial<ClientCertificateFilter> {
    readonly depth?: number;
    readonly crl?: string;
  }

  /** `free.example` asks for nothing, `one.example` and `two.example` for certificates of one authority each. */
  async function serve(asking: Asking = {}, tls: Partial<ListenerTls> = {}) {
    const { depth, crl, ...filter } = asking;
    const more = { ...(depth !== undefined && { depth }), ...(crl !== undefined && { crl }) };
    const hosts: VirtualHost[] = ['one', 'two'].map((name) =>
      host(`${name}.example`, [
        route({
          id: name,
          filters: [{ type: 'client-certificate', mode: 'required', validation: name, ...filter }],
          gates: 'as-listed',
        }),
      ]),
    );
    const certificates: ListenerTls['certificates'] = [
      { serverName: 'free.example', certificate: web.id },
      ...['one', 'two'].map((name) => ({
        ...{ serverName: `${name}.example`, certificate: web.id },
        clientValidation: { ...validations[name]!, ...more },
      })),
    ];
    const door = listener(address, port, [...hosts, host('free.example', [route({ id: 'free' })])], {
      ...{ protocol: 'HTTPS', tls: { certificates, ...tls } },
    });
    const plain = listener(address, 8080, hosts);
    await front.plan(planOf([door, plain], undefined, [web]));
  }

  interface Visit extends ConnectionOptions {
    readonly hostHeader?: string;
  }

  /** What comes back over a connection of its own, and its session. */
  function visit({ hostHeader, ...options }: Visit): Promise<{ text: string; session: Buffer | undefined }> {
    return new Promise((resolve, reject) => {
      let session: Buffer | undefined;
      const socket: TLSSocket = connect({ host: address, port, rejectUnauthorized: false, ...options }, () =>
        socket.write(`GET / HTTP/1.1\r\nHost: ${hostHeader ?? options.servername}\r\n\r\n`),
      );
      socket.on('session', (given: Buffer) => {
        session = given;
      });
      socket.on('error', reject);
      socket.on('close', () => reject(new Error('closed')));
      converse(socket)
        .until('\r\n\r\n')
        .then((text) => {
          resolve({ text, session });
          socket.destroy();
        }, reject);
    });
  }
  const statusOf = (options: Visit) =>
    visit(options).then(
      ({ text }) => Number(text.slice(9, 12)),
      () => 'refused' as const,
    );
  const showing = ({ chain: cert, key }: Certificate) => ({ cert, key });

  describe.each(['TLSv1.2', 'TLSv1.3'] as const)('over %s', (version) => {
    const only = { minVersion: version, maxVersion: version };
    const one = { ...only, servername: 'one.example' };

    it('are required, and those of the name only', async () => {
      await serve();
      expect(await statusOf({ ...one, ...showing(mine) })).toBe(200);
      expect(await statusOf(one)).toBe(400);
      expect(await statusOf({ ...one, ...showing(theirs) })).toBe(400);
      expect(await statusOf({ ...only, servername: 'two.example', ...showing(theirs) })).toBe(200);
      expect(await statusOf({ ...only, servername: 'free.example' })).toBe(200);
    });

    it('count for the name that the connection was made for only', async () => {
      await serve();
      const free = { ...only, ...showing(mine), servername: 'free.example', hostHeader: 'one.example' };
      expect(await statusOf(free)).toBe(421);
      const two = { ...only, ...showing(theirs), servername: 'two.example', hostHeader: 'one.example' };
      expect(await statusOf(two)).toBe(421);
      expect(await statusOf({ ...one, ...showing(mine), hostHeader: 'free.example' })).toBe(200);
    });

    it('are not brought along by a session of another name', async () => {
      await serve();
      for (const servername of ['free.example', 'two.example']) {
        const { session } = await visit({ ...only, ...showing(theirs), servername, hostHeader: servername });
        expect(await statusOf({ ...one, ...(session && { session }) })).toBe(400);
        expect(await statusOf({ ...one, ...showing(theirs), ...(session && { session }) })).toBe(400);
      }
      const own = await visit({ ...one, ...showing(mine) });
      expect(await statusOf({ ...one, ...(own.session && { session: own.session }) })).toBe(400);
    });

    it('are optional, or whatever they are', async () => {
      await serve({ mode: 'optional' });
      expect(await statusOf(one)).toBe(200);
      expect(await statusOf({ ...one, ...showing(theirs) })).toBe(400);
      await serve({ mode: 'any' });
      expect(await statusOf(one)).toBe(200);
      expect(await statusOf({ ...one, ...showing(theirs) })).toBe(200);
    });
  });

  const one = { servername: 'one.example' };

  it('are held against a pattern of the subject', async () => {
    await serve({ subject: 'CN=acme' });
    expect(await statusOf({ ...one, ...showing(mine) })).toBe(200);
    await serve({ subject: '^CN=somebody$' });
    expect(await statusOf({ ...one, ...showing(mine) })).toBe(403);
  });

  it('lead to a page where they are missing', async () => {
    await serve({ errorPage: 'https://help.example/certificates' });
    const { text } = await visit(one);
    expect(text).toMatch(/^HTTP\/1\.1 302 /);
    expect(text).toContain('Location: https://help.example/certificates\r\n');
  });

  it('come with no more between them and the authority than may be', async () => {
    await serve({ depth: 0 });
    expect(await statusOf({ ...one, ...showing(mine) })).toBe(200);
  });

  it('are not asked for over plain HTTP, as with nginx', async () => {
    await serve();
    const socket = connectTcp(8080, address);
    socket.write('GET / HTTP/1.1\r\nHost: one.example\r\n\r\n');
    expect(await converse(socket).until('\r\n\r\n')).toMatch(/^HTTP\/1\.1 200 /);
    socket.destroy();
  });

  it('count over HTTP/2 as well', async () => {
    await serve();
    const ask = (options: Visit) =>
      new Promise((resolve, reject) => {
        const session = connectHttp2(`https://${address}:${port}`, { rejectUnauthorized: false, ...options });
        session.on('error', reject);
        const request = session.request({ ':authority': options.servername ?? '', ':path': '/' });
        request.on('response', (headers) => {
          resolve(headers[':status']);
          session.destroy();
        });
        request.on('error', reject);
        request.end();
      });
    expect(await ask({ ...one, ...showing(mine) })).toBe(200);
    expect(await ask(one)).toBe(400);
    expect(await ask({ servername: 'free.example' })).toBe(200);
  });

  it('are refused when their authority has revoked them', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'fairway-crl-'));
    const at = (name: string) => join(folder, name);
    const run = (...words: string[]) => execFileSync('openssl', words, { cwd: folder, stdio: 'pipe' });
    writeFileSync(at('ca.cnf'), '[ca]\ndefault_ca=d\n[d]\ndatabase=index\nserial=serial\ncrlnumber=number\ndefault_md=sha256\ndefault_days=30\ndefault_crl_days=30\npolicy=p\nnew_certs_dir=.\n[p]\ncommonName=supplied\n'); // biome-ignore format: one file
    writeFileSync(at('index'), '');
    writeFileSync(at('serial'), '1000');
    writeFileSync(at('number'), '01');
    run(...'req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out ca.crt -subj /CN=revoking -days 30'.split(' '));
    for (const name of ['good', 'bad']) {
      run(...`req -newkey rsa:2048 -nodes -keyout ${name}.key -out ${name}.csr -subj /CN=${name}`.split(' '));
      run(...`ca -batch -config ca.cnf -cert ca.crt -keyfile ca.key -in ${name}.csr -out ${name}.crt`.split(' '));
    }
    run(...'ca -config ca.cnf -cert ca.crt -keyfile ca.key -revoke bad.crt'.split(' '));
    run(...'ca -config ca.cnf -cert ca.crt -keyfile ca.key -gencrl -out list.crl'.split(' '));
    const read = (name: string) => readFileSync(at(name), 'utf8');
    const before = validations['one']!;
    validations['one'] = { ...before, ca: read('ca.crt'), crl: read('list.crl') };
    await serve();
    expect(await statusOf({ ...one, cert: read('good.crt'), key: read('good.key') })).toBe(200);
    expect(await statusOf({ ...one, cert: read('bad.crt'), key: read('bad.key') })).toBe(400);
    validations['one'] = before;
    rmSync(folder, { recursive: true });
  });

  describe('of authorities that are others now', () => {
    const change = async (validation: ClientValidation) => {
      const before = validations['one']!;
      validations['one'] = validation;
      await serve();
      validations['one'] = before;
    };

    function keep(options: ConnectionOptions): Promise<TLSSocket> {
      return new Promise((resolve, reject) => {
        const socket = connect({ host: address, port, rejectUnauthorized: false, ...options }, () => resolve(socket));
        socket.on('error', reject);
      });
    }

    it('end connections that wait for requests, and get no further request in', async () => {
      await serve();
      const [idle, busy] = await Promise.all([1, 2].map(() => keep({ ...one, ...showing(mine) })));
      const closed = new Promise((resolve) => idle!.on('close', resolve));
      const { until } = converse(busy!);
      const under = new Promise<Socket>((resolve) => app.answer((_request, socket) => resolve(socket)));
      busy!.write('GET / HTTP/1.1\r\nHost: one.example\r\n\r\n');
      const backend = await under;
      app.answer(OK);
      await change({ ca: other.certificate, mode: 'ask', id: 'one' });
      await closed;
      backend.write(OK);
      expect(await until('ok')).toMatch(/^HTTP\/1\.1 200 /);
      busy!.write('GET / HTTP/1.1\r\nHost: one.example\r\n\r\n');
      expect(await until('other client certificates')).toMatch(/HTTP\/1\.1 421 /);
      busy!.destroy();
    });

    it('leave connections of other names alone, and their own where something else has changed', async () => {
      await serve();
      const [own, free] = await Promise.all([one, { servername: 'free.example' }].map((at) => keep({ ...at, ...showing(mine) }))); // biome-ignore format: one line
      await serve({}, { maxVersion: 'TLSv1.3' });
      for (const [socket, name] of [
        [own!, 'one.example'],
        [free!, 'free.example'],
      ] as const) {
        // biome-ignore format: one line
        socket.write(`GET / HTTP/1.1\r\nHost: ${name}\r\n\r\n`);
        expect(await converse(socket).until('\r\n\r\n')).toMatch(/^HTTP\/1\.1 200 /);
        socket.destroy();
      }
    });
  });

  it('keep to the versions and ciphers of the listener', async () => {
    await serve({}, { minVersion: 'TLSv1.3' });
    for (const servername of ['free.example', 'one.example'])
      expect(await statusOf({ servername, ...showing(mine), maxVersion: 'TLSv1.2' })).toBe('refused');
    await serve({}, { maxVersion: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256' });
    for (const servername of ['free.example', 'one.example']) {
      const own = { servername, ...showing(mine) };
      expect(await statusOf({ ...own, minVersion: 'TLSv1.3' })).toBe('refused');
      expect(await statusOf({ ...own, ciphers: 'ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384' })).toBe(
        'refused',
      );
      expect(await statusOf(own)).toBe(200);
    }
  });

  it('that nobody can be held against cost the names that ask for them, and the names that have no certificate', async () => {
    const before = validations['one']!;
    const crl = '-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n';
    validations['one'] = { ...before, crl };
    const findings = front.findings.length;
    await serve({}, { ciphers: 'ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES128-GCM-SHA256' });
    expect(await statusOf({ servername: 'free.example' })).toBe(200);
    expect(await statusOf({ ...one, ...showing(mine) })).toBe('refused');
    // The name of everybody: what is wrong with it is known before anybody comes.
    const clientValidation = { ...before, crl };
    const certificates = [
      { serverName: '*', certificate: web.id, clientValidation },
      { serverName: 'free.example', certificate: web.id },
    ];
    await serve({}, { certificates });
    expect(await statusOf({ servername: 'free.example' })).toBe(200);
    expect(await statusOf({ servername: 'any.example' })).toBe('refused');
    await serve({}, { ciphers: 'garbage' });
    expect(await statusOf({ servername: 'free.example' })).toBe('refused');
    expect(front.findings.slice(findings)).toContainEqual(expect.stringMatching(/^FW5202 TLS of a listener: .*no cipher match/)); // biome-ignore format: one line
    validations['one'] = before;
    await serve();
    expect(await statusOf({ ...one, ...showing(mine) })).toBe(200);
  });

  it('are not waited for for ever: bytes that are no ClientHello, half of one, and none', async () => {
    await serve();
    const closed = (bytes: string | Buffer | undefined) =>
      new Promise((resolve) => {
        const socket = connectTcp(port, address, () => bytes !== undefined && socket.write(bytes));
        socket.on('error', () => {});
        socket.on('data', () => {});
        socket.on('close', resolve);
        if (bytes === undefined) socket.on('connect', () => socket.end());
      });
    await closed('GET / HTTP/1.1\r\n\r\n');
    await closed(undefined);
    expect(await statusOf({ servername: 'free.example' })).toBe(200);
  });
});
