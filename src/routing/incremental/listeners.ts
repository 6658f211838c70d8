/** Listeners that say the same as before stay the same objects. */
import { equalJson } from '../../kube/objects.ts';
import type { Listener } from '../plan/plan.ts';

/** The listener of `before` that is equal, or the one given. Hosts count as equal when the lists are the same one. */
export function keepEqual(listener: Listener, before: readonly Listener[]): Listener {
  const known = before.find(({ id }) => id === listener.id);
  if (!known || known.hosts !== listener.hosts) return listener;
  const { hosts: _a, ...left } = known;
  const { hosts: _b, ...right } = listener;
  return equalJson(left, right) ? known : listener;
}
