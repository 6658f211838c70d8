/**
 * Gateways whose outlook for routes is as it was: what routes were found to attach to then, they attach to now. Such a
 * Gateway keeps its state object, so that what refers to it holds; what routes do not ask (certificates) is renewed in it.
 */
import { equalJson } from '../../kube/objects.ts';
import { type GatewayState, isServable, type ListenerState } from './model.ts';

export type GatewayStates = ReadonlyMap<string, GatewayState>;

export interface Steady {
  /** States of `before` with the news of `now`, for Gateways that look the same to routes; the others as they are now. */
  readonly states: GatewayStates;
  /** Keys of Gateways that came, went, or look different. */
  readonly changed: ReadonlySet<string>;
}

export function keepSteady(now: GatewayStates, before: GatewayStates = new Map()): Steady {
  const states = new Map<string, GatewayState>();
  const changed = new Set<string>();
  for (const [key, state] of now) {
    const known = before.get(key);
    const isSteady = known !== undefined && equalJson(outlookOf(state), outlookOf(known));
    if (isSteady) renew(known, state);
    else changed.add(key);
    states.set(key, isSteady ? known : state);
  }
  for (const key of before.keys()) if (!now.has(key)) changed.add(key);
  return { states, changed };
}

/** All that routes, their hosts and their statuses are made of. */
function outlookOf({ object, ref, class: gatewayClass, addresses, listeners, fault }: GatewayState) {
  const { name, adopted, problem } = gatewayClass;
  const { generation, uid } = object.metadata;
  return {
    ref,
    generation,
    uid,
    class: { name, adopted, problem },
    usable: addresses.usable,
    fault,
    listeners: listeners.map(listenerOutlook),
  };
}

function listenerOutlook(listener: ListenerState) {
  const { attachments, attachedRoutes, allowsNamespace, certificates, loadedCertificates, clientValidation, ...rest } =
    listener;
  return { ...rest, servable: isServable(listener) };
}

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] };

function renew(kept: GatewayState, { listeners, ...news }: GatewayState): void {
  const state = kept as Mutable<GatewayState>;
  delete state.backendCertificate;
  Object.assign(state, news);
  kept.listeners.forEach((listener: Mutable<ListenerState>, i) => {
    const { attachments, attachedRoutes } = listener;
    delete listener.clientValidation;
    Object.assign(listener, listeners[i], { attachments, attachedRoutes });
  });
}
