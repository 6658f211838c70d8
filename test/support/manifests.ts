/** Manifests for feature tests, written as objects: JSON documents are YAML documents. */

export type Manifest = Readonly<Record<string, unknown>>;

export interface AppOptions {
  namespace?: string;
  replicas?: number;
  /** Container port that the Service leads to. Default 8080. */
  port?: number;
  /** Fields of the Service's spec besides the selector and its port 80. */
  service?: Readonly<Record<string, unknown>>;
}

/** Documents of one stream, for `-`. */
export const stream = (...manifests: readonly Manifest[]): string =>
  manifests.map((manifest) => JSON.stringify(manifest)).join('\n---\n');

/** A Deployment and the Service of its name, port 80 (`http`). */
export function app(name: string, options: AppOptions = {}): Manifest[] {
  const { namespace = 'default', replicas = 1, port = 8080, service = {} } = options;
  const labels = { app: name };
  const containers = [{ name: 'main', image: 'example.com/app:1', ports: [{ name: 'web', containerPort: port }] }];
  return [
    {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name, namespace },
      spec: { replicas, selector: { matchLabels: labels }, template: { metadata: { labels }, spec: { containers } } },
    },
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name, namespace },
      spec: { selector: labels, ports: [{ name: 'http', port: 80, targetPort: 'web' }], ...service },
    },
  ];
}

export const namespace = (name: string, labels: Readonly<Record<string, string>> = {}): Manifest => ({
  apiVersion: 'v1',
  kind: 'Namespace',
  metadata: { name, labels },
});

/** A path of an Ingress rule that leads to port 80 of a Service, or to a port by name. */
export const path = (value: string, pathType: string, service: string, port: number | string = 80): Manifest => ({
  path: value,
  pathType,
  backend: { service: { name: service, port: typeof port === 'number' ? { number: port } : { name: port } } },
});

/** An Ingress; hosts to their paths, `''` for all hosts. */
export function ingress(
  name: string,
  hosts: Readonly<Record<string, readonly Manifest[]>>,
  spec: Manifest = {},
  metadata: Manifest = {},
): Manifest {
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'Ingress',
    metadata: { name, ...metadata },
    spec: {
      ...(spec['ingressClassName'] === undefined && !metadata['annotations'] && { ingressClassName: 'fairway' }),
      ...(Object.keys(hosts).length > 0 && {
        rules: Object.entries(hosts).map(([host, paths]) => ({ ...(host && { host }), http: { paths } })),
      }),
      ...spec,
    },
  };
}

export const gatewayVersion = 'gateway.networking.k8s.io/v1';

/** A Gateway of class `fairway`; by default with one HTTP listener for routes of its own namespace. */
export const gateway = (
  name: string,
  listeners: readonly Manifest[] = [{ name: 'http', port: 80, protocol: 'HTTP' }],
): Manifest => ({
  apiVersion: gatewayVersion,
  kind: 'Gateway',
  metadata: { name },
  spec: { gatewayClassName: 'fairway', listeners },
});

/** An HTTPRoute attached to a Gateway of the namespace `default`. */
export const httpRoute = (
  name: string,
  parent: string | Manifest,
  rules: readonly Manifest[],
  { hostnames, namespace: own = 'default' }: { hostnames?: readonly string[]; namespace?: string } = {},
): Manifest => ({
  apiVersion: gatewayVersion,
  kind: 'HTTPRoute',
  metadata: { name, namespace: own },
  spec: {
    parentRefs: [typeof parent === 'string' ? { name: parent, namespace: 'default' } : parent],
    ...(hostnames && { hostnames }),
    rules,
  },
});

/** A backendRef to port 80. */
export const backendRef = (name: string, more: Manifest = {}): Manifest => ({ name, port: 80, ...more });
