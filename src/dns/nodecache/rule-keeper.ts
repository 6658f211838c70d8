/** The rules through whichever tool the node has, tried again when somebody holds the lock. */
import { err, ok, type Result } from '../../base/result.ts';
import type { LogLine } from '../plugins/setup.ts';
import type { RunCommand } from './command.ts';
import { createIptables, iptablesFault } from './iptables.ts';
import type { NodeCacheMetrics } from './metrics.ts';
import { createNftables, nftablesFault } from './nftables.ts';
import { type RuleBackend, type RuleError, rulesOf } from './rules.ts';
import type { NodeCacheSettings } from './settings.ts';

export interface RuleKeeperOptions {
  readonly settings: Pick<NodeCacheSettings, 'localIps' | 'dnsPort' | 'healthPort' | 'rules'>;
  readonly run: RunCommand;
  readonly log: LogLine;
  readonly metrics: Pick<NodeCacheMetrics, 'countError' | 'countRepair' | 'rulesInstalled'>;
  /** Attempts while the lock is taken. Default 5. */
  readonly attempts?: number;
  /** Wait before the second attempt, milliseconds; doubled each time, plus up to half of it. Default 200. */
  readonly firstWaitMs?: number;
}

export interface RuleKeeper {
  /** As far as we know; `diverted`: only those that let answers under way leave. */
  state(): 'none' | 'installed' | 'diverted';
  /** Puts missing rules there. Errors are logged and counted. */
  ensure(): Promise<boolean>;
  /** Ends the attempts to install that are under way, since all is about to be removed. */
  abandon(): void;
  /** Sends new queries past us, and lets answers under way leave (`RuleBackend.divert`). */
  divert(): Promise<boolean>;
  /** Takes all rules away, also those of a process before this one. */
  remove(): Promise<boolean>;
}

type BackendName = RuleBackend['name'];

const verbs = { ensure: 'install', divert: 'take out', remove: 'remove' } as const;

export function createRuleKeeper(options: RuleKeeperOptions): RuleKeeper {
  const { settings, run, log, metrics, attempts = 5, firstWaitMs = 200 } = options;
  const { localIps, dnsPort, healthPort } = settings;
  const ports = { dnsPort, healthPort };
  const backends: Readonly<Record<BackendName, RuleBackend>> = {
    iptables: createIptables({ rules: rulesOf(localIps, ports), run }),
    nftables: createNftables({ addresses: localIps, ...ports, run }),
  };
  const faultOf: Readonly<Record<BackendName, () => Promise<string | undefined>>> = {
    iptables: () => iptablesFault([...new Set(localIps.map(({ version }) => version))], run),
    nftables: () => nftablesFault(run),
  };
  let chosen: RuleBackend | undefined;
  let state: ReturnType<RuleKeeper['state']> = 'none';
  let abandoned = false;

  function note(now: typeof state): void {
    state = now;
    metrics.rulesInstalled.set(now === 'installed' ? 1 : 0);
  }

  /** In `auto` the first of them that works. */
  async function choose(): Promise<Result<RuleBackend, RuleError>> {
    if (chosen) return ok(chosen);
    const names: BackendName[] = settings.rules === 'auto' ? ['iptables', 'nftables'] : [settings.rules];
    const faults: string[] = [];
    for (const name of names) {
      const fault = await faultOf[name]();
      if (fault !== undefined) faults.push(fault);
      else {
        chosen = backends[name];
        log('info', `nodecache: rules are held by ${name}`);
        return ok(chosen);
      }
    }
    return err({ type: 'iptables', text: faults.join('; ') });
  }

  /** While another program holds the lock it is worth while to come again. */
  async function patiently(
    work: () => Promise<Result<number, RuleError>>,
    wanted = () => true,
  ): Promise<Result<number, RuleError>> {
    for (let attempt = 1, waitMs = firstWaitMs; ; attempt++, waitMs *= 2) {
      const done = await work();
      if (done.ok) return done;
      metrics.countError(done.error.type);
      if (done.error.type !== 'iptables_lock' || attempt >= attempts || !wanted()) return done;
      await new Promise((resume) => setTimeout(resume, waitMs * (1 + Math.random() / 2)));
    }
  }

  /** Rules that an earlier start left with the other tool would stay for ever. */
  async function dropOthers(backend: RuleBackend): Promise<void> {
    const other: BackendName = backend.name === 'iptables' ? 'nftables' : 'iptables';
    if ((await faultOf[other]()) !== undefined) return;
    const removed = await patiently(() => backends[other].remove());
    if (!removed.ok) log('error', `nodecache: cannot remove rules of an earlier start: ${removed.error.text}`);
    else if (removed.value > 0)
      log('info', `nodecache: removed ${removed.value} rules of an earlier start from ${other}`);
  }

  /** The chosen tool; an error that it cannot be chosen is counted as any other. */
  async function backend(): Promise<RuleBackend | undefined> {
    const found = await choose();
    if (found.ok) return found.value;
    metrics.countError(found.error.type);
    log('error', `nodecache: no rules: ${found.error.text}`);
    return undefined;
  }

  /** Undefined when it failed, which is logged and counted. */
  async function change(
    what: 'ensure' | 'divert' | 'remove',
    wanted?: () => boolean,
  ): Promise<{ tool: RuleBackend; changed: number } | undefined> {
    const tool = await backend();
    if (!tool) return undefined;
    const done = await patiently(tool[what], wanted);
    if (done.ok) return { tool, changed: done.value };
    log('error', `nodecache: cannot ${verbs[what]} rules: ${done.error.text}`);
    return undefined;
  }

  return {
    state: () => state,
    abandon: () => {
      abandoned = true;
    },
    async ensure() {
      const done = await change('ensure', () => !abandoned);
      if (!done) return false;
      const first = state !== 'installed';
      note('installed');
      if (first) {
        log('info', `nodecache: rules are in force for ${localIps.map(({ text }) => text).join(', ')}`);
        await dropOthers(done.tool);
      } else if (done.changed > 0) {
        metrics.countRepair('rules');
        log('warning', `nodecache: ${done.changed} rules had been changed by others; they are as they should be again`);
      }
      return true;
    },
    async divert() {
      const done = await change('divert');
      if (!done) return false;
      log('info', 'nodecache: new queries go past this cache');
      note('diverted');
      return true;
    },
    async remove() {
      const done = await change('remove');
      if (!done) return false;
      if (done.changed > 0) log('info', 'nodecache: rules are removed');
      note('none');
      return true;
    },
  };
}
