/** examples/ingress-nginx as its users meet it: each of its Ingresses does what its first line says. */
import { readFileSync } from 'node:fs';
import { connect as connectHttp2 } from 'node:http2';
import { request as httpsRequest } from 'node:https';
import { connect as connectTcp } from 'node:net';
import { join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import { loadAll } from 'js-yaml';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { packageRoot } from '../../src/base/package-root.ts';
import type { KubeObject } from '../../src/kube/types/index.ts';
import { type Ask, ask, eventually, openDoor, type TestDoor } from '../support/door.ts';

const folder = join(packageRoot, 'examples/ingress-nginx');

interface SecretLike extends KubeObject {
  readonly stringData?: Readonly<Record<string, string>>;
}

/** PEM texts of a Secret of the folder. */
function secretData(name: string): Readonly<Record<string, string>> {
  const objects = loadAll(readFileSync(join(folder, 'certificates.yaml'), 'utf8')) as SecretLike[];
  return objects.find(({ metadata }) => metadata.name === name)?.stringData ?? {};
}

export function describeEstate(instance: number): void {
  describe('the estate of examples/ingress-nginx', () => {
    let door: TestDoor;
    let address: string;
    beforeAll(async () => {
      door = await openDoor(instance, { paths: [folder], adopt: false, ingressNginx: { sslPassthrough: true } });
      address = door.config.ingressAddress;
    });
    afterAll(() => door.close(0));

    const get = (host: string, path = '/', more: Partial<Ask> = {}) => ask({ address, host, path, ...more });
    const tool = (name: string, path = '/', more: Partial<Ask> = {}) =>
      get(`${name}.tools.example.com`, path, { tls: true, ...more });
    const podOf = async (...asked: Parameters<typeof get>) => {
      const { status, echo } = await get(...asked);
      return echo.pod?.replace(/-[^-]+-[^-]+$/, '') ?? status;
    };
    const redirectOf = async (...asked: Parameters<typeof get>) => {
      const { status, headers } = await get(...asked);
      return `${status} ${headers.location}`;
    };

    it('has nothing that keeps it from being served', () => {
      const said = door.events.flatMap((event) => (event.event === 'diagnostic' ? event.diagnostic : []));
      expect(
        said.filter(({ severity }) => severity !== 'info').map(({ code, message }) => `${code} ${message}`),
      ).toEqual([]);
    });

    describe('shop', () => {
      it('web: HTTPS for everybody, www to the bare name, sessions on their Pod, headers of its own', async () => {
        expect(await redirectOf('shop.example.com', '/cart/')).toBe('308 https://shop.example.com/cart');
        expect(await redirectOf('www.shop.example.com', '/x', { tls: true })).toBe(
          '308 https://shop.example.com:443/x',
        );
        const first = await get('shop.example.com', '/', { tls: true, headers: { 'x-release': 'none' } });
        const [cookie = ''] = (first.headers['set-cookie'] ?? []).map((text) => text.split(';', 1)[0]!);
        expect(cookie).toMatch(/^shop-session=/);
        for (let i = 0; i < 6; i++) {
          const { echo } = await get('shop.example.com', '/', { tls: true, headers: { cookie } });
          expect(echo.pod).toBe(first.echo.pod);
        }
        expect(first.headers).toMatchObject({
          ...{ 'x-frame-options': 'DENY', 'referrer-policy': 'same-origin' },
          'strict-transport-security': 'max-age=15724800; includeSubDomains',
        });
        const big = { method: 'POST', tls: true, body: 'x'.repeat(9 * 1_024 ** 2) } as const;
        expect((await get('shop.example.com', '/', big).catch(() => ({ status: 413 }))).status).toBe(413);
      });

      it('web-next: a tenth of the visitors, and whoever asks for it', async () => {
        const visit = (headers: Record<string, string> = {}) => podOf('shop.example.com', '/', { tls: true, headers });
        expect(await visit({ 'x-release': 'next' })).toBe('web-next');
        expect(await visit({ cookie: 'next-release=always' })).toBe('web-next');
        expect(await visit({ cookie: 'next-release=never' })).toBe('web');
        const seen = await Promise.all(Array.from({ length: 100 }, () => visit()));
        expect(seen.filter((pod) => pod === 'web-next')).toHaveLength(10);
      });

      it('api: without its prefix, for scripts of two origins', async () => {
        const { echo, headers } = await get('api.example.com', '/api/users/7?x=1', {
          headers: { origin: 'https://eu.partner.example.com' },
        });
        expect([echo.path, echo.headers['X-Forwarded-Prefix']]).toEqual(['/users/7?x=1', ['/api']]);
        expect(headers['access-control-allow-origin']).toBe('https://eu.partner.example.com');
        const preflight = { method: 'OPTIONS', headers: { origin: 'https://app.example.com' } };
        const answer = await get('api.example.com', '/api/users', preflight);
        expect([answer.status, answer.headers['access-control-allow-methods']]).toEqual([204, 'GET, POST, PUT']);
        const other = await get('api.example.com', '/api/', { headers: { origin: 'https://evil.example' } });
        expect(other.headers).not.toHaveProperty('access-control-allow-origin');
      });

      it('images: redirects and cookies get the right names', async () => {
        const set = [
          'Location:http://images.internal/cat.png',
          'Set-Cookie:a=1; Domain=images.internal; Path=/internal/x',
        ];
        const { headers } = await get('images.example.com', '/', { headers: { 'x-echo-set-header': set.join(', ') } });
        expect(headers.location).toBe('https://images.example.com/cat.png');
        expect(headers['set-cookie']?.join()).toMatch(/domain=images\.example\.com; path=\/x/i);
      });

      it('checkout: never in the clear, and only from where it is to be reached', async () => {
        expect(await redirectOf('checkout.example.com', '/pay')).toBe('308 https://checkout.example.com/pay');
        expect(await podOf('checkout.example.com', '/pay', { tls: true })).toBe('checkout');
      });

      it('old-shop: to where the shop is now, by the same path', async () => {
        expect(await redirectOf('oldshop.example.com', '/a?b=c')).toBe('308 https://shop.example.com/a?b=c');
      });

      it('reviews: one product, one Pod; the recorder hears of everything', async () => {
        const pods = new Set<string>();
        for (let i = 0; i < 8; i++) pods.add((await get('reviews.example.com', '/r?product=7')).echo.pod);
        expect(pods.size).toBe(1);
        const url = `${door.summary.api}/api/v1/namespaces/shop/pods`;
        const { items } = (await (await fetch(`${url}?labelSelector=app%3Drecorder`)).json()) as {
          items: KubeObject[];
        };
        const heard = async () => (await fetch(`${url}/${items[0]!.metadata.name}/log`)).text();
        await eventually(heard, (log) => log.includes('/r?product=7'));
      });
    });

    describe('tools', () => {
      const ada = { authorization: `Basic ${btoa('ada:lovelace')}` };

      it('grafana: a name and a password', async () => {
        const { status, headers } = await tool('grafana');
        expect([status, headers['www-authenticate']]).toEqual([401, expect.stringContaining('Grafana: ask')]);
        const { status: known, echo } = await tool('grafana', '/', { headers: ada });
        expect([known, echo.headers]).toEqual([200, expect.not.objectContaining({ Authorization: expect.anything() })]);
      });

      it('prometheus: with a password from where the office is not', async () => {
        expect((await tool('prometheus')).status).toBe(401);
        expect((await tool('prometheus', '/', { headers: ada })).status).toBe(200);
      });

      it('oauth2-proxy and dashboard: who is known there comes in', async () => {
        expect((await tool('login', '/oauth2/start')).echo.pod).toMatch(/^oauth2-proxy-/);
        expect((await tool('dashboard')).echo.pod).toMatch(/^dashboard-/);
      });

      it('registry: layers of any size', async () => {
        const body = 'x'.repeat(3 * 1_024 ** 2);
        expect((await tool('registry', '/v2/blobs', { method: 'PUT', body })).status).toBe(200);
        expect((await tool('registry', '/elsewhere')).status).toBe(404);
      });

      it('hooks: of a bounded size, and what its snippet says', async () => {
        const post = (size: number) => tool('hooks', '/github', { method: 'POST', body: 'x'.repeat(size) });
        expect((await post(1_000)).headers['x-hooks']).toBe('v2');
        expect((await post(300_000).catch(() => ({ status: 413 }))).status).toBe(413);
        expect((await tool('hooks', '/github', { method: 'PUT' })).status).toBe(405);
        expect((await tool('hooks', '/github/x')).status).toBe(404);
        expect((await tool('hooks', '/gitlab/x')).status).toBe(200);
      });

      it('status: under two names, with pages of its own for errors', async () => {
        expect((await tool('status')).headers.location).toBe('https://status.tools.example.com/overview');
        expect((await tool('uptime', '/overview')).echo.pod).toMatch(/^status-[^p]/);
        const page = await tool('status', '/status/503');
        expect(page.echo.pod).toMatch(/^status-pages-/);
        expect(page.echo.headers).toMatchObject({ 'X-Code': ['503'], 'X-Service-Name': ['status'] });
      });

      it('chat: WebSockets', async () => {
        const host = 'chat.tools.example.com';
        const named = { servername: host, rejectUnauthorized: false };
        const socket = new WebSocket(`wss://${address}/ws`, { headers: { host }, ...named });
        const echo = await new Promise((resolve, reject) => {
          socket.on('error', reject);
          socket.on('open', () => socket.send('hello'));
          socket.on('message', (data) => resolve(String(data)));
        });
        socket.terminate();
        expect(echo).toBe('hello');
      });

      it('vault: its TLS is its own', async () => {
        const socket = connectTls({
          host: address,
          port: 443,
          servername: 'vault.example.com',
          rejectUnauthorized: false,
        });
        const subject = await new Promise((resolve, reject) => {
          socket.on('error', reject);
          socket.on('secureConnect', () => resolve(socket.getPeerCertificate().subject.CN));
        });
        socket.destroy();
        expect(subject).toBe('vault.example.com');
        expect(secretData('vault-tls')['tls.crt']).toContain('BEGIN CERTIFICATE');
      });
    });

    describe('partners', () => {
      const orders = (shown: { cert?: string | undefined; key?: string | undefined } = {}) =>
        new Promise<{ status: number; text: string }>((resolve, reject) => {
          const host = 'partner.example.com';
          const options = {
            host: address,
            servername: host,
            path: '/orders',
            headers: { host },
            rejectUnauthorized: false,
          };
          httpsRequest({ ...options, ...shown, agent: false }, (response) => {
            let text = '';
            response.on('data', (chunk) => {
              text += chunk;
            });
            response.on('end', () => resolve({ status: response.statusCode ?? 0, text }));
          })
            .on('error', reject)
            .end();
        });

      it('orders: with a certificate, whose owner the service hears of', async () => {
        expect((await orders()).status).toBe(400);
        const { 'tls.crt': cert, 'tls.key': key } = secretData('partner-client');
        const { status, text } = await orders({ cert, key });
        expect(status).toBe(200);
        expect(text).toContain('CN=acme-ltd');
        expect(text).toContain('SUCCESS');
        const { 'tls.crt': strange, 'tls.key': strangeKey } = secretData('vault-tls');
        expect((await orders({ cert: strange, key: strangeKey })).status).toBe(400);
      });

      it('ledger: over TLS that is verified, under its inner name', async () => {
        const { status, echo } = await get('ledger.example.com');
        expect([status, echo.host]).toEqual([200, 'ledger.internal']);
      });

      it('quotes: gRPC', async () => {
        const session = connectHttp2(`https://${address}`, {
          servername: 'quotes.example.com',
          rejectUnauthorized: false,
        });
        const call = session.request({
          ...{ ':method': 'POST', ':path': '/grpc.health.v1.Health/Check', ':authority': 'quotes.example.com' },
          ...{ 'content-type': 'application/grpc', te: 'trailers' },
        });
        const status = new Promise((resolve, reject) => {
          call.on('error', reject);
          call.on('trailers', (trailers) => resolve(trailers['grpc-status']));
        });
        call.resume();
        call.end(Buffer.from([0, 0, 0, 0, 0]));
        expect(await status).toBe('0');
        session.destroy();
      });

      it('handbook: over plain HTTP, to a place on the same host', async () => {
        expect(await redirectOf('handbook.example.com', '/latest')).toBe('302 /2026/');
      });
    });

    it('TCP of the services map', async () => {
      const socket = connectTcp(5432, address, () => socket.write('SELECT 1;\n'));
      const echo = await new Promise((resolve, reject) => {
        socket.on('error', reject);
        socket.once('data', (bytes) => resolve(String(bytes)));
      });
      socket.destroy();
      expect(echo).toBe('SELECT 1;\n');
    });
  });
}
