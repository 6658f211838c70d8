/** Who is in turn, and for how much: zones, slow start, limits, connections in advance. */
import { describe, expect, it } from 'vitest';
import type { BackendPolicy } from '../../routing/plan/backend-policy.ts';
import { backend, endpoint } from '../testing/plans.ts';
import type { Pool } from './pool.ts';
import { createRoom, expireWaiting, hasRoomForRequest, waitFor, wake } from './room.ts';
import { listed, pools, shares, upstreamsOf } from './testing.ts';
import { createUpstreams } from './upstreams.ts';
import { keepWarm } from './warm.ts';

describe('zones', () => {
  const zoned = (zones: string) =>
    [...zones].map((zone, i) => endpoint(`10.0.0.${i + 1}`, 80, zone === '-' ? {} : { zone }));
  const used = (zones: string, rule?: BackendPolicy['zones'], own: string | undefined = 'a') => {
    const upstreams = createUpstreams({ zone: own });
    upstreams.setBackends({ x: { ...backend('x'), ...(rule && { policy: { zones: rule } }) } });
    upstreams.setEndpoints('x', zoned(zones));
    return upstreams
      .of('x')
      .targets.map(({ zone }) => zone ?? '-')
      .join('');
  };

  it.each([
    ['a fair share of the endpoints is near', 'aabbcc', undefined, 'aa'],
    ['more than that is near', 'aaab', undefined, 'aaa'],
    ['less is near', 'abbbcc', undefined, 'abbbcc'],
    ['nothing is near', 'bbcc', undefined, 'bbcc'],
    ['an endpoint does not name its zone', 'aab-', undefined, 'aab-'],
    ['less is near, and the Service wants it so', 'abbbcc', 'same', 'a'],
    ['nothing is near, though the Service wants it so', 'bb', 'same', 'bb'],
    ['zones do not matter', 'aabb', 'any', 'aabb'],
  ] as const)('when %s', (_, zones, rule, expected) => {
    expect(used(zones, rule)).toBe(expected);
  });

  it('do not matter to a data plane that does not know its own', () => {
    const upstreams = createUpstreams();
    upstreams.setEndpoints('x', zoned('aabb'));
    expect(upstreams.of('x').targets).toHaveLength(4);
  });
});

describe('slow start', () => {
  const policy: BackendPolicy = { slowStartMs: 10_000 };

  it('gives a new endpoint a share that grows', () => {
    const { upstreams, upstream } = upstreamsOf(policy, 3);
    upstreams.expire(0);
    expect(Object.values(shares(upstream, 300))).toEqual([100, 100, 100]);
    upstreams.setEndpoints('a', listed(4));
    const share = () => shares(upstream, 4_000)['10.0.0.4:80']! / 1_000;
    expect(share()).toBeCloseTo(0.1 * (4 / 3.1), 1);
    upstreams.expire(5_000);
    expect(share()).toBeCloseTo(0.5 * (4 / 3.5), 1);
    upstreams.expire(10_000);
    expect(share()).toBeCloseTo(1, 2);
  });

  it('is not begun anew by plans, other policies or other endpoints', () => {
    const { upstreams, upstream } = upstreamsOf(policy, 2);
    upstreams.expire(0);
    upstreams.setEndpoints('a', listed(3));
    upstreams.expire(5_000);
    upstreams.setBackends({ a: { ...backend('a'), policy: { ...policy, balance: { type: 'random' } } } });
    upstreams.setEndpoints('a', listed(4).reverse());
    upstreams.expire(5_100);
    expect(upstream.targets.map(({ weight }) => weight)).toEqual([0.1, 0.51, 1, 1]);
  });

  it('ends with its policy', () => {
    const { upstreams, upstream } = upstreamsOf(policy, 2);
    upstreams.setEndpoints('a', listed(3));
    upstreams.setBackends({ a: backend('a') });
    expect(Object.values(shares(upstream, 300))).toEqual([100, 100, 100]);
  });
});

describe('a change of policy', () => {
  it('takes effect on the pools there are', () => {
    const { upstreams, upstream } = upstreamsOf(undefined, 3);
    const before = [...upstream.pools.values()];
    upstreams.setBackends({
      a: {
        ...backend('a'),
        policy: { balance: { type: 'hash', by: [{ by: 'address' }] }, limits: { maxRequests: 1 } },
      },
    });
    expect([...upstream.pools.values()]).toEqual(before);
    expect(Object.values(shares(upstream, 50, () => 7))).toEqual([50]);
    expect(upstream.room.limits).toEqual({ maxRequests: 1 });
    upstreams.setBackends({ a: backend('a') });
    expect(upstream.balance).toBeUndefined();
    expect(upstream.keyOf).toBeUndefined();
  });
});

describe('room', () => {
  const resumed = () => new Promise((resolve) => setImmediate(() => setImmediate(resolve)));

  it('is given in the order of waiting, as it becomes free', async () => {
    const room = createRoom();
    room.limits = { maxRequests: 1, maxPending: 2 };
    room.active = 1;
    const events: string[] = [];
    const waiter = (name: string) => ({
      until: 1_000,
      resume() {
        if (!hasRoomForRequest(room)) return false;
        room.active++;
        events.push(name);
        return true;
      },
      expire: () => void events.push(`${name} too late`),
    });
    expect(['a', 'b', 'c'].map((name) => waitFor(room, waiter(name)))).toEqual([true, true, false]);
    wake(room);
    await resumed();
    expect(events).toEqual([]);
    room.active--;
    wake(room);
    await resumed();
    expect(events).toEqual(['a']);
    expireWaiting(room, 999);
    expireWaiting(room, 1_000);
    expect(events).toEqual(['a', 'b too late']);
    expect(room.waiting.size).toBe(0);
  });
});

describe('connections in advance', () => {
  it('are no more than the backend may have', () => {
    const openIdle = (pool: Pool) => void pool.open++;
    const policy = { limits: { maxConnections: 5 }, warmConnections: 20 };
    const { upstreams, upstream } = upstreamsOf(policy, 2, { openIdle });
    upstreams.expire(0);
    upstreams.expire(100);
    expect([...upstream.pools.values()].reduce((sum, { open }) => sum + open, 0)).toBe(5);
  });

  it('are opened as they are missing, and less often when that fails', () => {
    const [pool] = pools(1);
    const begun: ((connected: boolean) => void)[] = [];
    const keep = (now: number) => keepWarm(pool!, 2, now, (_, over) => begun.push(over));
    keep(0);
    keep(100);
    expect(begun).toHaveLength(2);
    for (const over of begun) over(false);
    keep(900);
    expect(begun).toHaveLength(2);
    keep(1_000);
    expect(begun).toHaveLength(4);
    begun[2]!(false);
    begun[3]!(false);
    keep(2_900);
    expect(begun).toHaveLength(4);
    keep(3_000);
    expect(begun).toHaveLength(6);
  });
});
