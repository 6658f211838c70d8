import { describe, expect, it } from 'vitest';
import type { ServiceSpec, Unstructured } from '../../types/index.ts';
import { createTestAdmission, make } from '../testing/admit.ts';

const { faultsOf, stored } = createTestAdmission();
const service = (spec: unknown) => make('v1', 'Service', { spec });
const specOf = (object: Unstructured) => object.spec as ServiceSpec;
const ports = [{ port: 80 }];

describe('defaults', () => {
  it('of a plain Service', () => {
    expect(specOf(stored(service({ selector: { app: 'a' }, ports })))).toEqual({
      type: 'ClusterIP',
      selector: { app: 'a' },
      ports: [{ port: 80, protocol: 'TCP', targetPort: 80 }],
      sessionAffinity: 'None',
      internalTrafficPolicy: 'Cluster',
    });
  });

  it('of types reached from outside', () => {
    expect(specOf(stored(service({ type: 'NodePort', ports })))).toMatchObject({ externalTrafficPolicy: 'Cluster' });
    expect(specOf(stored(service({ type: 'LoadBalancer', ports })))).toMatchObject({
      externalTrafficPolicy: 'Cluster',
      allocateLoadBalancerNodePorts: true,
    });
    const external = specOf(stored(service({ type: 'ExternalName', externalName: 'db.example.com' })));
    expect(external).toEqual({ type: 'ExternalName', externalName: 'db.example.com', sessionAffinity: 'None' });
  });

  it('of session affinity', () => {
    expect(specOf(stored(service({ sessionAffinity: 'ClientIP', ports })))).toMatchObject({
      sessionAffinityConfig: { clientIP: { timeoutSeconds: 10_800 } },
    });
  });

  it('pairs clusterIP and clusterIPs', () => {
    expect(specOf(stored(service({ clusterIP: 'None', ports })))).toMatchObject({
      clusterIP: 'None',
      clusterIPs: ['None'],
    });
    expect(specOf(stored(service({ clusterIP: '', ports })))).not.toHaveProperty('clusterIP');
  });
});

describe('updates', () => {
  const allocated = (spec: object) =>
    stored(
      service({
        clusterIP: '127.96.0.9',
        clusterIPs: ['127.96.0.9'],
        ipFamilies: ['IPv4'],
        ipFamilyPolicy: 'SingleStack',
        ports,
        ...spec,
      }),
    );

  it('keep what was allocated', () => {
    const before = allocated({ type: 'NodePort', ports: [{ port: 80, nodePort: 30_080 }] });
    const after = specOf(
      stored(
        service({
          type: 'NodePort',
          ports: [{ port: 80 }, { port: 81, name: 'b' }].map((p, i) => ({ ...p, name: `p${i}` })),
        }),
        before,
      ),
    );
    expect(after).toMatchObject({ clusterIP: '127.96.0.9', clusterIPs: ['127.96.0.9'], ipFamilies: ['IPv4'] });
    expect(after.ports!.map(({ nodePort }) => nodePort)).toEqual([30_080, undefined]);
  });

  it('may change the type, and lose what the new type has no use for', () => {
    const before = allocated({
      type: 'LoadBalancer',
      externalTrafficPolicy: 'Local',
      healthCheckNodePort: 30_000,
      ports: [{ port: 80, nodePort: 30_080 }],
    });
    const plain = specOf(stored({ ...before, spec: { ...specOf(before), type: 'ClusterIP' } }, before));
    expect(plain).toMatchObject({ type: 'ClusterIP', clusterIP: '127.96.0.9', ports: [{ port: 80 }] });
    for (const field of ['externalTrafficPolicy', 'healthCheckNodePort', 'allocateLoadBalancerNodePorts'])
      expect(plain).not.toHaveProperty(field);
    expect(plain.ports![0]).not.toHaveProperty('nodePort');
    const name = specOf(
      stored({ ...before, spec: { ...specOf(before), type: 'ExternalName', externalName: 'a.b' } }, before),
    );
    expect(name).not.toHaveProperty('clusterIP');
    expect(name).not.toHaveProperty('ipFamilies');
  });

  it('may not change the cluster address', () => {
    expect(faultsOf(service({ clusterIP: '127.96.0.10', ports }), allocated({}))).toEqual([
      'spec.clusterIPs[0]: Invalid value: ["127.96.0.10"]: may not change once set',
    ]);
    expect(faultsOf(service({ clusterIP: 'None', ports }), allocated({}))).toHaveLength(1);
  });

  it('may add an address of the second family', () => {
    const spec = {
      clusterIP: '127.96.0.9',
      clusterIPs: ['127.96.0.9', 'fd00::9'],
      ipFamilies: ['IPv4', 'IPv6'],
      ipFamilyPolicy: 'PreferDualStack',
      ports,
    };
    expect(faultsOf(service(spec), allocated({}))).toEqual([]);
  });
});

describe('accepted', () => {
  it.each<[string, object]>([
    ['headless without ports', { clusterIP: 'None' }],
    [
      'several ports, same number, other protocol',
      {
        ports: [
          { name: 'a', port: 53 },
          { name: 'b', port: 53, protocol: 'UDP' },
        ],
      },
    ],
    ['named target port', { ports: [{ port: 80, targetPort: 'http-web' }] }],
    ['ExternalName with a trailing dot', { type: 'ExternalName', externalName: 'db.example.com.' }],
    ['external addresses on loopback', { ports, externalIPs: ['127.250.0.9'] }],
    ['source ranges', { type: 'LoadBalancer', ports, loadBalancerSourceRanges: ['10.0.0.0/8'] }],
    ['dual stack', { ports, ipFamilyPolicy: 'RequireDualStack', ipFamilies: ['IPv6', 'IPv4'] }],
    ['nulls', { ports, selector: null, clusterIP: null, externalIPs: null }],
    ['fields of the future', { ports, somethingNew: { a: 1 } }],
  ])('%s', (_, spec) => {
    expect(faultsOf(service(spec))).toEqual([]);
  });
});

describe('refused', () => {
  it.each<[unknown, string | RegExp]>([
    [{}, 'spec.ports: Required value'],
    [{ ports: [] }, 'spec.ports: Required value'],
    [{ ports: 'x' }, 'spec.ports: Invalid value: "string": spec.ports in body must be of type array: "string"'],
    [{ ports: [{ name: 'a' }] }, 'spec.ports[0].port: Required value'],
    [{ ports: [{ port: 0 }] }, 'spec.ports[0].port: Invalid value: 0: must be between 1 and 65535, inclusive'],
    [
      { ports: [{ port: 80, targetPort: 70_000 }] },
      'spec.ports[0].targetPort: Invalid value: 70000: must be between 1 and 65535, inclusive',
    ],
    [
      { ports: [{ port: 80, targetPort: 'a'.repeat(16) }] },
      `spec.ports[0].targetPort: Invalid value: "${'a'.repeat(16)}": must be no more than 15 characters`,
    ],
    [
      { ports: [{ port: 80, protocol: 'tcp' }] },
      'spec.ports[0].protocol: Unsupported value: "tcp": supported values: "SCTP", "TCP", "UDP"',
    ],
    [{ ports: [{ port: 80 }, { name: 'b', port: 81 }] }, 'spec.ports[0].name: Required value'],
    [
      {
        ports: [
          { name: 'a', port: 80 },
          { name: 'a', port: 81 },
        ],
      },
      'spec.ports[1].name: Duplicate value: "a"',
    ],
    [
      {
        ports: [
          { name: 'a', port: 80 },
          { name: 'b', port: 80 },
        ],
      },
      'spec.ports[1]: Duplicate value: {"port":80,"protocol":"TCP"}',
    ],
    [
      { ports: [{ name: 'A_b', port: 80 }] },
      /^spec\.ports\[0\]\.name: Invalid value: "A_b": a lowercase RFC 1123 label/,
    ],
    [
      { ports: [{ port: 80, nodePort: 30_000 }] },
      "spec.ports[0].nodePort: Forbidden: may not be used when `type` is 'ClusterIP'",
    ],
    [
      {
        type: 'NodePort',
        ports: [
          { name: 'a', port: 80, nodePort: 30_000 },
          { name: 'b', port: 81, nodePort: 30_000 },
        ],
      },
      'spec.ports[1].nodePort: Duplicate value: 30000',
    ],
    [
      { type: 'Clusterip', ports },
      'spec.type: Unsupported value: "Clusterip": supported values: "ClusterIP", "ExternalName", "LoadBalancer", "NodePort"',
    ],
    [
      { type: 'NodePort', clusterIP: 'None', ports },
      'spec.clusterIPs[0]: Invalid value: "None": may not be set to \'None\' for NodePort services',
    ],
    [
      { clusterIP: '10.0.0', ports },
      'spec.clusterIPs[0]: Invalid value: "10.0.0": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)',
    ],
    [
      { clusterIP: '10.0.0.1', clusterIPs: ['10.0.0.2'], ports },
      'spec.clusterIPs: Invalid value: ["10.0.0.2"]: first value must match `clusterIP`',
    ],
    [
      { clusterIP: '10.0.0.1', clusterIPs: ['10.0.0.1', '10.0.0.2'], ports },
      'spec.clusterIPs: Invalid value: ["10.0.0.1","10.0.0.2"]: may specify no more than one IP for each IP family',
    ],
    [
      { clusterIP: '10.0.0.1', ipFamilies: ['IPv6'], ports },
      'spec.clusterIPs[0]: Invalid value: "10.0.0.1": expected an IPv6 value as indicated by `ipFamilies[0]`',
    ],
    [{ ipFamilies: ['IPv4', 'IPv4'], ports }, 'spec.ipFamilies[1]: Duplicate value: "IPv4"'],
    [
      { ipFamilies: ['IPv4', 'IPv6'], ipFamilyPolicy: 'SingleStack', ports },
      'spec.ipFamilyPolicy: Invalid value: "SingleStack": may not be \'SingleStack\' when multiple IP families are specified',
    ],
    [{ type: 'ExternalName' }, 'spec.externalName: Required value'],
    [
      { type: 'ExternalName', externalName: 'a b' },
      /^spec\.externalName: Invalid value: "a b": a lowercase RFC 1123 subdomain/,
    ],
    [
      { type: 'ExternalName', externalName: 'a.b', clusterIP: '10.0.0.1' },
      'spec.clusterIP: Forbidden: may not be set for ExternalName services',
    ],
    [
      { externalIPs: ['x'], ports },
      'spec.externalIPs[0]: Invalid value: "x": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)',
    ],
    [
      { sessionAffinity: 'Cookie', ports },
      'spec.sessionAffinity: Unsupported value: "Cookie": supported values: "ClientIP", "None"',
    ],
    [
      { sessionAffinity: 'ClientIP', sessionAffinityConfig: { clientIP: { timeoutSeconds: 0 } }, ports },
      'spec.sessionAffinityConfig.clientIP.timeoutSeconds: Invalid value: 0: must be greater than 0 and less than 86400',
    ],
    [
      { externalTrafficPolicy: 'Local', ports },
      'spec.externalTrafficPolicy: Invalid value: "Local": may only be set for externally-accessible services',
    ],
    [
      { type: 'NodePort', healthCheckNodePort: 30_000, ports },
      "spec.healthCheckNodePort: Invalid value: 30000: may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'",
    ],
    [
      { loadBalancerClass: 'a/b', ports },
      "spec.loadBalancerClass: Forbidden: may only be used when `type` is 'LoadBalancer'",
    ],
    [
      { type: 'LoadBalancer', loadBalancerSourceRanges: ['x'], ports },
      'spec.loadBalancerSourceRanges[0]: Invalid value: "x": must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)',
    ],
    [{ selector: { 'a b': 'c' }, ports }, /^spec\.selector: Invalid value: "a b": name part must consist of/],
    [
      { selector: { a: 5 }, ports },
      'spec.selector.a: Invalid value: "integer": spec.selector.a in body must be of type string: "integer"',
    ],
    [null, 'spec: Required value'],
  ])('%j', (spec, message) => {
    expect(faultsOf(service(spec))).toEqual([message instanceof RegExp ? expect.stringMatching(message) : message]);
  });

  it('names that DNS has no place for', () => {
    expect(faultsOf(make('v1', 'Service', { spec: { ports } }, { name: '1abc' }))[0]).toMatch(
      /^metadata\.name: Invalid value: "1abc": a DNS-1035 label/,
    );
  });
});
