/** Status of listeners, be they those of Gateways or of ListenerSets. */
import type { Gateway } from '../../kube/types/index.ts';
import type { DeliveryReport } from '../translate.ts';
import { type Finding, mergeConditions, no, unknown, type Writing, yes } from './conditions.ts';
import { someOf, toldOf } from './context.ts';
import { gatewayGroup } from './kinds.ts';
import { type GatewayState, isServable, type ListenerOwner, type ListenerState } from './model.ts';
import { socketIds } from './sockets.ts';

export type ListenerStatus = NonNullable<NonNullable<Gateway['status']>['listeners']>[number];

const listenerConditions = ['Accepted', 'Programmed', 'ResolvedRefs', 'Conflicted', 'OverlappingTLSConfig'];

/** A listener is programmed when the data plane has opened its port on every address of the Gateway. */
export function listenerProgrammed(state: GatewayState, listener: ListenerState, report: DeliveryReport): Finding {
  const type = 'Programmed';
  const { faults } = listener;
  if (faults.conflicted) return no(type, faults.conflicted.reason, toldOf(faults.conflicted));
  if (faults.accepted) return no(type, unopened(listener, faults.accepted.reason), toldOf(faults.accepted));
  if (!isServable(listener))
    return no(type, 'Invalid', (faults.resolvedRefs && toldOf(faults.resolvedRefs)) ?? 'The listener cannot be served');
  if (state.fault) return no(type, 'Invalid', gatewayFaultFor(state, listener.owner));
  const ids = socketIds(state, listener);
  if (ids.length === 0) return no(type, 'Invalid', 'The Gateway has no address that it can use');
  const answers = ids.map((id) => ({ id, answer: report.listener(id) }));
  const failed = answers.filter(({ answer }) => answer?.bound === false);
  if (failed.length > 0)
    return no(
      type,
      unopened(listener, 'PortUnavailable'),
      someOf(failed.map(({ id, answer }) => `${id} could not be opened: ${answer?.error ?? 'no reason given'}`)),
    );
  if (answers.some(({ answer }) => !answer)) return unknown(type, 'Pending', 'Waiting for the data plane');
  return yes(type, `Serving on port ${listener.port}`);
}

/** Entries of ListenerSets have a reason of their own for ports; listeners of Gateways have `Invalid` alone. */
function unopened({ owner }: ListenerState, reason: string): string {
  return owner.ref.kind === 'ListenerSet' && reason === 'PortUnavailable' ? reason : 'Invalid';
}

/** What is wrong with a Gateway, without its details for owners of listeners in other namespaces. */
export function gatewayFaultFor({ object, fault }: GatewayState, owner: ListenerOwner): string {
  const isNear = (object.metadata.namespace ?? 'default') === owner.namespace;
  return `The Gateway is not accepted: ${isNear && fault ? toldOf(fault) : fault?.reason}`;
}

export function listenerStatus(
  listener: ListenerState,
  stored: ListenerStatus | undefined,
  programmed: Finding,
  writing: Writing,
): ListenerStatus {
  const { faults } = listener;
  const findings: Finding[] = [
    faults.accepted
      ? no('Accepted', faults.accepted.reason, toldOf(faults.accepted))
      : yes('Accepted', 'The listener is valid'),
    programmed,
    faults.resolvedRefs
      ? no('ResolvedRefs', faults.resolvedRefs.reason, toldOf(faults.resolvedRefs))
      : yes('ResolvedRefs', 'All references are resolved'),
    faults.conflicted
      ? yes('Conflicted', toldOf(faults.conflicted), faults.conflicted.reason)
      : no('Conflicted', 'NoConflicts', 'No other listener stands in the way'),
  ];
  // Of negative polarity, and not to be set when it is false.
  if (faults.overlapping)
    findings.push(yes('OverlappingTLSConfig', faults.overlapping.message, faults.overlapping.reason));
  return {
    name: listener.name,
    supportedKinds: listener.supportedKinds.map((kind) => ({ group: gatewayGroup, kind })),
    attachedRoutes: listener.attachedRoutes,
    conditions: mergeConditions(stored?.conditions, findings, listenerConditions, writing),
  };
}
