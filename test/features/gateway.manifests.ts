/** Gateways and routes of gateway.test.ts, by what they are for. */
import { app, backendRef, gateway, gatewayVersion, httpRoute, type Manifest } from '../support/manifests.ts';

export const to = (...names: string[]) => ({ backendRefs: names.map((name) => backendRef(name)) });
const prefix = (value: string) => ({ path: { type: 'PathPrefix', value } });
const exact = (value: string) => ({ path: { type: 'Exact', value } });

const headers = (...pairs: [string, string][]) => ({ headers: pairs.map(([name, value]) => ({ name, value })) });
export const matches: Manifest[] = [
  gateway('matches'),
  httpRoute(
    'matches',
    'matches',
    [
      { matches: [{ ...prefix('/m'), queryParams: [{ name: 'q', value: '1' }, { name: 'r', value: '2' }] }], ...to('three') }, // biome-ignore format: one line
      { matches: [{ ...prefix('/m'), ...headers(['x-a', '1']) }], ...to('one') },
      { matches: [{ ...prefix('/m'), ...headers(['x-a', '1'], ['x-b', '2']) }], ...to('two') },
      { matches: [{ ...prefix('/m'), method: 'POST' }], ...to('three') },
      { matches: [prefix('/m')], ...to('two') },
      { matches: [prefix('/m/exact')], ...to('two') },
      { matches: [exact('/m/exact')], ...to('one') },
      {
        matches: [
          { ...exact('/pattern'), headers: [{ type: 'RegularExpression', name: 'x-version', value: 'v[0-9]+' }] },
        ],
        ...to('one'),
      },
    ],
    { hostnames: ['match.example.com'] },
  ),
];

export const weights: Manifest[] = [
  httpRoute(
    'weights',
    'matches',
    [
      {
        backendRefs: [
          backendRef('one', { weight: 7 }),
          backendRef('two', { weight: 2 }),
          backendRef('three', { weight: 0 }),
          backendRef('nobody', { weight: 1 }),
        ],
      },
    ],
    { hostnames: ['w.example.com'] },
  ),
  httpRoute('across', 'matches', [{ backendRefs: [backendRef('one'), backendRef('other', { namespace: 'team-b' })] }], {
    hostnames: ['across.example.com'],
  }),
];

const redirect = (path: string, requestRedirect: Manifest) => ({
  matches: [prefix(path)],
  filters: [{ type: 'RequestRedirect', requestRedirect }],
});
const rewrite = (path: string, urlRewrite: Manifest) => ({
  matches: [prefix(path)],
  filters: [{ type: 'URLRewrite', urlRewrite }],
  ...to('one'),
});
const change = (start: string) => ({
  set: [{ name: `${start}set`, value: 'filter' }],
  add: [{ name: `${start}add`, value: 'filter' }],
  remove: [`${start}remove`],
});
export const filters: Manifest[] = [
  httpRoute(
    'redirects',
    'matches',
    [
      redirect('/to-https', { scheme: 'https' }),
      redirect('/to-host', { hostname: 'other.example.com', port: 8080, statusCode: 301 }),
      redirect('/old', { path: { type: 'ReplacePrefixMatch', replacePrefixMatch: '/new' }, statusCode: 301 }),
      redirect('/anything', { path: { type: 'ReplaceFullPath', replaceFullPath: '/there' }, statusCode: 308 }),
    ],
    { hostnames: ['r.example.com'] },
  ),
  httpRoute(
    'rewrites',
    'matches',
    [
      rewrite('/in', {
        hostname: 'inside.example.net',
        path: { type: 'ReplacePrefixMatch', replacePrefixMatch: '/out' },
      }),
      rewrite('/full', { path: { type: 'ReplaceFullPath', replaceFullPath: '/fixed' } }),
    ],
    { hostnames: ['rw.example.com'] },
  ),
  httpRoute(
    'headers',
    'matches',
    [
      {
        filters: [
          { type: 'RequestHeaderModifier', requestHeaderModifier: change('x-') },
          { type: 'ResponseHeaderModifier', responseHeaderModifier: change('x-back-') },
        ],
        ...to('one'),
      },
    ],
    { hostnames: ['h.example.com'] },
  ),
];

const attachTo = (sectionName: string) => ({ name: 'isolated', namespace: 'default', sectionName });
export const listeners: Manifest[] = [
  gateway('isolated', [
    { name: 'exact', port: 80, protocol: 'HTTP', hostname: 'bar.foo.example.com' },
    { name: 'wild', port: 80, protocol: 'HTTP', hostname: '*.foo.example.com' },
    { name: 'any', port: 80, protocol: 'HTTP' },
    { name: 'https', port: 443, protocol: 'HTTPS', hostname: 'secure.example.com', tls: { certificateRefs: [{ name: 'secure' }] } }, // biome-ignore format: one line
  ]),
  httpRoute('on-exact', attachTo('exact'), [{ matches: [prefix('/exact')], ...to('one') }]),
  httpRoute('on-wild', attachTo('wild'), [{ matches: [prefix('/wild')], ...to('two') }]),
  httpRoute('on-any', attachTo('any'), [{ matches: [prefix('/any')], ...to('three') }]),
  httpRoute('on-https', attachTo('https'), [to('one')]),
];

export const namespaces: Manifest[] = [
  {
    apiVersion: gatewayVersion,
    kind: 'Gateway',
    metadata: { name: 'selective' },
    spec: {
      gatewayClassName: 'fairway',
      listeners: [
        {
          name: 'http',
          port: 80,
          protocol: 'HTTP',
          allowedRoutes: { namespaces: { from: 'Selector', selector: { matchLabels: { team: 'a' } } } },
        },
      ],
    },
  },
  ...app('one', { namespace: 'team-a' }),
  httpRoute('invited', 'selective', [to('one')], { hostnames: ['invited.example.com'], namespace: 'team-a' }),
  httpRoute('uninvited', 'selective', [to('other')], { hostnames: ['uninvited.example.com'], namespace: 'team-b' }),
];

const timed = (path: string, fields: Manifest) => ({ matches: [prefix(path)], timeouts: fields, ...to('one') });
export const timeouts: Manifest[] = [
  httpRoute(
    'timeouts',
    'matches',
    [
      timed('/short', { request: '200ms' }),
      timed('/backend', { request: '2s', backendRequest: '200ms' }),
      timed('/long', { request: '5s' }),
    ],
    { hostnames: ['t.example.com'] },
  ),
];

const listener = (name: string, secret: string, from?: string) => ({
  name,
  port: 443,
  protocol: 'HTTPS',
  hostname: `${name}.example.com`,
  tls: { certificateRefs: [{ name: secret, ...(from && { namespace: from }) }] },
});
/** A Gateway whose certificates are good, no certificate at all, and out of reach; and classes of other controllers. */
export const certificates: Manifest[] = [
  { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'bad' }, data: { 'tls.crt': 'YQ==', 'tls.key': 'YQ==' } },
  gateway('certificates', [listener('secure', 'secure'), listener('bad', 'bad'), listener('far', 'far', 'team-b')]),
  httpRoute('on-certificates', 'certificates', [to('one')]),
];
export const adopted: Manifest[] = [
  {
    apiVersion: gatewayVersion,
    kind: 'GatewayClass',
    metadata: { name: 'istio' },
    spec: { controllerName: 'istio.io/gateway-controller' },
  },
  ...['istio', 'nobody'].map((gatewayClassName) => ({
    apiVersion: gatewayVersion,
    kind: 'Gateway',
    metadata: { name: `class-${gatewayClassName}` },
    spec: { gatewayClassName, listeners: [{ name: 'web', port: 8080, protocol: 'HTTP' }] },
  })),
  httpRoute('on-istio', 'class-istio', [to('one')]),
  httpRoute('on-nobody', 'class-nobody', [to('two')]),
];
