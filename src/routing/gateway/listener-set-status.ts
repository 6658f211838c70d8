/**
 * Status of ListenerSets. Their conditions sum up their own listeners, and say of the Gateway only that it is in the
 * way (GEP-1713, ListenerSet conditions).
 */
import type { ListenerSet } from '../../kube/types/index.ts';
import type { DeliveryReport, StatusUpdate } from '../translate.ts';
import { type Finding, mergeConditions, no, unknown, type Writing, yes } from './conditions.ts';
import { joinMessages, someOf } from './context.ts';
import { programmedOf } from './gateway-status.ts';
import { resources } from './kinds.ts';
import { setAccepted } from './listener-set-accepted.ts';
import { listenerProgrammed, listenerStatus } from './listener-status.ts';
import { type GatewayState, isServable, type ListenerSetState, type ListenerState } from './model.ts';
import { remembered } from './remembered-status.ts';

type SetStatus = NonNullable<ListenerSet['status']>;

/** Types of our conditions. */
export const setConditions = ['Accepted', 'Programmed'];

/** For as long as the states say the same, but for the routes that attach. `clock` is read when the status is built. */
export function listenerSetStatus(
  clock: Pick<Writing, 'now'>,
  gateway: GatewayState,
  set: ListenerSetState,
): StatusUpdate {
  const { owner, object, listeners } = set;
  const inputs = { sockets: [...gateway.listeners, ...listeners], counted: listeners };
  return {
    ref: owner.ref,
    resource: resources.listenerSet,
    build: remembered(gateway, inputs, (stored, report) => {
      const writing: Writing = { generation: object.metadata.generation, now: clock.now };
      const { listeners: before, ...kept } = (stored.status ?? {}) as SetStatus;
      const programmed = new Map(listeners.map((each) => [each, listenerProgrammed(gateway, each, report)]));
      const accepted = setAccepted(gateway, set);
      const findings = [accepted, setProgrammed(gateway, accepted, programmed, report)];
      const conditions = mergeConditions(kept.conditions, findings, setConditions, writing);
      if (set.fault) return { ...kept, conditions };
      const storedOf = new Map(before?.map((listener) => [listener.name, listener]));
      return {
        ...kept,
        conditions,
        listeners: listeners.map((listener) =>
          listenerStatus(listener, storedOf.get(listener.name), programmed.get(listener)!, writing),
        ),
      };
    }),
  };
}

/** As the set is not accepted, so it is not programmed. */
const unprogrammedReasons: Readonly<Record<string, string>> = { ParentNotAccepted: 'ParentNotProgrammed' };

function setProgrammed(
  gateway: GatewayState,
  accepted: Finding,
  listeners: ReadonlyMap<ListenerState, Finding>,
  report: DeliveryReport,
): Finding {
  const type = 'Programmed';
  const { status, reason, message } = accepted;
  if (status === 'False') return no(type, unprogrammedReasons[reason] ?? reason, message);
  const parent = programmedOf(gateway, report);
  if (parent.status === 'False')
    return no(type, 'ParentNotProgrammed', `The Gateway is not programmed: ${parent.reason}`);
  const served = [...listeners].filter(([listener]) => isServable(listener));
  const closed = served.filter(([, finding]) => finding.status === 'False');
  if (closed.length > 0)
    return no(
      type,
      'PortUnavailable',
      joinMessages(closed.map(([{ name }, finding]) => `${name}: ${finding.message}`)),
    );
  const pending = served.filter(([, finding]) => finding.status === 'Unknown').map(([{ name }]) => name);
  if (pending.length > 0) return unknown(type, 'Pending', `Waiting for the data plane to open ${someOf(pending)}`);
  return yes(type, `Serving on ${someOf(gateway.addresses.shown)}`);
}
