/** Conditions as the Gateway API wants them written (notes for implementors at every `conditions` field). */
import type { Condition } from '../../kube/types/index.ts';

/** A condition as a translation finds it; times and generations are added when it is written. */
export interface Finding {
  readonly type: string;
  readonly status: Condition['status'];
  readonly reason: string;
  readonly message: string;
}

export interface Writing {
  /** Generation of the object that was translated. */
  readonly generation: number | undefined;
  /** RFC 3339. */
  readonly now: string;
}

/** Into a list that controllers share, in which each has entries of its own. */
export interface OwnWriting extends Writing {
  /** `controllerName` of our entries. */
  readonly controller: string;
}

/** Longest message that the schema of a condition takes. */
const longestMessage = 32_768;

export function yes(type: string, message: string, reason: string = type): Finding {
  return { type, status: 'True', reason, message };
}

export function no(type: string, reason: string, message: string): Finding {
  return { type, status: 'False', reason, message };
}

export function unknown(type: string, reason: string, message: string): Finding {
  return { type, status: 'Unknown', reason, message };
}

/**
 * The conditions to store: those of other owners as they are, ours in their place, new ones at the end, and those of
 * `owned` types that no longer hold removed. A condition keeps its lastTransitionTime while its status is the same,
 * and stays as it is when it was written for a newer generation than the one translated.
 */
export function mergeConditions(
  stored: readonly Condition[] | undefined,
  found: readonly Finding[],
  owned: readonly string[],
  writing: Writing,
): Condition[] {
  const wanted = new Map(found.map((finding) => [finding.type, finding]));
  const merged: Condition[] = [];
  for (const old of stored ?? []) {
    const finding = wanted.get(old.type);
    wanted.delete(old.type);
    if (finding) merged.push(updated(old, finding, writing));
    else if (!owned.includes(old.type) || isNewer(old, writing)) merged.push(old);
  }
  for (const finding of wanted.values()) merged.push(updated(undefined, finding, writing));
  return merged;
}

function isNewer(old: Condition, { generation }: Writing): boolean {
  return old.observedGeneration !== undefined && generation !== undefined && old.observedGeneration > generation;
}

function updated(old: Condition | undefined, finding: Finding, writing: Writing): Condition {
  if (old && isNewer(old, writing)) return old;
  const { generation, now } = writing;
  return {
    type: finding.type,
    status: finding.status,
    reason: finding.reason,
    message: finding.message.slice(0, longestMessage),
    ...(generation !== undefined && { observedGeneration: generation }),
    lastTransitionTime: old?.status === finding.status ? old.lastTransitionTime : now,
  };
}
