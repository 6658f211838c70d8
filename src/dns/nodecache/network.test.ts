import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createMetricsRegistry } from '../../base/metrics.ts';
import { ok } from '../../base/result.ts';
import type { CommandOutcome, RunCommand } from './command.ts';
import { createNodeCacheMetrics } from './metrics.ts';
import { createNetwork } from './network.ts';
import { createRuleKeeper, type RuleKeeper } from './rule-keeper.ts';
import type { RuleKind } from './settings.ts';

function readSeries(text: string, series: string): number {
  const line = text.split('\n').find((candidate) => candidate.startsWith(`${series} `));
  return Number(line?.split(' ')[1]);
}

describe('the network of a node', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  function make() {
    let state: ReturnType<RuleKeeper['state']> = 'none';
    let interfaceUp = true;
    let failing: string[] = [];
    /** Addresses that fail only while the rules lead to us. */
    let failingWithRules: string[] = [];
    const done: string[] = [];
    const to = (next: typeof state) => async () => {
      done.push(next);
      state = next;
      return true;
    };
    const rules: RuleKeeper = {
      state: () => state,
      abandon: () => {},
      ...{ ensure: to('installed'), divert: to('diverted'), remove: to('none') },
    };
    const registry = createMetricsRegistry();
    const logs: string[] = [];
    const network = createNetwork({
      rules,
      localInterface: {
        ensure: async () =>
          interfaceUp ? ok('present') : { ok: false, error: { type: 'interface_add', text: 'interface x: no' } },
        remove: async () => ok(undefined),
      },
      selfCheck: async () => {
        const faults = [...failing, ...(state === 'installed' ? failingWithRules : [])];
        return { good: 2 - faults.length, faults };
      },
      log: (_level, text) => logs.push(text),
      metrics: createNodeCacheMetrics(registry),
      syncIntervalMs: 60_000,
    });
    return {
      ...{ network, done, logs, registry },
      fail: (...addresses: string[]) => (failing = addresses),
      failWithRules: (...addresses: string[]) => (failingWithRules = addresses),
      setInterface: (up: boolean) => (interfaceUp = up),
    };
  }

  it('has no rules before the server answers', async () => {
    const node = make();
    node.fail('a', 'b');
    await node.network.start();
    await vi.advanceTimersByTimeAsync(3000);
    expect(node.done).toEqual([]);
    expect(node.network.missing()).toEqual(['rules', 'server']);
    expect(node.logs).toEqual(['nodecache: the server does not answer: a']);
    node.fail();
    await vi.advanceTimersByTimeAsync(1000);
    expect(node.done).toEqual(['installed']);
    expect(node.network.missing()).toEqual([]);
    await node.network.stop();
  });

  it('takes rules back at once when an address does not answer with them', async () => {
    const node = make();
    node.failWithRules('b');
    await node.network.start();
    expect(node.done).toEqual(['installed', 'diverted']);
    expect(node.network.missing()).toEqual(['rules', 'server']);
    await node.network.stop();
  });

  it('takes rules away after three failures in a row, and tries again when all is well or after a minute', async () => {
    const node = make();
    await node.network.start();
    node.fail('b');
    await vi.advanceTimersByTimeAsync(5000 + 1000);
    node.fail();
    await vi.advanceTimersByTimeAsync(10_000);
    expect(node.done).toEqual(['installed']);
    node.fail('b');
    await vi.advanceTimersByTimeAsync(8000);
    expect(node.done).toEqual(['installed', 'diverted', 'none']);
    node.fail();
    await vi.advanceTimersByTimeAsync(1000);
    expect(node.done.slice(3)).toEqual(['installed']);
    node.fail('b');
    await vi.advanceTimersByTimeAsync(8000);
    expect(node.done.slice(4)).toEqual(['diverted', 'none']);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(node.done.slice(6)).toEqual(['installed', 'diverted', 'none']);
    await node.network.stop();
  });

  it('looks after the rules once in a sync interval only', async () => {
    const node = make();
    await node.network.start();
    await vi.advanceTimersByTimeAsync(59_000);
    expect(node.done).toEqual(['installed']);
    await vi.advanceTimersByTimeAsync(6000);
    expect(node.done).toEqual(['installed', 'installed']);
    await node.network.stop();
    await vi.advanceTimersByTimeAsync(600_000);
    expect(node.done).toHaveLength(2);
  });

  it('counts an interface that cannot be made, and goes on', async () => {
    const node = make();
    node.setInterface(false);
    expect(await node.network.prepare()).toBe('failed');
    await node.network.start();
    expect(node.network.missing()).toEqual(['interface']);
    node.setInterface(true);
    await vi.advanceTimersByTimeAsync(1000);
    expect(node.network.missing()).toEqual([]);
    const series = 'coredns_nodecache_setup_errors_total{errortype="interface_add"}';
    expect(readSeries(node.registry.expose(), series)).toBe(2);
    await node.network.stop();
  });
});

describe('the keeper of the rules', () => {
  const good: CommandOutcome = { code: 0, stdout: '', stderr: '' };
  const missing: CommandOutcome = { code: undefined, stdout: '', stderr: 'spawn ENOENT' };
  const locked: CommandOutcome = { code: 4, stdout: '', stderr: 'Another app is currently holding the xtables lock.' };

  function make(answer: (program: string, args: readonly string[]) => CommandOutcome, kind: RuleKind = 'auto') {
    const registry = createMetricsRegistry();
    const calls: string[] = [];
    const logs: string[] = [];
    const run: RunCommand = async (program, args) => {
      calls.push(program);
      return answer(program, args);
    };
    const keeper = createRuleKeeper({
      settings: { localIps: [{ text: '10.0.0.1', version: 4 }], dnsPort: 53, healthPort: 8080, rules: kind },
      ...{ run, log: (_level, text) => logs.push(text), metrics: createNodeCacheMetrics(registry), firstWaitMs: 1 },
    });
    const errors = (type: string) =>
      readSeries(registry.expose(), `coredns_nodecache_setup_errors_total{errortype="${type}"}`);
    return { keeper, calls, logs, errors, registry };
  }

  it('comes again while another program holds the lock, and counts each time', async () => {
    let left = 2;
    const { keeper, errors, registry } = make(
      (_program, args) => (args[0] === '--noflush' && left-- > 0 ? locked : good),
      'iptables',
    );
    expect(await keeper.ensure()).toBe(true);
    expect(errors('iptables_lock')).toBe(2);
    expect(errors('iptables')).toBe(0);
    expect(readSeries(registry.expose(), 'fairway_nodecache_rules_installed')).toBe(1);
  });

  it('gives up after some attempts, and at once when it is told to', async () => {
    const busy = make(
      (program, args) => (program === 'iptables-restore' && args[0] === '--noflush' ? locked : good),
      'iptables',
    );
    expect(await busy.keeper.ensure()).toBe(false);
    expect(busy.errors('iptables_lock')).toBe(5);
    busy.keeper.abandon();
    expect(await busy.keeper.ensure()).toBe(false);
    expect(busy.errors('iptables_lock')).toBe(6);
    expect(busy.keeper.state()).toBe('none');
  });

  it('uses nftables where there is no iptables', async () => {
    const { keeper, logs } = make((program) => (program === 'nft' ? good : missing));
    expect(await keeper.ensure()).toBe(true);
    expect(logs[0]).toBe('nodecache: rules are held by nftables');
  });

  it('says what is missing where there is neither, and looks again the next time', async () => {
    let there = false;
    const { keeper, logs, errors } = make(() => (there ? good : missing));
    expect(await keeper.ensure()).toBe(false);
    expect(logs).toEqual(['nodecache: no rules: iptables: spawn ENOENT; nft: spawn ENOENT']);
    expect(errors('iptables')).toBe(1);
    there = true;
    expect(await keeper.ensure()).toBe(true);
  });
});
