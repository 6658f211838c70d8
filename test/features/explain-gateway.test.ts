/** `fairway explain` for all that routes of the Gateway API can ask for, and for what keeps them from being in force. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { certificateSecret } from '../support/certificates.ts';
import { fairway } from '../support/command.ts';
import {
  app,
  backendRef,
  gateway,
  gatewayVersion,
  httpRoute,
  type Manifest,
  namespace,
  stream,
} from '../support/manifests.ts';

const folder = mkdtempSync(join(tmpdir(), 'explain-gateway-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** The text of `fairway explain URL …` over manifests. */
function scene(name: string, ...manifests: readonly Manifest[]) {
  const file = join(folder, `${name}.yaml`);
  beforeAll(() => writeFileSync(file, stream(...manifests)));
  return { file, explain: async (...args: string[]) => (await fairway('explain', ...args, '-f', file)).text };
}

const route = (kind: string, name: string, spec: Manifest, metadata: Manifest = {}): Manifest => ({
  apiVersion: gatewayVersion,
  kind,
  metadata: { name, namespace: 'default', ...metadata },
  spec: { parentRefs: [{ name: 'gw' }], ...spec },
});

describe('explain tells every type of match', () => {
  const match = (given: Manifest) => ({ matches: [given], backendRefs: [backendRef('web')] });
  const { explain } = scene(
    'matches',
    ...app('web'),
    gateway('gw'),
    httpRoute(
      'all',
      'gw',
      [
        match({ path: { type: 'Exact', value: '/exact' } }),
        match({ path: { type: 'PathPrefix', value: '/prefix' } }),
        match({ path: { type: 'RegularExpression', value: '/re[0-9]+' } }),
        match({ path: { value: '/m' }, method: 'POST' }),
        match({ path: { value: '/h' }, headers: [{ name: 'X-A', value: 'one' }] }),
        match({ path: { value: '/hr' }, headers: [{ name: 'X-A', type: 'RegularExpression', value: 'a.*' }] }),
        match({ path: { value: '/q' }, queryParams: [{ name: 'id', value: '7' }] }),
        match({ path: { value: '/qr' }, queryParams: [{ name: 'id', type: 'RegularExpression', value: '[0-9]+' }] }),
      ],
      { hostnames: ['a.example.com'] },
    ),
  );

  it.each([
    ['/exact', [], 'rule 0 match 0 (path = /exact)'],
    ['/prefix/x', [], 'rule 1 match 0 (path under /prefix)'],
    ['/re42', [], 'rule 2 match 0 (path matching /re[0-9]+)'],
    ['/m', ['-X', 'POST'], 'rule 3 match 0 (path under /m, method POST)'],
    ['/h', ['-H', 'X-A: one'], 'rule 4 match 0 (path under /h, header x-a = one)'],
    ['/hr', ['-H', 'X-A: abc'], 'rule 5 match 0 (path under /hr, header x-a matching a.*)'],
    ['/q?id=7', [], 'rule 6 match 0 (path under /q, query id = 7)'],
    ['/qr?id=42', [], 'rule 7 match 0 (path under /qr, query id matching [0-9]+)'],
  ])('%s %j', async (path, flags, told) => {
    const text = await explain(`http://a.example.com${path}`, ...flags);
    expect(text).toContain(`HTTPRoute default/all ${told}`);
    expect(text).toContain('The request reaches a Pod.');
  });

  it.each([
    ['/exact/x', [], 'rule 0 match 0 on a.example.com: path: wants path = /exact; path is /exact/x'],
    ['/m', [], 'rule 3 match 0 on a.example.com: method: wants method = POST; method is GET'],
    ['/h', ['-H', 'X-A: two'], 'rule 4 match 0 on a.example.com: header: wants header x-a = one; header x-a is two'],
    ['/q', [], 'rule 6 match 0 on a.example.com: query: wants query id = 7; query id is missing'],
  ])('%s %j: why not', async (path, flags, told) => {
    const text = await explain(`http://a.example.com${path}`, ...flags);
    expect(text).toContain(`HTTPRoute default/all ${told}`);
    expect(text).toContain('The client gets 404: no route matches.');
  });
});

describe('explain tells every filter and what else is done to a request', () => {
  const filter = (type: string, field: string, value: Manifest) => ({ type, [field]: value });
  const rule = (path: string, rest: Manifest, type = 'PathPrefix') => ({
    matches: [{ path: { type, value: path } }],
    ...rest,
  });
  const backendRefs = [backendRef('web')];
  const filtered = (path: string, ...filters: Manifest[]) => rule(path, { filters, backendRefs });
  const { explain } = scene(
    'filters',
    ...app('web'),
    ...app('copy'),
    gateway('gw'),
    httpRoute(
      'all',
      'gw',
      [
        filtered(
          '/request',
          filter('RequestHeaderModifier', 'requestHeaderModifier', {
            set: [{ name: 'A', value: '1' }],
            add: [{ name: 'B', value: '2' }],
            remove: ['C'],
          }),
        ),
        filtered(
          '/response',
          filter('ResponseHeaderModifier', 'responseHeaderModifier', { set: [{ name: 'D', value: '3' }] }),
        ),
        rule('/redirect', {
          filters: [
            filter('RequestRedirect', 'requestRedirect', {
              scheme: 'https',
              hostname: 'b.example.com',
              port: 8443,
              path: { type: 'ReplaceFullPath', replaceFullPath: '/new' },
              statusCode: 308,
            }),
          ],
        }),
        filtered(
          '/rewrite',
          filter('URLRewrite', 'urlRewrite', {
            hostname: 'inner.example.com',
            path: { type: 'ReplacePrefixMatch', replacePrefixMatch: '/v1' },
          }),
        ),
        filtered('/mirror', filter('RequestMirror', 'requestMirror', { backendRef: backendRef('copy'), percent: 25 })),
        filtered(
          '/cors',
          filter('CORS', 'cors', { allowOrigins: ['https://x.example.com'], allowMethods: ['GET'], maxAge: 60 }),
        ),
        rule('/retry', { retry: { attempts: 2, codes: [502, 503], backoff: '100ms' }, backendRefs }),
        rule('/timeouts', { timeouts: { request: '10s', backendRequest: '2s' }, backendRefs }),
        rule('/session', {
          sessionPersistence: { sessionName: 'sid', type: 'Cookie', absoluteTimeout: '1h' },
          backendRefs,
        }),
        rule('/share', {
          backendRefs: [
            backendRef('web', {
              filters: [filter('RequestHeaderModifier', 'requestHeaderModifier', { set: [{ name: 'E', value: '5' }] })],
            }),
          ],
        }),
        filtered(
          '/auth',
          filter('ExternalAuth', 'externalAuth', {
            protocol: 'HTTP',
            backendRef: backendRef('copy'),
            http: { path: '/check' },
          }),
        ),
      ],
      { hostnames: ['a.example.com'] },
    ),
  );

  it.each([
    ['/request', 'filter request headers: set A: 1, add B: 2, remove C'],
    ['/response', 'filter response headers: set D: 3'],
    ['/redirect', 'The client gets 308 to https://b.example.com:8443/new'],
    ['/rewrite', 'filter rewrite: host to inner.example.com, matched prefix to /v1'],
    ['/mirror', 'filter mirror: copy 25 of 100 requests to default/copy:80'],
    ['/cors', 'filter cors: origins https://x.example.com, methods GET, headers none, exposed none, max age 60 s'],
    ['/retry', 'retried 2 times after reset, timeout, 502, 503'],
    ['/timeouts', 'timeouts request 10 s, attempt 2 s'],
    ['/session', 'sessions by cookie sid (path /session)'],
    ['/share', 'to default/web:80: request headers: set E: 5'],
    ['/auth', 'filter external auth: ask default/copy:80'],
  ])('%s', async (path, told) => {
    expect(await explain(`http://a.example.com${path}`)).toContain(told);
  });
});

describe('explain of calls, names and sockets', () => {
  const { explain } = scene(
    'streams',
    ...app('web'),
    certificateSecret('shown', ['*.example.com']),
    gateway('gw', [
      { name: 'http', port: 80, protocol: 'HTTP' },
      { name: 'pass', port: 8443, protocol: 'TLS', hostname: 'p.example.com', tls: { mode: 'Passthrough' } },
      {
        ...{ name: 'end', port: 8443, protocol: 'TLS', hostname: 't.example.com' },
        tls: { mode: 'Terminate', certificateRefs: [{ name: 'shown' }] },
      },
      { name: 'tcp', port: 9000, protocol: 'TCP' },
      { name: 'udp', port: 9000, protocol: 'UDP' },
    ]),
    route('GRPCRoute', 'calls', {
      hostnames: ['calls.example.com'],
      rules: [
        { matches: [{ method: { service: 'shop.Orders', method: 'List' } }], backendRefs: [backendRef('web')] },
        { matches: [{ method: { service: 'shop.Orders' } }], backendRefs: [backendRef('web')] },
      ],
    }),
    route('TLSRoute', 'passed', { hostnames: ['p.example.com'], rules: [{ backendRefs: [backendRef('web')] }] }),
    route('TLSRoute', 'ended', { hostnames: ['t.example.com'], rules: [{ backendRefs: [backendRef('web')] }] }),
    route(
      'TCPRoute',
      'older',
      { rules: [{ backendRefs: [backendRef('web')] }] },
      { creationTimestamp: '2026-01-01T00:00:00Z' },
    ),
    route(
      'TCPRoute',
      'a-younger',
      { rules: [{ backendRefs: [backendRef('web')] }] },
      { creationTimestamp: '2026-01-02T00:00:00Z' },
    ),
  );
  const addressOf = (text: string) => /→ (127[\d.]+)/.exec(text)![1]!;

  it('a method by name comes before its service, and the rule of precedence is named', async () => {
    const text = await explain('grpc://calls.example.com/shop.Orders/List');
    expect(text).toContain('GRPCRoute default/calls rule 0 match 0 (gRPC calls, path = /shop.Orders/List)');
    expect(text).toContain('comes first: a service and method given by name come first');
  });

  it.each([
    ['tls://p.example.com:8443', 'TLS goes to the backend as it comes'],
    ['tls://t.example.com:8443', 'TLS is terminated here; the backend gets what was inside'],
  ])('%s', async (url, told) => {
    const text = await explain(url);
    expect(text).toContain(told);
    expect(text).toContain('The connection reaches a Pod.');
  });

  it('the younger of two TCPRoutes at one listener is told with the rule that it lost by', async () => {
    const address = addressOf(await explain('http://calls.example.com/'));
    const text = await explain(`tcp://${address}:9000`);
    expect(text).toContain('→ TCPRoute default/older rule 0');
    expect(text).toContain(
      'TCPRoute default/a-younger for *: NotServed: TCPRoute default/older has the listener: the oldest route comes first, by creation timestamp',
    );
  });

  it('a UDP listener without a route drops', async () => {
    const address = addressOf(await explain('http://calls.example.com/'));
    expect(await explain(`udp://${address}:9000`)).toContain('attach a UDPRoute to the listener');
  });
});

describe('explain tells why routes are not in force', () => {
  const { file, explain } = scene(
    'not-in-force',
    namespace('far'),
    ...app('web'),
    gateway('gw', [{ name: 'http', port: 80, protocol: 'HTTP', hostname: '*.example.com' }]),
    gateway('other', [{ name: 'tcp', port: 9000, protocol: 'TCP' }]),
    httpRoute('ok', 'gw', [{ backendRefs: [backendRef('web')] }], { hostnames: ['ok.example.com'] }),
    httpRoute('orphan', 'nowhere', [{ backendRefs: [backendRef('web')] }], { hostnames: ['orphan.example.com'] }),
    httpRoute('section', { name: 'gw', sectionName: 'htp' }, [{ backendRefs: [backendRef('web')] }], {
      hostnames: ['section.example.com'],
    }),
    httpRoute('kind', 'other', [{ backendRefs: [backendRef('web')] }], { hostnames: ['kind.example.com'] }),
    httpRoute('foreign', 'gw', [{ backendRefs: [backendRef('web')] }], {
      hostnames: ['foreign.example.com'],
      namespace: 'far',
    }),
    httpRoute('name', 'gw', [{ backendRefs: [backendRef('web')] }], { hostnames: ['name.example.org'] }),
    httpRoute(
      'value',
      'gw',
      [{ matches: [{ path: { type: 'RegularExpression', value: '/(?=a)' } }], backendRefs: [backendRef('web')] }],
      { hostnames: ['value.example.com'] },
    ),
  );

  it.each([
    ['orphan.example.com', 'orphan', 'spec.parentRefs[0]', 'Create the Gateway'],
    ['section.example.com', 'section', 'spec.parentRefs[0]', 'Set sectionName to http'],
    ['kind.example.com', 'kind', 'spec.parentRefs[0]', 'Name a listener of protocol HTTP or HTTPS in sectionName'],
    ['foreign.example.com', 'foreign', 'spec.parentRefs[0]', 'Let a listener of the Gateway admit the namespace'],
    ['name.example.org', 'name', 'spec.hostnames', 'Use a hostname within *.example.com'],
    ['value.example.com', 'value', 'spec.rules[0].matches[0].path.value', 'Write a pattern that RE2 takes'],
  ])('%s: %s names %s and the change', async (hostname, name, field, change) => {
    const text = await explain(`http://${hostname}/`);
    expect(text).not.toContain('The request reaches a Pod.');
    expect(text).toContain(`${field}: `);
    const { text: linted } = await fairway('lint', '-f', file);
    const line = linted.split('\n').find((one) => one.includes(`/${name}: ${field}: `));
    expect(line).toMatch(/^\S+not-in-force\.yaml:\d+:\d+: (?:error|warning) FW3\d+ HTTPRoute /);
    expect(line).toContain(`; fix: ${change}`);
    expect(text).toContain(change);
  });
});

describe('explain prints the ReferenceGrant that is missing', () => {
  const manifests = [
    namespace('far'),
    ...app('web', { namespace: 'far' }),
    certificateSecret('shown', ['a.example.com'], 'far'),
    gateway('gw', [
      { name: 'http', port: 80, protocol: 'HTTP' },
      {
        ...{ name: 'https', port: 443, protocol: 'HTTPS' },
        tls: { certificateRefs: [{ name: 'shown', namespace: 'far' }] },
      },
    ]),
    httpRoute('web', 'gw', [{ backendRefs: [backendRef('web', { namespace: 'far' })] }], {
      hostnames: ['a.example.com'],
    }),
  ];
  const set = {
    apiVersion: gatewayVersion,
    kind: 'ListenerSet',
    metadata: { name: 'more', namespace: 'default' },
    spec: {
      parentRef: { name: 'gw' },
      listeners: [
        {
          ...{ name: 'set', port: 8443, protocol: 'HTTPS' },
          tls: { certificateRefs: [{ name: 'shown', namespace: 'far' }] },
        },
      ],
    },
  };
  const opened = gateway('gw');
  const sets = scene(
    'sets',
    ...manifests.slice(0, 4),
    { ...opened, spec: { ...(opened['spec'] as Manifest), allowedListeners: { namespaces: { from: 'Same' } } } },
    set,
    httpRoute('web', { kind: 'ListenerSet', name: 'more' }, [{ backendRefs: [backendRef('web')] }], {
      hostnames: ['a.example.com'],
    }),
  );

  it('for a certificate of a ListenerSet, which what a Gateway is permitted does not help', async () => {
    const text = await sets.explain('https://a.example.com:8443/');
    expect(text).toContain('no ReferenceGrant in far permits ListenerSets of default to use the Secret shown');
    expect(pasted(text, 'ListenerSet')).toContain('kind: ListenerSet');
  });

  const { file, explain } = scene('grants', ...manifests);

  /** As a user would paste it: the block below the line that says so. */
  function pasted(text: string, kind: string): string {
    const lines = text.split('\n');
    const isHint = (line: string) => line.includes('→ Apply a ReferenceGrant') && line.includes(`kind: ${kind},`);
    const rest = lines.slice(lines.findIndex((line) => isHint(line) && line.endsWith(':')) + 1);
    const end = rest.findIndex((line) => !line.startsWith('    '));
    return rest.slice(0, end < 0 ? rest.length : end).join('\n');
  }

  it.each([
    ['http://a.example.com/', 'no ReferenceGrant in far permits HTTPRoutes of default to use the Service web'],
    ['https://a.example.com/', 'no ReferenceGrant in far permits Gateways of default to use the Secret shown'],
  ])('%s', async (url, told) => {
    expect(await explain(url)).toContain(told);
    const all = await explain('http://a.example.com/');
    const granted = join(folder, 'granted.yaml');
    writeFileSync(granted, [stream(...manifests), pasted(all, 'HTTPRoute'), pasted(all, 'Gateway')].join('\n---\n'));
    const { text } = await fairway('explain', url, '-f', granted);
    expect(text).toContain('The request reaches a Pod.');
    expect(text).not.toContain('ReferenceGrant');
  });

  it('a closed listener is told with its reason', async () => {
    expect(await explain('https://a.example.com/')).toMatch(
      /listener https is closed: .*no ReferenceGrant in far permits Gateways of default/,
    );
  });

  it('lint tells place, field and change in one line', async () => {
    const { text, code } = await fairway('lint', '-f', file);
    expect(code).toBe(1);
    const lines = text.split('\n').filter((line) => line.includes('FW3402'));
    expect(lines).toEqual([
      expect.stringMatching(
        /grants\.yaml:\d+:\d+: error FW3402 HTTPRoute default\/web: spec\.rules\[0\]\.backendRefs\[0\]: .*; fix: Apply a ReferenceGrant in far with from \[.*\], to \[.*name: web}\]:$/,
      ),
    ]);
  });
});
