/** Accepted, refused and defaulted: Ingress, IngressClass, Secret, ConfigMap, EndpointSlice, Endpoints, Namespace, Node, Lease. */
import { describe, expect, it } from 'vitest';
import type { Unstructured } from '../../types/index.ts';
import { createTestAdmission, make } from '../testing/admit.ts';

const { faultsOf, stored } = createTestAdmission();

type Case = [Unstructured, string | RegExp];

function refuses(cases: readonly Case[]): void {
  it.each(cases)('refuses %j', (object, message) => {
    expect(faultsOf(object)).toEqual([message instanceof RegExp ? expect.stringMatching(message) : message]);
  });
}

function accepts(objects: readonly Unstructured[]): void {
  it.each(objects.map((object) => [object]))('accepts %j', (object) => {
    expect(faultsOf(object)).toEqual([]);
  });
}

describe('Ingress', () => {
  const backend = { service: { name: 'web', port: { number: 80 } } };
  const ingress = (spec: unknown, metadata: object = {}) => make('networking.k8s.io/v1', 'Ingress', { spec }, metadata);
  const path = (fields: object) =>
    ingress({ rules: [{ http: { paths: [{ path: '/', pathType: 'Prefix', backend, ...fields }] } }] });
  const host = (name: string) =>
    ingress({ rules: [{ host: name, http: { paths: [{ path: '/', pathType: 'Prefix', backend }] } }] });
  const at = 'spec.rules[0].http.paths[0]';

  accepts([
    ingress({ defaultBackend: backend }),
    ingress({ rules: [{ host: 'a.example.com' }] }),
    host('*.example.com'),
    path({ pathType: 'ImplementationSpecific', path: undefined }),
    path({ pathType: 'ImplementationSpecific', path: '/a//(.*)' }),
    path({ backend: { service: { name: 'web', port: { name: 'http' } } } }),
    path({ backend: { resource: { apiGroup: 'a.io', kind: 'Bucket', name: 'b' } } }),
    ingress({ defaultBackend: backend, tls: [{ hosts: ['*.a.com', 'b.com'], secretName: 's' }, {}] }),
    ingress({ defaultBackend: backend }, { annotations: { 'kubernetes.io/ingress.class': 'nginx' } }),
    ingress(
      { defaultBackend: backend, ingressClassName: 'nginx' },
      { annotations: { 'kubernetes.io/ingress.class': 'nginx' } },
    ),
  ]);

  refuses([
    [ingress(undefined), 'spec: Required value'],
    [ingress({}), 'spec: Invalid value: []: either `defaultBackend` or `rules` must be specified'],
    [path({ pathType: undefined }), `${at}.pathType: Required value: pathType must be specified`],
    [
      path({ pathType: 'prefix' }),
      `${at}.pathType: Unsupported value: "prefix": supported values: "Exact", "ImplementationSpecific", "Prefix"`,
    ],
    [path({ path: 'a' }), `${at}.path: Invalid value: "a": must be an absolute path`],
    [path({ path: undefined, pathType: 'Exact' }), `${at}.path: Invalid value: "": must be an absolute path`],
    [
      path({ path: 'a', pathType: 'ImplementationSpecific' }),
      `${at}.path: Invalid value: "a": must be an absolute path`,
    ],
    [path({ path: '/a//b' }), `${at}.path: Invalid value: "/a//b": must not contain '//'`],
    [path({ path: '/a/../b' }), `${at}.path: Invalid value: "/a/../b": must not contain '/../'`],
    [path({ path: '/a%2fb' }), `${at}.path: Invalid value: "/a%2fb": must not contain '%2f'`],
    [path({ path: '/a/..' }), `${at}.path: Invalid value: "/a/..": cannot end with '/..'`],
    [path({ path: 5 }), `${at}.path: Invalid value: "integer": ${at}.path in body must be of type string: "integer"`],
    [path({ backend: undefined }), `${at}.backend: Invalid value: "": resource or service backend is required`],
    [
      path({ backend: { ...backend, resource: { kind: 'K', name: 'n' } } }),
      `${at}.backend: Invalid value: "": cannot set both resource and service backends`,
    ],
    [path({ backend: { service: { name: 'web' } } }), `${at}.backend: Required value: port name or number is required`],
    [
      path({ backend: { service: { name: 'web', port: { name: 'a', number: 1 } } } }),
      `${at}.backend: Invalid value: "": cannot set both port name & port number`,
    ],
    [
      path({ backend: { service: { name: 'web', port: { number: 70_000 } } } }),
      `${at}.backend.service.port.number: Invalid value: 70000: must be between 1 and 65535, inclusive`,
    ],
    [path({ backend: { service: { port: { number: 1 } } } }), `${at}.backend.service.name: Required value`],
    [path({ backend: { resource: { name: 'n' } } }), `${at}.backend.resource.kind: Required value: kind is required`],
    [ingress({ rules: [{ http: { paths: [] } }] }), 'spec.rules[0].http.paths: Required value'],
    [host('*'), /^spec\.rules\[0\]\.host: Invalid value: "\*": a wildcard DNS-1123 subdomain/],
    [host('a.*.com'), /^spec\.rules\[0\]\.host: Invalid value: "a\.\*\.com"/],
    [host('Example.com'), /^spec\.rules\[0\]\.host: Invalid value: "Example\.com": a lowercase RFC 1123 subdomain/],
    [host('a.com:80'), /^spec\.rules\[0\]\.host: Invalid value/],
    [host('10.0.0.1'), 'spec.rules[0].host: Invalid value: "10.0.0.1": must be a DNS name, not an IP address'],
    [ingress({ defaultBackend: backend, tls: [{ hosts: ['A'] }] }), /^spec\.tls\[0\]\.hosts\[0\]: Invalid value: "A"/],
    [
      ingress({ defaultBackend: backend, tls: [{ secretName: 'ns/name' }] }),
      /^spec\.tls\[0\]\.secretName: Invalid value: "ns\/name"/,
    ],
    [
      ingress(
        { defaultBackend: backend, ingressClassName: 'a', rules: [] },
        { annotations: { 'kubernetes.io/ingress.class': 'b' } },
      ),
      'metadata.annotations[kubernetes.io/ingress.class]: Invalid value: "b": must match `ingressClassName` when both are specified',
    ],
  ]);
});

describe('IngressClass', () => {
  const ingressClass = (spec: unknown) => make('networking.k8s.io/v1', 'IngressClass', { spec });
  const parameters = { kind: 'K', name: 'n' };

  accepts([
    ingressClass({ controller: 'fairway.dev/ingress' }),
    ingressClass({ controller: 'a.io/b', parameters: { ...parameters, scope: 'Namespace', namespace: 'n' } }),
  ]);

  refuses([
    [ingressClass(undefined), 'spec.controller: Required value'],
    [
      ingressClass({ controller: 'nginx' }),
      'spec.controller: Invalid value: "nginx": must be a domain-prefixed path (such as "acme.io/foo")',
    ],
    [ingressClass({ controller: 'A/b' }), /^spec\.controller: Invalid value: "A\/b": prefix part/],
    [
      ingressClass({ controller: `a.io/${'b'.repeat(250)}` }),
      'spec.controller: Too long: may not be more than 250 bytes',
    ],
    [
      ingressClass({ controller: 'a.io/b', parameters: { ...parameters, scope: 'Namespace' } }),
      "spec.parameters.namespace: Required value: `parameters.scope` is set to 'Namespace'",
    ],
    [
      ingressClass({ controller: 'a.io/b', parameters: { ...parameters, namespace: 'n' } }),
      "spec.parameters.namespace: Forbidden: `parameters.scope` is set to 'Cluster'",
    ],
  ]);

  it('keeps its controller', () => {
    const before = stored(ingressClass({ controller: 'a.io/b', parameters }));
    expect(before.spec).toMatchObject({ parameters: { scope: 'Cluster' } });
    expect(faultsOf(ingressClass({ controller: 'a.io/c' }), before)).toEqual([
      'spec.controller: Invalid value: "a.io/c": field is immutable',
    ]);
  });
});

describe('Secret', () => {
  const secret = (fields: object) => make('v1', 'Secret', fields);

  accepts([
    secret({}),
    secret({ data: { a: 'YQ==', 'tls.crt': 'YW\nJj\n' } }),
    secret({ type: 'kubernetes.io/tls', data: { 'tls.crt': '', 'tls.key': '' } }),
    secret({ type: 'kubernetes.io/basic-auth', stringData: { password: 'p' } }),
  ]);

  refuses([
    [
      secret({ data: { a: 'not base64' } }),
      'data[a]: Invalid value: "<contents not shown>": must be base64 (RFC 4648); use stringData for plain text',
    ],
    [secret({ data: { a: 5 } }), 'data.a: Invalid value: "integer": data.a in body must be of type string: "integer"'],
    [secret({ data: { 'a b': '' } }), /^data\[a b\]: Invalid value: "a b": a valid config key/],
    [secret({ type: 'kubernetes.io/tls', data: { 'tls.crt': 'YQ==' } }), 'data[tls.key]: Required value'],
    [secret({ type: 'kubernetes.io/dockerconfigjson' }), 'data[.dockerconfigjson]: Required value'],
    [
      secret({ data: { big: Buffer.alloc(1024 * 1024 + 1).toString('base64') } }),
      'data: Too long: may not be more than 1048576 bytes',
    ],
  ]);

  it('folds stringData into data', () => {
    const result = stored(secret({ data: { a: 'YQ==', b: 'YQ==' }, stringData: { b: 'text' } }));
    expect(result).toMatchObject({ type: 'Opaque', data: { a: 'YQ==', b: 'dGV4dA==' } });
    expect(result).not.toHaveProperty('stringData');
  });

  it('keeps its type, and its data when immutable', () => {
    expect(faultsOf(secret({ type: 'x' }), stored(secret({})))).toEqual([
      'type: Invalid value: "x": field is immutable',
    ]);
    const frozen = stored(secret({ immutable: true, data: { a: 'YQ==' } }));
    expect(faultsOf(secret({ immutable: true, data: { a: 'Yg==' } }), frozen)).toEqual([
      'data: Forbidden: field is immutable when `immutable` is set',
    ]);
    expect(faultsOf(secret({ data: { a: 'YQ==' } }), frozen)).toEqual([
      'immutable: Forbidden: field is immutable when `immutable` is set',
    ]);
  });
});

describe('ConfigMap', () => {
  const configMap = (fields: object) => make('v1', 'ConfigMap', fields);

  accepts([
    configMap({}),
    configMap({ data: { 'a.conf': 'x', B_c: '' }, binaryData: { b: 'YQ==' } }),
    configMap({ data: null }),
  ]);

  refuses([
    [
      configMap({ data: { a: true } }),
      'data.a: Invalid value: "boolean": data.a in body must be of type string: "boolean"',
    ],
    [configMap({ data: { 'a/b': '' } }), /^data\[a\/b\]: Invalid value: "a\/b": a valid config key/],
    [configMap({ data: { '..a': '' } }), /must not start with '\.\.'$/],
    [
      configMap({ data: { a: '' }, binaryData: { a: '' } }),
      'data[a]: Invalid value: "a": duplicate of key present in binaryData',
    ],
    [configMap({ binaryData: { a: '!' } }), /^binaryData\[a\]: Invalid value/],
  ]);
});

describe('EndpointSlice', () => {
  const slice = (fields: object) =>
    make('discovery.k8s.io/v1', 'EndpointSlice', {
      addressType: 'IPv4',
      endpoints: [{ addresses: ['127.244.0.5'] }],
      ...fields,
    });
  const endpoint = (fields: object) => slice({ endpoints: [{ addresses: ['10.0.0.1'], ...fields }] });

  accepts([
    slice({}),
    slice({ endpoints: undefined, ports: undefined }),
    slice({ ports: [{ port: 80 }, { name: 'https', port: 443, appProtocol: 'kubernetes.io/h2c' }] }),
    slice({ addressType: 'IPv6', endpoints: [{ addresses: ['fd00::1'] }] }),
    slice({ addressType: 'FQDN', endpoints: [{ addresses: ['db.example.com'] }] }),
    endpoint({
      conditions: { ready: false, serving: true, terminating: true },
      hostname: 'mysql-0',
      nodeName: 'n',
      zone: 'z',
    }),
  ]);

  refuses([
    [slice({ addressType: undefined }), 'addressType: Required value'],
    [
      slice({ addressType: 'IPv5' }),
      'addressType: Unsupported value: "IPv5": supported values: "FQDN", "IPv4", "IPv6"',
    ],
    [
      slice({ endpoints: [{ addresses: [] }] }),
      'endpoints[0].addresses: Required value: must contain at least 1 address',
    ],
    [
      slice({ endpoints: [{ addresses: ['fd00::1'] }] }),
      'endpoints[0].addresses[0]: Invalid value: "fd00::1": must be an IPv4 address',
    ],
    [
      slice({ endpoints: [{ addresses: ['0.0.0.0'] }] }),
      'endpoints[0].addresses[0]: Invalid value: "0.0.0.0": may not be unspecified (0.0.0.0)',
    ],
    [slice({ endpoints: [{ addresses: ['169.254.1.1'] }] }), /may not be in the link-local range/],
    [slice({ endpoints: [{ addresses: ['224.0.0.5'] }] }), /may not be in the link-local multicast range/],
    [
      slice({ endpoints: [{ addresses: new Array(101).fill('10.0.0.1') }] }),
      'endpoints[0].addresses: Too many: 101: must have at most 100 items',
    ],
    [
      slice({ endpoints: new Array(1001).fill({ addresses: ['10.0.0.1'] }) }),
      'endpoints: Too many: 1001: must have at most 1000 items',
    ],
    [endpoint({ hostname: 'a.b' }), /^endpoints\[0\]\.hostname: Invalid value: "a\.b"/],
    [slice({ ports: [{ port: 80 }, { port: 81 }] }), 'ports[1].name: Duplicate value: ""'],
    [slice({ ports: [{ port: 0 }] }), 'ports[0].port: Invalid value: 0: must be between 1 and 65535, inclusive'],
    [
      slice({ ports: [{ protocol: 'X' }] }),
      'ports[0].protocol: Unsupported value: "X": supported values: "SCTP", "TCP", "UDP"',
    ],
  ]);

  it('is defaulted and keeps its address type', () => {
    const before = stored(slice({ ports: [{ port: 80 }] }));
    expect(before).toMatchObject({ ports: [{ port: 80, name: '', protocol: 'TCP' }], endpoints: [{ conditions: {} }] });
    expect(faultsOf(slice({ addressType: 'IPv6', endpoints: [] }), before)).toEqual([
      'addressType: Invalid value: "IPv6": field is immutable',
    ]);
  });
});

describe('Endpoints', () => {
  const endpoints = (subsets: unknown) => make('v1', 'Endpoints', { subsets });

  accepts([
    endpoints(undefined),
    endpoints([{ addresses: [{ ip: '127.0.0.1', hostname: 'a' }], ports: [{ port: 80 }] }]),
    endpoints([
      {
        notReadyAddresses: [{ ip: 'fd00::1' }],
        ports: [
          { name: 'a', port: 1 },
          { name: 'b', port: 2 },
        ],
      },
    ]),
  ]);

  refuses([
    [endpoints([{}]), 'subsets[0]: Required value: must specify `addresses` or `notReadyAddresses`'],
    [
      endpoints([{ addresses: [{ ip: 'a' }] }]),
      /^subsets\[0\]\.addresses\[0\]\.ip: Invalid value: "a": must be a valid IP address/,
    ],
    [
      endpoints([{ addresses: [{ ip: '10.0.0.1' }], ports: [{ port: 1 }, { name: 'b', port: 2 }] }]),
      'subsets[0].ports[0].name: Required value',
    ],
    [endpoints({}), 'subsets: Invalid value: "object": subsets in body must be of type array: "object"'],
  ]);
});

describe('cluster kinds', () => {
  accepts([
    make('v1', 'Namespace', {}, { namespace: undefined }),
    make('v1', 'Node', {
      spec: { podCIDR: '127.244.0.0/16', podCIDRs: ['127.244.0.0/16'] },
      status: { addresses: [{ type: 'InternalIP', address: '127.0.0.1' }] },
    }),
    make('coordination.k8s.io/v1', 'Lease', {
      spec: { holderIdentity: 'a', leaseDurationSeconds: 15, renewTime: '2024-01-01T00:00:00.000000Z' },
    }),
    make('rbac.authorization.k8s.io/v1', 'ClusterRole', {}, { name: 'system:node', namespace: undefined }),
    make('v1', 'ServiceAccount', { anything: [1] }),
  ]);

  refuses([
    [
      make('v1', 'Namespace', {}, { name: 'a.b' }),
      /^metadata\.name: Invalid value: "a\.b": a lowercase RFC 1123 label/,
    ],
    [
      make('v1', 'Node', { spec: { podCIDRs: ['x'] } }),
      'spec.podCIDRs[0]: Invalid value: "x": must be a valid CIDR value',
    ],
    [
      make('coordination.k8s.io/v1', 'Lease', { spec: { leaseDurationSeconds: 0 } }),
      'spec.leaseDurationSeconds: Invalid value: 0: must be greater than 0',
    ],
    [
      make('rbac.authorization.k8s.io/v1', 'Role', {}, { name: 'a/b' }),
      `metadata.name: Invalid value: "a/b": may not contain '/'`,
    ],
  ]);

  it('labels namespaces with their name and makes them active', () => {
    expect(stored(make('v1', 'Namespace', {}, { name: 'shop', namespace: undefined }))).toMatchObject({
      metadata: { labels: { 'kubernetes.io/metadata.name': 'shop' } },
      spec: { finalizers: ['kubernetes'] },
      status: { phase: 'Active' },
    });
  });

  it('lets a Node register with its status', () => {
    const node = make('v1', 'Node', { status: { addresses: [{ type: 'InternalIP', address: '127.0.0.1' }] } });
    expect(stored(node).status).toEqual({ addresses: [{ type: 'InternalIP', address: '127.0.0.1' }] });
  });
});
