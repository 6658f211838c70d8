import { describe, expect, it } from 'vitest';
import type { Affinity } from '../../routing/plan/affinity.ts';
import type { ExternalAuthFilter, Filter } from '../../routing/plan/plan.ts';
import { describeAffinity, describeFilter, describeRetry, describeTimeouts } from './describe.ts';

const byAddress = { by: 'address' } as const;

const auth = (path: ExternalAuthFilter['path']): ExternalAuthFilter => ({
  type: 'external-auth',
  backend: 'a/b:80',
  protocol: 'http',
  method: 'GET',
  path,
  requestHeaders: 'all',
  facts: [],
  setHeaders: [],
  admits: '2xx',
  responseHeaders: [],
  clientHeaders: { names: [] },
  denials: [401],
});

/** One or more of each type: a type without a line here does not compile. */
const lines: { readonly [T in Filter['type']]: readonly (readonly [Extract<Filter, { type: T }>, string])[] } = {
  'request-headers': [
    [
      { type: 'request-headers', set: [['A', '1']], add: [['B', '2']], remove: ['C'] },
      'request headers: set A: 1, add B: 2, remove C',
    ],
  ],
  'response-headers': [[{ type: 'response-headers', set: [], add: [], remove: ['C'] }, 'response headers: remove C']],
  rewrite: [
    [{ type: 'rewrite', hostname: 'a', path: { type: 'full', value: '/b' } }, 'rewrite: host to a, path to /b'],
    [
      { type: 'rewrite', path: { type: 'regex', pattern: '^/a(.*)', replacement: '/b$1' } },
      'rewrite: path found by ^/a(.*) to /b$1',
    ],
  ],
  mirror: [
    [
      { type: 'mirror', backend: 'a/b:80', fraction: { numerator: 100, denominator: 100 } },
      'mirror: copy every request to a/b:80',
    ],
    [
      { type: 'mirror', backend: 'a/b:80', fraction: { numerator: 1, denominator: 3 } },
      'mirror: copy 1 of 3 requests to a/b:80',
    ],
  ],
  cors: [
    [
      {
        type: 'cors',
        allowOrigins: ['*'],
        allowMethods: [],
        allowHeaders: [],
        exposeHeaders: [],
        allowCredentials: false,
        maxAgeSeconds: 5,
      },
      'cors: origins *, methods none, headers none, exposed none, max age 5 s',
    ],
  ],
  'ip-access': [
    [
      { type: 'ip-access', allow: ['10.0.0.0/8'], deny: ['10.1.0.0/16'], status: 403 },
      'ip access: deny 10.1.0.0/16, allow 10.0.0.0/8, else 403',
    ],
    [
      { type: 'ip-access', allow: [], deny: ['10.1.0.0/16'], status: 403 },
      'ip access: deny 10.1.0.0/16, allow all others, else 403',
    ],
  ],
  'request-size': [[{ type: 'request-size', maxBytes: 10 }, 'request size: at most 10 bytes, else 413']],
  'basic-auth': [
    [{ type: 'basic-auth', realm: 'r', users: [{ name: 'n', hash: 'secret' }] }, 'basic auth: realm r, 1 user'],
  ],
  'external-auth': [
    [auth({ type: 'fixed', value: '/auth' }), 'external auth: ask a/b:80 with GET /auth, else 503 when it fails'],
    [
      {
        ...auth({ type: 'prefix', value: '/check/' }),
        body: { maxBytes: 9 },
        signIn: { url: 'https://c/', parameter: 'rd', statuses: [401] },
        failOpen: true,
      },
      'external auth: ask a/b:80 with GET /check/…, bodies up to 9 bytes, sign in at https://c/, let in when it fails',
    ],
    [
      {
        ...auth({ type: 'template', value: ['/auth?host=', { of: 'fact', fact: 'host' }] }),
        signIn: { url: ['https://', { of: 'fact', fact: 'hostname' }, '/in'], parameter: 'rd', statuses: [401] },
      },
      'external auth: ask a/b:80 with GET /auth?host={host}, sign in at https://{hostname}/in, else 503 when it fails',
    ],
  ],
  'error-pages': [
    [
      {
        type: 'error-pages',
        backend: 'a/b:80',
        statuses: [404, 503],
        ownAnswers: true,
        path: '/',
        statusHeader: 'X-Code',
        facts: [],
        copyHeaders: [],
        setHeaders: [],
      },
      'error pages: from a/b:80 for 404 503, answers of the front door included',
    ],
  ],
  compression: [
    [
      { type: 'compression', codings: ['br', 'gzip'], types: ['text/*'], minBytes: 256, level: { gzip: 5, br: 4 } },
      'compression: br or gzip for text/* of 256 bytes and more',
    ],
  ],
  'rate-limit': [
    [
      { type: 'rate-limit', zone: 'z', key: byAddress, requests: 5, perMs: 1_000, burst: 3, status: 429 },
      'rate limit: 5 in 1 s and a burst of 3 per client address, else 429',
    ],
  ],
  concurrency: [
    [
      { type: 'concurrency', zone: 'z', key: { by: 'header', name: 'X-Key' }, max: 2, status: 503 },
      'concurrency: 2 at once per value of X-Key, else 503',
    ],
    [
      { type: 'concurrency', zone: 'z', key: { by: 'zone' }, max: 2, status: 503 },
      'concurrency: 2 at once in all, else 503',
    ],
  ],
  'any-of': [
    [
      {
        type: 'any-of',
        filters: [
          { type: 'ip-access', allow: ['10.0.0.0/8'], deny: [], status: 403 },
          { type: 'basic-auth', realm: 'r', users: [] },
        ],
      },
      'any one of: ip access: allow 10.0.0.0/8, else 403; or basic auth: realm r, 0 users',
    ],
  ],
  bandwidth: [
    [{ type: 'bandwidth', bytesPerSecond: 10, afterBytes: 0 }, 'bandwidth: 10 bytes a second'],
    [{ type: 'bandwidth', bytesPerSecond: 10, afterBytes: 5 }, 'bandwidth: 10 bytes a second after the first 5'],
  ],
  'client-certificate': [
    [{ type: 'client-certificate', mode: 'required', validation: 'v' }, 'client certificate: a valid one, else 400'],
    [
      { type: 'client-certificate', mode: 'any', validation: 'v', subject: 'CN=a', errorPage: 'https://e/' },
      'client certificate: whatever is shown, or none, subject found by CN=a, else 403, 302 to https://e/ instead of 400',
    ],
  ],
  'cookie-rewrite': [
    [
      { type: 'cookie-rewrite', domain: { from: 'a', to: 'b' }, path: { from: '/a', to: '/' } },
      'cookies: domain a to b, path /a to /',
    ],
  ],
  'location-rewrite': [
    [
      {
        type: 'location-rewrite',
        rules: [
          { from: { type: 'prefix', value: 'http://a/' }, to: [{ of: 'fact', fact: 'scheme' }, '://b/'] },
          { from: { type: 'regex', value: '^/(.*)' }, to: ['/x/$1'] },
        ],
      },
      'location: http://a/ to {scheme}://b/, found by ^/(.*) to /x/$1',
    ],
  ],
  'request-values': [
    [
      {
        type: 'request-values',
        when: [{ value: [{ of: 'query', name: 'q' }], test: { type: 'present' }, not: true }],
        set: [['X-A', ['a', { of: 'capture', group: 1 }]]],
        dropUnderscored: true,
      },
      'request headers: set X-A: a{group 1 of the path}, drop names with underscores when {query q} is not given',
    ],
  ],
  respond: [
    [
      {
        type: 'respond',
        when: [
          { value: [{ of: 'fact', fact: 'scheme' }], test: { type: 'equals', text: 'http' } },
          { value: [{ of: 'fact', fact: 'path' }], test: { type: 'under', paths: ['/a', '/b'] }, not: true },
          { value: [{ of: 'cookie', name: 'c' }], test: { type: 'matches', pattern: '^x', ignoreCase: true } },
        ],
        status: 308,
        location: ['https://', { of: 'fact', fact: 'host' }],
        reason: 'only over TLS',
      },
      'answer 308 to https://{host} when {scheme} is http and {path} is not under /a or /b and {cookie c} is found by ^x (any case): only over TLS',
    ],
    [{ type: 'respond', when: [], status: 503, reason: 'gone' }, 'answer 503: gone'],
  ],
  'response-values': [
    [
      {
        type: 'response-values',
        statuses: [200, 204],
        set: [['X-A', ['1']]],
        add: [['X-B', [{ of: 'response-header', name: 'etag' }]]],
        remove: ['X-C'],
      },
      'response headers: set X-A: 1, add X-B: {response header etag}, remove X-C of 200 204',
    ],
  ],
};

describe('a filter in one line', () => {
  it.each(Object.values(lines).flat())('%o', (filter, text) => expect(describeFilter(filter)).toBe(text));
});

describe('sessions in one line', () => {
  const cookie: Affinity['carrier'] = { type: 'cookie', name: 'sid', path: '/shop', secure: 'https' };
  const rows: [Affinity, string][] = [
    [
      { scope: 's', carrier: cookie, mode: 'persistent', absoluteTimeoutMs: 90_000 },
      'cookie sid (path /shop), on the endpoint that each began on, for at most 90 s',
    ],
    [
      { scope: 's', carrier: { type: 'header', name: 'X-S' }, mode: 'balanced', split: 'weight' },
      'header X-S, on endpoints by consistent hash, shares by weight',
    ],
  ];
  it.each(rows)('%o', (affinity, text) => expect(describeAffinity(affinity)).toBe(text));
});

describe('time-outs and retries', () => {
  it.each([
    [{ requestMs: 10_000, backendRequestMs: 1_500 }, 'request 10 s, attempt 1.5 s'],
    [{ requestMs: 500 }, 'request 0.5 s'],
    [{ backendRequestMs: 1_000 }, 'attempt 1 s'],
  ])('%j', (timeouts, text) => expect(describeTimeouts(timeouts)).toBe(text));

  it.each([
    [1, ['reset', 'timeout'], [502], '1 time after reset, timeout, 502'],
    [2, ['reset'], [], '2 times after reset'],
  ] as const)('%i after %j and %j', (attempts, on, statuses, text) => {
    const retry = { attempts, on, statuses, backoffMs: 25, maxBackoffMs: 1_000, methods: 'idempotent' } as const;
    expect(describeRetry(retry)).toBe(text);
  });
});
