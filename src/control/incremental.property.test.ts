/**
 * A compilation that goes on from earlier ones is equal to one from scratch, whatever has happened in between; and so is
 * all that follows from plans one by one: what workers are told, statuses that are written, names of the front door.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { loadAll } from 'js-yaml';
import { describe, expect, it } from 'vitest';
import { packageRoot } from '../base/package-root.ts';
import type { ObjectApi } from '../kube/objects.ts';
import { createResourceRegistry, keyOf, resourceName } from '../kube/resources.ts';
import { readGatewayCrds, resourceOfCrd } from '../kube/schema/crd.ts';
import { createStore, type Store } from '../kube/store/store.ts';
import type { HTTPRoute, KubeObject, Unstructured } from '../kube/types/index.ts';
import { decodeDelta, encodeDelta } from '../proxy/workers/delta.ts';
import { createTranslationCache } from '../routing/incremental/cache.ts';
import { loadObjects } from '../routing/ingress/test-helpers.ts';
import { defaultNginxConfig } from '../routing/ingress-nginx/config/config.ts';
import { emptyPlan, type Plan, type VirtualHost } from '../routing/plan/plan.ts';
import type { DeliveryReport, TranslateInput } from '../routing/translate.ts';
import { type Compiled, compile } from './compile.ts';
import { createFrontDoorNames, frontDoorNames } from './front-door-names.ts';
import { createSelfSigned } from './self-signed.ts';
import { createLocalStatusSink } from './status-sink.ts';
import { createStatusWriter } from './status-writer.ts';

const registry = createResourceRegistry();
for (const crd of readGatewayCrds()) registry.add(resourceOfCrd(crd)!);

function readCorpus(folder: 'ingress' | 'ingress-nginx' | 'gateway'): KubeObject[] {
  const path = join(packageRoot, 'test/golden', folder);
  const files = readdirSync(path).filter((name) => name.endsWith('.in.yaml'));
  return files.flatMap((file) => {
    const text = readFileSync(join(path, file), 'utf8');
    return folder === 'gateway' ? (loadAll(text) as KubeObject[]) : loadObjects(text);
  });
}

const kinds = (object: KubeObject) => registry.ofKind(object.apiVersion, object.kind);
const usable = (object: KubeObject) => object.kind !== 'Case' && kinds(object) !== undefined;
const nginx = readCorpus('ingress-nginx').filter(usable);
const pool = [...readCorpus('ingress'), ...readCorpus('gateway')].filter(usable).concat(nginx);

/** Objects that others refer to for what is in them. */
const holders = pool.map((object) => object as Unstructured).filter(({ data }) => data !== undefined);

type Json = Record<string, unknown> | unknown[];
interface Leaf {
  readonly parent: Json;
  readonly key: string;
}

function leavesOf(value: unknown): Leaf[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) =>
    typeof inner === 'object' && inner !== null ? leavesOf(inner) : [{ parent: value as Json, key }],
  );
}

/** Values as they stand in the corpora, by the name of their field, so that a changed field mostly makes sense. */
const valuesByField = new Map<string, unknown[]>();
for (const object of pool)
  for (const { parent, key } of leavesOf((object as Unstructured).spec)) {
    const field = Array.isArray(parent) ? 'item' : key;
    valuesByField.set(field, [...(valuesByField.get(field) ?? []), (parent as Record<string, unknown>)[key]]);
  }

/** Annotations as they stand in the corpora, and files of passwords. */
const annotationsIn = (objects: readonly KubeObject[]) =>
  objects.flatMap(({ metadata }) => Object.entries(metadata.annotations ?? {}));
const passwords = [undefined, '', 'cGxhaW46dGV4dAo=', 'YWRhOntTSEF9SjJFNmRUaFhyMmRRWkUwbURlSEdJbHQ4OGEwPQo='];
const annotated: ReadonlySet<string> = new Set(['HTTPRoute', 'Ingress', 'Service', 'TCPRoute']);

const pick = <T>(list: readonly T[], n: number): T | undefined => (list.length > 0 ? list[n % list.length] : undefined);

/** Two listeners of one name, which no API server lets in (listType=map of the schema). */
function repeatsListener({ spec }: Unstructured): boolean {
  const names = ((spec as { listeners?: readonly { name: string }[] }).listeners ?? []).map(({ name }) => name);
  return new Set(names).size < names.length;
}

/** A store whose objects are held as an API server holds them: generations count, a name that comes back is another object. */
function createWorld(objects: readonly KubeObject[]) {
  const store: Store = createStore();
  const present = new Map<string, { resource: string; key: string }>();
  let uid = 0;
  function put(given: KubeObject): void {
    const resource = resourceName(kinds(given)!);
    const metadata = { ...(kinds(given)!.namespaced && { namespace: 'shop' }), ...given.metadata };
    const key = keyOf({ metadata });
    const before = store.get<Unstructured>(resource, key);
    const isSame = JSON.stringify((given as Unstructured).spec) === JSON.stringify(before?.spec);
    store.put(resource, {
      ...given,
      metadata: {
        creationTimestamp: `2026-01-01T00:00:0${key.length % 10}Z`,
        ...metadata,
        uid: before?.metadata.uid ?? `uid-${++uid}`,
        ...(kinds(given)!.generation !== false && {
          generation: (before?.metadata.generation ?? 0) + (isSame ? 0 : 1),
        }),
      },
    } as KubeObject);
    present.set(`${resource} ${key}`, { resource, key });
  }
  const some = (n: number) => pick([...present.values()], n);
  return {
    ...{ store, put, objects, annotations: annotationsIn(objects) },
    some: (n: number) => {
      const found = some(n);
      return found && store.get<Unstructured>(found.resource, found.key);
    },
    ofKinds(wanted: ReadonlySet<string>, n: number) {
      const objects = [...present.values()].map(({ resource, key }) => store.get<Unstructured>(resource, key)!);
      return pick(
        objects.filter(({ kind }) => wanted.has(kind)),
        n,
      );
    },
    remove(n: number) {
      const found = some(n);
      if (!found) return;
      store.remove(found.resource, found.key);
      present.delete(`${found.resource} ${found.key}`);
    },
  };
}
type World = ReturnType<typeof createWorld>;

interface Step {
  readonly what: keyof typeof steps;
  readonly a: number;
  readonly b: number;
  readonly c: number;
}

const steps = {
  put: (world: World, { a }: Step) => world.put(pick(world.objects, a)!),
  remove: (world: World, { a }: Step) => world.remove(a),
  /** A field of a spec gets another value of such fields. */
  edit(world: World, { a, b, c }: Step) {
    const object = structuredClone(world.some(a));
    const leaf = pick(leavesOf(object?.spec), b);
    if (!object || !leaf) return;
    const field = Array.isArray(leaf.parent) ? 'item' : leaf.key;
    (leaf.parent as Record<string, unknown>)[leaf.key] = pick(valuesByField.get(field) ?? [], c);
    if (!repeatsListener(object)) world.put(object);
  },
  /** A Secret or ConfigMap holds what another one does. */
  swap(world: World, { a, b }: Step) {
    const object = world.ofKinds(new Set(['Secret', 'ConfigMap']), a);
    const data = pick(holders, b)?.['data'];
    if (object && data) world.put({ ...object, data } as Unstructured);
  },
  /** A GRPCRoute of the name, parents, hostnames and backends of an HTTPRoute comes beside it. */
  calls(world: World, { a, b }: Step) {
    const object = world.ofKinds(new Set(['HTTPRoute']), a);
    if (!object) return;
    const { parentRefs, hostnames, rules } = object.spec as HTTPRoute['spec'];
    const match = pick([{}, { method: { service: 'foo.Bar' } }, { method: { method: 'Get' } }], b);
    const ofCalls = rules?.map(({ name, backendRefs }) => ({ name, matches: [match], backendRefs }));
    world.put({ ...object, kind: 'GRPCRoute', spec: { parentRefs, hostnames, rules: ofCalls } } as Unstructured);
  },
  /** A ListenerSet names a Gateway, which admits sets from where it says; a route names the set. */
  extend(world: World, { a, b, c }: Step) {
    const [set, gateway] = [world.ofKinds(new Set(['ListenerSet']), a), world.ofKinds(new Set(['Gateway']), b)];
    if (!set || !gateway) return;
    const { name, namespace } = gateway.metadata;
    world.put({ ...set, spec: { ...(set.spec as object), parentRef: { name, namespace } } } as Unstructured);
    const from = pick(['All', 'Same', 'None'], c);
    if (c % 4 > 0)
      world.put({
        ...gateway,
        spec: { ...(gateway.spec as object), allowedListeners: { namespaces: { from } } },
      } as Unstructured);
    const route = world.ofKinds(new Set(['HTTPRoute', 'TLSRoute', 'TCPRoute']), c);
    const parentRef = { kind: 'ListenerSet', name: set.metadata.name, namespace: set.metadata.namespace };
    if (route) world.put({ ...route, spec: { ...(route.spec as object), parentRefs: [parentRef] } } as Unstructured);
  },
  /** As after a write of a status: the object is a new one and says the same. */
  touch(world: World, { a, b }: Step) {
    const object = world.some(a);
    if (object) world.put({ ...object, status: { ...(object.status as object), note: b } } as Unstructured);
  },
  label(world: World, { a, b }: Step) {
    const object = world.some(a);
    const labels = { ...object?.metadata.labels, team: `t${b % 3}`, shared: b % 2 === 0 ? 'true' : 'false' };
    if (object) world.put({ ...object, metadata: { ...object.metadata, labels } } as Unstructured);
  },
  annotate(world: World, { a, b, c }: Step) {
    const object = world.ofKinds(annotated, a);
    if (!object) return;
    const [key, value] = pick(world.annotations, b)!;
    const { [key]: _, ...others } = object.metadata.annotations ?? {};
    world.put({
      ...object,
      metadata: { ...object.metadata, annotations: c % 4 > 0 ? { ...others, [key]: value } : others },
    });
  },
  /** What a Secret with passwords says. */
  password(world: World, { a, b }: Step) {
    const object = world.ofKinds(new Set(['Secret']), a);
    const auth = pick(passwords, b);
    if (object)
      world.put({
        ...object,
        data: { ...(object.data as object), ...(auth !== undefined && { auth }) },
      } as Unstructured);
  },
  rename(world: World, { a, b }: Step) {
    const object = world.some(a);
    if (!object) return;
    world.remove(a);
    world.put({ ...object, metadata: { ...object.metadata, name: `${object.metadata.name.slice(0, 20)}-${b % 5}` } });
  },
  age(world: World, { a, b }: Step) {
    const object = world.some(a);
    if (!object) return;
    world.remove(a);
    const creationTimestamp = `2026-01-01T00:00:0${b % 10}Z`;
    world.put({ ...object, metadata: { ...object.metadata, creationTimestamp } } as Unstructured);
  },
};

const aStep = fc.record({
  what: fc.constantFrom(
    ...([
      'put',
      'put',
      'put',
      'edit',
      'edit',
      'edit',
      'edit',
      'annotate',
      'annotate',
      'password',
      'swap',
      'calls',
      'extend',
      'extend',
      'remove',
      'touch',
      'label',
      'rename',
      'age',
    ] as const),
  ),
  a: fc.nat(9_999),
  b: fc.nat(9_999),
  c: fc.nat(9_999),
});

/** In some of them, certificates are valid that are not in others. */
const times = ['2020-01-15T00:00:00Z', '2026-06-01T00:00:00Z', '2060-01-01T00:00:00Z'];

/** What may be said of ingress-nginx from outside. */
const flags: readonly TranslateInput['ingressNginx'][] = [
  undefined,
  { sslPassthrough: true, defaultCertificate: 'shop/wild-tls' },
  {
    config: {
      ...defaultNginxConfig,
      allowSnippetAnnotations: true,
      annotationsRiskLevel: 'Critical',
      defaultBackend: 'shop/pages',
      hsts: false,
    },
  },
];

function inputOf(store: Store, adopt: boolean): TranslateInput {
  return {
    store,
    adopt,
    selfSigned: () => selfSigned,
    now: '2026-06-01T00:00:00Z',
    position: () => undefined,
    addresses: {
      ingress: () => ['127.250.0.1'],
      gateway: (_namespace, name) => `127.250.1.${name.length}`,
      usable: (address) => !address.endsWith('.9'),
    },
  };
}

const report: DeliveryReport = { listener: (id) => (id.includes('8') ? undefined : { bound: true }) };

function statusesOf({ statuses }: Compiled, store: Store): unknown[] {
  return statuses.map(({ ref, resource, build }) => {
    const stored = store.get<Unstructured>(resource, keyOf({ metadata: ref }))!;
    return { ref, status: build(stored, report) };
  });
}

/** Hosts by listener and name. */
function hostsOf({ plan }: Compiled): Map<string, VirtualHost> {
  return new Map(plan.listeners.flatMap(({ id, hosts }) => hosts.map((host) => [`${id} ${host.hostname}`, host])));
}

function expectKept(now: Compiled, before: Compiled): void {
  const known = hostsOf(before);
  for (const [name, host] of hostsOf(now)) {
    const old = known.get(name);
    if (old && old !== host && host.routes.length > 0) expect(host).not.toEqual(old);
  }
}

function expectEqual(now: Compiled, scratch: Compiled, store: Store): void {
  expect(now.plan).toEqual(scratch.plan);
  expect(now.diagnostics).toEqual(scratch.diagnostics);
  expect(statusesOf(now, store)).toEqual(statusesOf(scratch, store));
}

/** Another process that is told of each plan what changed. */
function createFollower() {
  let [sent, received] = [emptyPlan, emptyPlan];
  return (plan: Plan) => {
    const delta = encodeDelta(sent, plan);
    sent = plan;
    received = decodeDelta(received, delta && JSON.parse(JSON.stringify(delta))) as Plan;
    expect(received).toEqual(JSON.parse(JSON.stringify(plan)));
  };
}

/** As an API server takes statuses: nothing else of the object is written. */
function statusApi({ store }: World): ObjectApi {
  const update = (object: Unstructured) => {
    store.put(resourceName(kinds(object)!), object);
    return { ok: true, value: { object, warnings: [] } };
  };
  return { store, update } as unknown as ObjectApi;
}

/** Statuses written by looking at few objects are those of all. */
function expectWritten({ statuses }: Compiled, store: Store): void {
  for (const { ref, resource, build } of statuses) {
    const stored = store.get<Unstructured>(resource, keyOf({ metadata: ref }))!;
    expect(stored.status).toEqual(build(stored, report));
  }
}

const selfSigned = await createSelfSigned();

const worlds = [
  { of: 'all kinds', objects: pool, every: 3, adopt: true, varies: [undefined] },
  { of: 'all kinds', objects: pool, every: 3, adopt: false, varies: [undefined] },
  { of: 'ingress-nginx', objects: nginx, every: 1, adopt: false, varies: flags },
];

describe('compiling what changed', () => {
  it.each(worlds)(
    'is equal to compiling everything ($of, adopt: $adopt)',
    ({ objects, every, adopt, varies }) => {
      fc.assert(
        fc.property(fc.array(fc.array(aStep, { maxLength: 3 }), { minLength: 1, maxLength: 30 }), (bursts) => {
          const world = createWorld(objects);
          for (let i = 0; i < objects.length; i += every) world.put(objects[i]!);
          const cache = createTranslationCache();
          const given = inputOf(world.store, adopt);
          const follow = createFollower();
          const changedNames = createFrontDoorNames();
          const names = new Map<string, readonly string[]>();
          const writer = createStatusWriter({
            store: world.store,
            sink: createLocalStatusSink(statusApi(world)),
            onError: (message) => expect.fail(message),
          });
          let before = compile({ ...given, cache });
          for (const burst of bursts) {
            for (const step of burst) steps[step.what](world, step);
            const ingressNginx = pick(varies, (burst[0]?.b ?? 0) >> 2);
            const input = { ...given, now: pick(times, burst[0]?.c ?? 0)!, ...(ingressNginx && { ingressNginx }) };
            const now = compile({ ...input, cache });
            expectEqual(now, compile(input), world.store);
            expectKept(now, before);
            follow(now.plan);
            for (const [name, addresses] of changedNames(now.plan)) {
              expect(names.get(name) ?? []).not.toEqual(addresses);
              if (addresses.length > 0) names.set(name, addresses);
              else names.delete(name);
            }
            expect(names).toEqual(frontDoorNames(now.plan));
            writer.write(now.statuses, report);
            // Counts may wait.
            writer.flush();
            expectWritten(now, world.store);
            before = now;
          }
          writer.stop();
        }),
        { numRuns: Number(process.env.FAIRWAY_PROPERTY_RUNS ?? 4), endOnFailure: true },
      );
    },
    60_000,
  );
});
