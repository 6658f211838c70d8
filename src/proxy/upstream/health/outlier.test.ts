import { describe, expect, it } from 'vitest';
import type { OutlierEjectionPolicy } from '../../../routing/plan/backend-policy.ts';
import { backend } from '../../testing/plans.ts';
import { listed, shares, upstreamsOf } from '../testing.ts';
import type { Upstream, Upstreams } from '../upstreams.ts';
import { NO_RESPONSE } from './outlier.ts';

const policy: OutlierEjectionPolicy = {
  consecutive5xx: 3,
  consecutiveGatewayFailures: 2,
  baseEjectionMs: 1_000,
  maxEjectionMs: 2_500,
  maxEjectionPercent: 50,
  panicPercent: 0,
};
const second = '10.0.0.2:80';
const inTurn = ({ targets }: Upstream) => targets.map(({ key }) => key.split('.')[3]);

function report(upstreams: Upstreams, upstream: Upstream, key: string, statuses: readonly number[]): void {
  const pool = upstream.pools.get(key)!;
  for (const status of statuses) upstreams.noteOutcome(upstream, pool, status);
}

function setUp(more: Partial<OutlierEjectionPolicy> = {}, count = 4) {
  let ejections = 0;
  const made = upstreamsOf({ outlierEjection: { ...policy, ...more } }, count, { onEjection: () => void ejections++ });
  made.upstreams.expire(0);
  const at = (place: number, statuses: readonly number[]) =>
    report(made.upstreams, made.upstream, `10.0.0.${place}:80`, statuses);
  return { ...made, at, ejections: () => ejections };
}

describe('an endpoint that fails in a row', () => {
  it.each([
    ['5xx', [500, 500, 500]],
    ['gateway failures', [502, 504]],
    ['no response', [NO_RESPONSE, NO_RESPONSE]],
    ['a mixture', [NO_RESPONSE, 500, 500]],
  ])('is out of turn: %s', (_, statuses) => {
    const { upstream, at, ejections } = setUp();
    at(2, statuses.slice(1));
    at(2, [200]);
    at(2, statuses.slice(1));
    expect(ejections()).toBe(0);
    at(2, [200]);
    at(2, statuses);
    expect(ejections()).toBe(1);
    expect(shares(upstream, 300)).toEqual({ '10.0.0.1:80': 100, '10.0.0.3:80': 100, '10.0.0.4:80': 100 });
  });

  it('stays when its failures are not in a row, or are the client’s', () => {
    const { upstream, at } = setUp();
    at(2, [500, 500, 200, 500, 500, 404, 500, 500]);
    expect(upstream.targets).toHaveLength(4);
  });

  it('comes back after a time that grows with every ejection, up to a limit, and shrinks again', () => {
    const { upstreams, upstream, at } = setUp();
    let now = 0;
    const outFor = () => {
      at(2, [502, 502]);
      const from = now;
      for (; upstream.targets.length === 3; now += 100) upstreams.expire(now);
      now -= 100;
      return now - from;
    };
    expect([outFor(), outFor(), outFor(), outFor()]).toEqual([1_000, 2_000, 2_500, 2_500]);
    for (const until = now + 20_000; now < until; now += 100) upstreams.expire(now);
    upstreams.expire(now);
    expect(outFor()).toBe(1_000);
  });

  it('begins anew when it comes back, whatever became of requests that were under way', () => {
    const { upstreams, upstream, at } = setUp();
    at(2, [500, 500, 500, 500, 500, 500]);
    expect(upstream.targets).toHaveLength(3);
    upstreams.expire(1_000);
    expect(upstream.targets).toHaveLength(4);
    at(2, [500]);
    expect(upstream.targets).toHaveLength(4);
    at(2, [500, 500]);
    expect(upstream.targets).toHaveLength(3);
  });
});

describe('ejection', () => {
  it('leaves a part of the endpoints in turn, and at least one', () => {
    const four = setUp();
    for (const place of [1, 2, 3, 4]) four.at(place, [502, 502, 502]);
    expect(inTurn(four.upstream)).toEqual(['3:80', '4:80']);
    const greedy = setUp({ maxEjectionPercent: 100 }, 3);
    for (const place of [1, 2, 3]) greedy.at(place, [502, 502, 502]);
    expect(inTurn(greedy.upstream)).toEqual(['3:80']);
    const only = setUp({ maxEjectionPercent: 100 }, 1);
    only.at(
      1,
      Array.from({ length: 50 }, () => 503),
    );
    expect(inTurn(only.upstream)).toEqual(['1:80']);
  });

  it('may take one of a few, unless none may be', () => {
    const two = setUp({ maxEjectionPercent: 10 }, 2);
    two.at(1, [502, 502]);
    expect(inTurn(two.upstream)).toEqual(['2:80']);
    const none = setUp({ maxEjectionPercent: 0 });
    none.at(1, [502, 502, 502, 502]);
    expect(none.upstream.targets).toHaveLength(4);
  });

  it('is disregarded when too few would be left', () => {
    const { upstream, at } = setUp({ maxEjectionPercent: 100, panicPercent: 50 });
    at(1, [502, 502]);
    at(2, [502, 502]);
    expect(upstream.targets).toHaveLength(2);
    at(3, [502, 502]);
    expect(upstream.targets).toHaveLength(4);
  });

  it('outlives plans and endpoints that come and go, but not its policy', () => {
    const { upstreams, upstream, at } = setUp();
    at(2, [502, 502]);
    upstreams.setEndpoints('a', listed(5).reverse());
    upstreams.setBackends({ a: { ...backend('a'), policy: { outlierEjection: { ...policy }, slowStartMs: 0 } } });
    expect(upstream.targets.map(({ key }) => key)).not.toContain(second);
    expect(upstream.targets).toHaveLength(4);
    const pool = upstream.pools.get(second);
    upstreams.setBackends({ a: backend('a') });
    expect(upstream.targets).toContain(pool);
  });
});
