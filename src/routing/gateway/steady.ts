/**
 * Gateways whose outlook for routes is as it was: what routes were found to attach to then, they attach to now. Such a
 * Gateway keeps its state object, so that what refers to it holds; what routes do not ask (certificates) is renewed in it.
 */
import { equalJson } from '../../kube/objects.ts';
import { type GatewayState, isServable, type ListenerState } from './model.ts';

export type GatewayStates = ReadonlyMap<string, GatewayState>;

/** `before` with the news of `now`, when every Gateway looks the same to routes; `now` otherwise. */
export function keepSteady(now: GatewayStates, before: GatewayStates | undefined): GatewayStates {
  if (!before || !sameOutlooks(now, before)) return now;
  for (const [key, state] of now) renew(before.get(key)!, state);
  return before;
}

function sameOutlooks(now: GatewayStates, before: GatewayStates): boolean {
  return now.size === before.size && equalJson([...now].map(outlookOf), [...before].map(outlookOf));
}

/** All that routes, their hosts and their statuses are made of. */
function outlookOf([key, { object, ref, class: gatewayClass, addresses, listeners, fault }]: [string, GatewayState]) {
  const { name, adopted, problem } = gatewayClass;
  const { generation, uid } = object.metadata;
  return {
    key,
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
