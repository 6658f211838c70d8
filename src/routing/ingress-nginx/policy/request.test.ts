/** Headers for backends and clients, copies, and what is changed in responses. */
import { describe, expect, it } from 'vitest';
import type { Template } from '../../plan/plan.ts';
import { configMap, filtersOf, judge } from './testing.ts';

const fact = (name: string) => [{ of: 'fact', fact: name }];
const header = (name: string) => [{ of: 'header', name }];

function sentTo(...args: Parameters<typeof judge>): Record<string, Template> {
  return Object.fromEntries(filtersOf(judge(...args), 'request-values').flatMap(({ set }) => set));
}

describe('for backends', () => {
  it('what every backend of ingress-nginx is told', () => {
    expect(sentTo({})).toEqual({
      'X-Request-ID': fact('request-id'),
      'X-Real-IP': fact('client-address'),
      'X-Forwarded-For': fact('client-address'),
      'X-Forwarded-Host': fact('host'),
      'X-Forwarded-Port': fact('port'),
      'X-Forwarded-Proto': fact('scheme'),
      'X-Forwarded-Scheme': fact('scheme'),
      'X-Scheme': fact('scheme'),
      'X-Original-Forwarded-For': fact('forwarded-for'),
      'X-Original-Forwarded-Host': header('x-forwarded-host'),
      Proxy: [],
    });
    expect(filtersOf(judge({}), 'request-values')).toMatchObject([{ dropUnderscored: true, dropStrange: true }, {}]);
  });

  it('what the ConfigMap says of them', () => {
    const config = {
      ...{ useForwardedHeaders: true, computeFullForwardedFor: true, proxyAddOriginalUriHeader: true },
      ...{
        generateRequestId: false,
        enableUnderscoresInHeaders: true,
        proxySetHeaders: [['X-Edge', ['one']]] as const,
      },
    };
    expect(sentTo({}, { config })).toMatchObject({
      ...{ 'X-Forwarded-For': fact('forwarded-for-appended'), 'X-Original-URI': fact('uri'), 'X-Edge': ['one'] },
      'X-Request-ID': header('x-request-id'),
    });
    expect(filtersOf(judge({}, { config }), 'request-values')[0]?.dropUnderscored).toBeUndefined();
  });

  it('another host', () => {
    expect(sentTo({ 'upstream-vhost': 'inner.example' })['Host']).toEqual(['inner.example']);
    expect(sentTo({ 'upstream-vhost': '$service_name.$namespace.svc' })['Host']).toEqual(['web.shop.svc']);
    const unknown = judge({ 'upstream-vhost': '$nothing' });
    expect(unknown.told).toEqual(['FW5502 upstream-vhost']);
    expect(unknown.policy.refusal).toBeUndefined();
  });

  it('the prefix only where paths are rewritten', () => {
    const annotations = { 'rewrite-target': '/$2', 'x-forwarded-prefix': '/$1' };
    const rewriting = { facts: { rewrites: true, isPattern: true, groups: 2 } };
    expect(sentTo(annotations, rewriting)['X-Forwarded-Prefix']).toEqual(['/', { of: 'capture', group: 1 }]);
    expect(sentTo(annotations)['X-Forwarded-Prefix']).toBeUndefined();
    expect(judge({ 'x-forwarded-prefix': '/a' }).told).toEqual(['FW5506 x-forwarded-prefix']);
  });
});

describe('copies', () => {
  it('to a Service or a host, with what the URL says', () => {
    const judged = judge({ 'mirror-target': 'http://gate.auth.svc/copy$request_uri', 'mirror-request-body': 'off' });
    expect(filtersOf(judged, 'mirror')).toEqual([
      {
        ...{ type: 'mirror', backend: 'auth/gate:80', fraction: { numerator: 1, denominator: 1 }, unsent: true },
        ...{ host: ['gate.auth.svc'], target: ['/copy', { of: 'fact', fact: 'uri' }], withoutBody: true },
      },
    ]);
    const fixed = judge({ 'mirror-target': 'http://gate.auth.svc/copy' });
    expect(filtersOf(fixed, 'mirror')).toMatchObject([{ target: ['/copy', ...fact('query-mark'), ...fact('query')] }]);
    const named = judge({ 'mirror-target': 'https://copy.example.com$request_uri', 'mirror-host': 'other.example' });
    expect(filtersOf(named, 'mirror')).toMatchObject([
      { backend: 'Ingress/shop/web/https/copy.example.com:443', host: ['other.example'], target: fact('uri') },
    ]);
  });

  it('are left out where they lead nowhere; requests go on', () => {
    const judged = judge({ 'mirror-target': 'http://gone.auth.svc/' });
    expect(filtersOf(judged, 'mirror')).toEqual([]);
    expect(judged.told).toEqual(['FW5502 mirror-target']);
    expect(judged.policy.refusal).toBeUndefined();
    expect(judged.services).toContain('auth/gone');
  });
});

describe('for clients', () => {
  const hsts = (...args: Parameters<typeof judge>) =>
    filtersOf(judge(...args), 'response-values').find(({ set }) => set[0]?.[0] === 'Strict-Transport-Security');

  const ofBackends = [
    ...['X-Accel-Buffering', 'X-Accel-Charset', 'X-Accel-Expires', 'X-Accel-Limit-Rate', 'X-Accel-Redirect', 'X-Pad'],
  ];

  it('no Server, and HSTS over TLS', () => {
    expect(filtersOf(judge({}), 'response-values')).toEqual([
      { type: 'response-values', set: [], add: [], remove: [...ofBackends, 'Server'] },
      {
        ...{ type: 'response-values', add: [], remove: [] },
        when: [{ value: fact('tls'), test: { type: 'equals', text: 'on' } }],
        set: [['Strict-Transport-Security', ['max-age=31536000; includeSubDomains']]],
      },
    ]);
  });

  it('as the ConfigMap says', () => {
    const config = {
      ...{ hstsMaxAge: 5, hstsIncludeSubdomains: false, hstsPreload: true, serverTokens: true },
      ...{ addHeaders: [['X-Edge', ['one']]] as const, hideHeaders: ['X-Powered-By'] },
    };
    expect(hsts({}, { config })?.set).toEqual([['Strict-Transport-Security', ['max-age=5; preload']]]);
    expect(filtersOf(judge({}, { config }), 'response-values')[0]).toMatchObject({
      ...{ set: [['X-Edge', ['one']]], remove: [...ofBackends, 'X-Powered-By'] },
    });
    expect(hsts({}, { config: { hsts: false } })).toBeUndefined();
  });

  it('headers of a ConfigMap that the administrator allows', () => {
    const objects = [configMap('more', { 'X-Frame-Options': 'DENY', 'X-Price': '$5' })];
    const config = { globalAllowedResponseHeaders: ['X-Frame-Options', 'X-Price'] };
    const judged = judge({ 'custom-headers': 'shop/more' }, { objects, config });
    expect(filtersOf(judged, 'response-values')[0]?.set).toEqual([
      ['X-Frame-Options', ['DENY']],
      ['X-Price', ['$5']],
    ]);
    expect(judged.configMaps).toEqual(['shop/more']);
    expect(judged.told).toEqual([]);
  });

  it.each([
    ['a ConfigMap that is not there', 'gone', /does not exist/],
    ['one of another namespace', 'other/more', /another namespace/],
    ['a header that is not allowed', 'more', /X-Other is not among/],
    ['a name that is none', 'bad', /is no header name/],
    ['a value that is none', 'broken', /cannot stand in a header/],
  ])('%s shuts the location', (_what, named, why) => {
    const objects = [
      ...[configMap('more', { 'X-Other': '1' }), configMap('bad', { 'X.Y': '1' })],
      ...[configMap('broken', { 'X-A': 'ä\n' }), configMap('more', {}, 'other')],
    ];
    const config = { globalAllowedResponseHeaders: ['X-A'] };
    const judged = judge({ 'custom-headers': named }, { objects, config });
    expect(judged.policy.refusal).toMatch('custom-headers');
    expect(judged.findings).toMatchObject([{ code: 'FW5501', message: expect.stringMatching(why) }]);
  });

  it('other words in Location and Set-Cookie', () => {
    const judged = judge({
      ...{ 'proxy-redirect-from': 'http://inner.example/', 'proxy-redirect-to': 'https://$host/' },
      ...{ 'proxy-cookie-domain': 'inner.example shop.example', 'proxy-cookie-path': '/app /' },
    });
    expect(filtersOf(judged, 'location-rewrite')).toEqual([
      {
        type: 'location-rewrite',
        rules: [
          { from: { type: 'prefix', value: 'http://inner.example/' }, to: ['https://', ...fact('hostname'), '/'] },
        ],
      },
    ]);
    expect(filtersOf(judged, 'cookie-rewrite')).toEqual([
      {
        type: 'cookie-rewrite',
        domain: { from: 'inner.example', to: 'shop.example' },
        path: { from: '/app', to: '/' },
      },
    ]);
  });

  it.each(['off', 'default'])('proxy-redirect-from %s changes nothing', (from) => {
    const judged = judge({ 'proxy-redirect-from': from, 'proxy-redirect-to': '/' });
    expect(filtersOf(judged, 'location-rewrite')).toEqual([]);
  });
});
