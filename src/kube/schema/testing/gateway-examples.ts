/** One or more valid objects of every Gateway API kind, as starting points of tests. */
import type { Unstructured } from '../../types/index.ts';

function example(kind: string, spec: object, group = 'gateway.networking.k8s.io/v1'): Unstructured {
  return { apiVersion: group, kind, metadata: { name: kind.toLowerCase(), namespace: 'default' }, spec };
}

const x = 'gateway.networking.x-k8s.io/v1alpha1';
const parentRefs = [{ name: 'front' }, { name: 'other', namespace: 'infra', sectionName: 'web' }];
const backendRefs = [
  { name: 'web', port: 80, weight: 9 },
  { name: 'canary', port: 80, weight: 1 },
];

export const gatewayExamples: readonly Unstructured[] = [
  example('GatewayClass', { controllerName: 'fairway.dev/gateway', description: 'the front door' }),
  example('Gateway', {
    gatewayClassName: 'fairway',
    addresses: [{ type: 'IPAddress', value: '127.250.0.1' }],
    listeners: [
      { name: 'web', port: 80, protocol: 'HTTP', hostname: '*.example.com' },
      {
        name: 'secure',
        port: 443,
        protocol: 'HTTPS',
        tls: { mode: 'Terminate', certificateRefs: [{ name: 'cert' }] },
        allowedRoutes: {
          kinds: [{ kind: 'HTTPRoute' }],
          namespaces: { from: 'Selector', selector: { matchLabels: { team: 'a' } } },
        },
      },
    ],
    infrastructure: { labels: { a: 'b' }, annotations: { 'example.com/c': 'd' } },
  }),
  example('HTTPRoute', {
    parentRefs,
    hostnames: ['api.example.com'],
    rules: [
      {
        name: 'first',
        matches: [
          { path: { type: 'PathPrefix', value: '/v1' }, headers: [{ name: 'X-Canary', value: 'yes' }], method: 'GET' },
          { queryParams: [{ name: 'q', value: '1', type: 'RegularExpression' }] },
        ],
        filters: [
          { type: 'RequestHeaderModifier', requestHeaderModifier: { set: [{ name: 'a', value: 'b' }], remove: ['c'] } },
          { type: 'CORS', cors: { allowOrigins: ['https://a.example.com'], maxAge: 10 } },
        ],
        backendRefs,
        timeouts: { request: '10s', backendRequest: '2s' },
        retry: { codes: [500], attempts: 2, backoff: '100ms' },
      },
      { filters: [{ type: 'RequestRedirect', requestRedirect: { scheme: 'https', statusCode: 301 } }] },
    ],
  }),
  example('GRPCRoute', {
    parentRefs,
    rules: [
      { matches: [{ method: { service: 'a.B', method: 'C' }, headers: [{ name: 'v', value: '1' }] }], backendRefs },
    ],
  }),
  example('TLSRoute', { parentRefs, hostnames: ['tls.example.com'], rules: [{ name: 'r', backendRefs }] }),
  example('TCPRoute', { parentRefs, rules: [{ backendRefs }] }),
  example('UDPRoute', { parentRefs, rules: [{ backendRefs }] }),
  example('ReferenceGrant', {
    from: [{ group: 'gateway.networking.k8s.io', kind: 'HTTPRoute', namespace: 'a' }],
    to: [{ group: '', kind: 'Service', name: 'web' }],
  }),
  example('BackendTLSPolicy', {
    targetRefs: [{ group: '', kind: 'Service', name: 'web' }],
    validation: {
      hostname: 'web.example.com',
      caCertificateRefs: [{ group: '', kind: 'ConfigMap', name: 'ca' }],
      subjectAltNames: [{ type: 'Hostname', hostname: 'web.example.com' }],
    },
  }),
  example('ListenerSet', {
    parentRef: { name: 'front' },
    listeners: [{ name: 'more', port: 8080, protocol: 'HTTP' }],
  }),
  example(
    'XBackendTrafficPolicy',
    {
      targetRefs: [{ group: '', kind: 'Service', name: 'web' }],
      retryConstraint: { budget: { percent: 20, interval: '10s' }, minRetryRate: { count: 3, interval: '1s' } },
      sessionPersistence: { sessionName: 's', type: 'Cookie' },
    },
    x,
  ),
  example(
    'XBackend',
    { type: 'ExternalHostname', externalHostname: { hostname: 'a.example.org' }, port: { name: 'https', port: 443 } },
    x,
  ),
  example('XMesh', { controllerName: 'fairway.dev/mesh', description: 'a mesh' }, x),
];
