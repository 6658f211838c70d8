/** What a user does with Ingresses: paths, hosts, default backends, classes, named ports, certificates. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Ingress } from '../../src/kube/types/index.ts';
import { certificateSecret } from '../support/certificates.ts';
import { apiOf, ask, canBind, eventually, openDoor, type TestDoor } from '../support/door.ts';
import { app, ingress, type Manifest, path, stream } from '../support/manifests.ts';
import { describeConformance } from './ingress.conformance.ts';
import { describeEstate } from './ingress.estate.ts';
import { describeNginx } from './ingress.nginx.ts';

const instance = 12;
const run = promisify(execFile);

/** Name of the Deployment that answered, or the status when none did. */
async function reach(door: TestDoor, host: string, requestPath: string): Promise<string | number> {
  const { status, echo } = await ask({ address: door.config.ingressAddress, host, path: requestPath });
  return echo.pod ? echo.pod.replace(/-[^-]+-[^-]+$/, '') : status;
}

const statusOf = (door: TestDoor, name: string) =>
  door.store.get<Ingress>('ingresses.networking.k8s.io', `default/${name}`)?.status;

/** The table of "Path types" in the documentation of Kubernetes: paths, request, the path that takes it. */
const pathTable: readonly [paths: readonly (readonly [string, string])[], request: string, taker: number | 'none'][] = [
  [[['Prefix', '/']], '/any/thing', 0],
  [[['Exact', '/foo']], '/foo', 0],
  [[['Exact', '/foo']], '/bar', 'none'],
  [[['Exact', '/foo']], '/foo/', 'none'],
  [[['Exact', '/foo/']], '/foo', 'none'],
  [[['Prefix', '/foo']], '/foo', 0],
  [[['Prefix', '/foo']], '/foo/', 0],
  [[['Prefix', '/foo/']], '/foo', 0],
  [[['Prefix', '/foo/']], '/foo/', 0],
  [[['Prefix', '/aaa/bb']], '/aaa/bbb', 'none'],
  [[['Prefix', '/aaa/bbb']], '/aaa/bbb', 0],
  [[['Prefix', '/aaa/bbb/']], '/aaa/bbb', 0],
  [[['Prefix', '/aaa/bbb']], '/aaa/bbb/', 0],
  [[['Prefix', '/aaa/bbb']], '/aaa/bbb/ccc', 0],
  [[['Prefix', '/aaa/bbb']], '/aaa/bbbxyz', 'none'],
  [[['Prefix', '/'], ['Prefix', '/aaa']], '/aaa/ccc', 1], // biome-ignore format: one line
  [[['Prefix', '/'], ['Prefix', '/aaa'], ['Prefix', '/aaa/bbb']], '/aaa/bbb', 2], // biome-ignore format: one line
  [[['Prefix', '/'], ['Prefix', '/aaa'], ['Prefix', '/aaa/bbb']], '/ccc', 0], // biome-ignore format: one line
  [[['Prefix', '/aaa']], '/ccc', 'none'],
  [[['Prefix', '/foo'], ['Exact', '/foo']], '/foo', 1], // biome-ignore format: one line
];
const services = ['one', 'two', 'three'];

describe.skipIf(!canBind)('Ingress', () => {
  let door: TestDoor;

  describe('paths, hosts and default backends', () => {
    beforeAll(async () => {
      const table = Object.fromEntries(
        pathTable.map(([paths], row) => [
          `row-${row}.example.com`,
          paths.map(([type, value], index) => path(value, type, services[index]!)),
        ]),
      );
      door = await openDoor(instance, {
        paths: ['-'],
        stdin: stream(
          ...['one', 'two', 'three', 'fallback'].flatMap((name) => app(name)),
          ingress('table', table),
          ingress('hosts', {
            'exact.wild.example.com': [path('/', 'Prefix', 'one')],
            '*.wild.example.com': [path('/', 'Prefix', 'two')],
          }),
          ingress(
            'with-default',
            { 'default.example.com': [path('/one', 'Exact', 'one')] },
            { defaultBackend: { service: { name: 'fallback', port: { number: 80 } } } },
          ),
          ingress('named', { 'named.example.com': [path('/', 'Prefix', 'two', 'http')] }),
        ),
      });
    });
    afterAll(() => door.close(0));

    it.each(pathTable.map((row, index) => [row[0].map((each) => each.join(' ')).join(', '), row[1], row[2], index]))(
      '%s asked for %s',
      async (_paths, request, taker, row) => {
        const reached = await reach(door, `row-${row}.example.com`, String(request));
        expect(reached).toBe(taker === 'none' ? 'fallback' : services[Number(taker)]);
      },
    );

    it('compares paths by case, and without the query', async () => {
      expect(await reach(door, 'row-1.example.com', '/FOO')).toBe('fallback');
      expect(await reach(door, 'row-1.example.com', '/foo?x=/bar')).toBe('one');
    });

    it('a wildcard host stands for one label, and an exact host goes before it', async () => {
      expect(await reach(door, 'exact.wild.example.com', '/')).toBe('one');
      expect(await reach(door, 'other.wild.example.com', '/')).toBe('two');
      expect(await reach(door, 'OTHER.wild.example.com:80', '/')).toBe('two');
      expect(await reach(door, 'a.b.wild.example.com', '/')).toBe('fallback');
      expect(await reach(door, 'wild.example.com', '/')).toBe('fallback');
    });

    it('a default backend with rules takes what they leave', async () => {
      expect(await reach(door, 'default.example.com', '/one')).toBe('one');
      expect(await reach(door, 'default.example.com', '/one/more')).toBe('fallback');
      expect(await reach(door, 'nobody.example.org', '/')).toBe('fallback');
    });

    it('a port may be named', async () => {
      expect(await reach(door, 'named.example.com', '/')).toBe('two');
    });

    it('every Ingress served tells the address, in what kubectl shows as well', async () => {
      const address = { loadBalancer: { ingress: [{ ip: door.config.ingressAddress }] } };
      for (const name of ['table', 'hosts', 'with-default', 'named']) expect(statusOf(door, name)).toEqual(address);
    });

    it('an Ingress that goes takes its paths with it', async () => {
      await apiOf(door).remove('/apis/networking.k8s.io/v1/namespaces/default/ingresses/named');
      await eventually(
        () => reach(door, 'named.example.com', '/'),
        (seen) => seen === 'fallback',
      );
    });
  });

  describe('classes', () => {
    afterEach(() => door.close(0));

    const ingressClass = (name: string, controller: string, isDefault = false): Manifest => ({
      apiVersion: 'networking.k8s.io/v1',
      kind: 'IngressClass',
      metadata: {
        name,
        ...(isDefault && { annotations: { 'ingressclass.kubernetes.io/is-default-class': 'true' } }),
      },
      spec: { controller },
    });
    const root = [path('/', 'Prefix', 'one')];
    const legacy = (name: string) => ({ annotations: { 'kubernetes.io/ingress.class': name } });
    const classless = (name: string, host: string): Manifest => ({
      apiVersion: 'networking.k8s.io/v1',
      kind: 'Ingress',
      metadata: { name },
      spec: { rules: [{ host, http: { paths: root } }] },
    });
    const everyKind = [
      ...app('one'),
      ingressClass('other', 'example.com/controller'),
      ingress('foreign', { 'foreign.example.com': root }, { ingressClassName: 'other' }),
      ingress('foreign-too', { 'foreign-too.example.com': root }, { ingressClassName: 'other' }),
      ingress('undefined', { 'undefined.example.com': root }, { ingressClassName: 'traefik' }),
      ingress('old-foreign', { 'old-foreign.example.com': root }, {}, legacy('haproxy')),
      ingress('old-ours', { 'old-ours.example.com': root }, {}, legacy('fairway')),
      ingress('ours', { 'ours.example.com': root }),
      classless('classless', 'classless.example.com'),
    ];
    const names = ['foreign', 'foreign-too', 'undefined', 'old-foreign', 'old-ours', 'ours', 'classless'];
    const answers = async () =>
      Object.fromEntries(
        await Promise.all(names.map(async (name) => [name, await reach(door, `${name}.example.com`, '/')])),
      );

    it('of others are adopted, with one finding for each class', async () => {
      door = await openDoor(instance, { paths: ['-'], stdin: stream(...everyKind) });
      expect(await answers()).toEqual(Object.fromEntries(names.map((name) => [name, 'one'])));
      const adopted = door.summary.diagnostics.filter(({ code }) => code === 'FW2001' || code === 'FW2002');
      expect(adopted.map(({ code, message }) => [code, /class (\S+)/.exec(message)?.[1]])).toEqual(
        expect.arrayContaining([
          ['FW2001', 'other'],
          ['FW2001', 'traefik'],
          ['FW2001', 'haproxy'],
        ]),
      );
      expect(adopted.filter(({ code }) => code === 'FW2001')).toHaveLength(3);
      expect(adopted.find(({ message }) => message.includes('class other'))!.message).toMatch(
        /default\/foreign\b.*default\/foreign-too/,
      );
    });

    it('of others are left alone with --no-adopt: 404, no status, and a word on classes that do not exist', async () => {
      door = await openDoor(instance, { paths: ['-'], stdin: stream(...everyKind), adopt: false });
      const { ours, 'old-ours': oldOurs, ...rest } = await answers();
      expect([ours, oldOurs]).toEqual(['one', 'one']);
      expect(Object.values(rest)).toEqual([404, 404, 404, 404, 404]);
      expect(statusOf(door, 'foreign')?.loadBalancer?.ingress).toBeUndefined();
      expect(statusOf(door, 'ours')?.loadBalancer?.ingress).toHaveLength(1);
      const codes = door.summary.diagnostics.map(({ code }) => code);
      expect(codes.filter((code) => code === 'FW2003')).toHaveLength(2);
      expect(codes).toContain('FW2006');
    });

    it('marked as the default takes Ingresses without a class, adopting or not', async () => {
      door = await openDoor(instance, {
        paths: ['-'],
        stdin: stream(
          ...app('one'),
          ingressClass('house', 'fairway.dev/ingress', true),
          classless('plain', 'plain.example.com'),
        ),
        adopt: false,
      });
      expect(await reach(door, 'plain.example.com', '/')).toBe('one');
      expect(door.summary.diagnostics.filter(({ code }) => code.startsWith('FW2'))).toEqual([]);
    });
  });

  describe('a default backend alone', () => {
    afterEach(() => door.close(0));

    it('takes every request; without one the answer is 404', async () => {
      const only = ingress('only', {}, { defaultBackend: { service: { name: 'one', port: { name: 'http' } } } });
      door = await openDoor(instance, { paths: ['-'], stdin: stream(...app('one'), only) });
      expect(await reach(door, 'anything.example.com', '/x')).toBe('one');
      await apiOf(door).remove('/apis/networking.k8s.io/v1/namespaces/default/ingresses/only');
      await apiOf(door).create('/apis/networking.k8s.io/v1/namespaces/default/ingresses', {
        ...ingress('rules', { 'a.example.com': [path('/a', 'Exact', 'one')] }),
      });
      // Without any Ingress the port is closed, for a moment.
      await eventually(
        () => reach(door, 'a.example.com', '/a').catch((error: Error) => error.message),
        (seen) => seen === 'one',
      );
      await eventually(
        () => reach(door, 'a.example.com', '/b'),
        (seen) => seen === 404,
      );
      expect(await reach(door, 'anything.example.com', '/a')).toBe(404);
    });
  });

  describe('HTTPS', () => {
    beforeAll(async () => {
      const tls = (secretName: string, ...hosts: string[]) => ({ hosts, secretName });
      door = await openDoor(instance, {
        paths: ['-'],
        stdin: stream(
          ...app('one'),
          ...app('two'),
          certificateSecret('cert-one', ['one.example.com']),
          certificateSecret('cert-two', ['two.example.com']),
          certificateSecret('cert-wild', ['*.wild.example.com']),
          ingress(
            'secure',
            {
              'one.example.com': [path('/', 'Prefix', 'one')],
              'two.example.com': [path('/', 'Prefix', 'two')],
              '*.wild.example.com': [path('/', 'Prefix', 'two')],
            },
            {
              tls: [
                tls('cert-one', 'one.example.com'),
                tls('cert-two', 'two.example.com'),
                tls('cert-wild', '*.wild.example.com'),
              ],
            },
          ),
        ),
      });
    });
    afterAll(() => door.close(0));

    /** Subject of the certificate that openssl is shown for a server name; undefined when the handshake fails. */
    async function subject(serverName: string): Promise<string | undefined> {
      const name = serverName ? ['-servername', serverName] : ['-noservername'];
      const child = run('openssl', ['s_client', '-connect', `${door.config.ingressAddress}:443`, ...name]);
      child.child.stdin?.end();
      const output = await child.catch((error: { stdout: string }) => error);
      return /^subject=.*?CN ?= ?(\S+)/m.exec(output.stdout)?.[1];
    }

    it.each([
      ['one.example.com', 'one.example.com'],
      ['two.example.com', 'two.example.com'],
      ['TWO.example.com', 'two.example.com'],
      ['any.wild.example.com', '*.wild.example.com'],
      ['a.b.wild.example.com', undefined],
      ['nobody.example.com', undefined],
    ])('shows openssl for %s the certificate of %s', async (name, expected) => {
      expect(await subject(name)).toBe(expected);
    });

    it('routes by host behind the handshake, and tells the backend that it was HTTPS', async () => {
      for (const [host, name] of [
        ['one.example.com', 'one'],
        ['x.wild.example.com', 'two'],
      ] as const) {
        // biome-ignore format: one line
        const { echo } = await ask({ address: door.config.ingressAddress, host, tls: true });
        expect(echo.pod).toMatch(new RegExp(`^${name}-`));
        expect(echo.headers['X-Forwarded-Proto']).toEqual(['https']);
      }
    });

    it('a certificate replaced in its Secret is shown to the next client', async () => {
      const { data } = certificateSecret('cert-one', ['renewed.example.com', 'one.example.com']);
      await apiOf(door).patch('/api/v1/namespaces/default/secrets/cert-one', { data });
      await eventually(
        () => subject('one.example.com'),
        (seen) => seen === 'renewed.example.com',
      );
      expect(await subject('two.example.com')).toBe('two.example.com');
    });

    it('a Secret that goes ends HTTPS for its host alone', async () => {
      await apiOf(door).remove('/api/v1/namespaces/default/secrets/cert-one');
      await eventually(
        () => subject('one.example.com'),
        (seen) => seen === undefined,
      );
      expect(await subject('two.example.com')).toBe('two.example.com');
      expect(await reach(door, 'one.example.com', '/')).toBe('one');
    });
  });

  describeConformance(instance);
  describeNginx(instance);
  describeEstate(instance);
});
