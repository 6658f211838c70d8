import { describe, expect, it } from 'vitest';
import type { Backend, BackendTls, Plan } from '../../routing/plan/plan.ts';
import { backend, endpoint, planOf, source } from '../testing/plans.ts';
import type { UpstreamConnection } from './connection.ts';
import { createIdentities } from './identity.ts';
import { type Pool, releaseConnection } from './pool.ts';
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

  it('look after pools that have idle connections, and after no others', () => {
    const upstreams = createUpstreams();
    upstreams.setEndpoints('a', [endpoint('10.0.0.1', 80), endpoint('10.0.0.2', 80)]);
    const [first, second] = upstreams.of('a').targets as [Pool, Pool];
    const destroyed: string[] = [];
    const release = (pool: Pool, name: string, idleMs: number) => {
      const socket = { destroyed: false, destroy: () => void destroyed.push(name) };
      releaseConnection({ pool, socket } as unknown as UpstreamConnection, 0, idleMs, 8);
    };
    release(first, 'short', 10);
    release(first, 'long', 30);
    expect([...first.tended]).toEqual([first]);
    expect(second.tended).toBe(first.tended);
    upstreams.expire(20);
    expect([destroyed, [...first.tended]]).toEqual([['short'], [first]]);
    upstreams.expire(30);
    expect([destroyed, [...first.tended]]).toEqual([['short', 'long'], []]);
    release(first, 'again', 10);
    upstreams.expire(40);
    expect(destroyed).toEqual(['short', 'long', 'again']);
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

  describe('of a backend with TLS', () => {
    const tls: BackendTls = { serverName: 'a.example', verify: false, ca: 'system', subjectAltNames: [], source };
    const identities = createIdentities({ report() {}, nextPlan() {} });
    const secured = (protocol: Backend['protocol'], more: Partial<BackendTls> = {}) => ({
      a: { ...backend('a', protocol), tls: { ...tls, ...more } },
    });
    const identityOf = (backends: Plan['backends']) => {
      const identity = identities.of({ ...planOf([]), backends }, backends['a']!, {});
      if ('problem' in identity) throw new Error(identity.problem);
      return identity;
    };

    it('go on without it for streams that are TLS already, for as long as there are some', () => {
      const upstreams = createUpstreams();
      const backends = secured('tcp');
      const named = new Set([identityOf(backends).key]);
      const plan = (passing: boolean) => {
        upstreams.setBackends(backends);
        upstreams.of('a', identityOf(backends));
        const plain = passing ? upstreams.of('a') : undefined;
        upstreams.prune(backends, named);
        return plain;
      };
      const plain = plan(true)!;
      upstreams.setEndpoints('a', [endpoint('10.0.0.1', 80)]);
      expect(turns(plain, 1)).toEqual(['10.0.0.1:80']);
      expect(plan(true)).toBe(plain);
      plan(false);
      expect([...upstreams.all()].map(({ identity }) => identity !== undefined)).toEqual([true]);
    });

    it.each([
      ['another version of HTTP', secured('https'), true],
      ['no TLS', { a: backend('a') }, false],
      ['other TLS', secured('h2', { serverName: 'b.example' }), true],
    ] as const)('end with %s, though another backend is spoken to like this', (_, next, over) => {
      const upstreams = createUpstreams();
      const before = secured('h2');
      upstreams.setBackends(before);
      upstreams.setEndpoints('a', [endpoint('10.0.0.1', 80)]);
      const old = upstreams.of('a', identityOf(before), true);
      upstreams.setBackends(next);
      const now = upstreams.of('a', over ? identityOf(next) : undefined, next.a.protocol === 'h2');
      upstreams.prune(next, new Set([identityOf(before), ...(over ? [identityOf(next)] : [])].map(({ key }) => key)));
      expect([...upstreams.all()]).toEqual([now]);
      expect([...old.pools.values()].every(({ draining }) => draining)).toBe(true);
    });
  });
});
