/** Listeners that say the same as before stay the same objects. */
import { equalJson } from '../../kube/objects.ts';
import type { Listener, StreamListener } from '../plan/plan.ts';
import { sameItems } from './sorted.ts';

/**
 * Each listener of `now`, or the one of `before` that is equal to it. Hosts, and routes of streams, count as equal when
 * the lists are the same ones. When all do, `before` itself.
 */
export function keepEqual<T extends Listener | StreamListener>(now: readonly T[], before: readonly T[]): readonly T[] {
  if (sameItems(before, now)) return before;
  const known = new Map(before.map((listener) => [listener.id, listener]));
  const kept = now.map((listener) => {
    const old = known.get(listener.id);
    return old && sameListener(old, listener) ? old : listener;
  });
  return sameItems(before, kept) ? before : kept;
}

function sameListener(a: Listener | StreamListener, b: Listener | StreamListener): boolean {
  if (a === b) return true;
  const [left, right] = [withoutList(a), withoutList(b)];
  return left.list === right.list && equalJson(left.rest, right.rest);
}

function withoutList(listener: Listener | StreamListener): { list: readonly unknown[]; rest: object } {
  if ('hosts' in listener) {
    const { hosts: list, ...rest } = listener;
    return { list, rest };
  }
  const { routes: list, ...rest } = listener;
  return { list, rest };
}
