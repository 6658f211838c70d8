import { describe, expect, it } from 'vitest';
import { builtinResources } from '../../../kube/builtin-resources.ts';
import { createResourceRegistry } from '../../../kube/resources.ts';
import { createStore } from '../../../kube/store/store.ts';
import type { KubeObject } from '../../../kube/types/index.ts';
import { crdSchemaSource } from '../schemas.ts';
import { customTable } from './custom.ts';
import { humanDuration } from './format.ts';
import { tableFor } from './index.ts';
import { parseJsonPath } from './json-path.ts';

const now = Date.parse('2026-01-02T00:00:00Z');
const schemas = crdSchemaSource(createStore());
const registry = createResourceRegistry();

/** Cells by column name. */
function show(resource: string, object: object): Record<string, unknown> {
  const definition = tableFor(registry.byName(resource)!, 'v1', schemas);
  const whole = { apiVersion: '', kind: '', ...object } as { metadata?: object };
  whole.metadata = { name: 'x', creationTimestamp: '2026-01-01T23:59:30Z', ...whole.metadata };
  const cells = definition.cells(whole as KubeObject, now);
  return Object.fromEntries(definition.columns.map((column, i) => [column.name, cells[i]]));
}

const container = (state: object, more: object = {}) => ({ name: 'c', state, ready: false, restartCount: 0, ...more });

describe('columns', () => {
  it.each<[string, object, Record<string, unknown>]>([
    [
      'pods',
      {
        spec: { containers: [{}, {}], nodeName: 'n' },
        status: {
          phase: 'Running',
          podIP: '10.0.0.1',
          containerStatuses: [container({ running: {} }, { ready: true, restartCount: 2 }), container({ running: {} })],
        },
      },
      { Name: 'x', Ready: '1/2', Status: 'Running', Restarts: '2', Age: '30s', IP: '10.0.0.1', Node: 'n' },
    ],
    [
      'pods',
      {
        spec: { containers: [{}] },
        status: { phase: 'Pending', containerStatuses: [container({ waiting: { reason: 'CrashLoopBackOff' } })] },
      },
      { Status: 'CrashLoopBackOff', IP: '<none>' },
    ],
    [
      'pods',
      {
        spec: { containers: [{}], initContainers: [{}, {}] },
        status: {
          phase: 'Pending',
          initContainerStatuses: [container({ terminated: { exitCode: 0 } }), container({ waiting: {} })],
        },
      },
      { Status: 'Init:1/2' },
    ],
    [
      'pods',
      { metadata: { deletionTimestamp: '2026-01-01T00:00:00Z' }, status: { phase: 'Running' } },
      { Status: 'Terminating' },
    ],
    [
      'services',
      {
        spec: {
          type: 'LoadBalancer',
          clusterIPs: ['10.1.1.1', 'fd00::1'],
          ports: [
            { port: 80, nodePort: 30080, protocol: 'TCP' },
            { port: 53, protocol: 'UDP' },
          ],
          selector: { b: '2', a: '1' },
        },
      },
      {
        Type: 'LoadBalancer',
        'Cluster-IP': '10.1.1.1',
        'External-IP': '<pending>',
        'Port(s)': '80:30080/TCP,53/UDP',
        Selector: 'a=1,b=2',
      },
    ],
    [
      'services',
      { spec: { type: 'ExternalName', externalName: 'example.com' } },
      { 'Cluster-IP': '<none>', 'External-IP': 'example.com', 'Port(s)': '<none>' },
    ],
    [
      'services',
      { spec: { clusterIP: 'None', ports: [{ port: 1 }] } },
      { Type: 'ClusterIP', 'Cluster-IP': 'None', 'Port(s)': '1/TCP' },
    ],
    [
      'deployments.apps',
      {
        spec: {
          replicas: 3,
          template: {
            spec: {
              containers: [
                { name: 'a', image: 'i' },
                { name: 'b', image: 'j' },
              ],
            },
          },
          selector: { matchLabels: { a: 'b' }, matchExpressions: [{ key: 'c', operator: 'In', values: ['y', 'x'] }] },
        },
        status: { readyReplicas: 2, updatedReplicas: 3, availableReplicas: 1 },
      },
      { Ready: '2/3', 'Up-to-date': 3, Available: 1, Containers: 'a,b', Images: 'i,j', Selector: 'a=b,c in (x,y)' },
    ],
    [
      'endpointslices.discovery.k8s.io',
      {
        addressType: 'IPv4',
        ports: [{ port: 80 }],
        endpoints: ['1', '2', '3', '4', '5'].map((n) => ({ addresses: [`10.0.0.${n}`] })),
      },
      { AddressType: 'IPv4', Ports: '80', Endpoints: '10.0.0.1,10.0.0.2,10.0.0.3 + 2 more...' },
    ],
    [
      'endpoints',
      { subsets: [{ addresses: [{ ip: '10.0.0.1' }, { ip: 'fd00::1' }], ports: [{ port: 80 }] }] },
      { Endpoints: '10.0.0.1:80,[fd00::1]:80' },
    ],
    [
      'ingresses.networking.k8s.io',
      {
        spec: { ingressClassName: 'f', rules: [{ host: 'a' }, { host: 'b' }], tls: [{}] },
        status: { loadBalancer: { ingress: [{ ip: '127.0.0.1' }] } },
      },
      { Class: 'f', Hosts: 'a,b', Address: '127.0.0.1', Ports: '80, 443' },
    ],
    [
      'ingresses.networking.k8s.io',
      { spec: { rules: [{}] } },
      { Class: '<none>', Hosts: '*', Address: '', Ports: '80' },
    ],
    [
      'nodes',
      {
        metadata: { labels: { 'node-role.kubernetes.io/control-plane': '' } },
        spec: { unschedulable: true },
        status: {
          conditions: [{ type: 'Ready', status: 'True' }],
          addresses: [{ type: 'InternalIP', address: '127.0.0.1' }],
          nodeInfo: { kubeletVersion: 'v1' },
        },
      },
      {
        Status: 'Ready,SchedulingDisabled',
        Roles: 'control-plane',
        Version: 'v1',
        'Internal-IP': '127.0.0.1',
        'External-IP': '<none>',
      },
    ],
    [
      'events',
      {
        involvedObject: { kind: 'Pod', name: 'p' },
        type: 'Normal',
        reason: 'Started',
        message: 'hello\n',
        source: { component: 'kubelet', host: 'n' },
        lastTimestamp: '2026-01-01T23:58:00Z',
        count: 3,
      },
      { 'Last Seen': '2m', Object: 'pod/p', Source: 'kubelet, n', Message: 'hello', Count: 3 },
    ],
    [
      'jobs.batch',
      { spec: { completions: 3 }, status: { succeeded: 1, startTime: '2026-01-01T23:59:00Z' } },
      { Status: 'Running', Completions: '1/3', Duration: '60s' },
    ],
    ['secrets', { data: { a: '', b: '' } }, { Type: 'Opaque', Data: 2 }],
    ['leases.coordination.k8s.io', { spec: { holderIdentity: 'me' } }, { Holder: 'me' }],
    ['clusterroles.rbac.authorization.k8s.io', {}, { 'Created At': '2026-01-01T23:59:30Z' }],
    [
      'horizontalpodautoscalers.autoscaling',
      {
        spec: {
          scaleTargetRef: { kind: 'Deployment', name: 'd' },
          maxReplicas: 3,
          metrics: [
            { type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 80 } } },
          ],
        },
      },
      { Reference: 'Deployment/d', Targets: 'cpu: <unknown>/80%', MinPods: '<unset>', MaxPods: 3 },
    ],
  ])('of %s', (resource, object, expected) => {
    expect(show(resource, object)).toMatchObject(expected);
  });

  it('of every kind stand bare and broken objects', () => {
    for (const resource of builtinResources) {
      const definition = tableFor(resource, resource.versions[0]!, schemas);
      for (const odd of [
        {},
        { spec: 'x', status: [1] },
        { spec: { ports: [null, 1], containers: 'x', selector: 3 } },
      ]) {
        const object = { apiVersion: 'v1', kind: 'X', metadata: { name: 'x' }, ...odd } as unknown as KubeObject;
        expect(definition.cells(object, now)).toHaveLength(definition.columns.length);
      }
    }
  });

  it('of a CRD follow its paths and types', () => {
    const definition = customTable([
      { name: 'Host', type: 'string', jsonPath: '.spec.host' },
      { name: 'Hosts', type: 'string', jsonPath: '.spec.hosts' },
      { name: 'Ready', type: 'string', jsonPath: '.status.conditions[?(@.type=="Ready")].status', priority: 1 },
      { name: 'Size', type: 'integer', jsonPath: '.spec.size' },
      { name: 'Wrong', type: 'integer', jsonPath: '.spec.host' },
      { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' },
    ]);
    const object = {
      metadata: { name: 'x', creationTimestamp: '2026-01-01T00:00:00Z' },
      spec: { host: 'h', hosts: ['a', 'b'], size: 3 },
      status: {
        conditions: [
          { type: 'Other', status: 'False' },
          { type: 'Ready', status: 'True' },
        ],
      },
    } as unknown as KubeObject;
    expect(definition.cells(object, now)).toEqual(['x', 'h', '["a","b"]', 'True', 3, null, '24h']);
    expect(definition.columns.map(({ priority }) => priority)).toEqual([0, 0, 0, 1, 0, 0, 0]);
  });
});

describe('JSON paths', () => {
  const object = {
    a: {
      'b.c': [1, { d: 2 }],
      e: [
        { k: 'x', v: 1 },
        { k: 'y', v: 2 },
      ],
    },
  };
  it.each([
    ["$.a['b.c'][0]", [1]],
    ['.a.b\\.c[1].d', [2]],
    ['.a.e[*].v', [1, 2]],
    ['.a.e[?(@.v>1)].k', ['y']],
    ['.a.e[-1].k', ['y']],
    ['.a.e[?(@.k=="]")].v', []],
    ['.nothing.here', []],
  ])('%s', (path, expected) => {
    expect(parseJsonPath(path)!(object)).toEqual(expected);
  });

  it.each(['a', '.a[', '.a[x]', '..a', '.a[?(1)]'])('refuses %s', (path) => {
    expect(parseJsonPath(path)).toBeUndefined();
  });
});

describe('ages', () => {
  const [second, minute, hour, day] = [1000, 60_000, 3_600_000, 86_400_000];
  it.each([
    [-5 * second, '<invalid>'],
    [0, '0s'],
    [119 * second, '119s'],
    [2 * minute + 5 * second, '2m5s'],
    [3 * minute, '3m'],
    [59 * minute, '59m'],
    [3 * hour + 5 * minute, '3h5m'],
    [30 * hour, '30h'],
    [3 * day + hour, '3d1h'],
    [100 * day, '100d'],
    [3 * 365 * day + 2 * day, '3y2d'],
    [10 * 365 * day, '10y'],
  ])('%d ms is %s', (milliseconds, expected) => {
    expect(humanDuration(milliseconds)).toBe(expected);
  });
});
