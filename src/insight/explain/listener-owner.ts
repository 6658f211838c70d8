/** ListenerSets in an explanation: which one a listener is written in, and the Gateway whose door it is. */
import { formatRef, type ObjectRef } from '../../base/diagnostics/index.ts';
import { refOf } from '../../kube/resources.ts';
import type { Gateway, ListenerSet } from '../../kube/types/index.ts';
import { resources } from '../../routing/gateway/kinds.ts';
import { gatewayOfListenerSet } from '../../routing/gateway/listener-sets.ts';
import type { Provenance } from '../../routing/plan/plan.ts';
import { ownersOf } from '../routes/conditions.ts';
import type { World } from '../world.ts';

/** Whose door a listener's object stands for: that of its Gateway for a ListenerSet, itself for any other. */
export function doorOwner({ store }: World, object: ObjectRef): ObjectRef {
  if (object.kind !== 'ListenerSet') return object;
  const set = store.get<ListenerSet>(resources.listenerSet, `${object.namespace ?? 'default'}/${object.name}`);
  const gateway = set && store.get<Gateway>(resources.gateway, gatewayOfListenerSet(set));
  return gateway ? refOf(gateway) : object;
}

/** `listener web of ListenerSet shop/more`, where the listener of a virtual host is that of a set. */
export function setDetails(world: World, sources: readonly Provenance[]): string[] {
  return ownersOf(world, sources.slice(0, 1))
    .filter(({ ref }) => ref.kind === 'ListenerSet')
    .map(({ ref, name }) => `listener ${name} of ${formatRef(ref)}`);
}
