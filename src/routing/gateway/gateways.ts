/** The Gateways that are ours, with everything that can be said of them before any route attaches. */

import { refOf } from '../../kube/resources.ts';
import type { Gateway } from '../../kube/types/index.ts';
import { type AddressState, resolveAddresses } from './addresses.ts';
import type { ClassState } from './classes.ts';
import { insecureFallbacks, resolveBackendCertificate } from './client-validation.ts';
import { type Context, compareAge, type Fault, joinMessages } from './context.ts';
import { type PortOwner, resolveListeners } from './listeners.ts';
import type { GatewayState } from './model.ts';
import { isServable } from './model.ts';

/** Ports that Ingresses are served on. */
const ingressPorts: ReadonlySet<number> = new Set([80, 443]);

/** By `namespace/name`. Where two ask for one address and port, the older Gateway has it. */
export function resolveGateways(
  context: Context,
  gateways: readonly Gateway[],
  classes: ReadonlyMap<string, ClassState>,
): ReadonlyMap<string, GatewayState> {
  const ours = gateways.filter(({ spec }) => classes.has(spec.gatewayClassName)).sort(compareAge);
  const ingress = new Set(context.input.addresses.ingress());
  /** Who holds a socket, see `socketOf`. */
  const sockets = new Map<string, string>();
  const states = new Map<string, GatewayState>();
  for (const object of ours) {
    const key = `${object.metadata.namespace ?? 'default'}/${object.metadata.name}`;
    const addresses = resolveAddresses(context, object);
    const portOwner: PortOwner = ({ port, protocol }) => {
      for (const address of addresses.usable) {
        if (ingress.has(address) && ingressPorts.has(port) && protocol !== 'UDP') return 'the front door of Ingresses';
        const owner = sockets.get(socketOf(address, port, protocol));
        if (owner !== undefined) return owner;
      }
      return undefined;
    };
    const gatewayClass = classes.get(object.spec.gatewayClassName)!;
    const listeners = resolveListeners(context, object, portOwner);
    const fault = gatewayFault(context, object, gatewayClass, addresses);
    reportUnserved(context, object);
    const backendCertificate = resolveBackendCertificate(context, object);
    const state: GatewayState = {
      object,
      ref: refOf(object),
      class: gatewayClass,
      addresses,
      listeners,
      ...(backendCertificate && { backendCertificate }),
      ...((fault ?? noListener(listeners)) && { fault: (fault ?? noListener(listeners))! }),
    };
    states.set(key, state);
    if (state.fault) continue;
    for (const listener of listeners.filter(isServable))
      for (const address of addresses.usable)
        sockets.set(socketOf(address, listener.port, listener.spec.protocol), `the Gateway ${key}`);
  }
  return states;
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
    };
  const parameters = object.spec.infrastructure?.parametersRef;
  if (parameters) {
    const message = `infrastructure.parametersRef names ${parameters.kind} ${parameters.name}, and Fairway reads no parameters`;
    // What another controller would read must not keep manifests written for it from being tried.
    const code = gatewayClass.adopted ? 'FW3005' : 'FW3002';
    context.report(code, object, 'spec.infrastructure.parametersRef', message);
    if (!gatewayClass.adopted) return { reason: 'InvalidParameters', message };
  }
  return addresses.unsupported;
}

function noListener(listeners: GatewayState['listeners']): Fault | undefined {
  if (listeners.some(({ faults }) => !faults.accepted)) return undefined;
  return {
    reason: 'ListenersNotValid',
    message: `No listener can be served: ${joinMessages(listeners.map(({ name, faults }) => `${name} (${faults.accepted?.message})`))}`,
  };
}

function reportUnserved(context: Context, object: Gateway): void {
  const { defaultScope } = object.spec;
  for (const fieldPath of insecureFallbacks(object))
    context.report(
      'FW3110',
      object,
      `${fieldPath}.validation.mode`,
      'clients are let in whatever certificate they show',
    );
  if (defaultScope === 'All')
    context.report(
      'FW3005',
      object,
      'spec.defaultScope',
      'routes attach only to the Gateways that their parentRefs name',
    );
}
