import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Backend, Filter, Listener, Plan, Route, StreamListener, VirtualHost } from '../../routing/plan/plan.ts';
import { backend, host, listener, planOf, route, share, source } from '../testing/plans.ts';
import { type Delta, decodeDelta, encodeDelta } from './delta.ts';

/** As it arrives in another process. */
const sent = (delta: Delta | undefined): Delta | undefined => delta && (JSON.parse(JSON.stringify(delta)) as Delta);
const travelled = <T>(before: T, next: T): T => decodeDelta(before, sent(encodeDelta(before, next))) as T;

const name = fc.constantFrom('a', 'b', 'c', 'd.example', '*.e', 'f', '__proto__', 'constructor');
const path = fc.constantFrom('/', '/a', '/b', '/c');

const filter: fc.Arbitrary<Filter> = fc.record({
  type: fc.constant('request-headers' as const),
  set: fc.array(fc.tuple(name, name), { maxLength: 2 }),
  add: fc.constant([]),
  remove: fc.array(name, { maxLength: 2 }),
});

const routes: fc.Arbitrary<Route> = fc
  .record({
    id: name,
    value: path,
    filters: fc.array(filter, { maxLength: 2 }),
    shares: fc.array(name, { maxLength: 3 }),
  })
  .map(({ id, value, filters, shares }) =>
    route({
      id,
      match: { path: { type: 'prefix', value } },
      filters,
      action: { type: 'forward', backends: shares.map((one, i) => share(one, i)) },
    }),
  );

const hosts: fc.Arbitrary<VirtualHost> = fc
  .tuple(name, fc.array(routes, { maxLength: 4 }))
  .map(([hostname, list]) => host(hostname, list));

const listeners: fc.Arbitrary<Listener> = fc
  .record({
    port: fc.constantFrom(80, 81),
    protocol: fc.constantFrom('HTTP' as const, 'HTTPS' as const),
    list: fc.array(hosts, { maxLength: 6 }),
    names: fc.option(fc.array(name), { nil: undefined }),
  })
  .map(({ port, protocol, list, names }) =>
    listener('127.0.0.1', port, list, { protocol, ...(names && { tls: { certificates: [], authorities: names } }) }),
  );

const streams: fc.Arbitrary<StreamListener> = fc.record({
  id: name,
  address: fc.constant('127.0.0.1'),
  port: fc.constantFrom(53, 54),
  protocol: fc.constantFrom('TCP' as const, 'UDP' as const),
  routes: fc.constant([]),
  sources: fc.constant([source]),
});

const backends: fc.Arbitrary<Backend> = fc
  .tuple(name, fc.constantFrom('http1' as const, 'h2c' as const))
  .map(([id, protocol]) => backend(id, protocol));

const plans: fc.Arbitrary<Plan> = fc
  .record({
    listeners: fc.array(listeners, { maxLength: 3 }),
    backends: fc.array(backends, { maxLength: 4 }),
    certificates: fc.array(name, { maxLength: 3 }),
    streams: fc.option(fc.array(streams, { maxLength: 3 }), { nil: undefined }),
  })
  .map(({ listeners: list, backends: known, certificates, streams: carried }) => ({
    ...planOf(
      list,
      known,
      certificates.map((id, i) => ({ id, chain: `chain ${i}`, key: `key ${i}`, source })),
    ),
    ...(carried && { streams: carried }),
  }));

describe('the delta of two plans', () => {
  it('leads from one to the other, in the order of its members', () => {
    fc.assert(
      fc.property(plans, plans, (before, next) => {
        const result = travelled(before, next);
        expect(result).toEqual(next);
        expect(JSON.stringify(result)).toBe(JSON.stringify(next));
      }),
    );
  });

  it('leads from any JSON to any other', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), (before, next) => {
        expect(JSON.stringify(travelled(before, next))).toBe(JSON.stringify(next));
      }),
    );
  });

  it('is nothing for equal plans, and keeps their identity', () => {
    fc.assert(
      fc.property(plans, (plan) => {
        const copy = JSON.parse(JSON.stringify(plan)) as Plan;
        expect(encodeDelta(plan, copy)).toBeUndefined();
        expect(travelled(plan, copy)).toBe(plan);
      }),
    );
  });

  it('keeps the identity of virtual hosts that did not change, wherever they are now', () => {
    const unique = fc.uniqueArray(hosts, { selector: ({ hostname }) => hostname, maxLength: 8 });
    fc.assert(
      fc.property(unique, unique, (before, more) => {
        const kept = before.filter((_, i) => i % 3 !== 1);
        const added = more.filter(({ hostname }) => !before.some((one) => one.hostname === hostname));
        const next = planOf([listener('127.0.0.1', 80, [...added, ...kept.reverse()])]);
        const old = planOf([listener('127.0.0.1', 80, before)]);
        const result = travelled(old, JSON.parse(JSON.stringify(next)) as Plan);
        expect(result).toEqual(next);
        const known = new Set(before);
        for (const one of result.listeners[0]?.hosts ?? []) {
          if (kept.some(({ hostname }) => hostname === one.hostname)) expect(known.has(one)).toBe(true);
        }
      }),
    );
  });

  it('keeps routes, backends, certificates and streams around a changed route', () => {
    const many = Array.from({ length: 40 }, (_, i) => route({ id: `r${i}` }));
    const certificate = { id: 'c', chain: 'x', key: 'y', source };
    const stream = { id: 's', address: '127.0.0.1', port: 1, protocol: 'TCP' as const, routes: [], sources: [] };
    const planWith = (list: readonly Route[]): Plan => ({
      ...planOf([listener('127.0.0.1', 80, [host('a', list), host('b', many)])], [backend('app')], [certificate]),
      streams: [stream],
    });
    const before = planWith(many);
    const changed = many.with(7, route({ id: 'r7', name: 'other' })).toSpliced(20, 1);
    const result = travelled(before, JSON.parse(JSON.stringify(planWith(changed))) as Plan);
    const [first, second] = result.listeners[0]!.hosts;
    expect(second).toBe(before.listeners[0]!.hosts[1]);
    expect(first!.routes.map((one) => many.includes(one))).toEqual(changed.map(({ name: named }) => !named));
    expect(result.backends).toBe(before.backends);
    expect(result.certificates).toBe(before.certificates);
    expect(result.streams).toBe(before.streams);
  });

  it('of one route among 10,000 hosts is small and quick', () => {
    const list = Array.from({ length: 10_000 }, (_, i) => host(`h${i}.example`, [route({ id: `r${i}` })]));
    const before = planOf([listener('127.0.0.1', 80, list)]);
    const next = planOf([listener('127.0.0.1', 80, list.with(5_000, host('h5000.example', [route({ id: 'new' })])))]);
    const began = performance.now();
    const delta = encodeDelta(before, next);
    const result = decodeDelta(before, delta);
    const took = performance.now() - began;
    expect(result).toEqual(next);
    expect(JSON.stringify(delta).length).toBeLessThan(1_000);
    expect(took).toBeLessThan(1_000);
  });
});
