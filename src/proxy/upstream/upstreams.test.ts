import { describe, expect, it } from 'vitest';
import { endpoint } from '../testing/plans.ts';
import { createUpstreams, nextTarget, type Upstream } from './upstreams.ts';

const turns = (upstream: Upstream, count: number) =>
  Array.from({ length: count }, () => nextTarget(upstream, undefined)?.key);

describe('upstreams', () => {
  it('take turns over ready endpoints', () => {
    const upstreams = createUpstreams();
    upstreams.setEndpoints('a', [
      endpoint('10.0.0.1', 80),
      endpoint('10.0.0.2', 80),
      endpoint('10.0.0.3', 80, { ready: false }),
    ]);
    expect(turns(upstreams.of('a'), 4)).toEqual(['10.0.0.1:80', '10.0.0.2:80', '10.0.0.1:80', '10.0.0.2:80']);
  });

  it('fall back to endpoints that serve while they terminate, and to no others', () => {
    const upstreams = createUpstreams();
    const gone = { ready: false, serving: false, terminating: true };
    const leaving = { ready: false, serving: true, terminating: true };
    upstreams.setEndpoints('a', [endpoint('10.0.0.1', 80, gone), endpoint('10.0.0.2', 80, leaving)]);
    expect(turns(upstreams.of('a'), 2)).toEqual(['10.0.0.2:80', '10.0.0.2:80']);
    upstreams.setEndpoints('a', [endpoint('10.0.0.1', 80, gone)]);
    expect(turns(upstreams.of('a'), 1)).toEqual([undefined]);
  });

  it('skip what was tried', () => {
    const upstreams = createUpstreams();
    upstreams.setEndpoints('a', [endpoint('10.0.0.1', 80), endpoint('fd00::1', 80)]);
    const upstream = upstreams.of('a');
    const [first, second] = upstream.targets;
    expect(second?.key).toBe('[fd00::1]:80');
    expect(nextTarget(upstream, [first!])).toBe(second);
    expect(nextTarget(upstream, [first!])).toBe(second);
    expect(nextTarget(upstream, [first!, second!])).toBeUndefined();
  });

  it('keep the pool of an endpoint that stays, and drain that of one that goes', () => {
    const upstreams = createUpstreams();
    upstreams.setEndpoints('a', [endpoint('10.0.0.1', 80), endpoint('10.0.0.2', 80)]);
    const [first, second] = upstreams.of('a').targets;
    upstreams.setEndpoints('a', [endpoint('10.0.0.2', 80), endpoint('10.0.0.3', 80)]);
    expect(upstreams.of('a').targets[0]).toBe(second);
    expect([first?.draining, second?.draining]).toEqual([true, false]);
  });

  it('forget what neither plan nor endpoints name', () => {
    const upstreams = createUpstreams();
    const [named, unnamed] = [upstreams.of('named'), upstreams.of('unnamed')];
    upstreams.setEndpoints('listed', [endpoint('10.0.0.1', 80)]);
    const listed = upstreams.of('listed');
    upstreams.prune({ named: true });
    expect(upstreams.of('named')).toBe(named);
    expect(upstreams.of('listed')).toBe(listed);
    expect(upstreams.of('unnamed')).not.toBe(unnamed);
  });
});
