/** Puts a case before both fronts and collects in what they do not agree. */
import fc from 'fast-check';
import { explained } from '../differences.ts';
import type { OracleCase } from './case.ts';
import type { Ask } from './client.ts';
import { type Disagreement, differingFields } from './compare.ts';
import type { Side } from './observe.ts';

/** Requests of chance for each case: `ORACLE_REQUESTS`. */
export const requestsPerCase = positive('ORACLE_REQUESTS', 100);
/** What chance begins with: `ORACLE_SEED`. */
export const seed = positive('ORACLE_SEED', 20_261_122);

const leastSettleMs = 20;
const pauseMs = 10;
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** Requests under way at once. */
const atOnce = 8;

function positive(name: string, otherwise: number): number {
  const value = Number(process.env[name] ?? otherwise);
  if (!Number.isInteger(value) || value < 1) throw new Error(`${name}: a whole number above 0 is wanted`);
  return value;
}

export interface Verdict {
  readonly asked: number;
  /** With a named difference (differences.ts), by its id. */
  readonly known: ReadonlyMap<string, number>;
  readonly disagreements: readonly Disagreement[];
}

export function requestsOf({ always = [], requests, share = 1 }: OracleCase): readonly Ask[] {
  if (!requests) return always;
  const numRuns = Math.max(1, Math.round(requestsPerCase * share));
  return [...always, ...fc.sample(requests, { numRuns, seed })];
}

/** Asks both everything; those that answer alike are only counted. */
export async function judge(one: OracleCase, nginx: Side, fairway: Side): Promise<Verdict> {
  const asks = requestsOf(one);
  const known = new Map<string, number>();
  const disagreements: Disagreement[] = [];
  const waiting = [...asks].reverse();

  async function work(): Promise<void> {
    for (let ask = waiting.pop(); ask; ask = waiting.pop()) {
      const found = await askBoth(one, ask);
      if (found) take(found);
    }
  }

  async function askBoth({ name: behaviour, settleMs = 0 }: OracleCase, ask: Ask): Promise<Disagreement | undefined> {
    const [left, right] = await Promise.all([nginx.watch(ask), fairway.watch(ask)]);
    // Copies that one makes and the other does not must have the time to be seen.
    if (settleMs > 0) await pause(leastSettleMs);
    for (let waited = 0; ; waited += pauseMs) {
      const [asNginx, asFairway] = [left(), right()];
      const fields = differingFields(asNginx, asFairway);
      if (fields.length === 0) return undefined;
      const found = { behaviour, ask, nginx: asNginx, fairway: asFairway, fields };
      if (waited >= settleMs || explained(found).left.length === 0) return found;
      await pause(pauseMs);
    }
  }

  function take(found: Disagreement): void {
    const { left, ids } = explained(found);
    for (const id of ids) known.set(id, (known.get(id) ?? 0) + 1);
    if (left.length > 0) disagreements.push({ ...found, fields: left });
  }

  await Promise.all(Array.from({ length: atOnce }, work));
  return { asked: asks.length, known, disagreements };
}
