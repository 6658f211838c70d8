/** Ingresses of ingress-nginx behind a door of ours: what their users see of paths, redirects, names, canaries and TLS. */
import { connect } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { certificateSecret } from '../support/certificates.ts';
import { type Ask, apiOf, ask, eventually, openDoor, type TestDoor } from '../support/door.ts';
import { app, ingress, type Manifest, path, stream } from '../support/manifests.ts';

const spec = { ingressClassName: 'nginx' };

function nginx(
  name: string,
  hosts: Parameters<typeof ingress>[1],
  annotations: Readonly<Record<string, string>> = {},
  more: Manifest = {},
): Manifest {
  const prefixed = Object.entries(annotations).map(([key, value]) => [`nginx.ingress.kubernetes.io/${key}`, value]);
  return ingress(name, hosts, { ...spec, ...more }, { annotations: Object.fromEntries(prefixed) });
}

const root = (service: string) => [path('/', 'Prefix', service)];

const manifests = [
  ...['main', 'next', 'strip'].flatMap((name) => app(name)),
  certificateSecret('shop-tls', ['shop.example.com']),
  nginx('strip', { 'strip.example.com': [path('/foo(/|$)(.*)', 'ImplementationSpecific', 'strip')] }, { 'rewrite-target': '/$2', 'x-forwarded-prefix': '/foo' }), // biome-ignore format: one line
  nginx('plain', { 'plain.example.com': [path('/dir/', 'Prefix', 'main'), path('/', 'Prefix', 'main')] }, { 'from-to-www-redirect': 'true', 'server-alias': 'alias.example.com' }), // biome-ignore format: one line
  nginx('shop', { 'shop.example.com': root('main') }, {}, { tls: [{ hosts: ['shop.example.com'], secretName: 'shop-tls' }] }), // biome-ignore format: one line
  nginx('canary-main', { 'canary.example.com': root('main') }),
  nginx('canary-next', { 'canary.example.com': root('next') }, { canary: 'true', 'canary-by-header': 'X-Next', 'canary-by-cookie': 'next', 'canary-weight': '0' }), // biome-ignore format: one line
];

export function describeNginx(instance: number): void {
  describe('of class nginx', () => {
    let door: TestDoor;
    beforeAll(async () => {
      door = await openDoor(instance, { paths: ['-'], stdin: stream(...manifests), adopt: false });
    });
    afterAll(() => door.close(0));

    const get = (host: string, requested: string, more: Partial<Ask> = {}) =>
      ask({ address: door.config.ingressAddress, host, path: requested, ...more });
    const location = async (host: string, requested: string) => {
      const { status, headers } = await get(host, requested);
      return `${status} ${headers.location}`;
    };
    const served = async (host: string, headers: Record<string, string> = {}) => {
      const { echo, status } = await get(host, '/', { headers });
      return echo.pod?.split('-')[0] ?? status;
    };

    it('a prefix is taken off by a pattern, and the backend hears of it', async () => {
      const { echo } = await get('strip.example.com', '/foo/a/b?x=1');
      expect([echo.path, echo.headers['X-Forwarded-Prefix']]).toEqual(['/a/b?x=1', ['/foo']]);
      expect((await get('strip.example.com', '/FOO')).echo.path).toBe('/');
      expect((await get('strip.example.com', '/food')).status).toBe(404);
    });

    it('paths are compared decoded and without dots, and reach the backend as they came', async () => {
      expect((await get('plain.example.com', '/%64ir//x/../y?q')).echo.path).toBe('/%64ir//x/../y?q');
      expect(await location('plain.example.com', '//dir?q=1')).toBe('301 http://plain.example.com/dir/?q=1');
    });

    it('names with www. and aliases', async () => {
      expect(await location('www.plain.example.com', '/a/')).toBe('308 http://plain.example.com:80/a');
      expect(await served('alias.example.com')).toBe('main');
    });

    it('a host with a certificate is one for https', async () => {
      expect(await location('shop.example.com', '/a/')).toBe('308 https://shop.example.com/a');
      const { echo, headers } = await get('shop.example.com', '/a', { tls: true });
      expect([echo.path, echo.headers['X-Forwarded-Proto']]).toEqual(['/a', ['https']]);
      expect(headers['strict-transport-security']).toBe('max-age=31536000; includeSubDomains');
    });

    it('every other name is shown a certificate that is signed by itself', async () => {
      const subject = await new Promise<string>((resolve, reject) => {
        const host = door.config.ingressAddress;
        const socket = connect({ host, port: 443, servername: 'plain.example.com', rejectUnauthorized: false }, () => {
          resolve(String(socket.getPeerCertificate().subject.CN));
          socket.destroy();
        });
        socket.on('error', reject);
      });
      expect(subject).toBe('Fairway self-signed certificate');
      expect((await get('plain.example.com', '/x', { tls: true })).echo.path).toBe('/x');
    });

    it('a canary takes those who ask for it', async () => {
      expect(await served('canary.example.com')).toBe('main');
      expect(await served('canary.example.com', { 'x-next': 'always' })).toBe('next');
      expect(await served('canary.example.com', { cookie: 'next=always' })).toBe('next');
      expect(await served('canary.example.com', { 'x-next': 'never', cookie: 'next=always' })).toBe('main');
    });

    it('a load balancer finds it healthy, and hosts that nobody has are not found', async () => {
      expect((await get('nobody.example.org', '/healthz')).status).toBe(200);
      expect((await get('nobody.example.org', '/')).status).toBe(404);
    });

    it('annotations that change change answers', async () => {
      const url = '/apis/networking.k8s.io/v1/namespaces/default/ingresses';
      const annotate = (annotations: Record<string, string | null>) =>
        apiOf(door).patch(`${url}/strip`, { metadata: { annotations } });
      await annotate({ 'nginx.ingress.kubernetes.io/rewrite-target': 'https://new.example.com/$2' });
      await eventually(
        () => location('strip.example.com', '/foo/x?y'),
        (seen) => seen === '302 https://new.example.com/x?y',
      );
      await apiOf(door).remove(`${url}/canary-next`);
      await eventually(
        () => served('canary.example.com', { 'x-next': 'always' }),
        (seen) => seen === 'main',
      );
    });
  });
}
