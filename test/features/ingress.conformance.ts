/** The features of ingress-controller-conformance, with real requests, in both dialects of Ingress. */
import { connect } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Ingress } from '../../src/kube/types/index.ts';
import { certificateSecret } from '../support/certificates.ts';
import { ask, eventually, openDoor, type TestDoor } from '../support/door.ts';
import { app, ingress, type Manifest, path, stream } from '../support/manifests.ts';

/** Class of the Ingresses, and what it answers where ingress-nginx is known to do something else than the features say. */
const dialects = [
  { className: 'fairway', withoutSlash: 404, prefixWithoutSlash: 'aaa-slash-bbb-slash-prefix' },
  { className: 'nginx', withoutSlash: 301, prefixWithoutSlash: 301 },
] as const;

const pathRules: Readonly<Record<string, readonly (readonly [type: string, path: string, service: string])[]>> = {
  'exact-path-rules': [['Exact', '/foo', 'foo-exact']],
  'prefix-path-rules': [
    ['Prefix', '/foo', 'foo-prefix'],
    ['Prefix', '/aaa/bbb', 'aaa-slash-bbb-prefix'],
    ['Prefix', '/aaa', 'aaa-prefix'],
  ],
  'mixed-path-rules': [
    ['Prefix', '/foo', 'foo-prefix'],
    ['Exact', '/foo', 'foo-exact'],
  ],
  'trailing-slash-path-rules': [
    ['Prefix', '/aaa/bbb/', 'aaa-slash-bbb-slash-prefix'],
    ['Exact', '/foo/', 'foo-slash-exact'],
  ],
};

const pods = 10;

function manifests(ingressClassName: string, certificate: Manifest): Manifest[] {
  const spec = { ingressClassName };
  const hosts = Object.entries(pathRules).map(
    ([host, rules]) => [host, rules.map(([type, value, service]) => path(value, type, service))] as const,
  );
  const services = new Set(Object.values(pathRules).flatMap((rules) => rules.map(([, , service]) => service)));
  const hostRules = {
    '*.foo.com': [path('/', 'Prefix', 'wildcard-foo-com', 'http')],
    'foo.bar.com': [path('/', 'Prefix', 'foo-bar-com', 'http')],
  };
  const secure = { ...spec, tls: [{ hosts: ['tls.bar.com'], secretName: 'conformance-tls' }] };
  return [
    ...[...services, 'wildcard-foo-com', 'foo-bar-com'].flatMap((name) => app(name)),
    ...app('balanced', { replicas: pods }),
    certificate,
    ingress('path-rules', Object.fromEntries(hosts), spec),
    ingress('host-rules', hostRules, spec),
    // By itself, as ingress-nginx sends all hosts of such an Ingress to https.
    ingress('tls-rule', { 'tls.bar.com': [path('/', 'Prefix', 'foo-bar-com', 'http')] }, secure),
    ingress('load-balancing', { 'load-balancing': [path('/', 'Prefix', 'balanced')] }, spec),
    ingress('unknown-class', { 'unknown.example': [path('/', 'Prefix', 'balanced')] }, { ingressClassName: 'some-invalid-class-name' }), // biome-ignore format: one line
  ];
}

/** Name of the Deployment that answered, or the status when none did. */
async function reach({ config }: TestDoor, host: string, requested: string): Promise<string | number> {
  const { status, echo } = await ask({ address: config.ingressAddress, host, path: requested });
  return echo.pod ? echo.pod.replace(/-[^-]+-[^-]+$/, '') : status;
}

export function describeConformance(instance: number): void {
  describe.each(dialects)('conformance of class $className', ({ className, withoutSlash, prefixWithoutSlash }) => {
    const certificate = certificateSecret('conformance-tls', ['tls.bar.com']);
    let door: TestDoor;

    describe('with rules', () => {
      beforeAll(async () => {
        door = await openDoor(instance, { paths: ['-'], stdin: stream(...manifests(className, certificate)), adopt: false }); // biome-ignore format: one line
      });
      afterAll(() => door.close(0));

      it.each([
        ['exact-path-rules', '/foo', 'foo-exact'],
        ['exact-path-rules', '/foo/', 404],
        ['exact-path-rules', '/FOO', 404],
        ['exact-path-rules', '/bar', 404],
        ['prefix-path-rules', '/foo', 'foo-prefix'],
        ['prefix-path-rules', '/foo/', 'foo-prefix'],
        ['prefix-path-rules', '/FOO', 404],
        ['prefix-path-rules', '/aaa/bbb', 'aaa-slash-bbb-prefix'],
        ['prefix-path-rules', '/aaa/bbb/ccc', 'aaa-slash-bbb-prefix'],
        ['prefix-path-rules', '/aaa/ccc', 'aaa-prefix'],
        ['prefix-path-rules', '/aaaccc', 404],
        ['mixed-path-rules', '/foo', 'foo-exact'],
        ['trailing-slash-path-rules', '/aaa/bbb', prefixWithoutSlash],
        ['trailing-slash-path-rules', '/aaa/bbb/', 'aaa-slash-bbb-slash-prefix'],
        ['trailing-slash-path-rules', '/foo', withoutSlash],
      ])('%s%s: %s', async (host, requested, expected) => {
        expect(await reach(door, host, requested)).toBe(expected);
      });

      it.each([
        ['a host by its name', 'foo.bar.com', 'foo-bar-com'],
        ['another host of the domain', 'subdomain.bar.com', 404],
        ['a wildcard for one label', 'bar.foo.com', 'wildcard-foo-com'],
        ['a wildcard for two labels', 'baz.bar.foo.com', 404],
        ['a wildcard for none', 'foo.com', 404],
      ])('%s', async (_name, host, expected) => {
        expect(await reach(door, host, '/')).toBe(expected);
      });

      it('TLS for a host, with a certificate that holds against its authority', async () => {
        const ca = Buffer.from(certificate.data['tls.crt'], 'base64');
        const options = { host: door.config.ingressAddress, port: 443, servername: 'tls.bar.com', ca };
        const authorized = await new Promise<boolean>((resolve, reject) => {
          const socket = connect({ ...options, rejectUnauthorized: true }, () => {
            resolve(socket.authorized);
            socket.destroy();
          });
          socket.on('error', reject);
        });
        expect(authorized).toBe(true);
        const { echo } = await ask({ address: door.config.ingressAddress, host: 'tls.bar.com', tls: true });
        expect(echo.pod).toMatch(/^foo-bar-com-/);
      });

      it('a hundred requests reach ten Pods', async () => {
        const seen = new Set<string>();
        for (let i = 0; i < 100; i++) {
          const { echo } = await ask({ address: door.config.ingressAddress, host: 'load-balancing' });
          seen.add(echo.pod);
        }
        expect(seen.size).toBe(pods);
      });

      it('an Ingress of an unknown class shows no address, and others do', async () => {
        const statusOf = (name: string) =>
          door.store.get<Ingress>('ingresses.networking.k8s.io', `default/${name}`)?.status?.loadBalancer?.ingress;
        await eventually(
          () => Promise.resolve(statusOf('path-rules')),
          (shown) => shown?.length === 1,
        );
        expect(statusOf('unknown-class')).toBeUndefined();
        expect(await reach(door, 'unknown.example', '/')).toBe(404);
      });
    });

    describe('with a default backend alone', () => {
      beforeAll(async () => {
        const only = ingress('default-backend', {}, { ingressClassName: className, defaultBackend: { service: { name: 'echo-service', port: { number: 80 } } } }); // biome-ignore format: one line
        door = await openDoor(instance, { paths: ['-'], stdin: stream(...app('echo-service'), only), adopt: false });
      });
      afterAll(() => door.close(0));

      it.each([
        ['GET', 'my-host', '/'],
        ['GET', 'my-host', '/sub-path'],
        ['POST', 'some-host', '/'],
        ['PUT', '', '/resource'],
        ['DELETE', 'some-host', '/resource'],
        ['PATCH', 'my-host', '/resource'],
      ])('%s %s%s', async (method, host, requested) => {
        const address = door.config.ingressAddress;
        const headers = { 'user-agent': 'conformance/1' };
        const { status, echo, headers: got } = await ask({ address, ...(host && { host }), method, path: requested, headers }); // biome-ignore format: one line
        expect(status).toBe(200);
        expect(echo.pod).toMatch(/^echo-service-/);
        expect([echo.method, echo.path, echo.proto]).toEqual([method, requested, 'HTTP/1.1']);
        expect(echo.headers['User-Agent']).toEqual(['conformance/1']);
        expect(Object.keys(got)).toEqual(expect.arrayContaining(['content-length', 'content-type', 'date']));
      });
    });
  });
}
