/** Listeners of a Gateway and its ListenerSets, once what stands beside them is known. */

import type { Gateway } from '../../kube/types/index.ts';
import { type FrontendTls, resolveFrontend } from './client-validation.ts';
import { type Context, type Fault, tell } from './context.ts';
import { byServerName, type Conflict, type Distinctness } from './distinct.ts';
import { servedProtocols } from './kinds.ts';
import { type ListenerDraft, unservedField } from './listeners.ts';
import type { ListenerFaults, ListenerSpec, ListenerState } from './model.ts';
import { neighboursNamed } from './neighbours.ts';

/** Who holds a port of the Gateway's addresses already; undefined when it is free. */
export type PortOwner = (listener: ListenerSpec) => string | undefined;

/** What a Gateway and the listeners beside it say of a listener. */
export interface Verdict {
  readonly accepted?: Fault;
  readonly conflicted?: Fault;
  readonly overlapping?: Fault;
  readonly frontend: FrontendTls;
}

export interface Settle {
  verdictOf(draft: ListenerDraft): Verdict;
  stateOf(draft: ListenerDraft, verdict: Verdict): ListenerState;
}

const noFrontend: FrontendTls = {};
const clear: Verdict = { frontend: noFrontend };

/** For the listeners of one Gateway, be they its own or those of its sets. */
export function createSettle(context: Context, gateway: Gateway, distinct: Distinctness, portOwner: PortOwner): Settle {
  const frontends = new Map<number, FrontendTls>();
  const own = gateway.metadata.namespace ?? 'default';
  function frontendOf({ owner, protocol, spec: { port } }: ListenerDraft): FrontendTls {
    if (protocol?.protocol !== 'HTTPS') return noFrontend;
    const found = frontends.get(port) ?? resolveFrontend(context, gateway, port);
    frontends.set(port, found);
    return owner.namespace === own ? found : discreet(found, port);
  }
  return {
    verdictOf(draft) {
      const frontend = frontendOf(draft);
      const conflicted = conflictFault(context, draft, distinct.conflictOf(draft));
      const accepted = conflicted ?? acceptance(context, draft, portOwner) ?? frontend.accepted;
      const overlapping = overlapFault(draft, distinct.overlapsOf(draft));
      const { validation, resolvedRefs } = frontend;
      if (!accepted && !overlapping && !validation && !resolvedRefs) return clear;
      return {
        frontend,
        ...(accepted && { accepted }),
        ...(conflicted && { conflicted }),
        ...(overlapping && { overlapping }),
      };
    },
    stateOf: settled,
  };
}

/** What owners of listeners in other namespaces are told of a Gateway's authorities: not which they are. */
function discreet(frontend: FrontendTls, port: number): FrontendTls {
  const { accepted, resolvedRefs } = frontend;
  const told = ({ reason }: Fault): Fault => ({
    reason,
    message: `the Gateway validates clients of port ${port}, with authorities that cannot be had`,
  });
  return {
    ...frontend,
    ...(accepted && { accepted: told(accepted) }),
    ...(resolvedRefs && { resolvedRefs: told(resolvedRefs) }),
  };
}

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] };

/** There may be thousands: fields in one order, so that all states have few shapes. */
function settled(draft: ListenerDraft, verdict: Verdict): ListenerState {
  const { owner, index, spec, hostname, protocol, supportedKinds, allowsNamespace, tls, alpn } = draft;
  const state: Mutable<ListenerState> = {
    owner,
    index,
    spec,
    name: spec.name,
    port: spec.port,
    hostname,
    protocol,
    supportedKinds,
    allowsNamespace,
    faults: faultsOf(draft, verdict),
    certificates: tls?.certificates ?? [],
    loadedCertificates: tls?.loaded ?? [],
    attachments: [],
    attachedRoutes: 0,
  };
  if (verdict.frontend.validation) state.clientValidation = verdict.frontend.validation;
  if (alpn) state.alpn = alpn;
  return state;
}

const noFaults: ListenerFaults = {};

function faultsOf({ tls, kindsFault }: ListenerDraft, verdict: Verdict): ListenerFaults {
  const resolvedRefs = tls?.fault ?? verdict.frontend.resolvedRefs ?? kindsFault;
  if (verdict === clear && !resolvedRefs) return noFaults;
  const { accepted, conflicted, overlapping } = verdict;
  return {
    ...(accepted && { accepted }),
    ...(conflicted && { conflicted }),
    ...(resolvedRefs && { resolvedRefs }),
    ...(overlapping && { overlapping }),
  };
}

/** What keeps a listener from being served, other than its neighbours. */
function acceptance(context: Context, draft: ListenerDraft, portOwner: PortOwner): Fault | undefined {
  const { owner, spec, index } = draft;
  const fieldPath = `spec.listeners[${index}]`;
  if (!servedProtocols.has(spec.protocol)) {
    const message = `protocol ${spec.protocol} is not served; ${[...servedProtocols.keys()].join(', ')} are`;
    return context.fault('FW3101', owner.object, `${fieldPath}.protocol`, { reason: 'UnsupportedProtocol', message });
  }
  const unserved = unservedField(spec, fieldPath);
  if (unserved) {
    const { message, hint } = unserved;
    return context.fault('FW3107', owner.object, unserved.fieldPath, { reason: 'UnsupportedValue', message, hint });
  }
  const holder = portOwner(spec);
  if (holder === undefined) return undefined;
  const message = `port ${spec.port} of this address belongs to ${holder}`;
  return context.fault('FW3106', owner.object, `${fieldPath}.port`, { reason: 'PortUnavailable', message });
}

const conflictingField = {
  HostnameConflict: 'hostname',
  ProtocolConflict: 'protocol',
  ListenerConflict: 'protocol',
} as const satisfies Record<Conflict['reason'], string>;

/** Where a hostname of its own helps, the listener keeps its port: with its like, and TLS beside HTTPS. */
function conflictHint({ spec }: ListenerDraft, { reason, others }: Conflict): string {
  const rivals = others.map(({ spec: { protocol } }) => protocol);
  const isNamed = [spec.protocol, ...rivals].every((protocol) => byServerName.has(protocol));
  if (hasHostname(spec.protocol) && (reason === 'HostnameConflict' || (reason === 'ProtocolConflict' && isNamed)))
    return 'Give this listener a hostname or a port of its own.';
  const canChange = reason === 'ProtocolConflict' && [spec.protocol, ...rivals].every(hasHostname);
  return `Give this listener a port of its own${canChange ? ', or the protocol of the other' : ''}.`;
}

const hasHostname = (protocol: string) => protocol !== 'TCP' && protocol !== 'UDP';

/** ListenerSet spec.listeners, listener precedence. */
const precedenceHint = 'Listeners of the Gateway come first, then those of the oldest ListenerSet, then by name.';

function conflictFault(context: Context, draft: ListenerDraft, conflict: Conflict | undefined): Fault | undefined {
  if (!conflict) return undefined;
  const { owner, index, spec } = draft;
  const { reason, others, isLost } = conflict;
  const isNamed = hasHostname(spec.protocol);
  const say = (named: string) => {
    const what =
      reason === 'HostnameConflict'
        ? `shares ${isNamed ? 'port and hostname' : 'its port'} with the ${named}`
        : `port ${spec.port} is ${spec.protocol} here and another protocol for the ${named}`;
    return isLost ? `${what}, which ${others.length === 1 ? 'goes' : 'go'} first` : what;
  };
  const field = reason === 'HostnameConflict' && !isNamed ? 'port' : conflictingField[reason];
  const fieldPath = `spec.listeners[${index}].${field}`;
  const mend = conflictHint(draft, conflict);
  const hint = isLost ? `${mend} ${precedenceHint}` : mend;
  context.report('FW3102', owner.object, fieldPath, say(neighboursNamed(owner, others, 'all')), hint);
  return tell('FW3102', fieldPath, { reason, message: say(neighboursNamed(owner, others, 'visible')), hint });
}

/** OverlappingTLSConfig: a client may reuse a connection made for one listener for a host of the other. */
function overlapFault({ owner }: ListenerDraft, others: readonly ListenerDraft[]): Fault | undefined {
  if (others.length === 0) return undefined;
  return {
    reason: 'OverlappingHostnames',
    message: `the hostname overlaps with that of the ${neighboursNamed(owner, others, 'visible')}: clients may reuse connections between them`,
  };
}
