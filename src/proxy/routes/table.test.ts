import { describe, expect, it } from 'vitest';
import type { Backend, Plan, Route } from '../../routing/plan/plan.ts';
import { createRuntime, type Runtime, type RuntimeHooks } from '../runtime.ts';
import { backend, endpoint, host, listener, planOf, route, share, source } from '../testing/plans.ts';
import { createTable, type Table } from './table.ts';

const split = route({ action: { type: 'forward', backends: [share('one', 3), share('two', 2)] } });

function planWith(routes: readonly Route[], backends: readonly Backend[]): Plan {
  return planOf([listener('127.0.0.1', 80, [host('*', routes)])], backends);
}

function tableOf(plan: Plan, runtime: Runtime, before?: Table): Table {
  runtime.upstreams.setBackends(plan.backends);
  return createTable(plan.listeners[0]!, plan, runtime, before);
}

/** Nothing here serves a connection. */
const runtime = () => createRuntime({}, {} as RuntimeHooks);

function upstreamOf(table: Table, of: Route) {
  const { action } = table.compiled(of);
  return action.type === 'forward' ? action.targets[0]?.upstream : undefined;
}

function nextOf(table: Table, of: Route): number {
  const { action } = table.compiled(of);
  return action.type === 'forward' ? action.next() : -1;
}

describe('the table of a new plan', () => {
  const [one, two] = [backend('one'), backend('two')];

  it('has the compiled routes of the plan before, where neither they nor their backends changed', () => {
    const shared = runtime();
    const first = tableOf(planWith([split], [one, two]), shared);
    const compiled = first.compiled(split);
    const second = tableOf(planWith([split, route({ id: 'other' })], [one, two, backend('three')]), shared, first);
    expect(second.compiled(split)).toBe(compiled);
    // Not asked for while the second was in force.
    const third = tableOf(planWith([split], [one, two]), shared, second);
    const fourth = tableOf(planWith([split], [one, two]), shared, third);
    expect(fourth.compiled(split)).toBe(compiled);
  });

  it.each<[string, readonly Backend[]]>([
    ['speaks another protocol', [one, backend('two', 'tcp')]],
    ['is gone', [one]],
  ])('compiles a route anew when a backend %s', (_what, backends) => {
    const shared = runtime();
    const first = tableOf(planWith([split], [one, two]), shared);
    const compiled = first.compiled(split);
    const second = tableOf(planWith([split], backends), shared, first);
    const { action } = second.compiled(split);
    expect(second.compiled(split)).not.toBe(compiled);
    expect(action.type === 'forward' && action.targets[1]?.answer).toBeTruthy();
  });

  it('reaches a backend that went and came back by its new connections', () => {
    const shared = runtime();
    const plan = planWith([split], [one, two]);
    const first = tableOf(plan, shared);
    const before = first.compiled(split);
    shared.upstreams.prune({});
    const second = tableOf(plan, shared, first);
    shared.upstreams.setEndpoints('two', [endpoint('127.0.0.1', 9)]);
    const { action } = second.compiled(split);
    expect(second.compiled(split)).not.toBe(before);
    expect(action.type === 'forward' && action.targets[1]?.upstream).toBe(shared.upstreams.of('two'));
    expect(shared.upstreams.of('two').targets).toHaveLength(1);
  });

  it('goes on with a weighted distribution where it was, whatever becomes of the backends', () => {
    const shared = runtime();
    let table: Table | undefined;
    const counts = [0, 0];
    for (let n = 0; n < 100; n++) {
      // A new object for the backend each time: it says that something about it has changed.
      table = tableOf(planWith([split], [backend('one'), backend('two')]), shared, table);
      counts[nextOf(table, split)]!++;
    }
    expect(counts).toEqual([60, 40]);
  });

  it('speaks TLS to a backend as the listener does, where the backend is of that kind', () => {
    const shared = runtime();
    const tls = { ...({ serverName: '', verify: false, ca: 'system', subjectAltNames: [] } as const), source };
    const auto: Backend = { ...backend('one', 'https'), tls, tlsAsListener: true };
    const only = route({ action: { type: 'forward', backends: [share('one')] } });
    const doors = (['HTTP', 'HTTPS'] as const).map((protocol, at) =>
      listener('127.0.0.1', 80 + at, [host('*', [only])], { protocol }),
    );
    const plan = planOf(doors, [auto]);
    shared.upstreams.setBackends(plan.backends);
    const [plain, secured] = doors.map((door) => upstreamOf(createTable(door, plan, shared), only));
    expect(plain).toMatchObject({ http2: false, identity: undefined });
    expect(secured?.identity).toBeDefined();
    shared.upstreams.prune(plan.backends, new Set([secured!.identity!.key]));
    expect([...shared.upstreams.all()]).toEqual([plain, secured]);
    // Once it is one of HTTPS alone, nobody speaks plain text to it.
    const { tlsAsListener: _auto, ...secure } = auto;
    shared.upstreams.setBackends({ one: secure });
    shared.upstreams.prune({ one: secure }, new Set([secured!.identity!.key]));
    expect([...shared.upstreams.all()]).toEqual([secured]);
  });
});
