/**
 * How statuses of the Gateway API are written, over the API and counted: one write per object per settle, none when nothing
 * changed, stale entries removed, and entries of other controllers left as and where they are.
 */
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Change } from '../../src/kube/store/store.ts';
import type { Gateway, HTTPRoute, KubeObject, Unstructured } from '../../src/kube/types/index.ts';
import { apiOf, canBind, conditionsOf, openDoor, type TestDoor } from '../support/door.ts';
import { app, backendRef, gateway, httpRoute, type Manifest, stream } from '../support/manifests.ts';

const root = '/apis/gateway.networking.k8s.io/v1/namespaces/default';
const ours = 'fairway.dev/gateway';

type ParentStatus = NonNullable<HTTPRoute['status']>['parents'][number];

/** An entry as another controller writes it. */
const entryOf = (controllerName: string, name: string): ParentStatus => ({
  parentRef: { group: 'gateway.networking.k8s.io', kind: 'Gateway', name },
  controllerName,
  conditions: [
    {
      type: 'Accepted',
      status: 'True',
      reason: 'Accepted',
      message: 'theirs',
      observedGeneration: 1,
      lastTransitionTime: '2026-01-01T00:00:00Z',
    },
  ],
});

const listener = (name: string, hostname?: string): Manifest => ({
  name,
  port: 80,
  protocol: 'HTTP',
  ...(hostname && { hostname }),
});

describe.skipIf(!canBind)('status writes', () => {
  let door: TestDoor;
  let api: ReturnType<typeof apiOf>;
  /** Writes to statuses, by object. */
  const writes = new Map<string, number>();
  const key = ({ kind, metadata }: KubeObject) => `${kind}/${metadata.name}`;
  const note = ({ resource, object, previous }: Change) => {
    if (!resource.endsWith('gateway.networking.k8s.io') || !previous) return;
    if (JSON.stringify((object as Unstructured).status) === JSON.stringify((previous as Unstructured).status)) return;
    writes.set(key(object), (writes.get(key(object)) ?? 0) + 1);
  };
  const route = () => door.store.get<HTTPRoute>('httproutes.gateway.networking.k8s.io', 'default/r')!;
  const parents = () => route().status?.parents ?? [];

  /** Until what was changed is in force and its statuses are written; and then a while, for writes that should not be. */
  async function quiet(): Promise<Record<string, number>> {
    await door.settled();
    await new Promise((resume) => setTimeout(resume, 40));
    await door.settled();
    const counted = Object.fromEntries(writes);
    writes.clear();
    return counted;
  }

  beforeAll(async () => {
    door = await openDoor(-4, {
      paths: ['-'],
      stdin: stream(
        ...app('one'),
        gateway('a', [listener('all'), listener('some', '*.example.com')]),
        gateway('b'),
        httpRoute('r', 'a', [{ backendRefs: [backendRef('one')] }]),
      ),
    });
    api = apiOf(door);
    door.store.subscribe(note);
    await quiet();
  });
  afterAll(() => door.close(0));

  it('a burst of objects: each is written once, and the Gateway once per settle', async () => {
    await Promise.all(
      Array.from({ length: 20 }, (_, i) =>
        api.create(`${root}/httproutes`, httpRoute(`burst-${i}`, 'b', [{ backendRefs: [backendRef('one')] }])),
      ),
    );
    const { 'Gateway/b': gatewayWrites, ...others } = await quiet();
    expect(others).toEqual(Object.fromEntries(Array.from({ length: 20 }, (_, i) => [`HTTPRoute/burst-${i}`, 1])));
    expect(gatewayWrites).toBeLessThanOrEqual(5);
    expect(
      door.store.get<Gateway>('gateways.gateway.networking.k8s.io', 'default/b')!.status!.listeners![0]!.attachedRoutes,
    ).toBe(20);
    await Promise.all(Array.from({ length: 20 }, (_, i) => api.remove(`${root}/httproutes/burst-${i}`)));
    expect(Object.keys(await quiet())).toEqual(['Gateway/b']);
  });

  it('nothing is written when nothing changed for a status', async () => {
    await api.patch(`${root}/gateways/a`, { metadata: { labels: { irrelevant: 'yes' } } });
    await api.patch(`${root}/httproutes/r`, { metadata: { annotations: { 'example.com/note': 'yes' } } });
    await api.patch('/api/v1/namespaces/default/services/one', { metadata: { labels: { more: 'yes' } } });
    await api.create('/api/v1/namespaces/default/configmaps', { metadata: { name: 'unrelated' }, data: {} });
    expect(await quiet()).toEqual({});
  });

  it('a route that changes costs one write of its own, and its Gateway none while the count is the same', async () => {
    await api.patch(`${root}/httproutes/r`, { spec: { hostnames: ['a.example.com'] } });
    expect(await quiet()).toEqual({ 'HTTPRoute/r': 1 });
    await api.patch(`${root}/httproutes/r`, { spec: { hostnames: ['a.example.org'] } });
    expect(await quiet()).toEqual({ 'HTTPRoute/r': 1, 'Gateway/a': 1 });
  });

  it('Accepted=False does not outlive its cause', async () => {
    await api.patch(`${root}/httproutes/r`, {
      spec: { parentRefs: [{ name: 'a', sectionName: 'some' }], hostnames: ['a.example.org'] },
    });
    await quiet();
    expect(conditionsOf(parents()[0]!.conditions)).toContain('Accepted=False(NoMatchingListenerHostname)');
    await api.patch(`${root}/gateways/a`, {
      spec: { listeners: [listener('all'), listener('some', '*.example.org')] },
    });
    expect(await quiet()).toEqual({ 'HTTPRoute/r': 1, 'Gateway/a': 1 });
    expect(conditionsOf(parents()[0]!.conditions)).toContain('Accepted=True(Accepted)');
  });

  it('entries go with their parentRef and with their Gateway', async () => {
    await api.patch(`${root}/httproutes/r`, { spec: { parentRefs: [{ name: 'a' }, { name: 'b' }] } });
    await quiet();
    expect(parents().map(({ parentRef }) => parentRef.name)).toEqual(['a', 'b']);
    await api.patch(`${root}/httproutes/r`, { spec: { parentRefs: [{ name: 'b' }] } });
    await quiet();
    expect(parents().map(({ parentRef }) => parentRef.name)).toEqual(['b']);
    await api.remove(`${root}/gateways/b`);
    await quiet();
    expect(parents()).toEqual([]);
    await api.create(`${root}/gateways`, gateway('b'));
    expect(await quiet()).toMatchObject({ 'HTTPRoute/r': 1 });
    expect(parents().map(({ parentRef }) => parentRef.name)).toEqual(['b']);
  });

  /** What happens to the route: its parents, and what other controllers do to its status. */
  const step = fc.oneof(
    fc.record({ parents: fc.uniqueArray(fc.constantFrom('a', 'b', 'nobody'), { minLength: 1, maxLength: 3 }) }),
    fc.record({
      insert: fc.constantFrom('one.example/c', 'two.example/c'),
      at: fc.nat(4),
      of: fc.constantFrom('a', 'b'),
    }),
    fc.record({ drop: fc.nat(4) }),
    fc.record({ swap: fc.constant(true) }),
    fc.record({ spoil: fc.nat(4) }),
  );

  const putParents = (next: readonly ParentStatus[]) =>
    api.patch(`${root}/httproutes/r/status`, { status: { parents: next } });

  type Doing = typeof step extends fc.Arbitrary<infer T> ? T : never;

  async function act(doing: Doing): Promise<void> {
    const now = [...parents()];
    const theirs = now.filter(({ controllerName }) => controllerName !== ours);
    if ('parents' in doing)
      await api.patch(`${root}/httproutes/r`, { spec: { parentRefs: doing.parents.map((name) => ({ name })) } });
    else if ('insert' in doing) {
      const entry = entryOf(doing.insert, doing.of);
      const isThere = theirs.some((each) => each.controllerName === doing.insert && each.parentRef.name === doing.of);
      if (!isThere) await putParents(now.toSpliced(doing.at, 0, entry));
    } else if ('drop' in doing) await putParents(now.filter((each) => each !== theirs[doing.drop]));
    else if ('swap' in doing) await putParents(now.toReversed());
    else
      await putParents(
        now.map((each, i) =>
          i === doing.spoil && each.controllerName === ours
            ? { ...each, conditions: [{ ...entryOf(ours, 'a').conditions![0]!, status: 'False' as const }] }
            : each,
        ),
      );
  }

  it('whatever others do: theirs stay in their order, ours are one for each parent of ours, in at most one write', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 6 }), async (steps) => {
        for (const doing of steps) {
          await act(doing);
          const theirs = parents().filter(({ controllerName }) => controllerName !== ours);
          const all = (await quiet())['HTTPRoute/r'] ?? 0;
          // One is theirs, and one may be our answer.
          expect(all, JSON.stringify(doing)).toBeLessThanOrEqual(2);
          expect(parents().filter(({ controllerName }) => controllerName !== ours)).toEqual(theirs);
          const mine = parents().filter(({ controllerName }) => controllerName === ours);
          const wanted = (route().spec.parentRefs ?? []).filter(({ name }) => name !== 'nobody');
          expect(mine.map(({ parentRef }) => parentRef.name).sort()).toEqual(wanted.map(({ name }) => name).sort());
          for (const { conditions } of mine) {
            expect(conditionsOf(conditions)).toContain('Accepted=True(Accepted)');
            for (const { observedGeneration } of conditions!)
              expect(observedGeneration).toBe(route().metadata.generation);
          }
        }
      }),
      { numRuns: 8, endOnFailure: true },
    );
  }, 30_000);
});
