/** Status of Gateways and their listeners. */
import { equalJson } from '../../kube/objects.ts';
import type { Gateway } from '../../kube/types/index.ts';
import { sameItems } from '../incremental/sorted.ts';
import type { DeliveryReport, StatusUpdate } from '../translate.ts';
import { insecureFallbacks } from './client-validation.ts';
import { type Finding, mergeConditions, no, unknown, type Writing, yes } from './conditions.ts';
import { joinMessages, someOf } from './context.ts';
import { gatewayGroup, resources } from './kinds.ts';
import { type GatewayState, isServable, type ListenerState } from './model.ts';
import { socketIds } from './sockets.ts';

type ListenerStatus = NonNullable<NonNullable<Gateway['status']>['listeners']>[number];

const gatewayConditions = ['Accepted', 'Programmed', 'ResolvedRefs', 'InsecureFrontendValidationMode'];
const listenerConditions = ['Accepted', 'Programmed', 'ResolvedRefs', 'Conflicted', 'OverlappingTLSConfig'];

/** For as long as the state says the same, but for the routes that attach. `clock` is read when the status is built. */
export function gatewayStatus(clock: Pick<Writing, 'now'>, state: GatewayState): StatusUpdate {
  const { object, addresses, listeners } = state;
  return {
    ref: state.ref,
    resource: resources.gateway,
    build: remembered(state, (stored, report) => {
      const writing: Writing = { generation: object.metadata.generation, now: clock.now };
      const status = stored.status as Gateway['status'];
      const before = new Map(status?.listeners?.map((listener) => [listener.name, listener]));
      const programmed = new Map(listeners.map((listener) => [listener, listenerProgrammed(state, listener, report)]));
      const findings = [gatewayAccepted(state), gatewayProgrammed(state, programmed, report), ...tlsFindings(state)];
      return {
        ...status,
        addresses: state.fault ? [] : addresses.usable.map((value) => ({ type: 'IPAddress', value })),
        conditions: mergeConditions(status?.conditions, findings, gatewayConditions, writing),
        listeners: listeners.map((listener) =>
          listenerStatus(listener, before.get(listener.name), programmed.get(listener)!, writing),
        ),
      };
    }),
  };
}

type Answer = ReturnType<DeliveryReport['listener']>;

/** What a status was built from, besides the Gateway. */
interface Built {
  readonly stored: unknown;
  readonly counts: readonly number[];
  readonly answers: readonly Answer[];
  readonly status: unknown;
}

/** Builds only what comes out otherwise: statuses of all Gateways are asked for after every change of anything. */
function remembered(state: GatewayState, build: StatusUpdate['build']): StatusUpdate['build'] {
  const ids = [...new Set(state.listeners.flatMap((listener) => socketIds(state, listener)))];
  let last: Built | undefined;
  return (object, report) => {
    const { status: stored } = object;
    const counts = state.listeners.map(({ attachedRoutes }) => attachedRoutes);
    const answers = ids.map((id) => report.listener(id));
    if (last && last.stored === stored && sameItems(last.counts, counts) && sameAnswers(last.answers, answers))
      return last.status;
    const built = build(object, report);
    const status = equalJson(built, stored) ? stored : built;
    last = { stored, counts, answers, status };
    return status;
  };
}

function sameAnswers(a: readonly Answer[], b: readonly Answer[]): boolean {
  return a.every((answer, i) => answer?.bound === b[i]?.bound && answer?.error === b[i]?.error);
}

function gatewayAccepted({ fault, listeners }: GatewayState): Finding {
  if (fault) return no('Accepted', fault.reason, fault.message);
  const invalid = listeners.filter((listener) => !isServable(listener));
  if (invalid.length === 0) return yes('Accepted', 'All listeners are valid');
  const names = joinMessages(
    invalid.map(({ name, faults }) => `${name} (${(faults.accepted ?? faults.resolvedRefs)?.message})`),
  );
  return yes('Accepted', `Some listeners cannot be served: ${names}`, 'ListenersNotValid');
}

/** Conditions that are there only for Gateways with a `spec.tls` that calls for them. */
function tlsFindings({ object, backendCertificate: shown }: GatewayState): Finding[] {
  const findings: Finding[] = [];
  if (shown && 'id' in shown) findings.push(yes('ResolvedRefs', 'All references are resolved'));
  else if (shown) findings.push(no('ResolvedRefs', shown.reason, shown.message));
  const insecure = insecureFallbacks(object);
  if (insecure.length > 0)
    findings.push(
      yes(
        'InsecureFrontendValidationMode',
        `Clients are let in whatever certificate they show: ${someOf(insecure)}`,
        'ConfigurationChanged',
      ),
    );
  return findings;
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
  return yes(type, `Serving on ${someOf(addresses.usable)}`);
}

/** Whether a socket could not be opened on an address that the Gateway asked for by value. */
function failedOnRequested(state: GatewayState, listener: ListenerState, report: DeliveryReport): boolean {
  const { usable, requested } = state.addresses;
  return socketIds(state, listener).some((id, i) => requested.has(usable[i]!) && report.listener(id)?.bound === false);
}

/** A listener is programmed when the data plane has opened its port on every address of the Gateway. */
function listenerProgrammed(state: GatewayState, listener: ListenerState, report: DeliveryReport): Finding {
  const type = 'Programmed';
  const { faults } = listener;
  if (faults.conflicted) return no(type, faults.conflicted.reason, faults.conflicted.message);
  if (faults.accepted) return no(type, 'Invalid', faults.accepted.message);
  if (!isServable(listener))
    return no(type, 'Invalid', faults.resolvedRefs?.message ?? 'The listener cannot be served');
  if (state.fault) return no(type, 'Invalid', `The Gateway is not accepted: ${state.fault.message}`);
  const ids = socketIds(state, listener);
  if (ids.length === 0) return no(type, 'Invalid', 'The Gateway has no address that it can use');
  const answers = ids.map((id) => ({ id, answer: report.listener(id) }));
  const failed = answers.filter(({ answer }) => answer?.bound === false);
  if (failed.length > 0)
    return no(
      type,
      'Invalid',
      someOf(failed.map(({ id, answer }) => `${id} could not be opened: ${answer?.error ?? 'no reason given'}`)),
    );
  if (answers.some(({ answer }) => !answer)) return unknown(type, 'Pending', 'Waiting for the data plane');
  return yes(type, `Serving on port ${listener.port}`);
}

function listenerStatus(
  listener: ListenerState,
  stored: ListenerStatus | undefined,
  programmed: Finding,
  writing: Writing,
): ListenerStatus {
  const { faults } = listener;
  const findings: Finding[] = [
    faults.accepted
      ? no('Accepted', faults.accepted.reason, faults.accepted.message)
      : yes('Accepted', 'The listener is valid'),
    programmed,
    faults.resolvedRefs
      ? no('ResolvedRefs', faults.resolvedRefs.reason, faults.resolvedRefs.message)
      : yes('ResolvedRefs', 'All references are resolved'),
    faults.conflicted
      ? yes('Conflicted', faults.conflicted.message, faults.conflicted.reason)
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
