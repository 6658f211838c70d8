import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { KubeObject } from '../../kube/types/index.ts';
import type { DeliveryReport } from '../translate.ts';
import { fairwayClass, ingressYaml, inputOf, loadObjects, reach, serviceYaml, storeOf, testAddress, translateYaml } from './test-helpers.ts'; // biome-ignore format: one line
import { translateIngress } from './translate.ts';

const noReport: DeliveryReport = { listener: () => undefined };
const web = fairwayClass + serviceYaml('web');
const defaultBackend = (service: string) => `  defaultBackend: { service: { name: ${service}, port: { number: 80 } } }`;

describe('plan', () => {
  it('says of every element where it comes from', () => {
    const output = translateYaml(web + ingressYaml('shop', [['Shop.example.com', 'Prefix', '/cart', 'web']]));
    const object = { apiVersion: 'networking.k8s.io/v1', kind: 'Ingress', namespace: 'default', name: 'shop' };
    const at = (fieldPath: string) => ({ fieldPath });
    expect(output.listeners).toEqual([
      {
        id: `${testAddress}:80/HTTP`,
        address: testAddress,
        port: 80,
        protocol: 'HTTP',
        sources: [{ object: { apiVersion: 'networking.k8s.io/v1', kind: 'IngressClass', name: 'fairway' } }],
        hosts: [
          {
            hostname: 'shop.example.com',
            wildcard: 'one-label',
            sources: [{ object, rule: 0, ...at('spec.rules[0]') }],
            routes: [
              {
                id: 'Ingress/default/shop/rules/0/paths/0',
                match: { path: { type: 'prefix', value: '/cart' } },
                filters: [],
                source: { object, rule: 0, match: 0, ...at('spec.rules[0].http.paths[0]') },
                action: {
                  type: 'forward',
                  backends: [
                    {
                      weight: 1,
                      backend: 'default/web:80',
                      filters: [],
                      source: { object, ...at('spec.rules[0].http.paths[0].backend') },
                    },
                  ],
                },
              },
            ],
          },
        ],
      },
    ]);
    expect(output.backends).toEqual([
      {
        id: 'default/web:80',
        namespace: 'default',
        service: 'web',
        port: 80,
        protocol: 'http1',
        source: { object: { apiVersion: 'v1', kind: 'Service', namespace: 'default', name: 'web' } },
      },
    ]);
  });

  it('has the same doors on every address', () => {
    const input = inputOf(storeOf(loadObjects(web + ingressYaml('a', [['', 'Prefix', '/', 'web']]))), {
      addresses: { ingress: () => ['192.0.2.1', '192.0.2.2'], gateway: () => '', usable: () => true },
    });
    expect(translateIngress(input).listeners.map(({ id }) => id)).toEqual(['192.0.2.1:80/HTTP', '192.0.2.2:80/HTTP']);
  });

  it('does not depend on the order of the objects', () => {
    const parameters = 'spec: { controller: fairway.dev/ingress, parameters: { kind: X, name: x } }';
    const asDefault = '  annotations: { ingressclass.kubernetes.io/is-default-class: "true" }';
    const classYaml = (name: string) =>
      `---\napiVersion: networking.k8s.io/v1\nkind: IngressClass\nmetadata:\n  name: ${name}\n${asDefault}\n${parameters}\n`;
    const objects = loadObjects(
      web +
        classYaml('one') +
        classYaml('two') +
        serviceYaml('other') +
        ingressYaml('a', [['a.example', 'Prefix', '/', 'web']], defaultBackend('other')) +
        ingressYaml('b', [['a.example', 'Prefix', '/', 'other'], ['*.b.example', 'Exact', '/x', 'other']], defaultBackend('web')), // biome-ignore format: one line
    );
    const plain = (list: readonly KubeObject[]) => JSON.stringify(translateIngress(inputOf(storeOf(list))));
    fc.assert(
      fc.property(fc.shuffledSubarray(objects, { minLength: objects.length }), (shuffled) => {
        expect(plain(shuffled)).toBe(plain(objects));
      }),
      { numRuns: 30 },
    );
  });

  const withAppProtocol = (appProtocol: string) =>
    translateYaml(
      fairwayClass +
        serviceYaml('web').replace('port: 80', `port: 80, appProtocol: ${appProtocol}`) +
        ingressYaml('a', [['', 'Prefix', '/', 'web']]),
    );

  it.each(['http', 'kubernetes.io/ws', 'constructor', 'tcp'])('speaks HTTP/1.1 to Pods of appProtocol %s', (name) => {
    const output = withAppProtocol(name);
    expect(output.backends).toMatchObject([{ protocol: 'http1' }]);
    expect(output.diagnostics).toEqual([]);
  });

  it.each(['https', 'HTTPS', 'wss', 'kubernetes.io/wss'])('speaks TLS to Pods of appProtocol %s', (name) => {
    const output = withAppProtocol(name);
    expect(output.backends).toMatchObject([{ protocol: 'https', tls: { verify: false, subjectAltNames: [] } }]);
    expect(output.diagnostics).toEqual([]);
  });

  it.each(['kubernetes.io/h2c', 'grpc', 'http2', 'h2c'])('speaks HTTP/2 to Pods of appProtocol %s', (name) => {
    const output = withAppProtocol(name);
    expect(output.backends).toMatchObject([{ protocol: 'h2c' }]);
    expect(output.diagnostics).toEqual([]);
  });

  it.each(['grpcs', 'h2'])('speaks HTTP/2 over TLS to Pods of appProtocol %s', (name) => {
    expect(withAppProtocol(name).backends).toMatchObject([{ protocol: 'h2', tls: { verify: false } }]);
  });
});

describe('requests that no path takes', () => {
  const services = fairwayClass + ['web', 'own', 'older', 'catch-all'].map((name) => serviceYaml(name)).join('');

  it('go to the default backend of the Ingress of the host, oldest first', () => {
    const output = translateYaml(
      services +
        ingressYaml('b', [['a.example', 'Prefix', '/b', 'web']], defaultBackend('own')) +
        ingressYaml('a', [['a.example', 'Prefix', '/a', 'web']], defaultBackend('older')),
    );
    expect(reach(output, 'a.example', '/other')).toBe('older');
    expect(reach(output, 'unknown.example', '/')).toBe('older');
  });

  it('go to the default backend of all when the host has none', () => {
    const output = translateYaml(
      services +
        ingressYaml('a', [['a.example', 'Prefix', '/a', 'web']]) +
        ingressYaml('z', [], defaultBackend('catch-all')),
    );
    expect(reach(output, 'a.example', '/other')).toBe('catch-all');
    expect(reach(output, 'a.example', '/a')).toBe('web');
  });

  it('do not fall to rules without a host', () => {
    const output = translateYaml(
      services + ingressYaml('a', [['a.example', 'Prefix', '/a', 'web'], ['', 'Prefix', '/b', 'own']]), // biome-ignore format: one line
    );
    expect(reach(output, 'a.example', '/b')).toBe(404);
    expect(reach(output, 'b.example', '/b')).toBe('own');
  });
});

describe('status', () => {
  const stored = { metadata: {} };
  const statusOf = (status: unknown, changes = {}) => {
    const [ingress] = loadObjects(ingressYaml('a', [['', 'Prefix', '/', 'web']]).replace('fairway', 'other'));
    const store = storeOf([...loadObjects(web), { ...ingress!, status } as KubeObject]);
    return translateIngress(inputOf(store, changes)).statuses.map((update) =>
      update.build({ ...stored, status }, noReport),
    );
  };

  it('shows the addresses of an Ingress that is served', () => {
    const { statuses } = translateYaml(web + ingressYaml('a', [['', 'Prefix', '/', 'web']]));
    expect(statuses).toMatchObject([
      { resource: 'ingresses.networking.k8s.io', ref: { namespace: 'default', name: 'a' } },
    ]);
    const foreign = { loadBalancer: { ingress: [{ hostname: 'old.example' }] }, extra: 1 };
    expect(statuses[0]!.build({ ...stored, status: foreign }, noReport)).toEqual({
      loadBalancer: { ingress: [{ ip: testAddress }] },
      extra: 1,
    });
  });

  it('is cleared only where it shows exactly our addresses', () => {
    expect(statusOf({ loadBalancer: { ingress: [{ ip: testAddress }] } })).toEqual([{ loadBalancer: {} }]);
    expect(statusOf({ loadBalancer: { ingress: [{ ip: '198.51.100.7' }] } })).toEqual([]);
    expect(statusOf({ loadBalancer: { ingress: [{ ip: testAddress }, { ip: '198.51.100.7' }] } })).toEqual([]);
    expect(statusOf({ loadBalancer: {} })).toEqual([]);
    expect(statusOf(undefined)).toEqual([]);
    expect(statusOf({ loadBalancer: {} }, { adopt: true })).toHaveLength(1);
  });
});

it('takes any JSON for a spec without throwing, and goes on with the others', () => {
  const junk = fc.letrec((tie) => ({
    value: fc.oneof(
      { depthSize: 'medium' },
      fc.constantFrom<unknown>(null, 1, '', '/', '*', 'Prefix', 'a.example', true, '__proto__', 'constructor'),
      fc.array(tie('value'), { maxLength: 2 }),
      fc.dictionary(fc.constantFrom('host', 'http', 'paths', 'path', 'pathType', 'backend', 'service', 'name', 'port', 'number', 'resource', 'hosts', 'secretName'), tie('value'), { maxKeys: 4 }), // biome-ignore format: one line
    ),
  })).value;
  const spec = fc.oneof(
    junk,
    fc.record({ rules: fc.array(junk, { maxLength: 2 }), tls: fc.array(junk, { maxLength: 2 }), defaultBackend: junk }, { requiredKeys: [] }), // biome-ignore format: one line
  );
  const good = loadObjects(web + ingressYaml('good', [['good.example', 'Prefix', '/', 'web']]));
  fc.assert(
    fc.property(spec, (value) => {
      const [bad] = loadObjects(ingressYaml('bad', [])) as [KubeObject & { spec: unknown }];
      const output = translateIngress(
        inputOf(storeOf([...good, { ...bad, spec: value } as KubeObject]), { adopt: true }),
      );
      expect(reach(output, 'good.example', '/')).toBe('web');
    }),
    { numRuns: 250 },
  );
});

/** CPU time, because other programs may want the machine; milliseconds. */
function cpuOf(run: () => unknown): number {
  const before = process.cpuUsage();
  run();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

it('translates five thousand Ingresses in time, and in little more than twice the time of half of them', () => {
  const [ingress] = loadObjects(ingressYaml('x', ['/a', '/b', '/c'].map((path) => ['x.example', 'Prefix', path, 'web'] as const))) as [KubeObject & { spec: { rules: object[] } }]; // biome-ignore format: one line
  const many = Array.from({ length: 5000 }, (_, i) => ({
    ...ingress,
    metadata: { name: `web-${i}` },
    spec: { ...ingress.spec, rules: ingress.spec.rules.map((rule) => ({ ...rule, host: `host-${i}.example` })) },
  }));
  const input = inputOf(storeOf([...loadObjects(web), ...many]));
  const half = inputOf(storeOf([...loadObjects(web), ...many.slice(0, 2500)]));
  const best = (given: typeof input) => Math.min(...[1, 2].map(() => cpuOf(() => translateIngress(given))));
  const [some, all] = [best(half), best(input)];
  expect(all).toBeLessThan(2000);
  // Linear: what is compared with all others would show as four times as much.
  expect(all / some).toBeLessThan(3.5);
  const output = translateIngress(input);
  expect(output.listeners[0]?.hosts).toHaveLength(5000);
  expect(reach(output, 'host-4999.example', '/c/d')).toBe('web');
}, 60_000);
