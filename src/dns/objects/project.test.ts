/** What is kept of objects is enough: everything that DNS makes of them is the same as of the whole objects. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createInterner } from '../../kube/client/intern.ts';
import { createStore } from '../../kube/store/store.ts';
import type { KubeObject, Pod } from '../../kube/types/index.ts';
import { createPodIndex } from '../records/index-of-pods.ts';
import { createServiceIndex } from '../records/index-of-services.ts';
import { workloadOf } from '../waste/workload.ts';
import { createProjections } from './project.ts';

const slices = 'endpointslices.discovery.k8s.io';
const copyOf = <T>(value: T): T => JSON.parse(JSON.stringify(value)) as T;

const maybe = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined });
const names = fc.constantFrom('web', 'db', 'Api');
const namespaces = fc.constantFrom('shop', 'lab');
const address = fc.constantFrom('10.0.0.1', '10.0.0.2', '10.0.0.3', 'fd00::1', 'FD00:0::2', 'no address', '10.96.0.1');
const port = fc.record({
  name: maybe(fc.constantFrom('', 'http', 'SQL')),
  protocol: maybe(fc.constantFrom('TCP', 'UDP')),
  port: maybe(fc.constantFrom(80, 5432)),
  targetPort: fc.constantFrom(8080, 'http'),
  nodePort: fc.nat(),
});
/** What only writers and other readers look at. */
const noise = {
  ...{ uid: 'u', resourceVersion: '7', generation: 3, creationTimestamp: '2026-03-04T05:06:07Z' },
  managedFields: [{ manager: 'm', fieldsV1: { 'f:spec': {} } }],
  annotations: { 'kubectl.kubernetes.io/last-applied-configuration': '{}' },
};

const service = fc
  .record({
    name: names,
    namespace: namespaces,
    spec: fc.record({
      type: maybe(fc.constantFrom('ClusterIP', 'LoadBalancer', 'ExternalName')),
      clusterIP: maybe(fc.constantFrom('None', '', '10.96.0.1')),
      clusterIPs: maybe(fc.constantFrom([], ['None'], ['10.96.0.1', 'fd00::96'])),
      externalName: maybe(fc.constantFrom('example.com', '10.1.1.1', '..')),
      externalIPs: maybe(fc.constantFrom(['192.0.2.1'])),
      publishNotReadyAddresses: maybe(fc.boolean()),
      ports: maybe(fc.array(port, { maxLength: 2 })),
      selector: maybe(fc.constant({ app: 'x' })),
      sessionAffinity: fc.constant('None'),
    }),
    status: maybe(fc.constantFrom({ loadBalancer: {} }, { loadBalancer: { ingress: [{ ip: '192.0.2.9' }] } })),
  })
  .map(({ name, namespace, ...rest }) => ({
    ...{ apiVersion: 'v1', kind: 'Service', metadata: { name, namespace, labels: { a: 'b' }, ...noise } },
    ...rest,
  }));

const endpoint = fc.record({
  addresses: maybe(fc.array(address, { maxLength: 2 })),
  conditions: maybe(fc.record({ ready: maybe(fc.boolean()), serving: fc.boolean(), terminating: maybe(fc.boolean()) })),
  hostname: maybe(fc.constantFrom('host-0', 'not a label')),
  zone: maybe(fc.constantFrom('zone-a', 'zone-b')),
  nodeName: fc.constant('node-1'),
  targetRef: maybe(
    fc.constantFrom(
      { kind: 'Pod', name: 'web-0', namespace: 'shop', uid: 'p' },
      { kind: 'Node', name: 'node-1', uid: 'n' },
    ),
  ),
});

const slice = fc
  .record({
    of: maybe(names),
    number: fc.nat(3),
    namespace: namespaces,
    endpoints: maybe(fc.array(endpoint, { maxLength: 3 })),
    ports: maybe(fc.array(port, { maxLength: 2 })),
  })
  .map(({ of, number, namespace, ...rest }) => ({
    ...{ apiVersion: 'discovery.k8s.io/v1', kind: 'EndpointSlice', addressType: 'IPv4' },
    metadata: {
      ...{ name: `slice-${number}`, namespace, ...noise },
      labels: { 'endpointslice.kubernetes.io/managed-by': 'x', ...(of && { 'kubernetes.io/service-name': of }) },
    },
    ...rest,
  }));

const pod = fc
  .record({
    number: fc.nat(3),
    namespace: namespaces,
    owner: maybe(fc.constantFrom('ReplicaSet/web-abc', 'Job/backup-29543406', 'StatefulSet/db')),
    deletionTimestamp: maybe(fc.constant('2026-03-04T05:06:07Z')),
    spec: fc.record({ hostNetwork: maybe(fc.boolean()), containers: fc.constant([{ name: 'c', image: 'i' }]) }),
    status: maybe(
      fc.record({
        phase: maybe(fc.constantFrom('Running', 'Pending', 'Succeeded')),
        podIP: maybe(fc.constant('10.0.0.1')),
        podIPs: maybe(fc.constantFrom([{ ip: '10.0.0.1' }, { ip: 'fd00::1' }], [])),
        conditions: fc.constant([{ type: 'Ready', status: 'True' }]),
      }),
    ),
  })
  .map(({ number, namespace, owner, deletionTimestamp, ...rest }) => {
    const [kind, name] = owner?.split('/') ?? [];
    const reference = { apiVersion: 'apps/v1', kind: kind!, name: name!, uid: 'o', controller: true };
    return {
      ...{ apiVersion: 'v1', kind: 'Pod' },
      metadata: {
        ...{ name: `pod-${number}`, namespace, ...noise, ...(deletionTimestamp && { deletionTimestamp }) },
        labels: { 'pod-template-hash': 'abc', app: 'web' },
        ...(owner && { ownerReferences: [reference] }),
      },
      ...rest,
    };
  });

function storeOf(objects: readonly (readonly [string, object])[], podNames: boolean, projected: boolean) {
  const store = createStore({ mirror: true });
  const projectionOf = createProjections({ podNames }, createInterner());
  for (const [resource, object] of objects) {
    const fresh = copyOf(object) as KubeObject;
    const kept = projected ? projectionOf(resource)(fresh) : fresh;
    if (kept) store.put(resource, kept);
  }
  return store;
}

const addresses = ['10.0.0.1', '10.0.0.2', '10.0.0.3', 'fd00::1', 'fd00::2', '10.96.0.1', 'fd00::96'];

/** Everything that answers are made of. */
function seen(store: ReturnType<typeof storeOf>, podNames: boolean) {
  const index = createServiceIndex({ store, endpointPodNames: podNames, onChange: () => undefined });
  index.refresh();
  const pods = createPodIndex(store);
  const flat = [...index.all()].map((entry) => ({
    ...{ namespace: entry.namespace, name: entry.name, ref: entry.ref, form: entry.form, ports: entry.ports },
    ...{ addresses: entry.addresses, externalName: entry.externalName, endpoints: entry.endpoints },
    findings: entry.findings,
  }));
  const reverse = addresses.map((text) => [
    text,
    index.byClusterAddress(text)?.name,
    index.byEndpointAddress(text).map(({ name, namespace }) => `${namespace}/${name}`),
    ['shop', 'lab'].map((namespace) => pods.has(namespace, text)),
  ]);
  index.close();
  pods.close();
  const workloads = store.list<Pod>('pods').map((object) => [object.metadata.name, workloadOf(object)]);
  return { flat, reverse, workloads };
}

describe('what is kept of objects', () => {
  it('makes the same answers as the whole objects', () => {
    const objects = fc.record({
      services: fc.array(service, { maxLength: 4 }),
      found: fc.array(slice, { maxLength: 4 }),
      pods: fc.array(pod, { maxLength: 3 }),
      podNames: fc.boolean(),
    });
    fc.assert(
      fc.property(objects, ({ services, found, pods, podNames }) => {
        const all = [
          ...services.map((object) => ['services', object] as const),
          ...found.map((object) => [slices, object] as const),
          ...pods.map((object) => ['pods', object] as const),
        ];
        expect(seen(storeOf(all, podNames, true), podNames)).toEqual(seen(storeOf(all, podNames, false), podNames));
      }),
      { numRuns: 200 },
    );
  });

  it('is little: no managed fields, no annotations but one, no names of Pods unless they are wanted', () => {
    const raw = {
      ...{ apiVersion: 'discovery.k8s.io/v1', kind: 'EndpointSlice', addressType: 'IPv4' },
      metadata: {
        ...{ ...noise, name: 'web-1', namespace: 'shop' },
        labels: { 'kubernetes.io/service-name': 'web', 'app.kubernetes.io/name': 'web' },
        annotations: { 'endpoints.kubernetes.io/last-change-trigger-time': '2026-03-04T05:06:07Z', other: 'x' },
      },
      endpoints: [
        { addresses: ['10.0.0.1'], conditions: { ready: true }, targetRef: { kind: 'Pod', name: 'web-0' }, zone: 'a' },
      ],
      ports: [{ port: 80, protocol: 'TCP', appProtocol: 'http' }],
    } as KubeObject;
    const keep = (wanted: Parameters<typeof createProjections>[0]) =>
      createProjections(wanted, createInterner())(slices)(copyOf(raw));
    expect(keep({})).toEqual({
      ...{ apiVersion: 'discovery.k8s.io/v1', kind: 'EndpointSlice', addressType: 'IPv4' },
      metadata: {
        ...{ name: 'web-1', namespace: 'shop', labels: { 'kubernetes.io/service-name': 'web' } },
        annotations: { 'endpoints.kubernetes.io/last-change-trigger-time': '2026-03-04T05:06:07Z' },
      },
      endpoints: [{ addresses: ['10.0.0.1'], conditions: { ready: true }, zone: 'a' }],
      ports: [{ port: 80, protocol: 'TCP' }],
    });
    expect(keep({ labels: true })?.metadata.labels).toEqual(raw.metadata.labels);
    expect(JSON.stringify(keep({ podNames: true }))).toContain('"targetRef":{"kind":"Pod","name":"web-0"}');
    expect(keep({ namespaces: ['lab'] })).toBeUndefined();
    expect(keep({ namespaces: ['lab', 'shop'] })).toBeDefined();
  });

  it('shares what many objects have in common', () => {
    const project = createProjections({}, createInterner())('pods');
    const made = ['a', 'b'].map((name) =>
      project({
        ...{ apiVersion: 'v1', kind: 'Pod', spec: { containers: [] } },
        metadata: {
          ...{ name, namespace: 'shop', labels: { app: 'web' } },
          ownerReferences: [{ apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'web-1', uid: 'u', controller: true }],
        },
      } as KubeObject),
    ) as Pod[];
    expect(made[0]!.metadata.labels).toBe(made[1]!.metadata.labels);
    expect(made[0]!.metadata.ownerReferences).toBe(made[1]!.metadata.ownerReferences);
    expect(made[0]!.spec).toBe(made[1]!.spec);
  });
});
