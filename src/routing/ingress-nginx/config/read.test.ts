import { describe, expect, it } from 'vitest';
import { defaultNginxConfig } from './config.ts';
import { configKeys } from './keys.ts';
import { readNginxConfig } from './read.ts';

const maps: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'shop/headers': { 'X-Team': 'shop', 'X-Asked': '$http_x_asked' },
  'shop/wrong': { 'X Team': 'shop' },
};
const read = (data: Record<string, string>) => readNginxConfig(data, (key) => maps[key]);
const codes = (data: Record<string, string>) => read(data).problems.map(({ code, key }) => `${code} ${key}`);

describe('the ConfigMap of ingress-nginx', () => {
  it('says nothing when it is empty, or its values are', () => {
    expect(read({})).toEqual({ config: defaultNginxConfig, problems: [], asked: [] });
    expect(read({ hsts: '', 'proxy-body-size': ' ' }).config).toEqual(defaultNginxConfig);
  });

  it.each([
    ['proxy-body-size', '8m', { proxyBodySize: 8 * 1_024 ** 2 }],
    ['proxy-read-timeout', '120', { proxyReadTimeout: 120 }],
    ['ssl-redirect', 'false', { sslRedirect: false }],
    ['http-redirect-code', '301', { httpRedirectCode: 301 }],
    ['hsts-max-age', '63072000', { hstsMaxAge: 63_072_000 }],
    ['ssl-protocols', 'TLSv1.3', { tls: { minVersion: 'TLSv1.3', maxVersion: 'TLSv1.3' } }],
    ['ssl-protocols', 'TLSv1 TLSv1.1 TLSv1.2', { tls: { minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2' } }],
    ['limit-req-status-code', '429', { limitReqStatusCode: 429 }],
    ['limit-conn-zone-variable', '$http_x_api_key', { limitKey: { by: 'header', name: 'x-api-key' } }],
    ['custom-http-errors', '404,503', { customHttpErrors: [404, 503] }],
    ['proxy-next-upstream', 'error http_502', { proxyNextUpstream: ['error', 'http_502'] }],
    ['denylist-source-range', '192.0.2.0/24, 198.51.100.7', { denylistSourceRange: ['192.0.2.0/24', '198.51.100.7'] }],
    ['hide-headers', 'X-Powered-By', { hideHeaders: ['X-Powered-By'] }],
    ['proxy-cookie-path', '/a /b', { proxyCookiePath: { from: '/a', to: '/b' } }],
    ['no-auth-locations', '/healthz,/.well-known', { noAuthLocations: ['/healthz', '/.well-known'] }],
  ])('reads %s: %s', (key, value, expected) => {
    expect(read({ [key]: value })).toEqual({ config: { ...defaultNginxConfig, ...expected }, problems: [], asked: [] });
  });

  it('trusts whom it names, once it trusts at all, and everybody where it names nobody', () => {
    const cidrs = { 'proxy-real-ip-cidr': '10.0.0.0/8' };
    expect(read(cidrs).config.trustedProxies).toEqual([]);
    expect(read({ ...cidrs, 'use-forwarded-headers': 'true' }).config.trustedProxies).toEqual(['10.0.0.0/8']);
    expect(read({ ...cidrs, 'enable-real-ip': 'true' }).config.trustedProxies).toEqual(['10.0.0.0/8']);
    expect(read({ 'use-forwarded-headers': 'true' }).config.trustedProxies).toEqual(['0.0.0.0/0', '::/0']);
  });

  it('makes one compression of two', () => {
    expect(read({ 'gzip-level': '9' }).config.compression).toBeUndefined();
    expect(read({ 'use-gzip': 'true', 'enable-brotli': 'true', 'gzip-level': '9' }).config.compression).toMatchObject({
      ...{ codings: ['br', 'gzip'], minBytes: 20, level: { gzip: 9, br: 4 } },
    });
  });

  it('takes headers from the ConfigMap that is named', () => {
    const { config, asked } = read({ 'add-headers': 'shop/headers' });
    expect(config.addHeaders).toEqual([
      ['X-Asked', [{ of: 'header', name: 'x-asked' }]],
      ['X-Team', ['shop']],
    ]);
    expect(asked).toEqual(['shop/headers']);
    expect(codes({ 'proxy-set-headers': 'shop/none', 'add-headers': 'shop/wrong' })).toEqual([
      'FW5512 add-headers',
      'FW5512 proxy-set-headers',
    ]);
  });

  it('asks for an answer about everybody only with a URL', () => {
    expect(read({ 'global-auth-method': 'POST' }).config.globalAuth).toBeUndefined();
    const url = 'http://auth.example.com/check';
    expect(read({ 'global-auth-method': 'POST', 'global-auth-url': url }).config.globalAuth).toEqual({
      url,
      method: 'POST',
    });
  });

  it('shuts everything where clients could say themselves what a service says of them, or it would be believed too long', () => {
    const url = { 'global-auth-url': 'http://auth.example.com/check' };
    for (const [key, text] of [
      ['global-auth-response-headers', 'X User'],
      ['global-auth-cache-duration', 'long'],
    ] as const) {
      // biome-ignore format: one line
      expect(read({ ...url, [key]: text }).config.broken).toBe(key);
      expect(read({ [key]: text }).config.broken).toBeUndefined();
    }
  });

  it('takes no ciphers, versions and variables that there are not', () => {
    const wrong = {
      'ssl-ciphers': 'garbage',
      'ssl-protocols': 'constructor',
      'limit-conn-zone-variable': 'constructor',
    };
    const { config, problems } = read(wrong);
    expect([config.tls, config.limitKey]).toEqual([{}, { by: 'address' }]);
    expect(problems).toHaveLength(3);
    expect(read({ 'ssl-ciphers': 'ECDHE-RSA-AES128-GCM-SHA256' }).config.tls.ciphers).toBe('ECDHE-RSA-AES128-GCM-SHA256'); // biome-ignore format: one line
  });

  it('says so where everybody is believed', () => {
    expect(codes({ 'use-forwarded-headers': 'true' })).toEqual(['FW5516 use-forwarded-headers']);
    expect(codes({ 'enable-real-ip': 'true' })).toEqual(['FW5516 enable-real-ip']);
    expect(codes({ 'enable-real-ip': 'true', 'proxy-real-ip-cidr': '10.0.0.0/8' })).toEqual([]);
    expect(codes({ 'use-forwarded-headers': 'false' })).toEqual([]);
  });

  it('shuts everything where something protects and cannot be honoured', () => {
    const { config, problems } = read({ 'whitelist-source-range': 'the office' });
    expect(config.broken).toBe('whitelist-source-range');
    expect(problems).toMatchObject([{ code: 'FW5511', message: expect.stringContaining('"the office"') }]);
    expect(codes({ 'forwarded-for-header': 'X-Real-IP' })).toEqual(['FW5511 forwarded-for-header']);
    expect(codes({ 'forwarded-for-header': 'x-forwarded-for' })).toEqual([]);
  });

  it('says what it does not follow, does not know, or has nothing to change', () => {
    expect(
      codes({ 'worker-processes': '4', 'http-snippet': 'server_tokens off;', 'proxy-body-sise': '1m', hsts: 'yes' }),
    ).toEqual([...['FW5512 hsts', 'FW5515 proxy-body-sise', 'FW5514 worker-processes', 'FW5513 http-snippet']]);
    expect(read({ 'proxy-body-sise': '1m' }).problems[0]!.message).toBe(
      'ingress-nginx has no key proxy-body-sise; proxy-body-size may be meant',
    );
    expect(read({ constructor: '1' }).problems[0]!.code).toBe('FW5515');
  });

  it('has a row for each key of ingress-nginx that says something', () => {
    expect(Object.keys(configKeys).length).toBeGreaterThan(190);
    for (const [key, { verdict, note, take }] of Object.entries(configKeys)) {
      if (verdict !== 'works') expect(note, key).toMatch(/[.!]$/);
      if (verdict === 'works' || verdict === 'differs') expect(take, key).toBeDefined();
    }
  });
});
