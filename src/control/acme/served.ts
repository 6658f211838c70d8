/** Objects that may ask for certificates because we serve them: with other controllers' we have nothing to do. */
import type { StoreReader } from '../../kube/store/store.ts';
import type { Gateway, GatewayClass, Ingress, ListenerSet } from '../../kube/types/index.ts';
import { resources } from '../../routing/gateway/kinds.ts';
import type { Plan } from '../../routing/plan/plan.ts';
import { gatewayControllerName } from '../../routing/translate.ts';

const ingressResource = 'ingresses.networking.k8s.io';

export interface ServedBy {
  readonly adopt: boolean;
  /** Of our GatewayClasses. Default `gatewayControllerName`. */
  readonly controllerName?: string;
}

/** As the plan has Ingresses, whatever made them ours; Gateways by their class, since one without a certificate is in no plan yet. */
export function servedAskers(
  store: StoreReader,
  plan: Plan,
  { adopt, controllerName = gatewayControllerName }: ServedBy,
): { readonly ingresses: readonly Ingress[]; readonly gateways: readonly (Gateway | ListenerSet)[] } {
  const secured = store.list<Ingress>(ingressResource).filter(({ spec }) => spec?.tls?.length);
  const served = secured.length > 0 ? ingressesOf(plan) : new Set();
  const gateways = store.list<Gateway>(resources.gateway).filter(isServed(store, adopt, controllerName));
  const keys = new Set(gateways.map(({ metadata }) => `${metadata.namespace}/${metadata.name}`));
  const sets = store.list<ListenerSet>(resources.listenerSet).filter(({ spec, metadata }) => {
    const { name, namespace = metadata.namespace } = spec.parentRef;
    return keys.has(`${namespace}/${name}`);
  });
  return {
    ingresses: secured.filter(({ metadata }) => served.has(`${metadata.namespace}/${metadata.name}`)),
    gateways: [...gateways, ...sets],
  };
}

function isServed(store: StoreReader, adopt: boolean, controllerName: string): (gateway: Gateway) => boolean {
  if (adopt) return () => true;
  const ours = store
    .list<GatewayClass>(resources.gatewayClass)
    .filter(({ spec }) => spec.controllerName === controllerName);
  const names = new Set(ours.map(({ metadata }) => metadata.name));
  return ({ spec }) => names.has(spec.gatewayClassName);
}

function ingressesOf(plan: Plan): Set<string> {
  const served = new Set<string>();
  for (const { hosts } of plan.listeners)
    for (const { sources } of hosts)
      for (const { object } of sources) if (object.kind === 'Ingress') served.add(`${object.namespace}/${object.name}`);
  return served;
}
