/** The objects of gateway-api-bench, as this bench needs them. */
export const gatewayApi = 'gateway.networking.k8s.io/v1';

export const gatewayClass = {
  apiVersion: gatewayApi,
  kind: 'GatewayClass',
  metadata: { name: 'bench' },
  spec: { controllerName: 'fairway.dev/gateway' },
};

export function gateway(listeners = [httpListener], more = {}) {
  return {
    apiVersion: gatewayApi,
    kind: 'Gateway',
    metadata: { name: 'bench', namespace: 'default' },
    spec: { gatewayClassName: 'bench', listeners, ...more },
  };
}

export const httpListener = {
  name: 'http',
  port: 80,
  protocol: 'HTTP',
  allowedRoutes: { namespaces: { from: 'All' } },
};

export const namespace = (name) => ({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } });

/**
 * A Deployment with one Pod, and a Service in front of it with port 80, and 8080 unless it is one of thousands: each port
 * of a Service and of a Pod is a socket of `fairway up`.
 */
export function workload(name, where = 'default', more = [8081]) {
  const labels = { app: name };
  return [
    {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name, namespace: where },
      spec: {
        replicas: 1,
        selector: { matchLabels: labels },
        template: {
          metadata: { labels },
          spec: {
            containers: [{ name, image: 'echo', ports: [8080, ...more].map((containerPort) => ({ containerPort })) }],
          },
        },
      },
    },
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name, namespace: where },
      spec: {
        selector: labels,
        ports: [
          { name: 'http', port: 80, targetPort: 8080 },
          ...more.map((targetPort) => ({ name: 'http-alt', port: 8080, targetPort })),
        ],
      },
    },
  ];
}

const header = (name, value) => ({ add: [{ name, value }] });

const headerFilters = [
  { type: 'RequestHeaderModifier', requestHeaderModifier: header('added-header', 'added-value') },
  { type: 'ResponseHeaderModifier', responseHeaderModifier: header('added-resp-header', 'added-resp-value') },
];

const prefix = (value) => [{ path: { type: 'PathPrefix', value } }];

export function route(name, spec, where = 'default') {
  const parentRefs = [{ name: 'bench', namespace: 'default' }];
  return {
    apiVersion: gatewayApi,
    kind: 'HTTPRoute',
    metadata: { name, namespace: where },
    spec: { parentRefs, ...spec },
  };
}

/** The route of the probe: one rule with a backend, one for everything else whose backend does not exist. */
export function probedRoute(index) {
  return route(`${index}-route`, {
    hostnames: [probedHost(index)],
    rules: [
      { matches: prefix(`/${index}`), filters: headerFilters, backendRefs: [{ name: 'backend', port: 80 }] },
      { matches: prefix('/'), filters: headerFilters, backendRefs: [{ name: 'invalid-backend', port: 80 }] },
    ],
  });
}

export const probedHost = (index) => `${index}-route.example.com`;

/** 50 namespaces of 100 workloads with a route each, unless told otherwise. */
export function estate(namespaces, each) {
  const objects = [];
  for (let n = 0; n < namespaces; n++) {
    const where = `mesh-${n}`;
    objects.push(namespace(where));
    for (let i = 0; i < each; i++) objects.push(...workload(`app-${i}`, where, []), estateRoute(where, i));
  }
  return objects;
}

export const estateHost = (where, i) => `app-${i}.${where}.example.com`;

export function estateRoute(where, i, more = {}) {
  const rule = { matches: prefix('/'), backendRefs: [{ name: `app-${i}`, port: 80 }], ...more };
  return route(`app-${i}`, { hostnames: [estateHost(where, i)], rules: [rule] }, where);
}
