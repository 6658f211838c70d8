/** Whether a ListenerSet is accepted: its own status says so, and that of its Gateway counts the sets that are. */
import { type Finding, no, yes } from './conditions.ts';
import { joinMessages, toldOf } from './context.ts';
import { gatewayFaultFor } from './listener-status.ts';
import { type GatewayState, isServable, type ListenerSetState, type ListenerState } from './model.ts';

/** A set is accepted when at least one of its listeners can be served. */
export function setAccepted(gateway: GatewayState, { owner, listeners, fault }: ListenerSetState): Finding {
  const type = 'Accepted';
  if (fault) return no(type, fault.reason, toldOf(fault));
  if (gateway.fault) return no(type, 'ParentNotAccepted', gatewayFaultFor(gateway, owner));
  const invalid = listeners.filter((listener) => !isServable(listener));
  if (invalid.length === 0) return yes(type, 'All listeners are valid');
  const messages = joinMessages(invalid.map(({ name, faults }) => `${name} (${whyInvalid(faults)})`));
  return invalid.length === listeners.length
    ? no(type, 'ListenersNotValid', `No listener can be served: ${messages}`)
    : yes(type, `Some listeners cannot be served: ${messages}`, 'ListenersNotValid');
}

function whyInvalid({ accepted, resolvedRefs }: ListenerState['faults']): string | undefined {
  const fault = accepted ?? resolvedRefs;
  return fault && toldOf(fault);
}
