/**
 * Whether Ingresses are served where Gateways are. One socket is either's: a Gateway, or ListenerSet of one, with a
 * listener on port 80 or 443 that is older than every Ingress of ours keeps its ports, so that the first Ingress breaks nobody's Gateway; else
 * Ingresses have both ports, and listeners of Gateways that want them say so. Every replica comes to the same answer,
 * since nothing but objects decides.
 */
import { keyOf } from '../../kube/resources.ts';
import type { StoreReader } from '../../kube/store/store.ts';
import type { Gateway, GatewayClass, Ingress, KubeObject, ListenerSet } from '../../kube/types/index.ts';
import { gatewayOfListenerSet } from '../../routing/gateway/listener-sets.ts';
import { createClassBook } from '../../routing/ingress/class-claim.ts';
import { gatewayControllerName } from '../../routing/translate.ts';

export interface IngressDoor {
  isOpen(): boolean;
  /** Why it is not, when there are Ingresses that want it. */
  closed(): string | undefined;
}

export interface IngressDoorOptions {
  readonly store: StoreReader;
  /** Gateways are served on the same address. */
  readonly isShared: boolean;
  /** Of our GatewayClasses. Default `gatewayControllerName`. */
  readonly controllerName?: string;
}

const ingresses = 'ingresses.networking.k8s.io';
const ingressClasses = 'ingressclasses.networking.k8s.io';
const gateways = 'gateways.gateway.networking.k8s.io';
const listenerSets = 'listenersets.gateway.networking.k8s.io';
const gatewayClasses = 'gatewayclasses.gateway.networking.k8s.io';

export function createIngressDoor(options: IngressDoorOptions): IngressDoor {
  const { store } = options;
  let seen = '';
  let state: { isOpen: boolean; closed?: string } = { isOpen: true };

  function look(): typeof state {
    const now = [ingresses, ingressClasses, gateways, listenerSets, gatewayClasses]
      .map((name) => store.changedAt(name))
      .join();
    if (now === seen) return state;
    seen = now;
    state = decide(options);
    return state;
  }

  return { isOpen: () => look().isOpen, closed: () => look().closed };
}

function decide({ store, isShared, controllerName = gatewayControllerName }: IngressDoorOptions): {
  isOpen: boolean;
  closed?: string;
} {
  const oldest = oldestOf(ourIngresses(store));
  if (!oldest) return { isOpen: false };
  if (!isShared) return { isOpen: true };
  const gateways = ourGateways(store, controllerName);
  const owner = oldestOf<WithListeners>([...gateways, ...setsOf(store, gateways)].filter(wantsWebPort));
  if (!owner || compareAge(oldest, owner) < 0) return { isOpen: true };
  const { namespace, name } = owner.metadata;
  return {
    isOpen: false,
    closed: `the ports 80 and 443 belong to Gateways, of which ${namespace}/${name} is older than every Ingress`,
  };
}

type WithListeners = Gateway | ListenerSet;

const wantsWebPort = ({ spec }: WithListeners) =>
  (spec.listeners ?? []).some(({ port, protocol }) => (port === 80 || port === 443) && protocol !== 'UDP');

function ourGateways(store: StoreReader, controllerName: string): Gateway[] {
  const ours = new Set(
    store
      .list<GatewayClass>(gatewayClasses)
      .filter(({ spec }) => spec.controllerName === controllerName)
      .map(({ metadata }) => metadata.name),
  );
  return store.list<Gateway>(gateways).filter(({ spec }) => ours.has(spec.gatewayClassName));
}

/** ListenerSets of these Gateways. Which namespaces a Gateway admits is for the translator to say; that it admits any, here. */
function setsOf(store: StoreReader, gateways: readonly Gateway[]): ListenerSet[] {
  const admitting = gateways.filter(({ spec }) => (spec.allowedListeners?.namespaces?.from ?? 'None') !== 'None');
  const keys = new Set(admitting.map(keyOf));
  return keys.size === 0
    ? []
    : store.list<ListenerSet>(listenerSets).filter((set) => keys.has(gatewayOfListenerSet(set)));
}

function ourIngresses(store: StoreReader): Ingress[] {
  const { claimOf } = createClassBook(store);
  return store.list<Ingress>(ingresses).filter((ingress) => claimOf(ingress).ours);
}

function oldestOf<T extends KubeObject>(objects: readonly T[]): T | undefined {
  return objects.reduce<T | undefined>((oldest, object) => {
    return !oldest || compareAge(object, oldest) < 0 ? object : oldest;
  }, undefined);
}

function compareAge(a: KubeObject, b: KubeObject): number {
  const [left, right] = [a, b].map(({ metadata }) => metadata.creationTimestamp ?? '~') as [string, string];
  if (left !== right) return left < right ? -1 : 1;
  const [one, other] = [a, b].map(({ metadata }) => `${metadata.namespace}/${metadata.name}`) as [string, string];
  return one < other ? -1 : Number(one > other);
}
