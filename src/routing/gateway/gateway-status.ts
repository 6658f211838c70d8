/** Status of Gateways and their listeners. */
import { isIP } from 'node:net';
import type { Gateway } from '../../kube/types/index.ts';
import type { DeliveryReport, StatusUpdate } from '../translate.ts';
import { insecureFallbacks } from './client-validation.ts';
import { type Finding, mergeConditions, no, unknown, type Writing, yes } from './conditions.ts';
import { joinMessages, someOf, toldOf } from './context.ts';
import { isDefaultGateway } from './default-gateways.ts';
import { resources } from './kinds.ts';
import { setAccepted } from './listener-set-accepted.ts';
import { listenerProgrammed, listenerStatus } from './listener-status.ts';
import { type GatewayState, isServable, type ListenerState } from './model.ts';
import { remembered } from './remembered-status.ts';
import { socketIds } from './sockets.ts';

const gatewayConditions = [
  'Accepted',
  'Programmed',
  'ResolvedRefs',
  'InsecureFrontendValidationMode',
  'DefaultGateway',
];

/** status.addresses holds no more: with one too many, nothing of the status could be written. */
const maxAddresses = 16;

/** For as long as the state says the same, but for the routes that attach. `clock` is read when the status is built. */
export function gatewayStatus(clock: Pick<Writing, 'now'>, state: GatewayState): StatusUpdate {
  const { object, addresses, listeners } = state;
  const inputs = { sockets: listeners, counted: listeners, other: () => state.taken };
  return {
    ref: state.ref,
    resource: resources.gateway,
    build: remembered(state, inputs, (stored, report) => {
      const writing: Writing = { generation: object.metadata.generation, now: clock.now };
      const status = stored.status as Gateway['status'];
      const before = new Map(status?.listeners?.map((listener) => [listener.name, listener]));
      const programmed = programmedListeners(state, report);
      const findings = [
        gatewayAccepted(state),
        gatewayProgrammed(state, programmed, report),
        gatewayResolvedRefs(state),
        ...insecureFinding(state),
        ...defaultFinding(state),
      ];
      const attachedListenerSets = attachedSets(state);
      const { attachedListenerSets: _, ...kept } = status ?? {};
      return {
        ...kept,
        addresses: state.fault
          ? []
          : addresses.shown
              .slice(0, maxAddresses)
              .map((value) => ({ type: isIP(value) ? 'IPAddress' : 'Hostname', value })),
        conditions: mergeConditions(status?.conditions, findings, gatewayConditions, writing),
        listeners: listeners.map((listener) =>
          listenerStatus(listener, before.get(listener.name), programmed.get(listener)!, writing),
        ),
        ...(attachedListenerSets !== undefined && { attachedListenerSets }),
      };
    }),
  };
}

function programmedListeners(state: GatewayState, report: DeliveryReport): Map<ListenerState, Finding> {
  return new Map(state.listeners.map((listener) => [listener, listenerProgrammed(state, listener, report)]));
}

/** Programmed, of the Gateway and its own listeners. */
export function programmedOf(state: GatewayState, report: DeliveryReport): Finding {
  return gatewayProgrammed(state, programmedListeners(state, report), report);
}

/** Sets that are accepted; undefined for Gateways that have nothing to do with any. */
function attachedSets(state: GatewayState): number | undefined {
  if (state.sets.length === 0 && !state.object.spec.allowedListeners) return undefined;
  return state.sets.filter((set) => setAccepted(state, set).status === 'True').length;
}

function gatewayAccepted({ fault, listeners }: GatewayState): Finding {
  if (fault) return no('Accepted', fault.reason, toldOf(fault));
  const invalid = listeners.filter((listener) => !isServable(listener));
  if (invalid.length === 0) return yes('Accepted', 'All listeners are valid');
  const names = joinMessages(
    invalid.map(({ name, faults }) => `${name} (${(faults.accepted ?? faults.resolvedRefs)?.message})`),
  );
  return yes('Accepted', `Some listeners cannot be served: ${names}`, 'ListenersNotValid');
}

/**
 * Of the Gateway's own references, and for all of its listeners together, those of its ListenerSets not among them: they
 * have a condition of their own.
 */
function gatewayResolvedRefs({ listeners, backendCertificate: shown }: GatewayState): Finding {
  if (shown && !('id' in shown)) return no('ResolvedRefs', shown.reason, toldOf(shown));
  const unresolved = listeners.filter(({ faults }) => faults.resolvedRefs);
  if (unresolved.length === 0) return yes('ResolvedRefs', 'All references are resolved');
  const messages = unresolved.map(({ name, faults }) => `${name} (${toldOf(faults.resolvedRefs!)})`);
  return no(
    'ResolvedRefs',
    'ListenersNotResolved',
    `Listeners have references that lead nowhere: ${joinMessages(messages)}`,
  );
}

/** There for as long as clients are let in without a valid certificate, and not to be set otherwise. */
function insecureFinding({ object }: GatewayState): Finding[] {
  const insecure = insecureFallbacks(object);
  if (insecure.length === 0) return [];
  const message = `Clients are let in whatever certificate they show: ${someOf(insecure)}`;
  return [yes('InsecureFrontendValidationMode', message, 'ConfigurationChanged')];
}

/** There for default Gateways only (GEP-3793, which names no reason). */
function defaultFinding({ object }: GatewayState): Finding[] {
  if (!isDefaultGateway(object)) return [];
  return [yes('DefaultGateway', 'Gateway has default scope All')];
}

function gatewayProgrammed(
  state: GatewayState,
  listeners: ReadonlyMap<ListenerState, Finding>,
  report: DeliveryReport,
): Finding {
  const type = 'Programmed';
  const { fault, addresses } = state;
  if (fault) return no(type, 'Invalid', `The Gateway is not accepted: ${fault.message}`);
  if (addresses.unusable) return no(type, addresses.unusable.reason, addresses.unusable.message);
  if (addresses.shown.length === 0) return no(type, 'AddressNotAssigned', 'No address is known yet that leads here');
  const served = [...listeners].filter(([listener]) => isServable(listener));
  if (served.length === 0) return no(type, 'Invalid', 'No listener can be served');
  const closed = served.filter(([, finding]) => finding.status === 'False');
  if (closed.length > 0) {
    const asked = closed.some(([listener]) => failedOnRequested(state, listener, report));
    const messages = closed.map(([{ name }, { message }]) => `${name}: ${message}`);
    return no(type, asked ? 'AddressNotUsable' : 'Invalid', joinMessages(messages));
  }
  const pending = served.filter(([, finding]) => finding.status === 'Unknown').map(([{ name }]) => name);
  if (pending.length > 0) return unknown(type, 'Pending', `Waiting for the data plane to open ${someOf(pending)}`);
  return yes(type, `Serving on ${someOf(addresses.shown)}${state.taken ? `; ${state.taken}` : ''}`);
}

/** Whether a socket could not be opened on an address that the Gateway asked for by value. */
function failedOnRequested(state: GatewayState, listener: ListenerState, report: DeliveryReport): boolean {
  const { usable, requested } = state.addresses;
  return socketIds(state, listener).some((id, i) => requested.has(usable[i]!) && report.listener(id)?.bound === false);
}
