import { describe, expect, it } from 'vitest';
import { configMap, filtersOf, ingressWith, judge } from './testing.ts';

const gate = 'http://gate.auth.svc.cluster.local/check';

const asked = (annotations: Readonly<Record<string, string>>, given: Parameters<typeof judge>[1] = {}) =>
  judge({ 'auth-url': gate, ...annotations }, given);

function filterOf(...args: Parameters<typeof asked>) {
  const [filter] = filtersOf(asked(...args), 'external-auth');
  if (filter?.protocol !== 'http') throw new Error('nobody is asked');
  return filter;
}

describe('the question', () => {
  it('goes to the endpoints of the Service, as ingress-nginx puts it', () => {
    const judged = asked({});
    expect(filtersOf(judged, 'external-auth')).toEqual([
      {
        ...{ type: 'external-auth', backend: 'auth/gate:80', protocol: 'http', method: 'GET' },
        ...{ host: 'gate.auth.svc.cluster.local', path: { type: 'fixed', value: '/check' }, requestHeaders: 'all' },
        facts: [
          ['X-Original-URL', 'url'],
          ['X-Original-Method', 'method'],
          ['X-Real-IP', 'client-address'],
          ['X-Forwarded-For', 'client-address'],
          ['X-Request-ID', 'request-id'],
        ],
        setHeaders: [['X-Sent-From', 'nginx-ingress-controller']],
        values: [
          ['X-Auth-Request-Redirect', [{ of: 'fact', fact: 'uri' }]],
          ['X-Forwarded-Proto', []],
        ],
        ...{ admits: '2xx', responseHeaders: [], denials: [401, 403], failureStatus: 500, timeoutMs: 60_000 },
        statusOnly: true,
        clientHeaders: { names: ['set-cookie'], statuses: [200, 201, 204, 206, 301, 302, 303, 304, 307, 308] },
      },
    ]);
    expect(judged.services).toContain('auth/gate');
    expect(judged.backends.map(({ id }) => id)).toContain('auth/gate:80');
    expect(judged.told).toEqual([]);
  });

  it('with a method, headers of the answer, and where to come back to', () => {
    const filter = filterOf({
      ...{ 'auth-method': 'POST', 'auth-response-headers': 'X-User,X-Mail', 'auth-always-set-cookie': 'true' },
      ...{ 'auth-request-redirect': 'https://shop.example/back' },
    });
    expect(filter).toMatchObject({
      method: 'POST',
      responseHeaders: ['x-user', 'x-mail'],
      clientHeaders: { names: ['set-cookie'] },
    });
    expect(filter.clientHeaders.statuses).toBeUndefined();
    expect(filter.facts.slice(-2)).toEqual([
      ['X-Original-URI', 'uri'],
      ['X-Scheme', 'scheme'],
    ]);
    expect(filter.values?.[0]).toEqual(['X-Auth-Request-Redirect', ['https://shop.example/back']]);
  });

  it('variables in the URL', () => {
    expect(filterOf({ 'auth-url': 'http://gate.auth.svc/check?uri=$request_uri&s=$service_name' })).toMatchObject({
      path: { type: 'template', value: ['/check?uri=', { of: 'fact', fact: 'uri' }, '&s=web'] },
    });
    expect(filterOf({ 'auth-url': 'http://gate.auth.svc?a=1' })).toMatchObject({
      path: { type: 'fixed', value: '/?a=1' },
    });
    expect(filterOf({ 'auth-url': 'http://gate.auth.svc' })).toMatchObject({ path: { type: 'fixed', value: '/' } });
  });

  it('names of DNS, and the own host', () => {
    const judged = asked({ 'auth-url': 'https://$host/oauth2/auth' });
    const id = 'Ingress/shop/web/https/shop.example:443';
    expect(filtersOf(judged, 'external-auth')).toMatchObject([{ backend: id, host: 'shop.example' }]);
    expect(judged.backends.find((backend) => backend.id === id)).toMatchObject({
      ...{ external: { hostname: 'shop.example' }, port: 443, protocol: 'https' },
      tls: { serverName: 'shop.example', verify: false },
    });
    const plain = asked({ 'auth-url': 'http://auth.example.com:8080/x' });
    expect(plain.backends).toMatchObject([
      { external: { hostname: 'auth.example.com' }, port: 8_080, protocol: 'http1' },
    ]);
  });

  it('a Service over TLS has an identity of its own', () => {
    const judged = asked({ 'auth-url': 'https://gate.auth.svc:80/' });
    expect(judged.backends).toMatchObject([{ id: 'auth/gate:80/https', protocol: 'https', tls: { verify: false } }]);
    expect(filtersOf(judged, 'external-auth')).toMatchObject([{ backend: 'auth/gate:80/https' }]);
  });

  it('headers of a ConfigMap go before the others', () => {
    const objects = [configMap('more', { 'X-Who': 'front of $host', 'x-auth-request-redirect': '/' })];
    const judged = asked({ 'auth-proxy-set-headers': 'shop/more' }, { objects });
    expect(filtersOf(judged, 'external-auth')).toMatchObject([
      {
        values: [
          ['X-Forwarded-Proto', []],
          ['X-Who', ['front of ', { of: 'fact', fact: 'hostname' }]],
          ['x-auth-request-redirect', ['/']],
        ],
      },
    ]);
    expect(judged.configMaps).toEqual(['shop/more']);
  });
});

describe('the own host', () => {
  const owner = (annotations: Readonly<Record<string, string>>) => ({
    ...ingressWith(annotations),
    metadata: { ...ingressWith(annotations).metadata, namespace: 'auth', name: 'login' },
  });
  const paths = (annotations: Readonly<Record<string, string>> = {}) => [
    { type: 'prefix', value: '/', ingress: owner({}), service: { name: 'other', port: { number: 80 } } } as const,
    {
      type: 'prefix',
      value: '/oauth2',
      ingress: owner(annotations),
      service: { name: 'gate', port: { number: 80 } },
    } as const,
  ];
  const url = { 'auth-url': 'https://$host/oauth2/auth' };

  it.each(['a.example', '*.example', '*'])('%s: its Service is asked by itself', (hostname) => {
    const judged = judge(url, { facts: { hostname, paths: paths() } });
    expect(filtersOf(judged, 'external-auth')).toMatchObject([
      { backend: 'auth/gate:80', path: { type: 'fixed', value: '/oauth2/auth' } },
    ]);
    const [filter] = filtersOf(judged, 'external-auth');
    expect(filter).not.toHaveProperty('host');
    expect(filter?.protocol === 'http' && filter.values?.slice(1)).toEqual([
      ['X-Forwarded-Proto', [{ of: 'fact', fact: 'scheme' }]],
      ['X-Forwarded-Host', [{ of: 'fact', fact: 'host' }]],
    ]);
    expect(judged.services).toContain('auth/gate');
  });

  it.each([
    ['a path that is rewritten', paths({ 'rewrite-target': '/x' }), url],
    ['a path of nobody', paths().slice(2), url],
    ['another host', paths(), { 'auth-url': 'https://b.example/oauth2/auth' }],
    ['a path made of the request', paths().slice(1), { 'auth-url': 'https://$host$request_uri' }],
  ])('%s is looked up in DNS', (_what, own, annotations) => {
    const judged = judge(annotations, { facts: { hostname: 'a.example', paths: own } });
    expect(judged.backends.find(({ external }) => external)).toMatchObject({ port: 443, protocol: 'https' });
    expect(judged.policy.refusal).toBeUndefined();
  });
});

it('a URL on the own host that is behind the same question shuts the location', () => {
  const ingress = ingressWith({ 'auth-url': 'https://$host/check' });
  const path = { type: 'prefix', value: '/', ingress, service: { name: 'web', port: { number: 80 } } } as const;
  const judged = judge({ 'auth-url': 'https://$host/check' }, { facts: { paths: [path] } });
  expect(judged.policy.refusal).toMatch('auth-url');
  const config = { globalAuth: { url: 'https://$host/check' } };
  const open = { ...path, ingress: ingressWith({ 'enable-global-auth': 'false' }) };
  expect(judge({}, { config, facts: { paths: [{ ...path, ingress: ingressWith({}) }] } }).policy.refusal).toMatch(
    'enable-global-auth',
  );
  expect(judge({}, { config, facts: { paths: [open] } }).policy.refusal).toBeUndefined();
});

describe('snippets', () => {
  const config = { allowSnippetAnnotations: true, annotationsRiskLevel: 'Critical' } as const;

  it('change headers of the question', () => {
    const snippet =
      'proxy_set_header X-Real-IP $http_cf_connecting_ip;\nproxy_set_header Host sso.example;\nproxy_set_header Content-Length "";';
    const filter = filterOf({ 'auth-snippet': snippet }, { config });
    expect(filter.host).toBe('sso.example');
    expect(filter.values?.at(-1)).toEqual(['X-Real-IP', [{ of: 'header', name: 'cf-connecting-ip' }]]);
    expect(filter.facts.map(([name]) => name)).not.toContain('X-Real-IP');
    expect(filter.values?.map(([name]) => name.toLowerCase())).not.toContain('content-length');
  });

  it.each([
    ['without leave', 'proxy_set_header A b;', false],
    ['with other directives', 'proxy_cache_bypass 1;', true],
  ])('%s shut the location', (_what, snippet, allowSnippetAnnotations) => {
    const judged = asked({ 'auth-snippet': snippet }, { config: { allowSnippetAnnotations } });
    expect(judged.policy.refusal).toMatch('auth-snippet');
    expect(judged.told).toEqual(['FW5501 auth-snippet']);
  });

  it('a Host made of the request is none', () => {
    const judged = asked({ 'auth-snippet': 'proxy_set_header Host $arg_host;' }, { config });
    expect(judged.policy.refusal).toMatch('auth-url');
  });
});

describe('signing in', () => {
  const back = [
    { of: 'fact', fact: 'scheme' },
    '://',
    { of: 'fact', fact: 'host' },
    { of: 'fact', fact: 'escaped-uri' },
  ];

  it('with the place to come back to', () => {
    expect(filterOf({ 'auth-signin': 'https://sso.example/start' })).toMatchObject({
      signIn: { url: ['https://sso.example/start', '?rd=', ...back], parameter: 'rd', statuses: [401] },
    });
    const named = { 'auth-signin': 'https://$host/start?a=b', 'auth-signin-redirect-param': 'to' };
    expect(filterOf(named)).toMatchObject({
      signIn: { url: ['https://', { of: 'fact', fact: 'hostname' }, '/start?a=b', '&to=', ...back], parameter: 'to' },
    });
  });

  it('as it is where the URL has the parameter', () => {
    const url = 'https://sso.example/start?rd=/home';
    expect(filterOf({ 'auth-signin': url })).toMatchObject({ signIn: { url: [url] } });
  });
});

describe('outcomes', () => {
  it('are remembered by the key', () => {
    expect(filterOf({ 'auth-cache-key': '$http_authorization$cookie_sid' })).toMatchObject({
      cache: {
        zone: 'Ingress/shop/web',
        headers: [],
        key: ['shop.example/ ', { of: 'header', name: 'authorization' }, { of: 'cookie', name: 'sid' }],
        lifetimes: [{ statuses: [200, 202, 401], ttlMs: 300_000 }],
      },
    });
    const own = { 'auth-cache-key': '$http_authorization', 'auth-cache-duration': '200 1m' };
    expect(filterOf(own)).toMatchObject({ cache: { lifetimes: [{ statuses: [200], ttlMs: 60_000 }] } });
  });
});

describe('what cannot be had shuts the location', () => {
  it.each<[string, Readonly<Record<string, string>>, string?]>([
    ['a Service that is not there', { 'auth-url': 'http://gone.auth.svc/' }],
    ['a port that is not there', { 'auth-url': 'http://gate.auth.svc:81/' }],
    ['an address', { 'auth-url': 'http://10.0.0.1/' }],
    ['a name without its namespace', { 'auth-url': 'http://gate/' }],
    ['a host made of the request', { 'auth-url': 'http://$arg_where/' }],
    ['a variable that is not known', { 'auth-url': 'http://gate.auth.svc/$remote_user_id' }],
    ['a method', { 'auth-method': 'get' }, 'auth-method'],
    ['headers', { 'auth-response-headers': 'X User' }, 'auth-response-headers'],
    ['a ConfigMap', { 'auth-proxy-set-headers': 'gone' }, 'auth-proxy-set-headers'],
    ['a ConfigMap of another namespace', { 'auth-proxy-set-headers': 'auth/more' }, 'auth-proxy-set-headers'],
    ['a variable in the cache key', { 'auth-cache-key': '$nothing' }, 'auth-cache-key'],
    ['times', { 'auth-cache-key': '$http_a', 'auth-cache-duration': '200' }, 'auth-cache-duration'],
    ['a place to sign in', { 'auth-signin': 'https://sso.example/$nothing' }, 'auth-signin'],
  ])('%s', (_what, annotations, culprit = 'auth-url') => {
    const { policy, told } = asked(annotations, { objects: [configMap('more', {}, 'auth')] });
    expect(policy.refusal).toBe(`the annotation nginx.ingress.kubernetes.io/${culprit} cannot be honoured`);
    expect(told).toEqual([`FW5501 ${culprit}`]);
  });

  it('the own host of a wildcard could be anybody', () => {
    const { policy } = asked({ 'auth-url': 'http://$host/' }, { facts: { hostname: '*.shop.example' } });
    expect(policy.refusal).toMatch('auth-url');
  });

  it('a redirect of the question protects nobody', () => {
    const { policy, told } = asked({ 'auth-request-redirect': '$nothing' });
    expect(told).toEqual(['FW5502 auth-request-redirect']);
    expect(policy.refusal).toBeUndefined();
    expect(policy.filters.access).toHaveLength(1);
  });
});

describe('for all Ingresses', () => {
  const config = { globalAuth: { url: 'http://gate.auth.svc/all', responseHeaders: ['X-User'] } };

  it('the service of the ConfigMap is asked where the Ingress names none', () => {
    const found = filtersOf(judge({}, { config }), 'external-auth');
    expect(found).toMatchObject([{ path: { value: '/all' }, responseHeaders: ['x-user'] }]);
    expect(filtersOf(asked({}, { config }), 'external-auth')).toMatchObject([{ path: { value: '/check' } }]);
  });

  it('unless it is switched off', () => {
    expect(filtersOf(judge({ 'enable-global-auth': 'false' }, { config }), 'external-auth')).toEqual([]);
    expect(judge({ 'enable-global-auth': 'nope' }, { config }).policy.refusal).toMatch('enable-global-auth');
    expect(judge({ 'enable-global-auth': 'nope' }).policy.refusal).toBeUndefined();
  });
});
