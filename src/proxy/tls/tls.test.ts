/** TLS as openssl and curl see it: certificates by SNI, versions, ALPN, swaps, refusals. */
import { execFile } from 'node:child_process';
import { connect } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Certificate } from '../../routing/plan/plan.ts';
import { type RecordingBackend, recordingBackend } from '../testing/backend.ts';
import { hasOpenssl, selfSigned } from '../testing/certificates.ts';
import { createFront } from '../testing/front.ts';
import { endpoint, host, listener, planOf, route } from '../testing/plans.ts';
import { converse, dial } from '../testing/sockets.ts';

const address = '127.79.7.1';
const port = 8443;
const able = hasOpenssl();
if (!able) console.log('skipped: the openssl command is missing');

describe.skipIf(!able)('TLS', () => {
  const front = createFront({ client: { tlsHandshakeTimeoutMs: 300 } });
  let app: RecordingBackend;
  let certificates: Record<string, Certificate>;

  const plan = (served: Record<string, Certificate>) => {
    const names = Object.entries(served).map(([serverName, certificate]) => ({
      serverName,
      certificate: certificate.id,
    }));
    const door = listener(address, port, [host('*', [route()])], { protocol: 'HTTPS', tls: { certificates: names } });
    return planOf([door], undefined, [...new Set(Object.values(served))]);
  };

  beforeAll(async () => {
    certificates = {
      exact: selfSigned('exact', 'api.example.com'),
      wildcard: selfSigned('wildcard', '*.example.com'),
      any: selfSigned('any', 'any'),
      renewed: selfSigned('exact', 'renewed', ['api.example.com']),
    };
    app = await recordingBackend(address, 8081);
    await front.endpoints({ app: [endpoint(address, 8081)] });
    const { exact, wildcard } = certificates;
    const report = await front.plan(plan({ 'api.example.com': exact!, '*.example.com': wildcard! }));
    expect(report.listeners).toEqual({ [`${address}:${port}/HTTPS`]: { bound: true } });
  });

  afterAll(async () => {
    await front.close();
    await app.close();
  });

  /** What a command says, whatever its exit code. */
  const run = (command: string, args: readonly string[], input = '') =>
    new Promise<string>((resolve) => {
      const child = execFile(command, args, { timeout: 5_000 }, (_, out, errors) => resolve(out + errors));
      child.stdin?.end(input);
    });
  const client = (...args: string[]) => run('openssl', ['s_client', '-connect', `${address}:${port}`, ...args]);
  const subject = (output: string) => /subject=.*?CN ?= ?(\S+)/.exec(output)?.[1];

  it.each([
    ['api.example.com', 'api.example.com'],
    ['API.Example.COM', 'api.example.com'],
    ['www.example.com', '*.example.com'],
  ])('shows %s the certificate of %s', async (name, expected) => {
    expect(subject(await client('-servername', name))).toBe(expected);
  });

  it.each([['example.com'], ['a.b.example.com'], ['other.org']])('refuses the handshake for %s', async (name) => {
    const output = await client('-servername', name);
    expect(subject(output)).toBeUndefined();
    expect(output).toMatch(/no peer certificate available/);
  });

  it('refuses a client without SNI while there is no certificate for all', async () => {
    expect(await client('-noservername')).toMatch(/no peer certificate available/);
  });

  it('speaks TLS 1.2 and 1.3, and nothing older', async () => {
    const name = ['-servername', 'api.example.com'];
    expect(await client('-tls1_2', ...name)).toMatch(/New, TLSv1\.2/);
    expect(await client('-tls1_3', ...name)).toMatch(/New, TLSv1\.3/);
    expect(await client('-tls1_1', '-cipher', 'DEFAULT@SECLEVEL=0', ...name)).not.toMatch(/New, TLS/);
  });

  it.each([
    ['h2,http/1.1', 'h2'],
    ['http/1.1,h2', 'h2'],
    ['http/1.1', 'http/1.1'],
  ])('of ALPN %s chooses %s', async (offered, chosen) => {
    const output = await client('-servername', 'api.example.com', '-alpn', offered);
    expect(output).toContain(`ALPN protocol: ${chosen}\n`);
  });

  it('serves curl, and tells the backend that it was https', async () => {
    app.requests.length = 0;
    const output = await run('curl', [
      '-sk',
      '--resolve',
      `api.example.com:${port}:${address}`,
      `https://api.example.com:${port}/x`,
    ]);
    expect(output).toBe('ok');
    expect(app.requests[0]?.lines).toEqual(
      expect.arrayContaining(['X-Forwarded-Proto: https', 'X-Forwarded-Port: 8443']),
    );
  });

  it('swaps certificates without closing what is open', async () => {
    const open = connect({ host: address, port, servername: 'api.example.com', rejectUnauthorized: false });
    const conversation = converse(open);
    await new Promise((resolve) => open.once('secureConnect', resolve));
    const { renewed, any } = certificates;
    await front.plan(plan({ 'api.example.com': renewed!, '*': any! }));
    expect(subject(await client('-servername', 'api.example.com'))).toBe('renewed');
    expect(subject(await client('-servername', 'other.org'))).toBe('any');
    expect(subject(await client('-noservername'))).toBe('any');
    conversation.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    expect(await conversation.until('\r\n\r\nok')).toMatch(/^HTTP\/1\.1 200 OK/);
    open.destroy();
  });

  it('gives the certificate for all up again', async () => {
    await front.plan(plan({ 'api.example.com': certificates.exact! }));
    expect(await client('-noservername')).toMatch(/no peer certificate available/);
    expect(subject(await client('-servername', 'api.example.com'))).toBe('api.example.com');
  });

  it('gives every name the only certificate, until there is another', async () => {
    const { any, exact } = certificates;
    await front.plan(plan({ '*': any! }));
    expect(subject(await client('-noservername'))).toBe('any');
    expect(subject(await client('-servername', 'other.org', '-tls1_2'))).toBe('any');
    expect(await client('-servername', 'other.org', '-alpn', 'h2')).toContain('ALPN protocol: h2\n');
    await front.plan(plan({ 'api.example.com': exact! }));
    expect(await client('-servername', 'other.org')).toMatch(/no peer certificate available/);
    expect(subject(await client('-servername', 'api.example.com'))).toBe('api.example.com');
  });

  it('loses only the names of a certificate that cannot be used', async () => {
    const { exact, any } = certificates;
    const broken = { ...exact!, id: 'broken', key: any!.key };
    const garbage = { ...exact!, id: 'garbage', chain: 'no certificate' };
    await front.plan(
      plan({ 'api.example.com': exact!, 'broken.example.com': broken, 'garbage.example.com': garbage, '*': any! }),
    );
    expect(subject(await client('-servername', 'api.example.com'))).toBe('api.example.com');
    expect(await client('-servername', 'broken.example.com')).toMatch(/no peer certificate available/);
    expect(await client('-servername', 'garbage.example.com')).toMatch(/no peer certificate available/);
    expect(front.findings).toEqual([
      expect.stringMatching(/^FW5202 certificate broken: /),
      expect.stringMatching(/^FW5202 certificate garbage: /),
    ]);
    expect(front.findings.join()).not.toContain('PRIVATE');
  });

  it('lets go of clients that do not finish their handshake', async () => {
    const { connect: dial } = await import('node:net');
    const socket = dial(port, address);
    const since = Date.now();
    socket.on('error', () => {});
    await new Promise((resolve) => {
      socket.on('close', resolve);
      socket.on('end', () => socket.end());
      socket.resume();
    });
    expect(Date.now() - since).toBeLessThan(2_000);
  });

  it('answers plain HTTP with the end of the connection', async () => {
    expect(await run('curl', ['-s', '-m', '3', `http://${address}:${port}/`])).toBe('');
  });

  it('counts handshakes of all listeners among the connections that there may be', async () => {
    const small = createFront({ client: { maxConnections: 3 } });
    const doors = [8444, 8445].map((at) =>
      listener(address, at, [host('*', [route()])], {
        protocol: 'HTTPS',
        tls: { certificates: [{ serverName: '*', certificate: 'any' }] },
      }),
    );
    await small.plan(planOf(doors, undefined, [{ ...certificates.any!, id: 'any' }]));
    const held = await Promise.all([8444, 8444, 8445].map((at) => dial(address, at)));
    await new Promise((resolve) => setTimeout(resolve, 20));
    const refused = await dial(address, 8445);
    expect(await refused.closed()).toBe('');
    held[0]!.socket.resetAndDestroy();
    await new Promise((resolve) => setTimeout(resolve, 20));
    const taken = connect({ host: address, port: 8445, rejectUnauthorized: false });
    await new Promise((resolve) => taken.once('secureConnect', resolve));
    taken.destroy();
    await small.close();
  });
});
