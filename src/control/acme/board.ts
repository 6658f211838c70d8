/** Challenges that are open now: written where every replica sees them, and known to be in force before anybody asks. */
import type { Timing } from '../../kube/client/timing.ts';
import { equalJson } from '../../kube/objects.ts';
import type { ConfigMap } from '../../kube/types/index.ts';
import type { Plan } from '../../routing/plan/plan.ts';
import { challengesName, managedBy } from './names.ts';
import type { AcmeObjects } from './objects.ts';
import { challengeData, type OpenChallenge } from './open-challenges.ts';

export interface ChallengeBoardOptions {
  readonly objects: AcmeObjects;
  readonly namespace: string;
  readonly timing: Timing;
  /** For other replicas, after our own data plane has it, in milliseconds. */
  readonly replicaPauseMs: number;
  /** How long our own data plane may take, in milliseconds. */
  readonly inForceMs: number;
}

export interface ChallengeBoard {
  /** Resolves when all doors of this process answer with them, and others have had time to. */
  show(challenges: readonly OpenChallenge[], signal: AbortSignal): Promise<void>;
  take(challenges: readonly OpenChallenge[]): Promise<void>;
  /** A plan is in force. */
  inForce(plan: Plan): void;
  /** Takes away what an earlier leader, or an earlier life of this one, has left. */
  clean(): Promise<void>;
}

export function createChallengeBoard(options: ChallengeBoardOptions): ChallengeBoard {
  const { objects, namespace, timing, replicaPauseMs, inForceMs } = options;
  const open = new Set<OpenChallenge>();
  const waiting = new Set<() => void>();
  let current: Plan | undefined;
  /** Writes, one after the other. */
  let last: Promise<void> = Promise.resolve();

  async function bring(): Promise<void> {
    const stored = await objects.read('configmaps', namespace, challengesName);
    const data = challengeData(open);
    if (equalJson(stored?.data ?? {}, data)) return;
    const fresh: ConfigMap = {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: challengesName, namespace, labels: managedBy },
    };
    await objects.write('configmaps', { ...(stored ?? fresh), data });
  }

  function write(): Promise<void> {
    const next = last.then(bring);
    // The next write is no worse off for a failure of this one.
    last = next.catch(() => undefined);
    return next;
  }

  const isShown = ({ kind, subject, answer }: OpenChallenge): boolean => {
    const { http = {}, tlsAlpn = {} } = current?.challenges ?? {};
    if (kind === 'http-01') return Object.hasOwn(http, subject) && http[subject] === answer;
    return kind === 'dns-01' || Object.hasOwn(tlsAlpn, subject);
  };

  async function untilShown(challenges: readonly OpenChallenge[], signal: AbortSignal): Promise<void> {
    const until = timing.monotonic() + inForceMs;
    while (!challenges.every(isShown)) {
      const left = until - timing.monotonic();
      if (left <= 0) throw new Error(`the challenges were not in force within ${inForceMs} ms`);
      const woken = new AbortController();
      const wake = () => woken.abort();
      waiting.add(wake);
      await timing.sleep(left, AbortSignal.any([signal, woken.signal]));
      waiting.delete(wake);
      signal.throwIfAborted();
    }
  }

  return {
    async show(challenges, signal) {
      for (const each of challenges) open.add(each);
      await write();
      await untilShown(challenges, signal);
      if (replicaPauseMs > 0) await timing.sleep(replicaPauseMs, signal);
    },
    async take(challenges) {
      for (const each of challenges) open.delete(each);
      await write();
    },
    inForce(plan) {
      current = plan;
      for (const wake of waiting) wake();
    },
    clean: write,
  };
}
