/**
 * Gateways and ListenerSets whose outlook for routes is as it was: what routes were found to attach to then, they attach
 * to now. Such an object keeps its state, so that what refers to it holds; what routes do not ask (certificates) is
 * renewed in it. A set holds or not by itself, for as long as its Gateway does.
 */
import { equalJson } from '../../kube/objects.ts';
import { isDefaultGateway } from './default-gateways.ts';
import { type GatewayState, isServable, type ListenerSetState, type ListenerState } from './model.ts';

export type GatewayStates = ReadonlyMap<string, GatewayState>;
export type SetStates = ReadonlyMap<string, ListenerSetState>;

export interface Steady {
  /** States from before with the news of now, for Gateways that look the same to routes; the others as they are now. */
  readonly gateways: GatewayStates;
  /** The ListenerSets of those, by `namespace/name`. */
  readonly sets: SetStates;
  /** Keys of Gateways that came, went, or look different. */
  readonly changed: ReadonlySet<string>;
  readonly changedSets: ReadonlySet<string>;
  /** The states of sets that `sets` were made of. */
  readonly sources: SetStates;
}

const nothing: Steady = {
  gateways: new Map(),
  sets: new Map(),
  changed: new Set(),
  changedSets: new Set(),
  sources: new Map(),
};

export function keepSteady(now: GatewayStates, before: Steady = nothing): Steady {
  const gateways = new Map<string, GatewayState>();
  const sets = new Map<string, ListenerSetState>();
  const sources = new Map<string, ListenerSetState>();
  const changed = new Set<string>();
  const changedSets = new Set<string>();
  for (const [key, state] of now) {
    const known = before.gateways.get(key);
    const isSteady = known !== undefined && equalJson(outlookOf(state), outlookOf(known));
    const own = state.sets.map((set) => {
      const kept = isSteady ? keepSet(set, before) : undefined;
      if (!kept) changedSets.add(set.key);
      sources.set(set.key, set);
      sets.set(set.key, kept ?? set);
      return kept ?? set;
    });
    if (isSteady) renew(known, state, own);
    else changed.add(key);
    gateways.set(key, isSteady ? known : state);
  }
  for (const key of before.gateways.keys()) if (!now.has(key)) changed.add(key);
  for (const key of before.sets.keys()) if (!sets.has(key)) changedSets.add(key);
  return { gateways, sets, changed, changedSets, sources };
}

/** The set as it was, when it looks the same to routes. */
function keepSet(now: ListenerSetState, before: Steady): ListenerSetState | undefined {
  const kept = before.sets.get(now.key);
  if (!kept) return undefined;
  if (before.sources.get(now.key) === now) return kept;
  if (!equalJson(outlookOfSet(now), outlookOfSet(kept))) return undefined;
  renewSet(kept, now);
  return kept;
}

/** All that routes, their hosts and their statuses are made of. */
function outlookOf({ object, ref, class: gatewayClass, addresses, listeners, fault }: GatewayState) {
  const { name, adopted, problem } = gatewayClass;
  const { generation, uid } = object.metadata;
  return {
    ref,
    generation,
    uid,
    isDefault: isDefaultGateway(object),
    class: { name, adopted, problem },
    usable: addresses.usable,
    shown: addresses.shown,
    fault,
    listeners: listeners.map(listenerOutlook),
  };
}

function outlookOfSet({ owner, parent, object, listeners, fault }: ListenerSetState) {
  const { generation, uid } = object.metadata;
  return { ref: owner.ref, parent, generation, uid, fault, listeners: listeners.map(listenerOutlook) };
}

function listenerOutlook(listener: ListenerState) {
  const {
    owner,
    attachments,
    attachedRoutes,
    allowsNamespace,
    certificates,
    loadedCertificates,
    clientValidation,
    faults: { overlapping, ...faults },
    ...rest
  } = listener;
  return { ...rest, faults, servable: isServable(listener) };
}

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] };

function renew(kept: GatewayState, { listeners, ...news }: GatewayState, sets: readonly ListenerSetState[]): void {
  const state = kept as Mutable<GatewayState>;
  delete state.backendCertificate;
  Object.assign(state, news, { sets, merged: [...kept.listeners, ...sets.flatMap((set) => set.listeners)] });
  renewListeners(kept.listeners, listeners);
}

function renewSet(kept: ListenerSetState, { listeners, ...news }: ListenerSetState): void {
  Object.assign(kept, news);
  renewListeners(kept.listeners, listeners);
}

function renewListeners(kept: readonly Mutable<ListenerState>[], now: readonly ListenerState[]): void {
  kept.forEach((listener, i) => {
    const { attachments, attachedRoutes } = listener;
    delete listener.clientValidation;
    Object.assign(listener, now[i], { attachments, attachedRoutes });
  });
}
