import { describe, expect, it } from 'vitest';
import { asksForCertificates, listFilters } from './policy.ts';
import { configMap, filtersOf, hash, ingressWith, judge, secret } from './testing.ts';

it('filters stand in the order of the phases of nginx', () => {
  const objects = [secret('users', { auth: `ada:${hash}` }), configMap('more', { 'X-A': '1' })];
  const judged = judge(
    {
      ...{ 'enable-cors': 'true', 'limit-rps': '1', 'limit-connections': '1', 'custom-http-errors': '404' },
      ...{
        'whitelist-source-range': '10.0.0.0/8',
        'auth-type': 'basic',
        'auth-secret': 'users',
        'default-backend': 'pages',
      },
      ...{ 'auth-url': 'http://gate.auth.svc/', 'mirror-target': 'http://gate.auth.svc/', 'limit-rate': '1' },
      ...{ 'proxy-cookie-path': '/a /b', 'proxy-redirect-from': 'http://a/', 'proxy-redirect-to': '/' },
    },
    { objects },
  );
  const further = {
    server: [{ type: 'respond', when: [], status: 302, reason: 'app-root' }],
    rewrite: [{ type: 'respond', when: [], status: 301, reason: 'redirect' }],
    https: [{ type: 'respond', when: [], status: 308, reason: 'https' }],
    content: [{ type: 'rewrite', hostname: 'x' }],
  } as const;
  const types = listFilters(judged.policy.filters, further).map((each) =>
    each.type === 'respond' ? each.status : each.type,
  );
  expect(types).toEqual([
    ...['request-values', 'response-values', 'response-values', 'response-values', 'error-pages'],
    ...[405, 302, 'request-size', 204, 301, 308],
    ...['rate-limit', 'concurrency', 'ip-access', 'basic-auth', 'external-auth'],
    ...['request-values', 'mirror', 'location-rewrite', 'cookie-rewrite', 'bandwidth', 'rewrite'],
  ]);
});

describe('certificates of clients', () => {
  const objects = [secret('ca', { 'ca.crt': 'no certificate' }), secret('empty', {})];

  it.each([
    ['a Secret that is not there', { 'auth-tls-secret': 'shop/gone' }, 'auth-tls-secret'],
    ['one of another namespace', { 'auth-tls-secret': 'auth/ca' }, 'auth-tls-secret'],
    ['one without authorities', { 'auth-tls-secret': 'shop/empty' }, 'auth-tls-secret'],
    ['one with other text', { 'auth-tls-secret': 'shop/ca' }, 'auth-tls-secret'],
    ['a name that is none', { 'auth-tls-secret': '../ca' }, 'auth-tls-secret'],
    ['a mode that is none', { 'auth-tls-secret': 'shop/ca', 'auth-tls-verify-client': 'maybe' }, 'auth-tls-'],
    ['a pattern that is none', { 'auth-tls-secret': 'shop/ca', 'auth-tls-match-cn': 'CN=(' }, 'auth-tls-match-cn'],
  ])('%s shuts the host', (_what, annotations, culprit) => {
    const { policy, told } = judge(annotations, { objects });
    expect(policy.refusal).toMatch(culprit);
    expect(told.filter((line) => line.startsWith('FW5501')).length).toBeGreaterThan(0);
    expect(asksForCertificates(ingressWith(annotations))).toBe(true);
  });

  it('what another Ingress of the host says counts for this one', () => {
    const server = { filters: [], headers: [], authHeaders: [], refusal: 'because' };
    expect(judge({}, { facts: { server } }).policy.refusal).toBe('because');
    expect(asksForCertificates(ingressWith({ 'auth-tls-verify-client': 'on' }))).toBe(false);
  });
});

it('a web application firewall shuts the location, and one that is switched off does not', () => {
  const { policy, told } = judge({ 'enable-modsecurity': 'true', 'enable-owasp-core-rules': 'true' });
  expect(policy.refusal).toMatch('enable-modsecurity');
  expect(told).toEqual(['FW5503 enable-owasp-core-rules', 'FW5501 enable-modsecurity']);
  expect(judge({ 'enable-modsecurity': 'false' })).toMatchObject({ told: [], policy: { filters: {} } });
});

it('the first annotation that cannot be honoured is named', () => {
  const { policy } = judge({ 'whitelist-source-range': 'x', 'auth-type': 'digest' });
  expect(policy.refusal).toMatch('whitelist-source-range');
});

it('the access log', () => {
  expect(judge({ 'enable-access-log': 'false' }).policy.unlogged).toBe(true);
  expect(judge({ 'enable-access-log': 'true' }).policy).not.toHaveProperty('unlogged');
});

it('whatever is wrong with an annotation that shapes, the location serves', () => {
  const annotations = {
    ...{ 'proxy-body-size': 'x', 'proxy-read-timeout': 'x', 'limit-rps': 'x', 'enable-cors': 'x', affinity: 'ip' },
    ...{ 'proxy-next-upstream': 'x', 'mirror-target': 'x', 'custom-http-errors': 'x', 'load-balance': 'x' },
  };
  const judged = judge(annotations);
  expect(judged.policy.refusal).toBeUndefined();
  expect(judged.told).toEqual(
    Object.keys(annotations)
      .sort()
      .map((name) => `FW5502 ${name}`),
  );
  expect(filtersOf(judged, 'request-size')).toHaveLength(1);
});

it('locations that ask for the same have the same filters, but none that hold passwords', () => {
  const [one, other] = [judge({ 'enable-cors': 'true' }), judge({ 'enable-cors': 'true' })];
  const filters = listFilters(one.policy.filters);
  expect(listFilters(other.policy.filters).every((filter, i) => filter === filters[i])).toBe(true);
  expect(other.policy.retry).toBe(one.policy.retry);
  const objects = [secret('users', { auth: `ada:${hash}` })];
  const guarded = () =>
    filtersOf(judge({ 'auth-type': 'basic', 'auth-secret': 'users' }, { objects }), 'basic-auth')[0];
  expect(guarded()).not.toBe(guarded());
});
