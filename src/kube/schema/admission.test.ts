/** Admission as a whole: metadata, the Gateway API, speed. */
import { describe, expect, it } from 'vitest';
import { createTestAdmission, make } from './testing/admit.ts';
import { gatewayExamples } from './testing/gateway-examples.ts';
import { put } from './testing/put.ts';

const { admit, faultsOf, stored } = createTestAdmission();
const configMap = (metadata: object) => make('v1', 'ConfigMap', {}, metadata);

describe('metadata', () => {
  it.each<[object, string | RegExp]>([
    [{ name: '' }, 'metadata.name: Required value: name or generateName is required'],
    [{ name: 'A' }, /^metadata\.name: Invalid value: "A": a lowercase RFC 1123 subdomain/],
    [{ name: 'a'.repeat(254) }, /must be no more than 253 characters$/],
    [{ namespace: 'a.b' }, /^metadata\.namespace: Invalid value: "a\.b"/],
    [{ labels: { 'a/b/c': 'd' } }, /^metadata\.labels: Invalid value: "a\/b\/c": a qualified name must consist of/],
    [{ labels: { '-a': 'd' } }, /^metadata\.labels: Invalid value: "-a": name part must consist of/],
    [{ labels: { 'A_B/c': 'd' } }, /^metadata\.labels: Invalid value: "A_B\/c": prefix part/],
    [
      { labels: { a: 'b c' } },
      /^metadata\.labels: Invalid value: "b c": a valid label must be an empty string or consist of/,
    ],
    [{ labels: { a: 'b'.repeat(64) } }, /must be no more than 63 characters$/],
    [
      { labels: { a: true } },
      'metadata.labels.a: Invalid value: "boolean": metadata.labels.a in body must be of type string: "boolean"',
    ],
    [
      { labels: ['a'] },
      'metadata.labels: Invalid value: "array": metadata.labels in body must be of type object: "array"',
    ],
    [{ annotations: { 'a b': 'd' } }, /^metadata\.annotations: Invalid value: "a b"/],
    [
      { annotations: { a: 'x'.repeat(256 * 1024) } },
      'metadata.annotations: Too long: may not be more than 262144 bytes',
    ],
    [{ finalizers: ['a b'] }, /^metadata\.finalizers: Invalid value: "a b"/],
    [
      { ownerReferences: [{ apiVersion: 'v1', kind: 'Pod', name: 'a' }] },
      'metadata.ownerReferences[0].uid: Required value',
    ],
    [
      {
        ownerReferences: ['a', 'b'].map((name) => ({
          apiVersion: 'v1',
          kind: 'Pod',
          name,
          uid: name,
          controller: true,
        })),
      },
      /Only one reference can have Controller set to true/,
    ],
    [{ creationTimestamp: 'yesterday' }, /^metadata\.creationTimestamp: Invalid value: "yesterday"/],
  ])('refuses %j', (metadata, message) => {
    expect(faultsOf(configMap(metadata))).toEqual([
      message instanceof RegExp ? expect.stringMatching(message) : message,
    ]);
  });

  it.each<[object]>([
    [
      {
        labels: { 'app.kubernetes.io/name': 'A_b.c-1', empty: '' },
        annotations: { 'Example.com/A': '{"json": true}' },
      },
    ],
    [{ creationTimestamp: null, labels: null, annotations: { a: '' } }],
    [{ finalizers: ['acme.io/done'], unknownField: { a: 1 } }],
  ])('accepts %j', (metadata) => {
    expect(faultsOf(configMap(metadata))).toEqual([]);
  });

  it('drops nulls', () => {
    expect(stored(configMap({ creationTimestamp: null, labels: { a: null, b: 'c' } })).metadata).toEqual({
      name: 'x',
      namespace: 'default',
      labels: { b: 'c' },
    });
  });

  it('lets finalizers only go while an object is being deleted', () => {
    const before = configMap({ finalizers: ['a.io/b'], deletionTimestamp: '2024-01-01T00:00:00Z' });
    expect(faultsOf(configMap({ finalizers: [] }), before)).toEqual([]);
    expect(faultsOf(configMap({ finalizers: ['a.io/b', 'c.io/d'] }), before)).toEqual([
      expect.stringMatching(/^metadata\.finalizers: Forbidden: no new finalizers/),
    ]);
  });

  it('judges metadata of custom resources too', () => {
    const [gatewayClass] = gatewayExamples;
    expect(faultsOf({ ...gatewayClass!, metadata: { name: 'A', labels: { 'b c': 'd' } } })).toHaveLength(2);
  });
});

describe('the Gateway API', () => {
  const find = (kind: string) => structuredClone(gatewayExamples.find((object) => object.kind === kind)!);

  it.each(gatewayExamples.map((object) => [object.kind, object] as const))('accepts a %s', (_, object) => {
    expect(faultsOf(object)).toEqual([]);
  });

  it('defaults what a route leaves out', () => {
    const { spec } = stored(
      make('gateway.networking.k8s.io/v1', 'HTTPRoute', {
        spec: { parentRefs: [{ name: 'gw' }], rules: [{ backendRefs: [{ name: 'web', port: 80 }] }] },
      }),
    );
    expect(spec).toEqual({
      parentRefs: [{ group: 'gateway.networking.k8s.io', kind: 'Gateway', name: 'gw' }],
      rules: [
        {
          matches: [{ path: { type: 'PathPrefix', value: '/' } }],
          backendRefs: [{ group: '', kind: 'Service', name: 'web', port: 80, weight: 1 }],
        },
      ],
    });
  });

  it('gives a new Gateway the status of one that waits', () => {
    expect(stored({ ...find('Gateway'), status: { conditions: [] } }).status).toMatchObject({
      conditions: [
        { type: 'Accepted', status: 'Unknown' },
        { type: 'Programmed', status: 'Unknown' },
      ],
    });
  });

  it.each<[string, string, string, unknown, string]>([
    [
      'a path that does not start with /',
      'HTTPRoute',
      'rules.0.matches.0.path.value',
      'x',
      `spec.rules[0].matches[0].path: Invalid value: "object": value must be an absolute path and start with '/' when type one of ['Exact', 'PathPrefix']`,
    ],
    [
      'an unknown match type',
      'HTTPRoute',
      'rules.0.matches.0.path.type',
      'Prefix',
      'spec.rules[0].matches[0].path.type: Unsupported value: "Prefix": supported values: "Exact", "PathPrefix", "RegularExpression"',
    ],
    [
      'a backend without port',
      'HTTPRoute',
      'rules.0.backendRefs.0.port',
      undefined,
      'spec.rules[0].backendRefs[0]: Invalid value: "object": Must have port for Service reference',
    ],
    [
      'a redirect beside backends',
      'HTTPRoute',
      'rules.1.backendRefs',
      [{ name: 'a', port: 1 }],
      'spec.rules[1]: Invalid value: "object": RequestRedirect filter must not be used together with backendRefs',
    ],
    [
      'a backend timeout beyond the request timeout',
      'HTTPRoute',
      'rules.0.timeouts.backendRequest',
      '20s',
      'spec.rules[0].timeouts: Invalid value: "object": backendRequest timeout cannot be longer than request timeout',
    ],
    [
      'a bad host name',
      'HTTPRoute',
      'hostnames',
      ['Foo'],
      `spec.hostnames[0]: Invalid value: "Foo": spec.hostnames[0] in body should match '^(\\*\\.)?[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$'`,
    ],
    [
      'two listeners of one name',
      'Gateway',
      'listeners.1.name',
      'web',
      'spec.listeners[1]: Duplicate value: {"name":"web"}',
    ],
    [
      'TLS on an HTTP listener',
      'Gateway',
      'listeners.0.tls',
      { mode: 'Passthrough' },
      `spec.listeners: Invalid value: "array": tls must not be specified for protocols ['HTTP', 'TCP', 'UDP']`,
    ],
    [
      'an IP as host name of a route',
      'TLSRoute',
      'hostnames',
      ['10.0.0.1'],
      'spec.hostnames: Invalid value: "array": Hostnames cannot contain an IP',
    ],
  ])('refuses %s', (_, kind, path, value, message) => {
    const object = find(kind);
    put(object.spec, path.split('.'), value);
    expect(faultsOf(object)).toContain(message);
  });

  it('keeps the controller of a GatewayClass', () => {
    const before = stored(find('GatewayClass'));
    const after = find('GatewayClass');
    (after.spec as Record<string, unknown>).controllerName = 'other.io/x';
    expect(faultsOf(after, before)).toEqual(['spec.controllerName: Invalid value: "string": Value is immutable']);
  });

  it('warns of deprecated versions', () => {
    const { warnings } = admit({ ...find('TCPRoute'), apiVersion: 'gateway.networking.k8s.io/v1alpha2' });
    expect(warnings).toEqual([expect.stringMatching(/deprecated/)]);
  });
});

describe('nesting', () => {
  it('beyond reason is refused', () => {
    const nested = (levels: number) => JSON.parse('['.repeat(levels) + ']'.repeat(levels));
    expect(faultsOf(make('v1', 'ServiceAccount', { a: nested(400) }))).toEqual([]);
    expect(faultsOf(make('v1', 'ServiceAccount', { a: nested(5000) }))).toEqual([
      ': Invalid value: "object": must not be nested more than 500 levels',
    ]);
  });
});

describe('admitting again', () => {
  it.each(gatewayExamples.map((object) => [object.kind, object] as const))('changes nothing of a %s', (_, object) => {
    const once = stored(object);
    expect(stored(once, once)).toEqual(once);
  });
});

describe('speed', () => {
  it('5,000 Pods and 1,000 Services in well under a second', () => {
    const pods = Array.from({ length: 5000 }, (_, i) =>
      make(
        'v1',
        'Pod',
        { spec: { containers: [{ name: 'c', image: 'echo:1', ports: [{ name: 'http', containerPort: 8080 }] }] } },
        { name: `p-${i}`, labels: { app: `a-${i}` } },
      ),
    );
    const services = Array.from({ length: 1000 }, (_, i) =>
      make(
        'v1',
        'Service',
        { spec: { selector: { app: `a-${i}` }, ports: [{ name: 'http', port: 80, targetPort: 8080 }] } },
        { name: `s-${i}` },
      ),
    );
    const started = process.cpuUsage();
    for (const object of [...pods, ...services]) if (admit(object).errors.length > 0) throw new Error('refused');
    // Time of the processor, so that busy machines do not count. Half a second on a quiet one.
    expect(process.cpuUsage(started).user / 1000).toBeLessThan(2000);
  });
});
