/** What each example of the Gateway API serves, or lacks: the table of gateway-examples.test.ts. */
import { gateway, gatewayVersion, httpRoute } from '../support/manifests.ts';
import { httpExamples } from './gateway-examples.http.ts';
import { call, experimental, get, named, ok, orphan, type Row, standard } from './gateway-examples.rows.ts';

/** Those of gateway-addresses.yaml: none is of a front door on loopback. */
const foreignAddresses = [
  '1200:0000:AB00:1234:0000:2552:7777:1313',
  '21DA:D3:0:2F3B:2AA:FF:FE28:9C5A',
  '2001:db8:3c4d:15:0:d234:3eee::',
  '1234::',
  ...['1.1.1.1', '1.2.3.4', '0.0.0.0', '9.255.255.255', '11.0.0.0', '255.255.255.255'],
];

export const examples: readonly Row[] = [
  // TCP, UDP, TLS
  {
    files: experimental('basic-tcp.yaml'),
    serves: [8080, 8090].map((port) => ({ at: 'my-tcp-gateway', is: 'tcp', port, gets: 'some bytes' })),
  },
  {
    files: standard('tcp-routing/gateway.yaml', 'tcp-routing/tcp-route.yaml'),
    serves: [{ at: 'my-tcp-gateway', is: 'tcp', port: 8080, gets: 'some bytes' }],
  },
  {
    files: standard('udp-routing/gateway.yaml', 'udp-routing/udp-route.yaml'),
    serves: [{ at: 'my-udp-gateway', is: 'udp', port: 8080, gets: 'some bytes' }],
  },
  {
    files: standard('tls-routing/gateway.yaml', 'tls-routing/tls-route.yaml', 'tls-routing/tls-route-terminate.yaml'),
    serves: [
      get('example-gateway', 'https://foo.example.com/x', { status: 200, to: 'foo-svc' }),
      get('example-gateway', 'https://bar.example.com:8443/x', ok('bar-svc', '/x')),
    ],
  },
  {
    files: experimental('v1alpha3/tls-routing/gateway.yaml', 'v1alpha3/tls-routing/tls-route.yaml'),
    serves: [get('example-gateway', 'https://example.com/x', { status: 200, to: 'example-svc' })],
  },
  {
    files: experimental('v1alpha2/tls-routing/gateway.yaml', 'v1alpha2/tls-routing/tls-route.yaml'),
    serves: [get('example-gateway', 'https://any.example/x', { status: 200, to: 'example-svc' })],
  },
  {
    files: experimental('destination-port-matching-tcp.yaml'),
    lacks: [
      'FW3206 TCPRoute/destination-port-matching-example spec.parentRefs[0]: Mesh default/my-mesh is no Gateway: this parent is left alone',
    ],
  },
  // gRPC
  {
    files: standard('basic-grpc.yaml'),
    serves: [
      call('my-gateway', 'example.com', '/com.example.User/Login', { to: 'my-service1', status: 0 }),
      call(
        'my-gateway',
        'example.com',
        '/com.example.Things/DoThing',
        { to: 'my-service2', status: 0 },
        { magic: 'foo' },
      ),
      call('my-gateway', 'example.com', '/com.example.Things/DoThing', { status: 12 }),
    ],
  },
  {
    files: standard('grpc-routing/gateway.yaml', 'grpc-routing/foo-grpcroute.yaml', 'grpc-routing/bar-grpcroute.yaml'),
    serves: [
      call('example-gateway', 'example.com', '/any.Service/Method', { to: 'example-svc', status: 0 }),
      call('example-gateway', 'foo.example.com', '/com.example/Login', { to: 'foo-svc', status: 0 }),
      call('example-gateway', 'foo.example.com', '/com.example/Other', { status: 12 }),
      call('example-gateway', 'bar.example.com', '/any.Service/Method', { to: 'bar-svc', status: 0 }),
      call(
        'example-gateway',
        'bar.example.com',
        '/any.Service/Method',
        { to: 'bar-svc-canary', status: 0 },
        { env: 'canary' },
      ),
    ],
  },
  {
    files: standard('grpc-routing/gateway.yaml', 'grpc-routing/reflection-grpcroute.yaml'),
    serves: [
      call('example-gateway', 'foo.example.com', '/grpc.reflection.v1.ServerReflection/ServerReflectionInfo', {
        to: 'foo-svc',
        status: 0,
      }),
      call('example-gateway', 'foo.example.com', '/com.example.User/Login', { to: 'foo-svc', status: 0 }),
    ],
  },
  orphan(
    'grpc-filter.yaml',
    'GRPCRoute',
    'grpc-filter-1',
    call('attached', 'my.filter.com', '/any.Service/Method', { to: 'my-filter-svc1', status: 0 }),
  ),
  orphan(
    'traffic-splitting/grpc-traffic-split-2.yaml',
    'GRPCRoute',
    'foo-route',
    ...['foo-v1', 'foo-v2'].map((to) => call('attached', 'foo.example.com', '/any.Service/Method', { to, status: 0 })),
  ),
  ...httpExamples,
  // TLS of Gateways, and to backends
  {
    files: standard('tls-basic.yaml'),
    also: [httpRoute('any', 'tls-basic', [{ backendRefs: [{ name: 'echo', port: 8080 }] }])],
    serves: ['foo', 'bar'].map((name) => get('tls-basic', `https://${name}.example.com/`, ok('echo', '/'))),
  },
  {
    files: standard('wildcard-tls-gateway.yaml'),
    also: [httpRoute('any', 'wildcard-tls-gateway', [{ backendRefs: [{ name: 'echo', port: 8080 }] }])],
    serves: ['foo', 'other'].map((name) =>
      get('wildcard-tls-gateway', `https://${name}.example.com/`, ok('echo', '/')),
    ),
  },
  {
    files: standard('tls-cert-cross-namespace.yaml'),
    serves: [get('cross-namespace-tls-gateway', 'https://any.example.com/', { status: 404 })],
  },
  {
    files: standard('frontend-cert-validation.yaml'),
    serves: ['https://foo.example.com/', 'https://bar.example.com:8443/'].flatMap((url) => [
      { at: 'client-validation-basic', is: 'client', url, shows: true, gets: { status: 404 } },
      { at: 'client-validation-basic', is: 'client', url, shows: false, gets: 'refused' },
    ]),
  },
  {
    files: standard('backend-tls.yaml'),
    also: [httpRoute('any', 'backend-tls', [{ backendRefs: [{ name: 'echo', port: 8080 }] }])],
    serves: [get('backend-tls', 'http://foo.example.com/', ok('echo', '/'))],
  },
  {
    files: standard('backendtlspolicy/backendtlspolicy-ca-certs.yaml'),
    also: [gateway('tls-out'), httpRoute('auth', 'tls-out', [{ backendRefs: [{ name: 'auth', port: 443 }] }])],
    serves: [get('tls-out', 'http://any.example/', { status: 200, to: 'auth' })],
  },
  {
    files: standard('backendtlspolicy/backendtlspolicy-system-certs.yaml'),
    also: [gateway('tls-out'), httpRoute('dev', 'tls-out', [{ backendRefs: [{ name: 'dev', port: 443 }] }])],
    // The stand-in's certificate is signed by nobody whom the system trusts.
    serves: [get('tls-out', 'http://any.example/', { status: 502 })],
  },
  {
    files: standard('listenerset/listenerset.yaml'),
    also: [
      httpRoute(
        'first',
        { kind: 'ListenerSet', name: 'first-workload-listeners' },
        [{ backendRefs: [{ name: 'first', port: 80 }] }],
        { namespace: 'team-1-ns' },
      ),
      httpRoute(
        'second',
        { kind: 'ListenerSet', name: 'second-workload-listeners' },
        [{ backendRefs: [{ name: 'second', port: 80 }] }],
        { namespace: 'team-2-ns' },
      ),
    ],
    serves: [
      get('parent-gateway', 'https://first.foo.com/', ok('first', '/')),
      get('parent-gateway', 'https://second.foo.com/', ok('second', '/')),
    ],
  },
  {
    files: standard('gateway-addresses.yaml'),
    lacks: [
      'FW3003 Gateway/gateway-addresses spec.addresses[10].type: addresses of type Hostname are not supported',
      ...foreignAddresses.map(
        (address, i) =>
          `FW3004 Gateway/gateway-addresses spec.addresses[${i}].value: ${address} is not one that a Gateway can have here`,
      ),
    ],
  },
  {
    files: standard('reference-grant.yaml'),
    also: [
      named('prod-gateway', 'prod'),
      {
        apiVersion: gatewayVersion,
        kind: 'HTTPRoute',
        metadata: { name: 'granted', namespace: 'prod' },
        spec: {
          parentRefs: [{ name: 'prod-gateway' }],
          rules: [{ backendRefs: [{ name: 'echo', namespace: 'default', port: 8080 }] }],
        },
      },
    ],
    serves: [get('prod-gateway', 'http://any.example/', ok('echo', '/'))],
  },
];
