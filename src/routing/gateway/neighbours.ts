/**
 * Other listeners in messages. A status is read by whoever may read its object, so it names no ListenerSets of other
 * namespaces (ListenerSet spec.listeners: information about siblings); findings are for the operator and name all.
 */
import { keyOf } from '../../kube/resources.ts';
import { listenersNamed, someOf } from './context.ts';
import type { ListenerDraft } from './listeners.ts';
import type { ListenerOwner } from './model.ts';

/** `listener a`, `listeners a, b of the Gateway shop/gw and 3 more of ListenerSets in other namespaces`. */
export function neighboursNamed(
  viewer: ListenerOwner,
  others: readonly ListenerDraft[],
  who: 'all' | 'visible',
): string {
  const isVisible = ({ owner }: ListenerDraft) =>
    who === 'all' || owner.ref.kind === 'Gateway' || owner.namespace === viewer.namespace;
  const visible = others.filter(isVisible);
  const hidden = others.length - visible.length;
  const names = visible.map(({ owner, spec }) => nameFor(viewer, owner, spec.name));
  if (hidden === 0) return listenersNamed(names);
  const elsewhere = hidden === 1 ? 'a ListenerSet in another namespace' : 'ListenerSets in other namespaces';
  if (names.length === 0) return hidden === 1 ? `listener of ${elsewhere}` : `${hidden} listeners of ${elsewhere}`;
  return `${names.length + hidden === 1 ? 'listener' : 'listeners'} ${someOf(names)} and ${hidden} of ${elsewhere}`;
}

function nameFor(viewer: ListenerOwner, owner: ListenerOwner, name: string): string {
  return owner === viewer ? name : `${name} of the ${owner.ref.kind} ${keyOf(owner.object)}`;
}
