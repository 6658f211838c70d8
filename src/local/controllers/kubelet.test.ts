import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it, vi } from 'vitest';
import type { Pod, PodCondition } from '../../kube/types/index.ts';
import type { PodRuntime, PodState } from '../runtime.ts';
import { createTestCluster, deployment, endpointsOf, pod, service } from './cluster.fixture.ts';

const condition = (item: Pod, type: string): PodCondition | undefined =>
  item.status?.conditions?.find((entry) => entry.type === type);

/** A runtime that does what the test tells it. */
function createFakeRuntime() {
  const calls: string[] = [];
  let tell: (key: string, state: PodState) => void = () => {};
  const runtime: PodRuntime = {
    ensure: (item) => calls.push(`ensure ${item.metadata.name} ${item.status?.podIP}`),
    remove: (key) => calls.push(`remove ${key}`),
    onState: (listener) => {
      tell = listener;
    },
    logs: () => undefined,
    close: async () => {},
  };
  return { runtime, calls, say: (key: string, state: PodState) => tell(key, state) };
}

describe('a Pod without a runtime', () => {
  it('runs at once, with both families of addresses', () => {
    const cluster = createTestCluster();
    cluster.apply(pod('web', { app: 'web' }));
    const { status, spec } = cluster.get<Pod>('pods', 'default/web');
    expect(spec.nodeName).toBe('fairway');
    expect(status).toMatchObject({ phase: 'Running', hostIP: '127.245.0.1', hostIPs: [{ ip: '127.245.0.1' }] });
    expect(status!.podIPs).toEqual([{ ip: status!.podIP }, { ip: expect.stringMatching(/^fd00:244::/) }]);
    expect(status!.conditions!.map(({ type, status: value }) => `${type}=${value}`)).toEqual([
      'PodScheduled=True',
      'Initialized=True',
      'ContainersReady=True',
      'Ready=True',
    ]);
    expect(status!.containerStatuses).toEqual([
      expect.objectContaining({ name: 'app', ready: true, state: { running: { startedAt: expect.any(String) } } }),
    ]);
  });

  it('has the address of its node with hostNetwork', () => {
    const cluster = createTestCluster();
    cluster.apply(pod('agent', {}, { hostNetwork: true }));
    expect(cluster.get<Pod>('pods', 'default/agent').status!.podIPs).toEqual([{ ip: '127.245.0.1' }]);
  });

  it('leaves the rotation and comes back by its annotation, and its times tell when', () => {
    let now = Date.UTC(2026, 0, 1);
    const cluster = createTestCluster({ clock: { now: () => now } });
    cluster.apply(pod('web', { app: 'web' }));
    now += 60_000;
    cluster.patch('pods', 'default/web', { metadata: { annotations: { 'fairway.dev/ready': 'false' } } });
    const unready = cluster.get<Pod>('pods', 'default/web');
    expect(condition(unready, 'Ready')).toMatchObject({
      status: 'False',
      reason: 'ContainersNotReady',
      lastTransitionTime: '2026-01-01T00:01:00Z',
    });
    expect(condition(unready, 'PodScheduled')).toMatchObject({ lastTransitionTime: '2026-01-01T00:00:00Z' });
    cluster.patch('pods', 'default/web', { metadata: { annotations: {} } });
    expect(condition(cluster.get<Pod>('pods', 'default/web'), 'Ready')!.status).toBe('True');
  });

  it('waits for its readiness gates', () => {
    const cluster = createTestCluster();
    cluster.apply(pod('web', {}, { readinessGates: [{ conditionType: 'example.com/warm' }] }));
    const waiting = cluster.get<Pod>('pods', 'default/web');
    expect(condition(waiting, 'ContainersReady')!.status).toBe('True');
    expect(condition(waiting, 'Ready')).toMatchObject({ status: 'False', reason: 'ReadinessGatesNotReady' });
    const conditions = [...waiting.status!.conditions!, { type: 'example.com/warm', status: 'True' as const }];
    cluster.objects.update({ ...waiting, status: { ...waiting.status, conditions } }, { subresource: 'status' });
    cluster.cluster.settle();
    const warm = cluster.get<Pod>('pods', 'default/web');
    expect(condition(warm, 'Ready')!.status).toBe('True');
    expect(condition(warm, 'example.com/warm')!.status).toBe('True');
  });

  it('goes at once when deleted offline', () => {
    const cluster = createTestCluster();
    cluster.apply(pod('web', {}));
    cluster.delete('pods', 'default/web', 30);
    expect(cluster.pods()).toEqual([]);
  });

  it('stays while somebody holds it with a finalizer', () => {
    const cluster = createTestCluster();
    const held = pod('web', {});
    held.metadata.finalizers = ['example.com/hold'];
    cluster.apply(held);
    cluster.delete('pods', 'default/web');
    expect(cluster.pods()).toHaveLength(1);
    cluster.patch('pods', 'default/web', { metadata: { finalizers: [] } });
    expect(cluster.pods()).toEqual([]);
  });
});

describe('a Pod with a runtime', () => {
  it('is pending until the runtime says that it answers, and says so when that takes a while', async () => {
    const { runtime, calls, say } = createFakeRuntime();
    const cluster = createTestCluster({ runtime });
    cluster.apply(service('web'), pod('web', { app: 'web' }));
    expect(cluster.get<Pod>('pods', 'default/web').status?.podIP).toBeUndefined();
    const pending = await vi.waitFor(() => {
      cluster.cluster.settle();
      const waiting = cluster.get<Pod>('pods', 'default/web');
      expect(waiting.status?.podIP).toBeDefined();
      return waiting;
    });
    expect(pending.status).toMatchObject({ phase: 'Pending' });
    expect(condition(pending, 'Ready')!.status).toBe('False');
    expect(calls).toEqual([`ensure web ${pending.status!.podIP}`]);
    expect(cluster.slices('web')[0]!.endpoints[0]!.conditions).toEqual({
      ready: false,
      serving: false,
      terminating: false,
    });

    say('default/web', { type: 'running' });
    cluster.cluster.settle();
    expect(cluster.get<Pod>('pods', 'default/web').status).toMatchObject({ phase: 'Running' });
    expect(cluster.slices('web')[0]!.endpoints[0]!.conditions!.ready).toBe(true);
    expect(calls).toHaveLength(1);
  });

  it('is pending while there is no room for its sockets, and all that wait are one finding', () => {
    const { runtime, say } = createFakeRuntime();
    const cluster = createTestCluster({ runtime });
    for (const n of [1, 2, 3, 4, 5]) {
      cluster.apply(pod(`web-${n}`, {}));
      say(`default/web-${n}`, { type: 'failing', message: 'no sockets left', cause: 'wants-room' });
    }
    cluster.cluster.settle();
    expect(cluster.get<Pod>('pods', 'default/web-4').status).toMatchObject({
      phase: 'Pending',
      containerStatuses: [{ state: { waiting: { reason: 'OutOfOpenFiles', message: 'no sockets left' } } }],
    });
    const told = () => cluster.cluster.diagnostics().map(({ code, message }) => `${code} ${message}`);
    const first = 'default/web-1, default/web-2, default/web-3';
    expect(told()).toEqual([`FW1515 5 Pods wait: no sockets left: ${first} and 2 more`]);
    expect(cluster.cluster.diagnostics()[0]!.hint).toContain('ulimit -n');
    say('default/web-1', { type: 'running' });
    for (const n of [2, 3, 4]) cluster.objects.delete('pods', `default/web-${n}`);
    cluster.cluster.settle();
    expect(told()).toEqual(['FW1515 1 Pod waits: no sockets left: default/web-5']);
    say('default/web-5', { type: 'running' });
    cluster.cluster.settle();
    expect(told()).toEqual([]);
  });

  it('says why it does not run, until it does', () => {
    const { runtime, say } = createFakeRuntime();
    const cluster = createTestCluster({ runtime });
    cluster.apply(pod('web', {}));
    say('default/web', { type: 'failing', message: 'port 80: permission denied' });
    cluster.cluster.settle();
    expect(cluster.cluster.diagnostics()).toMatchObject([{ code: 'FW1513', message: 'port 80: permission denied' }]);
    expect(cluster.get<Pod>('pods', 'default/web').status!.containerStatuses).toMatchObject([
      { ready: false, state: { waiting: { reason: 'RunContainerError', message: 'port 80: permission denied' } } },
    ]);
    say('default/web', { type: 'running' });
    cluster.cluster.settle();
    expect(cluster.codes()).toEqual([]);
  });

  it('is told to the runtime again when it changes, and when another one takes its name', () => {
    const { runtime, calls, say } = createFakeRuntime();
    const cluster = createTestCluster({ runtime });
    cluster.apply(pod('web', {}));
    say('default/web', { type: 'running' });
    cluster.patch('pods', 'default/web', { metadata: { annotations: { note: 'x' } } });
    expect(calls.map((call) => call.split(' ')[0])).toEqual(['ensure', 'ensure']);
    cluster.objects.delete('pods', 'default/web');
    cluster.apply(pod('web', {}));
    expect(calls.map((call) => call.split(' ')[0])).toEqual(['ensure', 'ensure', 'remove', 'ensure']);
    expect(cluster.get<Pod>('pods', 'default/web').status!.phase).toBe('Pending');
  });

  it('takes on an answer that comes within the call', () => {
    const { runtime, say } = createFakeRuntime();
    const quick: PodRuntime = {
      ...runtime,
      ensure: (item) => say(`default/${item.metadata.name}`, { type: 'running' }),
    };
    const cluster = createTestCluster({ runtime: quick });
    cluster.apply(pod('web', {}));
    expect(cluster.get<Pod>('pods', 'default/web').status!.phase).toBe('Running');
  });
});

describe('a running cluster', () => {
  it('works by itself, and lets deleted Pods finish: serving, terminating, no longer ready', async () => {
    const cluster = createTestCluster({ terminationDelay: 150 });
    cluster.cluster.start();
    cluster.objects.create(service('web'));
    cluster.objects.create(deployment('web', 1));
    await expect.poll(() => endpointsOf(cluster.slices('web'))).toHaveLength(1);
    const [first] = cluster.pods();

    cluster.objects.delete('pods', `default/${first!.metadata.name}`, { graceSeconds: 30 });
    await expect.poll(() => cluster.slices('web')[0]!.endpoints).toHaveLength(2);
    const endpoints = cluster.slices('web')[0]!.endpoints;
    const going = endpoints.find((endpoint) => endpoint.targetRef!.name === first!.metadata.name);
    expect(going!.conditions).toEqual({ ready: false, serving: true, terminating: true });
    const coming = endpoints.find((endpoint) => endpoint !== going);
    expect(coming!.conditions).toEqual({ ready: true, serving: true, terminating: false });

    await expect.poll(() => cluster.podNames()).not.toContain(first!.metadata.name);
    await expect.poll(() => cluster.slices('web')[0]!.endpoints).toHaveLength(1);
    cluster.cluster.stop();
    const { revision } = cluster.store;
    cluster.objects.delete('deployments.apps', 'default/web');
    await sleep(20);
    expect(cluster.store.revision).toBe(revision + 1);
  });
});
