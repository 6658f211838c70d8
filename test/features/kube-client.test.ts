/** The Kubernetes client against a real API, with everything between them that can break. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { worldOf } from '../../src/cli/sources.ts';
import { openWorld } from '../../src/insight/sources.ts';
import { createKubeClient, type KubeClient } from '../../src/kube/client/client.ts';
import { plainConfig } from '../../src/kube/client/config.ts';
import { createDiscovery } from '../../src/kube/client/discovery.ts';
import { createLeaderElection, type LeaderElection } from '../../src/kube/client/leader-election.ts';
import { createReflector, type Reflector, type ReflectorOptions } from '../../src/kube/client/reflector.ts';
import { createResourceClient } from '../../src/kube/client/resource-client.ts';
import { createResourceRegistry, keyOf } from '../../src/kube/resources.ts';
import { createStore, type Store } from '../../src/kube/store/store.ts';
import type { KubeObject } from '../../src/kube/types/index.ts';
import { canBind, eventually, openDoor, type TestDoor } from '../support/door.ts';
import { type FaultProxy, httpAnswer, openFaultProxy, statusBody } from '../support/fault-proxy.ts';
import { app, stream } from '../support/manifests.ts';

interface ConfigMap extends KubeObject {
  data?: Record<string, string>;
}

const registry = createResourceRegistry();
const configMaps = registry.byName('configmaps')!;
const services = registry.byName('services')!;
const configMap = (name: string, value: string, namespace = 'default'): ConfigMap => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, namespace },
  data: { value },
});

/** Fast enough for a test, with nothing else changed. */
const quick: Partial<ReflectorOptions> = { backoff: { baseMs: 10, maxMs: 100 }, pageSize: 20 };

/** `namespace/name` and version of every ConfigMap. */
const versions = (store: Pick<Store, 'list'>) =>
  store.list('configmaps').map((object) => `${keyOf(object)} ${object.metadata.resourceVersion}`);
const equal = (a: string[], b: string[]) => a.sort().join() === b.sort().join();

describe.skipIf(!canBind)('kube client against fairway up', () => {
  let door: TestDoor;
  let proxy: FaultProxy;
  let direct: KubeClient;
  let client: KubeClient;
  let store: Store;
  let reflectors: Reflector[] = [];
  const maps = () => createResourceClient<ConfigMap>(direct, configMaps);

  beforeAll(async () => {
    door = await openDoor(20, { paths: ['-'], stdin: stream(...app('web')) });
    direct = createKubeClient({ config: plainConfig(door.summary.api) });
  });
  afterAll(async () => {
    direct?.close();
    await door?.close();
  });
  beforeEach(async () => {
    proxy = await openFaultProxy(door.summary.api);
    client = createKubeClient({ config: plainConfig(proxy.url), retries: 0 });
    store = createStore({ mirror: true, historyLimit: 0 });
  });
  afterEach(async () => {
    await Promise.all(reflectors.map((reflector) => reflector.stop()));
    reflectors = [];
    client.close();
    await proxy.close();
  });

  function reflect(options: Partial<ReflectorOptions> = {}): Reflector {
    const reflector = createReflector({ client, resource: configMaps, store, ...quick, ...options });
    reflectors.push(reflector);
    reflector.start();
    return reflector;
  }

  /** Every object of the server is in the mirror in its newest version, and nothing else is. */
  const converged = (timeoutMs = 5000) =>
    eventually(
      () => [versions(store), versions(door.store)],
      ([mirrored, served]) => equal(mirrored!, served!),
      timeoutMs,
    );

  async function fill(count: number, prefix: string): Promise<void> {
    for (let i = 0; i < count; i++) {
      const made = await maps().create(configMap(`${prefix}-${i}`, 'first'));
      expect(made.ok).toBe(true);
    }
  }

  /** Creates, changes and deletes for a while; what happens meanwhile happens among changes. */
  async function churn(rounds: number, prefix: string, between: (round: number) => unknown = () => undefined) {
    for (let round = 0; round < rounds; round++) {
      await maps().create(configMap(`${prefix}-${round}`, 'new'));
      if (round > 0)
        await maps().mergePatch({ name: `${prefix}-${round - 1}` }, { data: { value: `changed ${round}` } });
      if (round > 2) await maps().delete({ name: `${prefix}-${round - 3}` });
      await between(round);
    }
  }

  it('mirrors a resource page by page, and never holds a second copy', async () => {
    await fill(90, 'page');
    const reflector = reflect();
    expect(await reflector.whenSynced()).toBe(true);
    await converged();
    const { objects } = reflector.metrics;
    expect(reflector.metrics.pages).toBe(Math.ceil(objects / 20));
    expect(reflector.metrics.peakObjects).toBeLessThanOrEqual(objects + 1);
    const watches = reflector.metrics.watches;
    // A watch that must begin anew: 410 leads to a second list over the first.
    proxy.faults = {
      answer: (line) => (line.includes('watch=true') ? httpAnswer(410, statusBody(410, 'Expired')) : undefined),
    };
    proxy.cut();
    await eventually(
      () => reflector.metrics.relists,
      (relists) => relists >= 2,
    );
    proxy.faults = {};
    await eventually(
      () => reflector.metrics.watches,
      (now) => now > watches,
    );
    expect(reflector.metrics.peakObjects).toBeLessThanOrEqual(reflector.metrics.objects + 1);
    await converged();
  });

  it('touches only what changed when it lists anew, and notices deletions that no watch told of', async () => {
    await fill(10, 'gap');
    const reflector = reflect();
    await reflector.whenSynced();
    const seen: string[] = [];
    proxy.faults = { down: true };
    proxy.cut();
    await maps().delete({ name: 'gap-3' });
    await maps().mergePatch({ name: 'gap-4' }, { data: { value: 'changed' } });
    store.subscribe(({ type, object }) => seen.push(`${type} ${object.metadata.name}`));
    proxy.faults = {
      answer: (line) =>
        line.includes('watch=true') && reflector.metrics.relists === 0
          ? httpAnswer(410, statusBody(410, 'Gone'))
          : undefined,
    };
    await converged();
    expect(seen.sort()).toEqual(['DELETED gap-3', 'MODIFIED gap-4']);
  });

  it('loses nothing when connections are cut in the middle of lines', async () => {
    const reflector = reflect();
    await reflector.whenSynced();
    let bytes = 700;
    proxy.faults = { cutAfter: () => (bytes += 137) };
    proxy.cut();
    await churn(60, 'cut');
    await eventually(
      () => reflector.metrics.halfLines,
      (halves) => halves > 0,
    );
    proxy.faults = {};
    await converged();
    expect(reflector.metrics.watches).toBeGreaterThan(3);
    // A cut is bridged by the next watch; it takes no list.
    expect(reflector.metrics.relists).toBe(0);
  });

  it('survives a storm of 410, in watches and in the middle of lists', async () => {
    await fill(50, 'storm');
    const seen = { lists: 0, watches: 0 };
    const expired = httpAnswer(410, statusBody(410, 'Expired'));
    proxy.faults = {
      answer(line) {
        if (line.includes('continue=')) return ++seen.lists <= 5 ? expired : undefined;
        return line.includes('watch=true') && ++seen.watches % 4 !== 0 ? expired : undefined;
      },
    };
    const reflector = reflect();
    await churn(30, 'gone');
    await eventually(
      () => reflector.metrics.relists,
      (relists) => relists > 1,
      10_000,
    );
    expect(reflector.metrics.listFailures).toBe(5);
    expect(reflector.metrics.peakObjects).toBeLessThanOrEqual(versions(door.store).length + 20 + 30);
    proxy.faults = {};
    await converged();
  });

  it('loses nothing when lists are cut in the middle of an object, and removes nothing because of it', async () => {
    await fill(40, 'torn');
    let bytes = 2000;
    proxy.faults = { cutAfter: () => (bytes += 1777) };
    const reflector = reflect();
    expect(await reflector.whenSynced()).toBe(true);
    expect(reflector.metrics.listFailures).toBeGreaterThan(0);
    await converged();
    const removed: string[] = [];
    const stop = store.subscribe(({ type, object }) => type === 'DELETED' && removed.push(object.metadata.name));
    bytes = 2000;
    const { lists, listFailures } = reflector.metrics;
    proxy.faults = {
      cutAfter: () => (bytes += 1777),
      answer: (line) =>
        line.includes('watch=true') && reflector.metrics.lists === lists
          ? httpAnswer(410, statusBody(410, 'Expired'))
          : undefined,
    };
    proxy.cut();
    await eventually(
      () => reflector.metrics.lists,
      (now) => now > lists,
      10_000,
    );
    stop();
    expect(reflector.metrics.listFailures).toBeGreaterThan(listFailures);
    expect(removed).toEqual([]);
    proxy.faults = {};
    await converged();
  });

  it('reads lines that come byte by byte', async () => {
    const reflector = reflect();
    await reflector.whenSynced();
    proxy.faults = { pieces: 40 };
    await churn(5, 'slow');
    await converged(10_000);
    expect(reflector.metrics.watchFailures).toBe(0);
  });

  it('lists anew after lines that are no events, or are longer than any event', async () => {
    const reflector = reflect({ maxLineBytes: 100_000 });
    // In a chunked body: one chunk with a line of its own.
    const chunked = (line: string) => `${(line.length + 1).toString(16)}\r\n${line}\n\r\n`;
    for (const [line, count] of [
      ['{"type":"ADDED","object":{', () => reflector.metrics.garbageLines],
      [`{"type":"ADDED","object":"${'x'.repeat(200_000)}"}`, () => reflector.metrics.longLines],
    ] as const) {
      await eventually(
        () => reflector.state,
        (state) => state === 'watching',
      );
      let once: string | undefined = chunked(line);
      proxy.faults = {
        inject() {
          const text = once;
          once = undefined;
          return text;
        },
      };
      await churn(4, `garbage-${line.length}`);
      await eventually(count, (seen) => seen === 1);
      await converged();
    }
    // The store may be whole again before the list that the last line calls for has begun.
    await eventually(
      () => reflector.metrics.relists,
      (seen) => seen === 2,
    );
  });

  it('waits as long as 429 says', async () => {
    let refused = 0;
    const first = performance.now();
    proxy.faults = {
      answer: () =>
        refused++ === 0 ? httpAnswer(429, statusBody(429, 'TooManyRequests'), { 'retry-after': '1' }) : undefined,
    };
    const reflector = reflect({ backoff: { baseMs: 1, maxMs: 2000 } });
    expect(await reflector.whenSynced()).toBe(true);
    expect(performance.now() - first).toBeGreaterThanOrEqual(990);
    await converged();
  });

  it('keeps what it has while the API is away, and catches up when it is back', async () => {
    const reflector = reflect();
    await reflector.whenSynced();
    await converged();
    const held = store.list('configmaps').length;
    proxy.faults = { down: true };
    proxy.cut();
    await eventually(
      () => reflector.state,
      (state) => state === 'waiting',
    );
    await churn(10, 'away');
    expect(store.list('configmaps')).toHaveLength(held);
    expect(reflector.hasSynced()).toBe(true);
    expect(reflector.error?.message).toContain(proxy.url);
    proxy.faults = {};
    await converged();
    expect(reflector.error).toBeUndefined();
  });

  it('notices that the API is another one than before', async () => {
    await fill(60, 'life');
    const reflector = reflect();
    await reflector.whenSynced();
    const other = await openDoor(21, { paths: ['-'], stdin: stream(...app('other')) });
    const elsewhere = createKubeClient({ config: plainConfig(other.summary.api) });
    const api = createResourceClient<ConfigMap>(elsewhere, configMaps);
    for (let i = 0; i < 200; i++) await api.create(configMap(`life-${i % 5}-${i}`, 'of the other'));
    proxy.target = other.summary.api;
    proxy.cut();
    await eventually(
      () => [versions(store), versions(other.store)],
      ([mirrored, served]) => equal(mirrored!, served!),
    );
    expect(reflector.metrics.relists).toBe(1);
    elsewhere.close();
    await other.close();
  });

  it('gives up a watch on which nothing comes', async () => {
    const reflector = reflect({ idleMs: 150 });
    await reflector.whenSynced();
    await eventually(
      () => reflector.state,
      (state) => state === 'watching',
    );
    proxy.faults = { silent: true };
    await maps().create(configMap('while-silent', 'x'));
    await eventually(
      () => reflector.metrics.watchFailures,
      (failures) => failures > 0,
    );
    proxy.faults = {};
    proxy.cut();
    await converged();
  });

  it('brings an event to the store within milliseconds', async () => {
    await reflect({ client: direct, resource: services }).whenSynced();
    await new Promise((resume) => setTimeout(resume, 50));
    const api = createResourceClient<KubeObject>(direct, services);
    const served = new Map<string, number>();
    const latencies: number[] = [];
    const stopServed = door.store.subscribe(({ resource, object }) => {
      if (resource === 'services') served.set(object.metadata.resourceVersion!, performance.now());
    });
    const stopMirror = store.subscribe(({ object }) => {
      latencies.push(performance.now() - served.get(object.metadata.resourceVersion!)!);
    });
    const writes: number[] = [];
    for (let i = 0; i < 100; i++) {
      const begun = performance.now();
      await api.mergePatch({ name: 'web' }, { metadata: { labels: { round: `${i}` } } });
      writes.push(performance.now() - begun);
    }
    await eventually(
      () => latencies.length,
      (count) => count >= 100,
    );
    stopServed();
    stopMirror();
    const median = (times: number[]) => times.sort((a, b) => a - b)[50]!;
    // On a busy machine everything takes longer: an event never takes much more than the write that made it.
    expect(median(latencies)).toBeLessThan(Math.max(10, 2 * median(writes)));
  });

  it('writes: create, update with its version, patch, apply, status, delete', async () => {
    const api = maps();
    const made = await api.create(configMap('written', 'one'), { fieldManager: 'test' });
    if (!made.ok) throw new Error(made.error.message);
    const again = await api.create(configMap('written', 'two'));
    expect(again.ok ? undefined : again.error).toMatchObject({ kind: 'status', code: 409, reason: 'AlreadyExists' });
    const updated = await api.update({ ...made.value, data: { value: 'two' } });
    expect(updated.ok && updated.value.data).toEqual({ value: 'two' });
    const stale = await api.update({ ...made.value, data: { value: 'three' } });
    expect(stale.ok ? undefined : stale.error).toMatchObject({ code: 409, reason: 'Conflict' });
    const patched = await api.jsonPatch({ name: 'written' }, [{ op: 'add', path: '/data/more', value: 'x' }]);
    expect(patched.ok && patched.value.data).toEqual({ value: 'two', more: 'x' });
    const fields = { metadata: { name: 'written', namespace: 'default' }, data: { value: 'applied' } };
    const contested = await api.apply(fields, { fieldManager: 'other' });
    expect(contested.ok ? undefined : contested.error).toMatchObject({ code: 409, causes: [{ field: '.data.value' }] });
    const forced = await api.apply(fields, { fieldManager: 'other', force: true });
    expect(forced.ok && forced.value.data).toEqual({ value: 'applied', more: 'x' });
    expect((await api.delete({ name: 'written' }, { uid: 'another' })).ok).toBe(false);
    expect((await api.delete({ name: 'written' })).ok).toBe(true);
    const gone = await api.get({ name: 'written' });
    expect(gone.ok ? undefined : gone.error.message).toMatch(/^GET http:.*configmaps\/written: 404 .*not found/);

    const balancer = { loadBalancer: { ingress: [{ ip: '192.0.2.1' }] } };
    const web = createResourceClient<KubeObject & { status?: object }>(direct, services);
    const status = await web.mergePatch({ name: 'web' }, { status: balancer }, { subresource: 'status' });
    expect(status.ok && status.value.status).toMatchObject(balancer);
  });

  it('elects one leader, and another one as soon as it leaves', async () => {
    const told: string[] = [];
    const candidate = (identity: string): LeaderElection =>
      createLeaderElection({
        ...{ client: direct, namespace: 'kube-system', name: 'test-lock', identity, retryMs: 50 },
        onStarted: () => told.push(`${identity} leads`),
        onStopped: () => told.push(`${identity} left`),
      });
    const [one, two] = [candidate('one'), candidate('two')];
    one.start();
    await eventually(() => one.isLeader(), Boolean);
    two.start();
    await new Promise((resume) => setTimeout(resume, 200));
    expect(two.isLeader()).toBe(false);
    await one.stop();
    await eventually(() => two.isLeader(), Boolean, 5000);
    await two.stop();
    expect(told).toEqual(['one leads', 'one left', 'two leads', 'two left']);
  });

  it('waits for a kind that is not served, and takes it up when it comes', async () => {
    const widgets = { ...configMaps, group: 'example.com', versions: ['v2', 'v1'], plural: 'widgets', kind: 'Widget' };
    const reflector = reflect({
      resource: widgets,
      client: direct,
      absentMs: 40,
      discovery: createDiscovery({ client: direct, keepMs: 20 }),
    });
    expect(await reflector.whenSynced()).toBe(true);
    expect(reflector.state).toBe('not served');
    const schema = { openAPIV3Schema: { type: 'object' } };
    const crd = {
      apiVersion: 'apiextensions.k8s.io/v1',
      kind: 'CustomResourceDefinition',
      metadata: { name: 'widgets.example.com' },
      spec: {
        group: 'example.com',
        scope: 'Namespaced',
        names: { plural: 'widgets', kind: 'Widget' },
        versions: [{ name: 'v1', served: true, storage: true, schema }],
      },
    };
    const crds = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
    const made = await direct.request({ method: 'POST', path: crds, body: crd });
    expect(made.ok ? undefined : made.error).toBeUndefined();
    const api = createResourceClient<KubeObject>(direct, widgets, 'v1');
    await api.create({
      apiVersion: 'example.com/v1',
      kind: 'Widget',
      metadata: { name: 'first', namespace: 'default' },
    });
    const found = await eventually(() => store.get('widgets.example.com', 'default/first'), Boolean);
    expect(found?.apiVersion).toBe('example.com/v1');
    await direct.request({ method: 'DELETE', path: `${crds}/widgets.example.com` });
    await eventually(
      () => [reflector.state, store.list('widgets.example.com').length],
      ([state, count]) => state === 'not served' && count === 0,
    );
  });
});

describe.skipIf(!canBind)('explain and its sisters through a kubeconfig', () => {
  it('asks the cluster of the context', async () => {
    const { mkdtempSync, rmSync, writeFileSync } = await import('node:fs');
    const { tmpdir } = await import('node:os');
    const { join } = await import('node:path');
    const door = await openDoor(21, { paths: ['-'], stdin: stream(...app('web')) });
    const folder = mkdtempSync(join(tmpdir(), 'kubeconfig-'));
    const kubeconfig = join(folder, 'config');
    const cluster = (server: string) => ({ server });
    writeFileSync(
      kubeconfig,
      JSON.stringify({
        clusters: [
          { name: 'here', cluster: cluster(door.summary.api) },
          { name: 'nowhere', cluster: cluster('http://127.0.0.1:1') },
        ],
        contexts: [
          { name: 'a', context: { cluster: 'nowhere' } },
          { name: 'b', context: { cluster: 'here' } },
        ],
        'current-context': 'a',
      }),
    );
    try {
      const world = await worldOf({ kubeconfig, context: 'b', adopt: true });
      expect(world.store.get('services', 'default/web')).toBeDefined();
      await expect(openWorld({ kubeconfig })).rejects.toThrow('127.0.0.1:1');
      await expect(openWorld({ kubeconfig, context: 'c' })).rejects.toThrow(
        'the context c is not there; contexts: a, b',
      );
    } finally {
      rmSync(folder, { recursive: true });
      await door.close();
    }
  });
});
