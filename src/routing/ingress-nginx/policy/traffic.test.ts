/** Time-outs, next upstreams, sessions, how backends are spoken to, and pages for errors. */
import { describe, expect, it } from 'vitest';
import type { Backend } from '../../plan/plan.ts';
import { configMap, type facts, filtersOf, judge, secret } from './testing.ts';

describe('time-outs', () => {
  it('60 seconds of silence, or as asked for', () => {
    expect(judge({}).policy.timeouts).toEqual({ idleMs: 60_000 });
    expect(judge({ 'proxy-read-timeout': '3600' }).policy.timeouts).toEqual({ idleMs: 3_600_000 });
    const wrong = judge({ 'proxy-read-timeout': '60s' });
    expect(wrong.policy.timeouts).toEqual({ idleMs: 60_000 });
    expect(wrong.told).toEqual(['FW5502 proxy-read-timeout']);
  });
});

describe('next upstreams', () => {
  const usual = {
    ...{ attempts: 2, statuses: [], on: ['reset', 'timeout'], backoffMs: 0, maxBackoffMs: 0 },
    methods: 'idempotent',
  };

  it('after errors and time-outs, three in all', () => {
    expect(judge({}).policy.retry).toEqual(usual);
  });

  it('as asked for', () => {
    const judged = judge({
      'proxy-next-upstream': 'error invalid_header http_502 http_429 non_idempotent',
      'proxy-next-upstream-tries': '5',
    });
    expect(judged.policy.retry).toEqual({
      ...usual,
      ...{ attempts: 4, statuses: [502, 429], on: ['reset'], methods: 'all' },
    });
    expect(judge({ 'proxy-next-upstream-tries': '0' }).policy.retry).toMatchObject({ attempts: 9 });
    expect(judge({}, { config: { retryNonIdempotent: true } }).policy.retry).toMatchObject({ methods: 'all' });
  });

  it.each([
    ['proxy-next-upstream', 'off'],
    ['proxy-next-upstream-tries', '1'],
  ])('not with %s %s', (name, value) => {
    expect(judge({ [name]: value }).policy.retry).toBeUndefined();
  });
});

describe('sessions', () => {
  const cookie = { type: 'cookie', name: 'INGRESSCOOKIE', path: '/', secure: 'https' };

  it('in a cookie', () => {
    expect(judge({ affinity: 'cookie' }).policy.affinity).toEqual({
      ...{ scope: 'Ingress/shop/web', carrier: cookie, mode: 'balanced' },
    });
    expect(judge({}).policy.affinity).toBeUndefined();
  });

  it('with all that can be said of it', () => {
    const judged = judge({
      ...{ affinity: 'cookie', 'affinity-mode': 'persistent', 'affinity-canary-behavior': 'legacy' },
      ...{ 'session-cookie-name': 'route', 'session-cookie-path': '/app', 'session-cookie-domain': 'shop.example' },
      ...{ 'session-cookie-expires': '60', 'session-cookie-max-age': '70', 'session-cookie-samesite': 'none' },
      ...{ 'session-cookie-conditional-samesite-none': 'true', 'session-cookie-secure': 'true' },
      'session-cookie-change-on-failure': 'true',
    });
    expect(judged.policy.affinity).toEqual({
      ...{ scope: 'Ingress/shop/web', mode: 'persistent', split: 'weight', moveOnFailure: true },
      carrier: {
        ...{ type: 'cookie', name: 'route', path: '/app', domain: 'shop.example', secure: 'always' },
        ...{ sameSite: 'None', unlessUnsupported: true, maxAgeSeconds: 70, expiresSeconds: 60 },
      },
    });
  });

  it('the path of a pattern is as much of it as is certain', () => {
    const path = (given: Partial<typeof facts>) =>
      judge({ affinity: 'cookie' }, { facts: given }).policy.affinity?.carrier;
    expect(path({ path: '/app' })).toMatchObject({ path: '/app' });
    expect(path({ path: '/app/v1/(.*)', isPattern: true })).toMatchObject({ path: '/app/v1' });
  });
});

const plain: Backend = {
  ...{ id: 'shop/web:80', namespace: 'shop', service: 'web', port: 80, protocol: 'http1' },
  source: { object: { apiVersion: 'v1', kind: 'Service', namespace: 'shop', name: 'web' } },
};

describe('backends', () => {
  const variant = (...args: Parameters<typeof judge>) => judge(...args).policy.backendVariant?.(plain) ?? plain;
  const id = 'shop/web:80/Ingress/web';

  it('as they are, unless something is asked for', () => {
    expect(judge({}).policy.backendVariant).toBeUndefined();
  });

  it.each([
    ['http', 'http1', undefined],
    ['HTTPS', 'https', { serverName: '', verify: false, ca: 'system' }],
    ['GRPC', 'h2c', undefined],
    ['grpcs', 'h2', { serverName: '', verify: false }],
  ])('backend-protocol %s', (said, protocol, tls) => {
    const made = variant({ 'backend-protocol': said });
    expect(made).toMatchObject({ id, protocol });
    if (tls) expect(made.tls).toMatchObject(tls);
    else expect(made).not.toHaveProperty('tls');
  });

  it('what a policy of the Service says of TLS stays', () => {
    const tls = { ...{ serverName: 'a', verify: true, ca: 'system', subjectAltNames: [] }, source: plain.source };
    const make = judge({ 'backend-protocol': 'HTTPS' }).policy.backendVariant;
    expect(make?.({ ...plain, protocol: 'https', tls }).tls).toBe(tls);
    const http = judge({ 'backend-protocol': 'HTTP' }).policy.backendVariant;
    expect(http?.({ ...plain, protocol: 'https', tls })).not.toHaveProperty('tls');
  });

  it('FastCGI shuts the location', () => {
    const fcgi = judge({ 'backend-protocol': 'FCGI' });
    expect(fcgi.policy.refusal).toMatch('backend-protocol');
    expect(fcgi.told).toEqual(['FW5501 backend-protocol']);
  });

  it('AUTO_HTTP speaks TLS to those who came over TLS', () => {
    const judged = judge({ 'backend-protocol': 'auto_http' });
    expect(judged.told).toEqual([]);
    expect(judged.policy.backendVariant?.(plain)).toMatchObject({
      ...{ id, protocol: 'https', tlsAsListener: true },
      tls: { serverName: '', verify: false },
    });
    expect(variant({ 'backend-protocol': 'HTTPS' })).not.toHaveProperty('tlsAsListener');
  });

  it('time to connect, and balancing', () => {
    expect(variant({ 'proxy-connect-timeout': '2' })).toEqual({ ...plain, id, policy: { connectTimeoutMs: 2_000 } });
    expect(variant({ 'load-balance': 'ewma' }).policy).toEqual({ balance: { type: 'least-request' } });
    expect(variant({ 'load-balance': 'round_robin' })).toBe(plain);
    expect(variant({}, { config: { loadBalance: 'ewma', proxyConnectTimeout: 9 } }).policy).toEqual({
      ...{ connectTimeoutMs: 9_000, balance: { type: 'least-request' } },
    });
    const hashed = variant({ 'upstream-hash-by': '$request_uri$host', 'load-balance': 'ewma' });
    const template = [
      { of: 'fact', fact: 'uri' },
      { of: 'fact', fact: 'hostname' },
    ];
    expect(hashed.policy).toEqual({ balance: { type: 'hash', by: [{ by: 'template', template }] } });
    expect(judge({ 'upstream-hash-by': '$nothing' }).told).toEqual(['FW5502 upstream-hash-by']);
  });

  it('what the Service has of a policy stays', () => {
    const made = judge({ 'load-balance': 'ewma' }).policy.backendVariant?.({ ...plain, policy: { slowStartMs: 5 } });
    expect(made?.policy).toEqual({ slowStartMs: 5, balance: { type: 'least-request' } });
  });

  it.each([
    ['that is not there', { 'proxy-ssl-secret': 'shop/gone' }, 'proxy-ssl-secret'],
    ['of another namespace', { 'proxy-ssl-secret': 'auth/ca' }, 'proxy-ssl-secret'],
    ['with other text', { 'proxy-ssl-secret': 'shop/text' }, 'proxy-ssl-secret'],
    ['without authorities', { 'proxy-ssl-secret': 'shop/none', 'proxy-ssl-verify': 'on' }, 'proxy-ssl-verify'],
    ['with half a certificate', { 'proxy-ssl-secret': 'shop/half' }, 'proxy-ssl-secret'],
  ])('a Secret for TLS %s shuts the location', (_what, annotations, culprit) => {
    const objects = [
      ...[secret('text', { 'ca.crt': 'no' }), secret('none', { x: 'y' }), secret('half', { 'tls.crt': 'x' })],
      ...[secret('ca', { 'ca.crt': 'x' }, 'auth'), configMap('gone', {})],
    ];
    const judged = judge({ 'backend-protocol': 'HTTPS', ...annotations }, { objects });
    expect(judged.policy.refusal).toMatch(culprit);
    expect(judged.told).toEqual([`FW5501 ${culprit}`]);
  });
});

describe('pages and the default backend', () => {
  const about = [
    ['X-Namespace', 'shop'],
    ['X-Ingress-Name', 'web'],
    ['X-Service-Name', 'web'],
    ['X-Service-Port', 'http'],
  ];

  it('in the place of errors, and while there is no endpoint', () => {
    const judged = judge({ 'custom-http-errors': '404,503', 'default-backend': 'pages' });
    expect(filtersOf(judged, 'error-pages')).toEqual([
      {
        ...{ type: 'error-pages', backend: 'shop/pages:80', statuses: [404, 503], ownAnswers: true, path: '/' },
        ...{
          refusals: true,
          asAsked: true,
          statusHeader: 'X-Code',
          copyHeaders: [['X-Format', 'accept']],
          setHeaders: [],
        },
        values: about.map(([header, value]) => [header, [value]]),
        facts: [
          ['X-Original-URI', 'uri'],
          ['X-Request-ID', 'request-id'],
          ['X-Forwarded-For', 'client-address'],
        ],
      },
    ]);
    expect(judged.policy.otherwise).toEqual({
      backend: 'shop/pages:80',
      filters: [
        {
          type: 'request-values',
          set: [
            ['X-Code', ['503']],
            ['X-Format', [{ of: 'header', name: 'accept' }]],
            ...about.map(([header, value]) => [header, [value]]),
          ],
        },
      ],
    });
    expect(judged.services).toContain('shop/pages');
  });

  it('without errors to replace, only while there is no endpoint', () => {
    const judged = judge({ 'default-backend': 'pages' });
    expect(filtersOf(judged, 'error-pages')).toEqual([]);
    expect(judged.policy.otherwise?.backend).toBe('shop/pages:80');
  });

  it('of all Ingresses', () => {
    const config = { customHttpErrors: [500], defaultBackend: 'shop/pages' };
    const judged = judge({}, { config });
    expect(filtersOf(judged, 'error-pages')).toMatchObject([{ backend: 'shop/pages:80', statuses: [500] }]);
    expect(judged.policy.otherwise).toBeUndefined();
    expect(filtersOf(judge({ 'disable-proxy-intercept-errors': 'true' }, { config }), 'error-pages')).toEqual([]);
  });

  it('what cannot be had is left out', () => {
    expect(judge({ 'custom-http-errors': '404' }).told).toEqual(['FW5502 custom-http-errors']);
    const gone = judge({ 'custom-http-errors': '404', 'default-backend': 'gone' });
    expect(gone.told).toEqual(['FW5502 default-backend']);
    expect(gone.policy).not.toHaveProperty('otherwise');
    expect(gone.policy.refusal).toBeUndefined();
  });
});
