import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TLSSocket } from 'node:tls';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type ClientOptions, createKubeClient, type KubeClient, parseRetryAfter } from './client.ts';
import { type ClientConfig, plainConfig, type TlsConfig } from './config.ts';
import { systemTiming } from './timing.ts';

const closers: (() => void)[] = [];
afterEach(() => {
  for (const close of closers.splice(0)) close();
});

async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closers.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

/** Retries wait for nothing, and say how long they would have. */
const pauses: number[] = [];
const timing = {
  ...systemTiming,
  async sleep(milliseconds: number) {
    pauses.push(milliseconds);
  },
};

function open(config: ClientConfig, options: Partial<ClientOptions> = {}): KubeClient {
  pauses.length = 0;
  const client = createKubeClient({ config, timing, ...options });
  closers.push(client.close);
  return client;
}

/** A server that answers each request with the next of some answers, the last one for ever. */
async function scripted(...answers: ((response: ServerResponse, request: IncomingMessage) => void)[]) {
  const seen: IncomingMessage[] = [];
  const server = createServer((request, response) => {
    request.resume();
    seen.push(request);
    (answers.length > 1 ? answers.shift()! : answers[0]!)(response, request);
  });
  return { seen, config: plainConfig(`http://127.0.0.1:${await listen(server)}`) };
}

const answer =
  (code: number, body: unknown = { fine: true }, headers: Record<string, string> = {}) =>
  (response: ServerResponse) => {
    response.writeHead(code, { 'content-type': 'application/json', ...headers });
    response.end(typeof body === 'string' ? body : JSON.stringify(body));
  };
const cut = (response: ServerResponse) => response.socket?.destroy();
const status = (code: number, reason: string) => ({ kind: 'Status', code, reason, message: `it says ${reason}` });

describe('requests', () => {
  it('are repeated for reads when the connection or the server fails, and for anything on 429', async () => {
    const reads = await scripted(cut, answer(503, 'busy'), answer(200));
    expect(await open(reads.config).request({ path: '/api' })).toEqual({ ok: true, value: { fine: true } });
    expect(reads.seen).toHaveLength(3);
    expect(pauses).toHaveLength(2);

    const limited = await scripted(answer(429, status(429, 'TooManyRequests'), { 'retry-after': '2' }), answer(201));
    const made = await open(limited.config).request({ method: 'POST', path: '/api', body: { a: 1 } });
    expect(made.ok).toBe(true);
    expect(pauses).toEqual([2000]);

    const writes = await scripted(answer(503, 'busy'));
    expect((await open(writes.config).request({ method: 'POST', path: '/api', body: {} })).ok).toBe(false);
    expect(writes.seen).toHaveLength(1);
  });

  it('are not repeated without end, nor for longer than allowed', async () => {
    const broken = await scripted(cut);
    const failed = await open(broken.config, { retries: 2 }).request({ path: '/api' });
    expect(failed).toMatchObject({ ok: false, error: { kind: 'unreachable' } });
    expect(broken.seen).toHaveLength(3);
    const patient = await scripted(answer(429, status(429, 'TooManyRequests'), { 'retry-after': '3600' }));
    const refused = await open(patient.config).request({ path: '/api' });
    expect(refused).toMatchObject({ ok: false, error: { code: 429, retryAfterMs: 3_600_000 } });
    expect(patient.seen).toHaveLength(1);
  });

  it('say who refused what, and under which id the server has it', async () => {
    const { config } = await scripted(answer(403, status(403, 'Forbidden'), { 'audit-id': 'abc-1' }));
    const refused = await open(config).request({ path: '/api/v1/pods', query: { limit: 1 } });
    expect(refused).toEqual({
      ok: false,
      error: {
        kind: 'status',
        code: 403,
        reason: 'Forbidden',
        requestId: 'abc-1',
        message: `GET ${config.server}/api/v1/pods: 403 it says Forbidden (audit id abc-1)`,
      },
    });
  });

  it('take answers of no use as errors', async () => {
    const { config } = await scripted(answer(200, 'x'.repeat(2000)), answer(200, '<html>'), (response) => {
      response.writeHead(200);
      response.flushHeaders();
    });
    const client = open(config, { maxBytes: 1000, timeoutMs: 100, retries: 0 });
    const kinds = [];
    for (let i = 0; i < 3; i++) {
      const result = await client.request({ path: '/api' });
      kinds.push(result.ok ? 'fine' : result.error.kind);
    }
    expect(kinds).toEqual(['too-large', 'malformed', 'timeout']);
  });

  it('end when the caller gives up', async () => {
    const { config } = await scripted(() => undefined);
    const giveUp = new AbortController();
    const asked = open(config).request({ path: '/api', signal: giveUp.signal });
    setTimeout(() => giveUp.abort(), 20);
    expect(await asked).toMatchObject({ ok: false, error: { kind: 'aborted' } });
  });

  it('go below the path of the server', async () => {
    const { config, seen } = await scripted(answer(200));
    const client = open({ ...config, server: `${config.server}/k8s/clusters/c-1/` });
    await client.request({ path: '/api/v1/pods', query: { labelSelector: 'a=b', continue: undefined } });
    expect(seen[0]!.url).toBe('/k8s/clusters/c-1/api/v1/pods?labelSelector=a%3Db');
  });

  it('fail at once on a closed client', async () => {
    const { config } = await scripted(answer(200));
    const client = open(config);
    client.close();
    expect(await client.request({ path: '/api' })).toMatchObject({ ok: false, error: { kind: 'aborted' } });
  });

  it('read Retry-After as seconds and as a date', () => {
    const now = Date.parse('2030-01-01T00:00:00Z');
    expect(parseRetryAfter('7', now)).toBe(7000);
    expect(parseRetryAfter('Tue, 01 Jan 2030 00:00:05 GMT', now)).toBe(5000);
    expect(parseRetryAfter('Mon, 31 Dec 2029 00:00:05 GMT', now)).toBe(0);
    expect(parseRetryAfter('soon', now)).toBeUndefined();
  });
});

describe('certificates and credentials', () => {
  let folder: string;
  const path = (name: string) => join(folder, name);
  const read = (name: string) => readFileSync(path(name), 'utf8');

  function openssl(...args: string[]): void {
    execFileSync('openssl', args, { cwd: folder, stdio: 'ignore' });
  }
  const keyOptions = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];

  /** A certificate signed by the CA. */
  function issue(name: string, extension: string): void {
    writeFileSync(path(`${name}.ext`), extension);
    openssl('req', ...keyOptions, '-subj', `/O=fairway/CN=${name}`, '-keyout', `${name}.key`, '-out', `${name}.csr`);
    const signing = ['-CA', 'ca.crt', '-CAkey', 'ca.key', '-CAcreateserial', '-days', '2'];
    openssl('x509', '-req', '-in', `${name}.csr`, ...signing, '-extfile', `${name}.ext`, '-out', `${name}.crt`);
  }

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'kube-client-'));
    openssl('req', '-x509', ...keyOptions, '-days', '2', '-subj', '/CN=ca', '-keyout', 'ca.key', '-out', 'ca.crt');
    issue('server', 'subjectAltName=IP:127.0.0.1');
    issue('inner', 'subjectAltName=DNS:kubernetes.default');
    for (const name of ['one', 'two']) issue(name, 'extendedKeyUsage=clientAuth');
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  /** Tells who the client is. */
  const whoAmI: RequestListener = (request, response) => {
    const { subject } = (request.socket as TLSSocket).getPeerCertificate();
    const { authorization, 'impersonate-user': as } = request.headers;
    answer(authorization === 'Bearer old' ? 401 : 200, { name: subject?.CN, authorization, as })(response);
  };

  async function secure(name: string): Promise<string> {
    const options = { cert: read(`${name}.crt`), key: read(`${name}.key`), ca: read('ca.crt') };
    const server = createSecureServer({ ...options, requestCert: true, rejectUnauthorized: false }, whoAmI);
    return `https://127.0.0.1:${await listen(server)}`;
  }

  async function ask(server: string, tls: Partial<TlsConfig>, user: ClientConfig['user'] = {}) {
    const client = open({ ...plainConfig(server), tls: { insecure: false, ...tls }, user }, { retries: 0 });
    const answered = await client.request<Record<string, string>>({ path: '/whoami' });
    return answered.ok ? answered.value : answered.error.message;
  }

  const ca = () => ({ file: path('ca.crt') });
  const certificate = (name: string) => ({ cert: { file: path(`${name}.crt`) }, key: { text: read(`${name}.key`) } });

  it('verify the server by the CA that is named, and by its name', async () => {
    const [server, inner] = [await secure('server'), await secure('inner')];
    expect(await ask(server, { ca: ca() })).toEqual({});
    expect(await ask(server, {})).toMatch(/self-signed certificate|unable to verify/);
    expect(await ask(server, { insecure: true })).toEqual({});
    expect(await ask(inner, { ca: ca() })).toContain("IP: 127.0.0.1 is not in the cert's list");
    expect(await ask(inner, { ca: ca(), serverName: 'kubernetes.default' })).toEqual({});
    expect(await ask(inner, { ca: ca(), serverName: 'elsewhere' })).toContain('elsewhere');
    expect(await ask(server, { ca: { file: path('none.crt') } })).toContain(`cannot read ${path('none.crt')}`);
    expect(await ask(server, { ca: ca(), certificate: { ...certificate('one'), key: { text: 'x' } } })).toContain(
      'of no use',
    );
  });

  it('show the client certificate, and a new one when its files are renewed', async () => {
    const server = await secure('server');
    expect(await ask(server, { ca: ca(), certificate: certificate('one') })).toEqual({ name: 'one' });
    const files = { cert: { file: path('me.crt') }, key: { file: path('me.key') } };
    const become = (name: string) => {
      for (const end of ['crt', 'key']) writeFileSync(path(`me.${end}`), read(`${name}.${end}`));
    };
    become('one');
    const client = open(
      { ...plainConfig(server), tls: { insecure: false, ca: ca(), certificate: files } },
      { rereadMs: 0 },
    );
    const who = () => client.request<{ name: string }>({ path: '/whoami' });
    expect(await who()).toMatchObject({ value: { name: 'one' } });
    become('two');
    expect(await who()).toMatchObject({ value: { name: 'two' } });
  });

  it('send tokens, passwords and whom to act for', async () => {
    const server = await secure('server');
    const as = async (user: ClientConfig['user']) => ask(server, { ca: ca() }, user);
    expect(await as({ token: { text: 't' } })).toEqual({ authorization: 'Bearer t' });
    expect(await as({ basic: { username: 'me', password: 'pw' } })).toEqual({ authorization: 'Basic bWU6cHc=' });
    expect(await as({ token: { text: 'a\nb' } })).toContain('Invalid character in header');
    const impersonate = { user: 'jane', groups: ['a'], extra: {} };
    expect(await as({ token: { text: 't' }, impersonate })).toEqual({ authorization: 'Bearer t', as: 'jane' });
  });

  it('read a token file again after 401, and run a plugin again', async () => {
    const server = await secure('server');
    writeFileSync(path('token'), 'old\n');
    const config = { ...plainConfig(server), tls: { insecure: false, ca: ca() } };
    const client = open({ ...config, user: { token: { file: path('token') } } });
    const who = () => client.request({ path: '/whoami' });
    expect(await who()).toMatchObject({ ok: false, error: { code: 401 } });
    writeFileSync(path('token'), 'new\n');
    expect(await who()).toMatchObject({ ok: true, value: { authorization: 'Bearer new' } });

    const printed = `printf '{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":{"token":"%s"}}'`;
    const script = `if [ -e ran ]; then t=new; else t=old; touch ran; fi; ${printed} $t`;
    const exec = {
      apiVersion: 'client.authentication.k8s.io/v1' as const,
      ...{ command: '/bin/sh', args: ['-c', `cd ${folder}; ${script}`], env: {} },
      ...{ interactiveMode: 'Never' as const, provideClusterInfo: false },
    };
    expect(await open({ ...config, user: { exec } }).request({ path: '/whoami' })).toMatchObject({
      ok: true,
      value: { authorization: 'Bearer new' },
    });
  });
});
