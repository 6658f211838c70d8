import { describe, expect, it } from 'vitest';
import { diagnosticRules } from '../../../base/diagnostics/index.ts';
import { filtersOf, hash, judge, secret } from './testing.ts';

const users = secret('users', { auth: `ada:${hash}\nbob:abNANd1rDfiNc\n` });
const basic = { 'auth-type': 'basic', 'auth-secret': 'users' };

describe('addresses', () => {
  it('allow, deny, or both', () => {
    const both = judge({ 'whitelist-source-range': '10.0.0.0/8', 'denylist-source-range': '10.1.0.0/16' });
    expect(filtersOf(both, 'ip-access')).toEqual([
      { type: 'ip-access', allow: ['10.0.0.0/8'], deny: ['10.1.0.0/16'], status: 403 },
    ]);
    expect(filtersOf(judge({}), 'ip-access')).toEqual([]);
  });

  it('lists of the ConfigMap hold where the Ingress has none', () => {
    const config = { whitelistSourceRange: ['10.0.0.0/8'], denylistSourceRange: ['10.9.0.0/16'] };
    expect(filtersOf(judge({}, { config }), 'ip-access')).toMatchObject([
      { allow: ['10.0.0.0/8'], deny: ['10.9.0.0/16'] },
    ]);
    const own = judge({ 'allowlist-source-range': '192.0.2.1' }, { config });
    expect(filtersOf(own, 'ip-access')).toMatchObject([{ allow: ['192.0.2.1'], deny: ['10.9.0.0/16'] }]);
  });

  it('those blocked for all hosts are denied where there is no list', () => {
    const config = { blockCidrs: ['192.0.2.0/24'] };
    expect(filtersOf(judge({}, { config }), 'ip-access')).toMatchObject([{ allow: [], deny: ['192.0.2.0/24'] }]);
    const own = judge({ 'allowlist-source-range': '10.0.0.0/8' }, { config });
    expect(filtersOf(own, 'ip-access')).toMatchObject([{ allow: ['10.0.0.0/8'], deny: [] }]);
  });

  it('a list that cannot be read shuts the location', () => {
    const { policy, told } = judge({ 'denylist-source-range': '10.0.0.0/8;10.1.0.0/16' });
    expect(policy.refusal).toBe('the annotation nginx.ingress.kubernetes.io/denylist-source-range cannot be honoured');
    expect(told).toEqual(['FW5501 denylist-source-range']);
  });
});

describe('passwords', () => {
  it('of a file in a Secret, which the result depends on', () => {
    const judged = judge({ ...basic, 'auth-realm': 'The shop' }, { objects: [users] });
    expect(filtersOf(judged, 'basic-auth')).toEqual([
      { type: 'basic-auth', realm: 'The shop', users: [{ name: 'ada', hash }] },
    ]);
    expect(judged.secrets).toEqual(['shop/users']);
    expect(judged.findings.map(({ code, message }) => [code, message])).toEqual([
      ['FW5405', 'line 2 has no whole hash of bcrypt, apr1, $1$, $5$, $6$, {SHA}, {SSHA} or {PLAIN}'],
    ]);
    expect(judged.policy.refusal).toBeUndefined();
  });

  it('of a Secret with a key for each user', () => {
    const map = secret('users', { bob: hash, ada: hash, eve: 'plain' });
    const judged = judge({ ...basic, 'auth-secret-type': 'auth-map' }, { objects: [map] });
    expect(filtersOf(judged, 'basic-auth')).toMatchObject([{ realm: '', users: [{ name: 'ada' }, { name: 'bob' }] }]);
    expect(judged.findings).toMatchObject([{ code: 'FW5405', message: expect.stringMatching(/^key eve /) }]);
  });

  it.each([
    ['digest', { 'auth-type': 'digest', 'auth-secret': 'users' }, 'auth-type'],
    ['no Secret named', { 'auth-type': 'basic' }, 'auth-secret'],
    ['a Secret that is not there', { 'auth-type': 'basic', 'auth-secret': 'others' }, 'auth-secret'],
    ['a Secret without users', { ...basic, 'auth-secret': 'empty' }, 'auth-secret'],
    ['a Secret of another namespace', { ...basic, 'auth-secret': 'other/users' }, 'auth-secret'],
    ['an unknown kind of Secret', { ...basic, 'auth-secret-type': 'auth-db' }, 'auth-secret-type'],
    ['an unknown type', { 'auth-type': 'bearer' }, 'auth-type'],
  ])('%s shuts the location', (_what, annotations, culprit) => {
    const objects = [users, secret('empty', { auth: '' }), secret('users', { auth: `ada:${hash}` }, 'other')];
    const { policy, told } = judge(annotations, { objects });
    expect(policy.refusal).toBe(`the annotation nginx.ingress.kubernetes.io/${culprit} cannot be honoured`);
    expect(told.filter((line) => line.startsWith('FW5501'))).toEqual([`FW5501 ${culprit}`]);
  });

  it('a Secret of another namespace, where the ConfigMap permits it', () => {
    const objects = [secret('users', { auth: `ada:${hash}` }, 'other')];
    const config = { allowCrossNamespaceResources: true };
    const judged = judge({ ...basic, 'auth-secret': 'other/users' }, { objects, config });
    expect(filtersOf(judged, 'basic-auth')).toHaveLength(1);
    expect(judged.secrets).toEqual(['other/users']);
  });

  it('nobody is asked below the paths of challenges', () => {
    const path = '/.well-known/acme-challenge/x';
    const judged = judge({ ...basic, 'auth-url': 'http://gate.auth.svc/' }, { objects: [users], facts: { path } });
    expect(filtersOf(judged, 'basic-auth')).toEqual([]);
    expect(filtersOf(judged, 'external-auth')).toEqual([]);
  });
});

describe('satisfy any', () => {
  const any = { satisfy: 'any', ...basic };

  it('one of address and password is enough', () => {
    const judged = judge({ ...any, 'whitelist-source-range': '10.0.0.0/8' }, { objects: [users] });
    expect(filtersOf(judged, 'any-of').map(({ filters }) => filters.map(({ type }) => type))).toEqual([
      ['ip-access', 'basic-auth'],
    ]);
    expect(filtersOf(judged, 'ip-access')).toEqual([]);
  });

  it('an address that is only not denied does not let in', () => {
    const judged = judge({ ...any, 'denylist-source-range': '10.0.0.0/8' }, { objects: [users] });
    expect(filtersOf(judged, 'any-of')).toEqual([]);
    expect(filtersOf(judged, 'basic-auth')).toHaveLength(1);
  });

  it('without a question who somebody is, addresses alone count', () => {
    const judged = judge({ satisfy: 'any', 'denylist-source-range': '10.0.0.0/8' });
    expect(filtersOf(judged, 'ip-access')).toMatchObject([{ deny: ['10.0.0.0/8'] }]);
    expect(filtersOf(judge({ satisfy: 'any' }), 'any-of')).toEqual([]);
  });
});

describe('limits', () => {
  it('are of the Ingress, with a burst, and answer 503', () => {
    const judged = judge({
      'limit-rps': '10',
      'limit-rpm': '100',
      'limit-connections': '3',
      'limit-whitelist': '10.0.0.1',
    });
    const common = { key: { by: 'address' }, status: 503, exempt: ['10.0.0.1'] };
    expect(filtersOf(judged, 'rate-limit')).toEqual([
      { type: 'rate-limit', zone: 'Ingress/shop/web/rps', requests: 10, perMs: 1_000, burst: 50, ...common },
      { type: 'rate-limit', zone: 'Ingress/shop/web/rpm', requests: 100, perMs: 60_000, burst: 500, ...common },
    ]);
    expect(filtersOf(judged, 'concurrency')).toEqual([
      { type: 'concurrency', zone: 'Ingress/shop/web/conn', max: 3, ...common },
    ]);
  });

  it('burst multiplier, and what the ConfigMap says of status and key', () => {
    const config = {
      limitReqStatusCode: 429,
      limitConnStatusCode: 430,
      limitKey: { by: 'header', name: 'x-key' },
    } as const;
    const judged = judge({ 'limit-rps': '10', 'limit-connections': '1', 'limit-burst-multiplier': '1' }, { config });
    expect(filtersOf(judged, 'rate-limit')).toMatchObject([{ burst: 10, status: 429, key: { name: 'x-key' } }]);
    expect(filtersOf(judged, 'concurrency')).toMatchObject([{ status: 430 }]);
  });

  it('zero is no limit', () => {
    expect(filtersOf(judge({ 'limit-rps': '0', 'limit-connections': '0' }), 'rate-limit')).toEqual([]);
  });

  it('of bodies: 1 MiB, another, none', () => {
    expect(filtersOf(judge({}), 'request-size')).toEqual([{ type: 'request-size', maxBytes: 1_048_576 }]);
    expect(filtersOf(judge({ 'proxy-body-size': '8m' }), 'request-size')).toMatchObject([{ maxBytes: 8_388_608 }]);
    expect(filtersOf(judge({ 'proxy-body-size': '0' }), 'request-size')).toEqual([]);
    const wrong = judge({ 'proxy-body-size': '8Mi' });
    expect(filtersOf(wrong, 'request-size')).toMatchObject([{ maxBytes: 1_048_576 }]);
    expect(wrong.told).toEqual(['FW5502 proxy-body-size']);
  });

  it('of speed', () => {
    const judged = judge({ 'limit-rate': '100', 'limit-rate-after': '10' });
    expect(filtersOf(judged, 'bandwidth')).toEqual([
      { type: 'bandwidth', bytesPerSecond: 102_400, afterBytes: 10_240 },
    ]);
    expect(filtersOf(judge({}), 'bandwidth')).toEqual([]);
  });
});

describe('hints', () => {
  const hintsOf = (annotations: Record<string, string>, given = {}) =>
    judge(annotations, given).findings.map(({ code, hint }) =>
      hint.replace(diagnosticRules[code as 'FW5501'].hint, '…'),
    );
  const permitted = { config: { allowSnippetAnnotations: true, annotationsRiskLevel: 'Critical' } } as const;
  const url = { 'auth-url': 'http://gate.auth.svc.cluster.local' };

  it('have what the table notes where that is what is wrong', () => {
    const ca = { 'auth-tls-secret': 'shop/users', 'auth-tls-match-cn': 'CN=(?=a)' };
    expect(hintsOf(ca, { objects: [users] })).toEqual(['… Patterns are RE2.']);
    expect(hintsOf({ ...url, 'auth-snippet': 'return 200;' }, permitted)).toEqual([
      expect.stringMatching(/^… Only headers of the question can be changed; .*docs\/ingress-nginx\.md\.$/),
    ]);
  });

  it('are the general advice where the fault is another', () => {
    expect(hintsOf(basic)).toEqual(['…']);
    expect(hintsOf({ 'auth-tls-secret': 'shop/gone' })).toEqual(['…']);
    expect(hintsOf({ 'auth-url': 'shop.example' })).toEqual(['…']);
    expect(hintsOf({ 'mirror-target': 'https://10.0.0.1' })).toEqual(['…']);
    expect(hintsOf({ ...url, 'auth-snippet': 'return 200;' })).toEqual(['…']);
  });
});
