/**
 * Keeps the node's network in the state that fits the server: the interface always, the rules while it answers. Rules
 * that lead to a server that does not answer would take DNS away from every Pod of the node.
 */
import type { LogLine } from '../plugins/setup.ts';
import type { LocalInterface } from './interface.ts';
import type { NodeCacheMetrics } from './metrics.ts';
import type { RuleKeeper } from './rule-keeper.ts';
import type { SelfCheckResult } from './self-check.ts';

export interface NetworkOptions {
  /** Undefined when not asked for. */
  readonly localInterface: LocalInterface | undefined;
  readonly rules: RuleKeeper | undefined;
  /** Asks the server at its addresses. */
  selfCheck(): Promise<SelfCheckResult>;
  readonly log: LogLine;
  readonly metrics: Pick<NodeCacheMetrics, 'countError' | 'countRepair'>;
  /** Interface and rules are looked at this often, milliseconds. */
  readonly syncIntervalMs: number;
  /** The server is asked this often, milliseconds. Default 5,000, or the sync interval when that is shorter. */
  readonly checkIntervalMs?: number;
  /** While something is missing. Default 1,000. */
  readonly retryIntervalMs?: number;
  /** Once rules had to be taken away, they are tried again after this, milliseconds. Default 60,000. */
  readonly trialIntervalMs?: number;
}

export type NetworkPart = 'interface' | 'rules' | 'server';

export interface Network {
  /** Makes the interface, so that its addresses can be bound. A failure is logged and counted. */
  prepare(): Promise<'present' | 'made' | 'failed'>;
  /** Looks for the first time, then from time to time. */
  start(): Promise<void>;
  /** What is missing for Pods to be served. */
  missing(): NetworkPart[];
  /** Ends the looks, the one under way included. */
  stop(): Promise<void>;
}

/** One lost answer is no reason to take DNS off the node; this many in a row are. */
const mostFailures = 3;

export function createNetwork(options: NetworkOptions): Network {
  const { localInterface, rules, log, metrics, syncIntervalMs } = options;
  const { retryIntervalMs = 1000, trialIntervalMs = 60_000 } = options;
  const checkIntervalMs = Math.min(options.checkIntervalMs ?? 5000, syncIntervalMs);
  let interfaceUp = localInterface === undefined;
  let answers = false;
  let failures = 0;
  /** When rules were last taken away because of failures. */
  let divertedAt: number | undefined;
  let lastSync = Number.NEGATIVE_INFINITY;
  let timer: NodeJS.Timeout | undefined;
  let looking: Promise<void> = Promise.resolve();
  let stopped = false;

  async function ensureInterface(): Promise<'present' | 'made' | 'failed'> {
    if (!localInterface) return 'present';
    const ensured = await localInterface.ensure();
    interfaceUp = ensured.ok;
    if (!ensured.ok) {
      metrics.countError(ensured.error.type);
      log('error', `nodecache: ${ensured.error.text}`);
      return 'failed';
    }
    if (ensured.value === 'present') return 'present';
    log('info', `nodecache: the interface is ${ensured.value}`);
    if (lastSync > 0) metrics.countRepair('interface');
    return ensured.value === 'made' ? 'made' : 'present';
  }

  /** The first failure is logged, and the first answer after failures. */
  async function ask(): Promise<SelfCheckResult> {
    const result = await options.selfCheck();
    const [fault] = result.faults;
    // Before the rules are there, an address of the Service leads to the cluster's DNS: one of ours is enough.
    answers = rules?.state() === 'installed' ? fault === undefined : result.good > 0;
    if (!answers && failures === 0) log('error', `nodecache: the server does not answer: ${fault}`);
    if (answers && failures > 0) log('info', 'nodecache: the server answers again');
    failures = answers ? 0 : failures + 1;
    return result;
  }

  async function divert(held: RuleKeeper): Promise<void> {
    log('error', 'nodecache: no queries are taken until the server answers at all its addresses');
    divertedAt = performance.now();
    failures = 0;
    await held.divert();
  }

  /** After failures all addresses must answer, or enough time have passed: only the rules show whether it is better. */
  function mayTry({ faults }: SelfCheckResult): boolean {
    if (!answers) return false;
    const rested = divertedAt === undefined || performance.now() - divertedAt >= trialIntervalMs;
    return faults.length === 0 || rested;
  }

  /** With the rules every query at our addresses comes to us, so that the check that follows is the true one. */
  async function install(held: RuleKeeper): Promise<void> {
    if (!(await held.ensure()) || stopped) return;
    await ask();
    if (answers) divertedAt = undefined;
    else await divert(held);
  }

  async function settleRules(result: SelfCheckResult, due: boolean): Promise<void> {
    if (!rules || stopped) return;
    if (rules.state() === 'installed') {
      if (failures >= mostFailures) await divert(rules);
      else if (due && answers) await rules.ensure();
      return;
    }
    // Nothing is under way any more since the look before.
    if (rules.state() === 'diverted') await rules.remove();
    if (mayTry(result)) await install(rules);
  }

  async function look(): Promise<void> {
    const due = performance.now() - lastSync >= syncIntervalMs;
    if (due || !interfaceUp || failures > 0) await ensureInterface();
    await settleRules(await ask(), due);
    if (due) lastSync = performance.now();
  }

  function missing(): NetworkPart[] {
    const parts: NetworkPart[] = [];
    if (!interfaceUp) parts.push('interface');
    if (rules && rules.state() !== 'installed') parts.push('rules');
    if (!answers) parts.push('server');
    return parts;
  }

  /** A look that comes after `stop` must not put anything back. */
  async function lookAndGoOn(): Promise<void> {
    if (stopped) return;
    looking = look();
    await looking;
    if (stopped) return;
    const waitMs = missing().length > 0 ? Math.min(retryIntervalMs, checkIntervalMs) : checkIntervalMs;
    timer = setTimeout(() => void lookAndGoOn(), waitMs);
  }

  return {
    missing,
    prepare: ensureInterface,
    start: lookAndGoOn,
    async stop() {
      stopped = true;
      rules?.abandon();
      clearTimeout(timer);
      await looking;
    },
  };
}
