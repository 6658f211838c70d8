/** ListenerSets: not served yet. Those that extend a Gateway of ours are told so. */
import { refOf } from '../../kube/resources.ts';
import type { ListenerSet } from '../../kube/types/index.ts';
import type { StatusUpdate } from '../translate.ts';
import { gatewayOfListenerSet } from './attach.ts';
import { mergeConditions, no } from './conditions.ts';
import { type Context, compareNames } from './context.ts';
import { resources } from './kinds.ts';
import type { GatewayState } from './model.ts';

const ownedConditions = ['Accepted', 'Programmed'];

export function listenerSetStatuses(context: Context, gateways: ReadonlyMap<string, GatewayState>): StatusUpdate[] {
  return context.input.store
    .list<ListenerSet>(resources.listenerSet)
    .sort(compareNames)
    .filter((set) => gateways.has(gatewayOfListenerSet(set)))
    .map((set) => refuse(context, set));
}

function refuse(context: Context, set: ListenerSet): StatusUpdate {
  const message = `listeners of a ListenerSet are not served by this version: the Gateway ${gatewayOfListenerSet(set)} has only its own`;
  context.report('FW3108', set, 'spec.parentRef', message);
  const findings = ownedConditions.map((type) => no(type, 'NotAllowed', message));
  return {
    ref: refOf(set),
    resource: resources.listenerSet,
    build(stored) {
      const status = stored.status as ListenerSet['status'];
      const writing = { generation: set.metadata.generation, now: context.input.now };
      return { ...status, conditions: mergeConditions(status?.conditions, findings, ownedConditions, writing) };
    },
  };
}
