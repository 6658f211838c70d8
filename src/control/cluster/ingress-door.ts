/**
 * Whether Ingresses are served where Gateways are. One socket is either's: a Gateway with a listener on port 80 or 443
 * that is older than every Ingress of ours keeps its ports, so that the first Ingress breaks nobody's Gateway; else
 * Ingresses have both ports, and listeners of Gateways that want them say so. Every replica comes to the same answer,
 * since nothing but objects decides.
 */
import type { StoreReader } from '../../kube/store/store.ts';
import type { Gateway, GatewayClass, Ingress, IngressClass, KubeObject } from '../../kube/types/index.ts';
import { gatewayControllerName, ingressControllerName } from '../../routing/translate.ts';

export interface IngressDoor {
  isOpen(): boolean;
  /** Why it is not, when there are Ingresses that want it. */
  closed(): string | undefined;
}

export interface IngressDoorOptions {
  readonly store: StoreReader;
  /** Gateways are served on the same address. */
  readonly isShared: boolean;
}

const ingresses = 'ingresses.networking.k8s.io';
const ingressClasses = 'ingressclasses.networking.k8s.io';
const gateways = 'gateways.gateway.networking.k8s.io';
const gatewayClasses = 'gatewayclasses.gateway.networking.k8s.io';
const legacyAnnotation = 'kubernetes.io/ingress.class';
const defaultAnnotation = 'ingressclass.kubernetes.io/is-default-class';
const legacyName = 'fairway';

export function createIngressDoor({ store, isShared }: IngressDoorOptions): IngressDoor {
  let seen = '';
  let state: { isOpen: boolean; closed?: string } = { isOpen: true };

  function look(): typeof state {
    const now = [ingresses, ingressClasses, gateways, gatewayClasses].map((name) => store.changedAt(name)).join();
    if (now === seen) return state;
    seen = now;
    state = decide(store, isShared);
    return state;
  }

  return { isOpen: () => look().isOpen, closed: () => look().closed };
}

function decide(store: StoreReader, isShared: boolean): { isOpen: boolean; closed?: string } {
  const oldest = oldestOf(ourIngresses(store));
  if (!oldest) return { isOpen: false };
  if (!isShared) return { isOpen: true };
  const owner = oldestOf(ourGateways(store).filter(wantsWebPort));
  if (!owner || compareAge(oldest, owner) < 0) return { isOpen: true };
  const { namespace, name } = owner.metadata;
  return {
    isOpen: false,
    closed: `the ports 80 and 443 belong to Gateways, of which ${namespace}/${name} is older than every Ingress`,
  };
}

const wantsWebPort = ({ spec }: Gateway) =>
  (spec.listeners ?? []).some(({ port, protocol }) => (port === 80 || port === 443) && protocol !== 'UDP');

function ourGateways(store: StoreReader): Gateway[] {
  const ours = new Set(
    store
      .list<GatewayClass>(gatewayClasses)
      .filter(({ spec }) => spec.controllerName === gatewayControllerName)
      .map(({ metadata }) => metadata.name),
  );
  return store.list<Gateway>(gateways).filter(({ spec }) => ours.has(spec.gatewayClassName));
}

/** As routing/ingress/classes.ts chooses them where no class is adopted. */
function ourIngresses(store: StoreReader): Ingress[] {
  const classes = store.list<IngressClass>(ingressClasses);
  const ours = new Set(
    classes.filter(({ spec }) => spec?.controller === ingressControllerName).map(({ metadata }) => metadata.name),
  );
  const marked = classes.filter(({ metadata }) => metadata.annotations?.[defaultAnnotation] === 'true');
  const fallback = marked.sort((a, b) => compareAge(b, a))[0]?.metadata.name;
  return store.list<Ingress>(ingresses).filter(({ spec, metadata }) => {
    const legacy = metadata.annotations?.[legacyAnnotation];
    if (!spec?.ingressClassName && legacy === legacyName) return true;
    return ours.has(spec?.ingressClassName || legacy || (fallback ?? ''));
  });
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
