/** Examples about HTTP: the rows of the table that route, split, and change requests. */
import { gateway } from '../support/manifests.ts';
import {
  cors,
  experimental,
  get,
  named,
  ok,
  orphan,
  type Row,
  redirected,
  redirectGateway,
  rewritten,
  split,
  standard,
} from './gateway-examples.rows.ts';

export const httpExamples: readonly Row[] = [
  // HTTP
  {
    files: experimental('http-response-header.yaml'),
    also: [gateway('acme-gw')],
    serves: [
      get('acme-gw', 'http://any.example/add-multiple-response-headers', {
        status: 200,
        to: 'echo',
        headers: {
          'x-header-add-1': 'header-add-1',
          'x-header-add-2': 'header-add-2',
          'x-header-add-3': 'header-add-3',
          'content-disposition': 'attachment; filename="example_file.txt"',
        },
      }),
    ],
  },
  {
    files: experimental('http-route-rule-name.yaml'),
    also: [gateway('example-gateway')],
    serves: [
      get('example-gateway', 'http://any.example/x', ok('backend-mirror-svc', '/x')),
      ...['POST', 'PATCH', 'DELETE'].map((method) =>
        get('example-gateway', 'http://any.example/x', ok('backend-svc', '/x'), {}, method),
      ),
      get('example-gateway', 'http://any.example/x', { status: 404 }, {}, 'PUT'),
    ],
  },
  {
    files: experimental('http-route-timeouts/timeout-example.yaml'),
    also: [gateway('example-gateway')],
    serves: [
      get('example-gateway', 'http://any.example/timeout?delay=20ms', { status: 200, to: 'timeout-svc' }),
      get('example-gateway', 'http://any.example/timeout?delay=4s', { status: 504 }),
    ],
  },
  {
    files: standard('basic-http.yaml'),
    serves: [
      get('my-gateway', 'http://foo.com/bar', ok('my-service1', '/bar')),
      get('my-gateway', 'http://foo.com/some/thing?great=example', ok('my-service2', '/some/thing?great=example'), {
        magic: 'foo',
      }),
      get('my-gateway', 'http://foo.com/some/thing?great=example', { status: 404 }),
    ],
  },
  {
    files: standard('default-match-http.yaml'),
    serves: [
      get('default-match-gw', 'http://default-match.com/example/exact', ok('my-service-2', '/example/exact')),
      get('default-match-gw', 'http://default-match.com/anything', { status: 500 }, { magic: 'default-match' }),
    ],
    lacks: [
      'FW3403 HTTPRoute/default-match-route spec.rules[0].backendRefs[0]: backends are Services or XBackends, not CustomBackend.acme.io',
    ],
  },
  {
    files: standard('http-routing/gateway.yaml', 'http-routing/foo-httproute.yaml', 'http-routing/bar-httproute.yaml'),
    serves: [
      get('example-gateway', 'http://example.com/any', ok('example-svc', '/any')),
      get('example-gateway', 'http://foo.example.com/login', ok('foo-svc', '/login')),
      get('example-gateway', 'http://foo.example.com/other', { status: 404 }),
      get('example-gateway', 'http://bar.example.com/any', ok('bar-svc', '/any')),
      get('example-gateway', 'http://bar.example.com/any', ok('bar-svc-canary', '/any'), { env: 'canary' }),
    ],
  },
  {
    files: standard('simple-gateway/gateway.yaml', 'simple-gateway/httproute.yaml'),
    serves: [get('prod-web', 'http://any.example/x', ok('foo-svc', '/x'))],
  },
  {
    files: standard(
      'simple-http-https/gateway.yaml',
      'simple-http-https/foo-route.yaml',
      'simple-http-https/bar-route.yaml',
      'simple-http-https/tls-redirect-route.yaml',
    ),
    serves: [
      get('example-gateway', 'http://foo.example.com/orders', {
        status: 302,
        location: 'https://foo.example.com/orders',
      }),
      get('example-gateway', 'https://foo.example.com/orders/1', ok('foo-orders-app', '/orders/1')),
      get('example-gateway', 'https://foo.example.com/', ok('foo-app', '/')),
      get('example-gateway', 'https://bar.example.com/', ok('bar-app', '/')),
      get('example-gateway', 'https://a.foo.com:8443/', { status: 404 }),
    ],
  },
  {
    files: standard(
      'cross-namespace-routing/0-namespaces.yaml',
      'cross-namespace-routing/gateway.yaml',
      'cross-namespace-routing/site-route.yaml',
      'cross-namespace-routing/store-route.yaml',
    ),
    serves: [
      get('shared-gateway', 'https://foo.example.com/', ok('home', '/')),
      get('shared-gateway', 'https://foo.example.com/store/a', ok('store', '/store/a')),
      get('shared-gateway', 'https://foo.example.com/login', { status: 200, path: '/login' }),
    ],
  },
  {
    files: standard(
      'http-route-attachment/gateway-strict.yaml',
      'http-route-attachment/httproute.yaml',
      '0-namespaces.yaml',
    ),
    serves: [get('foo-gateway', 'http://any.example/x', ok('foo-svc', '/x'))],
  },
  {
    files: standard('http-route-attachment/gateway-namespaces.yaml'),
    serves: [get('prod-gateway', 'http://any.example/x', { status: 404 })],
  },
  // Filters
  {
    files: standard('http-request-header-add.yaml'),
    also: [gateway('acme-gw')],
    serves: [
      get(
        'acme-gw',
        'http://any.example/add-a-request-header',
        ok('echo', '/add-a-request-header', { seen: { 'My-Header-Name': ['mine', 'my-header-value'] } }),
        { 'my-header-name': 'mine' },
      ),
    ],
  },
  {
    files: standard('http-request-header-remove.yaml'),
    also: [gateway('acme-gw')],
    serves: [
      get(
        'acme-gw',
        'http://any.example/remove-a-request-header',
        ok('echo', '/remove-a-request-header', { seen: { 'X-Request-Id': undefined, 'X-Other': ['b'] } }),
        { 'x-request-id': 'a', 'x-other': 'b' },
      ),
    ],
  },
  {
    files: standard('http-request-header-set.yaml'),
    also: [gateway('acme-gw')],
    serves: [
      get(
        'acme-gw',
        'http://any.example/edit-a-request-header',
        ok('echo', '/edit-a-request-header', { seen: { 'My-Header-Name': ['my-new-header-value'] } }),
        { 'my-header-name': 'mine' },
      ),
    ],
  },
  {
    files: standard('http-request-mirroring/httproute-mirroring.yaml'),
    also: [gateway('mirror-gateway')],
    serves: [
      get('mirror-gateway', 'http://mirror.example/copied', ok('foo-v1', '/copied')),
      { at: 'mirror-gateway', is: 'logged', service: 'foo-v2', path: '/copied', gets: true },
    ],
  },
  cors('httproute-all-fields-set', '/cors-behavior-creds-true', [
    ['https://www.foo.com', 'https://www.foo.com', 'true'],
    ['https://a.bar.com', 'https://a.bar.com', 'true'],
    ['https://other.com', undefined],
  ]),
  cors('httproute-all-origins-no-creds', '/cors-behavior-creds-false', [['https://any.com', '*']]),
  cors('httproute-credentials-true', '/cors-behavior-creds-true', [
    ['https://app.example', 'https://app.example', 'true'],
    ['https://other.example', undefined],
  ]),
  cors('httproute-origins-with-wildcards-no-creds', '/cors-behavior-creds-false', [
    ['https://www.baz.com', 'https://www.baz.com'],
    ['https://a.bar.com', 'https://a.bar.com'],
    ['https://a.baz.com', undefined],
  ]),
  cors('httproute-specific-origin-no-creds', '/cors-behavior-creds-false', [
    ['https://app.example', 'https://app.example'],
    ['http://app.example', undefined],
  ]),
  orphan(
    'http-filter.yaml',
    'HTTPRoute',
    'http-filter-1',
    get('attached', 'http://my.filter.com/', ok('my-filter-svc1', '/', { seen: { 'My-Header': ['foo'] } })),
  ),
  {
    files: standard('http-redirect.yaml'),
    serves: [
      get('my-filter-gateway', 'http://my-filter.example.com/a', {
        status: 302,
        location: 'https://my-filter.example.com/a',
      }),
      get('my-filter-gateway', 'https://my-filter.example.com/a', ok('my-filter-svc1', '/a')),
    ],
  },
  {
    files: standard('http-redirect-path.yaml'),
    also: [named('my-filter-gateway', 'gateway-api-example-ns1')],
    serves: [
      get('my-filter-gateway', 'http://my-filter.example.com/a', {
        status: 302,
        location: 'http://my-filter.example.com/foo',
      }),
    ],
  },
  {
    files: standard('http-rewrite.yaml'),
    also: [named('my-filter-gateway', 'gateway-api-example-ns1')],
    serves: [get('my-filter-gateway', 'http://my-filter.example.com/a', { status: 500 })],
    lacks: [
      'FW3305 HTTPRoute/http-filter-1 spec.rules[0]: the rule has no backendRefs, so its requests are answered with 500',
    ],
  },
  {
    files: standard(
      redirectGateway,
      'http-redirect-rewrite/httproute-redirect-http.yaml',
      'http-redirect-rewrite/httproute-redirect-303.yaml',
      'http-redirect-rewrite/httproute-redirect-307.yaml',
      'http-redirect-rewrite/httproute-redirect-308.yaml',
    ),
    serves: [
      get('redirect-gateway', 'http://redirect.example/a', { status: 301, location: 'https://redirect.example/a' }),
      get(
        'redirect-gateway',
        'http://forms.example.com/submit-form',
        { status: 303, location: 'http://forms.example.com/thank-you' },
        {},
        'POST',
      ),
      get('redirect-gateway', 'http://api.example.com/api/v1/x', {
        status: 307,
        location: 'http://api.example.com/api/v2',
      }),
      get('redirect-gateway', 'http://api.example.com/old-api', {
        status: 308,
        location: 'http://api.example.com/new-api',
      }),
    ],
  },
  {
    files: standard(redirectGateway, 'http-redirect-rewrite/httproute-redirect-https.yaml'),
    serves: [get('redirect-gateway', 'https://redirect.example/a', ok('example-svc', '/a'))],
  },
  redirected('httproute-redirect-full', 'http://redirect.example/paprika'),
  redirected('httproute-redirect-prefix', 'http://redirect.example/paprika/a'),
  rewritten('httproute-rewrite-full-path', '/fennel'),
  rewritten('httproute-rewrite-prefix-path', '/fennel/a'),
  rewritten('httproute-rewrite', '/cardamom/a'),
  orphan(
    'httproute.yaml',
    'HTTPRoute',
    'my-app',
    get('attached', 'http://any.example/mypath/a', ok('my-service-1', '/mypath/a')),
    get('attached', 'http://any.example/mypath-012', ok('my-service-2', '/mypath-012')),
    get('attached', 'http://any.example/my%20path/123', ok('my-service-3', '/my%20path/123')),
    get('attached', 'http://any.example/mypath-01', { status: 404 }),
  ),
  orphan(
    'traffic-splitting/simple-split.yaml',
    'HTTPRoute',
    'simple-split',
    split('http://any.example/', { 'foo-v1': 18, 'foo-v2': 2 }),
  ),
  orphan(
    'traffic-splitting/traffic-split-1.yaml',
    'HTTPRoute',
    'foo-route',
    get('attached', 'http://foo.example.com/', ok('foo-v1', '/')),
    get('attached', 'http://foo.example.com/', ok('foo-v2', '/'), { traffic: 'test' }),
  ),
  orphan(
    'traffic-splitting/traffic-split-2.yaml',
    'HTTPRoute',
    'foo-route',
    split('http://foo.example.com/', { 'foo-v1': 18, 'foo-v2': 2 }),
  ),
  orphan(
    'traffic-splitting/traffic-split-3.yaml',
    'HTTPRoute',
    'foo-route',
    split('http://foo.example.com/', { 'foo-v2': 20 }),
  ),
];
