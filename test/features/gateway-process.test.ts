/** Two replicas of `fairway gateway` against the API of `fairway up --no-gateway`, and everything that can go wrong there. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Gateway, HTTPRoute } from '../../src/kube/types/index.ts';
import { apiOf, ask, canBind, conditionsOf, eventually, openDoor, type TestDoor } from '../support/door.ts';
import { httpAnswer, statusBody } from '../support/fault-proxy.ts';
import { app, backendRef, gateway, httpRoute, stream } from '../support/manifests.ts';
import { countStatusWrites, openReplica, type Replica, sendTraffic, type Traffic } from '../support/replica.ts';

if (!canBind) console.log('skipped: the front door on its own addresses needs Linux and root');

const [first, second] = ['127.77.88.1', '127.77.88.2'] as const;
const host = 'steady.example.com';
const group = '/apis/gateway.networking.k8s.io/v1/namespaces/default';
const route = (name: string, ...hostnames: string[]) =>
  httpRoute(name, 'door', [{ backendRefs: [backendRef('web')] }], { hostnames });

describe.skipIf(!canBind)('two replicas of fairway gateway', () => {
  let door: TestDoor;
  const replicas: Replica[] = [];
  let traffic: Traffic[] = [];
  let made = 0;

  const api = () => apiOf(door);
  const stored = <T>(resource: string, name: string) =>
    door.store.get(`${resource}.gateway.networking.k8s.io`, `default/${name}`) as T | undefined;
  const leaders = () => replicas.filter(({ role }) => role.isLeader());
  const acceptedBy = (name: string) => (stored<HTTPRoute>('httproutes', name)?.status?.parents ?? []).length;

  /** A route that was not there before is served by every replica and has its status. */
  async function changeIsServed(): Promise<string> {
    const name = `added-${++made}`;
    await api().create(`${group}/httproutes`, route(name, `${name}.example.com`));
    for (const address of [first, second])
      await eventually(
        () => ask({ address, host: `${name}.example.com` }),
        ({ status }) => status === 200,
        10_000,
      );
    await eventually(
      () => acceptedBy(name),
      (parents) => parents === 1,
      10_000,
    );
    return name;
  }

  /** Counts alone are written half a second after the last. */
  const countsSettle = () =>
    eventually(
      () => stored<Gateway>('gateways', 'door')?.status?.listeners?.[0]?.attachedRoutes,
      (attached) => attached === door.store.list('httproutes.gateway.networking.k8s.io').length,
    );

  beforeAll(async () => {
    door = await openDoor(8, {
      gateway: false,
      paths: ['-'],
      stdin: stream(...app('web', { replicas: 2 }), gateway('door'), route('steady', host)),
    });
  });
  beforeAll(async () => {
    for (const listen of [first, second])
      replicas.push(await openReplica(door.summary.api, listen, { addresses: { listen, published: ['192.0.2.7'] } }));
    await eventually(() => replicas.every(({ role }) => role.isReady()), Boolean, 10_000);
    await eventually(
      () => acceptedBy('steady'),
      (parents) => parents === 1,
    );
  });
  beforeEach(async () => {
    await eventually(
      () => leaders().length,
      (count) => count === 1,
    );
    await eventually(() => replicas.every(({ role }) => role.pendingStatuses === 0), Boolean);
    await countsSettle();
    traffic = [first, second].map((address) => sendTraffic(address, host));
  });
  afterEach(async () => {
    const failed = await Promise.all(traffic.map((each) => each.stop()));
    expect(failed).toEqual([{}, {}]);
    for (const { seen } of traffic) expect(seen.get('200')).toBeGreaterThan(20);
  });
  afterAll(async () => {
    await Promise.all(replicas.map((replica) => replica.stop()));
    await door?.close();
  });

  it('serve alike, and one of them writes each status once', async () => {
    const { status } = stored<Gateway>('gateways', 'door')!;
    expect(status?.addresses).toEqual([{ type: 'IPAddress', value: '192.0.2.7' }]);
    expect(conditionsOf(status?.conditions)).toContain('Programmed=True(Programmed)');
    const { counts, stop } = countStatusWrites(door.store);
    const [leader] = leaders();
    const follower = replicas.find((replica) => replica !== leader)!;
    const before = follower.patches();
    const name = await changeIsServed();
    await countsSettle();
    await new Promise((resume) => setTimeout(resume, 300));
    stop();
    expect(counts).toEqual({ 'Gateway default/door': 1, [`HTTPRoute default/${name}`]: 1 });
    expect(follower.patches()).toBe(before);
    expect(replicas.flatMap(({ findings }) => findings)).toEqual([]);
    expect(replicas.flatMap(({ logs }) => logs.filter((line) => line.startsWith('error')))).toEqual([]);
  });

  it('go on when the leader is cut off: the other takes over, and each status is written once', async () => {
    const [leader] = leaders();
    const follower = replicas.find((replica) => replica !== leader)!;
    const before = leader!.patches();
    leader!.api.faults = { down: true };
    leader!.api.cut();
    await eventually(() => follower.role.isLeader(), Boolean, 8000);
    expect(leader!.role.isLeader()).toBe(false);
    const { counts, stop } = countStatusWrites(door.store);
    await api().create(`${group}/httproutes`, route('taken-over', 'taken-over.example.com'));
    await eventually(
      () => acceptedBy('taken-over'),
      (parents) => parents === 1,
    );
    leader!.api.faults = {};
    await changeIsServed();
    stop();
    expect(Object.values(counts).every((count) => count <= 2)).toBe(true);
    expect(counts['HTTPRoute default/taken-over']).toBe(1);
    expect(leader!.patches()).toBe(before);
  });

  it('keep serving the last plan while the API is away, and resume where they were', async () => {
    for (const { api: way } of replicas) {
      way.faults = { down: true };
      way.cut();
    }
    const { counts, stop } = countStatusWrites(door.store);
    await api().create(`${group}/httproutes`, route('meanwhile', 'meanwhile.example.com'));
    await new Promise((resume) => setTimeout(resume, 2600));
    expect(leaders()).toEqual([]);
    expect(replicas.every(({ role }) => role.isReady())).toBe(true);
    const codes = replicas.map(({ role }) => role.diagnostics().map(({ code }) => code));
    expect(codes).toEqual([['FW1602'], ['FW1602']]);
    for (const { api: way } of replicas) way.faults = {};
    await eventually(
      () => acceptedBy('meanwhile'),
      (parents) => parents === 1,
      8000,
    );
    for (const address of [first, second])
      expect((await ask({ address, host: 'meanwhile.example.com' })).status).toBe(200);
    await eventually(
      () => replicas.flatMap(({ role }) => role.diagnostics()),
      (now) => now.length === 0,
    );
    await countsSettle();
    stop();
    expect(counts).toEqual({ 'Gateway default/door': 1, 'HTTPRoute default/meanwhile': 1 });
  });

  it('list anew over what they have when a watch cannot be taken up (410), and nothing is written for it', async () => {
    const { counts, stop } = countStatusWrites(door.store);
    const lists = () => replicas.map(({ role }) => role.relists);
    const before = lists();
    for (const { api: way } of replicas) {
      way.faults = {
        answer: (line) => (line.includes('watch=true') ? httpAnswer(410, statusBody(410, 'Expired')) : undefined),
      };
      way.cut();
    }
    await eventually(lists, (now) => now.every((count, i) => count > before[i]! + 20), 8000);
    for (const { api: way } of replicas) way.faults = {};
    stop();
    expect(counts).toEqual({});
    await changeIsServed();
  });

  it('hand over at once when the leader is stopped', async () => {
    const [leader] = leaders();
    const follower = replicas.find((replica) => replica !== leader)!;
    const clients = traffic[replicas.indexOf(leader!)]!;
    await eventually(
      () => clients.seen.get('200') ?? 0,
      (count) => count > 20,
    );
    expect(await clients.stop()).toEqual({});
    await leader!.stop();
    await eventually(() => follower.role.isLeader(), Boolean, 1000);
  });
});
