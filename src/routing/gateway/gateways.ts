/** The Gateways that are ours, with everything that can be said of them before any route attaches. */

import { refOf } from '../../kube/resources.ts';
import type { Gateway, ListenerSet } from '../../kube/types/index.ts';
import { type AddressState, resolveAddresses } from './addresses.ts';
import type { ClassState } from './classes.ts';
import { insecureFallbacks, resolveBackendCertificate } from './client-validation.ts';
import { type Context, compareAge, type Fault, joinMessages, toldOf } from './context.ts';
import { judgeDistinct } from './distinct.ts';
import { createAdmission, type SetsMemory, settleSet } from './listener-sets.ts';
import { draftListeners } from './listeners.ts';
import { type GatewayState, isServable, type ListenerSetState, type ListenerState, ownerOfListeners } from './model.ts';
import { createSettle, type PortOwner } from './settle.ts';

/** Ports that Ingresses are served on. */
const ingressPorts: ReadonlySet<number> = new Set([80, 443]);

export interface GatewaySets {
  /** By the key of the Gateway, in the order of precedence. */
  readonly byGateway: ReadonlyMap<string, readonly ListenerSet[]>;
  readonly memory: SetsMemory;
}

/** By `namespace/name`. Where two ask for one address and port, the older Gateway has it. */
export function resolveGateways(
  context: Context,
  gateways: readonly Gateway[],
  classes: ReadonlyMap<string, ClassState>,
  { byGateway, memory }: GatewaySets,
): ReadonlyMap<string, GatewayState> {
  const ours = gateways.filter(({ spec }) => classes.has(spec.gatewayClassName)).sort(compareAge);
  const ingress = new Set(context.input.addresses.ingress());
  /** Who holds a socket, see `socketOf`. */
  const sockets = new Map<string, string>();
  const states = new Map<string, GatewayState>();
  for (const object of ours) {
    const key = `${object.metadata.namespace ?? 'default'}/${object.metadata.name}`;
    const addresses = resolveAddresses(context, object);
    const owners = new Map<number, string | undefined>();
    const portOwner: PortOwner = (spec) => {
      const transport = transportOf(spec);
      if (!owners.has(transport)) owners.set(transport, ownerOfPort(spec));
      return owners.get(transport);
    };
    const ownerOfPort: PortOwner = ({ port, protocol }) => {
      for (const address of addresses.usable) {
        if (ingress.has(address) && ingressPorts.has(port) && protocol !== 'UDP') return 'the front door of Ingresses';
        const owner = sockets.get(socketOf(address, port, protocol));
        if (owner !== undefined) return owner;
      }
      return undefined;
    };
    const gatewayClass = classes.get(object.spec.gatewayClassName)!;
    const { listeners, sets } = resolveListeners(context, object, byGateway.get(key) ?? [], memory, portOwner);
    const fault = gatewayFault(context, object, gatewayClass, addresses);
    reportInsecure(context, object);
    const backendCertificate = resolveBackendCertificate(context, object);
    const state: GatewayState = {
      object,
      ref: refOf(object),
      class: gatewayClass,
      addresses,
      listeners,
      sets,
      merged: [...listeners, ...sets.flatMap((set) => set.listeners)],
      ...(backendCertificate && { backendCertificate }),
      ...((fault ?? noListener(listeners)) && { fault: (fault ?? noListener(listeners))! }),
    };
    states.set(key, state);
    if (state.fault) continue;
    const served = new Map(state.merged.filter(isServable).map(({ spec }) => [transportOf(spec), spec]));
    for (const { port, protocol } of served.values())
      for (const address of addresses.usable) sockets.set(socketOf(address, port, protocol), `the Gateway ${key}`);
  }
  return states;
}

/** Listeners of a Gateway and of its sets, each judged with all others. */
function resolveListeners(
  context: Context,
  gateway: Gateway,
  named: readonly ListenerSet[],
  memory: SetsMemory,
  portOwner: PortOwner,
): { listeners: readonly ListenerState[]; sets: readonly ListenerSetState[] } {
  const own = draftListeners(context, ownerOfListeners(gateway));
  const faultOf = createAdmission(context, gateway);
  const drafts = named.map((set) => memory.draftOf(context, set));
  const judged = drafts.map((draft) => ({ draft, fault: faultOf(draft) }));
  const admitted = judged.filter(({ fault }) => !fault).map(({ draft }) => draft.value);
  const settle = createSettle(context, gateway, judgeDistinct([own, ...admitted]), portOwner);
  return {
    listeners: own.map((draft) => settle.stateOf(draft, settle.verdictOf(draft))),
    sets: judged.map(({ draft, fault }) => settleSet(context, memory, draft, fault, settle)),
  };
}

/** A port, apart from UDP's of the same number. */
function transportOf({ port, protocol }: { readonly port: number; readonly protocol: string }): number {
  return protocol === 'UDP' ? -port : port;
}

/** What two Gateways cannot both have: UDP ports are others than those of TCP. */
function socketOf(address: string, port: number, protocol: string): string {
  return `${address}:${port}${protocol === 'UDP' ? '/UDP' : ''}`;
}

function gatewayFault(
  context: Context,
  object: Gateway,
  gatewayClass: ClassState,
  addresses: AddressState,
): Fault | undefined {
  if (gatewayClass.problem)
    return {
      reason: 'InvalidParameters',
      message: `GatewayClass ${gatewayClass.name} is not accepted: ${gatewayClass.problem}`,
      told: `spec.gatewayClassName: GatewayClass ${gatewayClass.name} is not accepted: ${gatewayClass.problem}; fix: Remove parametersRef from the GatewayClass, or name another class`,
    };
  const parameters = object.spec.infrastructure?.parametersRef;
  if (parameters) {
    const message = `infrastructure.parametersRef names ${parameters.kind} ${parameters.name}, and Fairway reads no parameters`;
    // What another controller would read must not keep manifests written for it from being tried.
    const code = gatewayClass.adopted ? 'FW3005' : 'FW3002';
    const fault = context.fault(code, object, 'spec.infrastructure.parametersRef', {
      ...{ reason: 'InvalidParameters', message },
    });
    if (!gatewayClass.adopted) return fault;
  }
  return addresses.unsupported;
}

function noListener(listeners: GatewayState['listeners']): Fault | undefined {
  if (listeners.some(({ faults }) => !faults.accepted)) return undefined;
  return {
    reason: 'ListenersNotValid',
    message: `No listener can be served: ${joinMessages(listeners.map(({ name, faults }) => `${name} (${faults.accepted?.message})`))}`,
    told: `spec.listeners: no listener can be served: ${joinMessages(listeners.map(({ name, faults }) => `${name} (${faults.accepted && toldOf(faults.accepted)})`))}`,
  };
}

function reportInsecure(context: Context, object: Gateway): void {
  for (const fieldPath of insecureFallbacks(object))
    context.report(
      'FW3110',
      object,
      `${fieldPath}.validation.mode`,
      'clients are let in whatever certificate they show',
    );
}
