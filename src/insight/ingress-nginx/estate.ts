/** Which objects of a world are in the dialect of ingress-nginx, and what became of their locations. */
import { formatRef } from '../../base/diagnostics/index.ts';
import { keyOf } from '../../kube/resources.ts';
import type { Ingress } from '../../kube/types/index.ts';
import { createClassBook } from '../../routing/ingress/class-claim.ts';
import type { Route, VirtualHost } from '../../routing/plan/plan.ts';
import type { World } from '../world.ts';

const resource = 'ingresses.networking.k8s.io';

/** Ingresses of ingress-nginx, by namespace and name. */
export function nginxIngresses({ store, ingressNginx }: World): readonly Ingress[] {
  const book = createClassBook(store, ingressNginx);
  return store
    .list<Ingress>(resource)
    .filter((ingress) => book.claimOf(ingress).dialect === 'ingress-nginx')
    .sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
}

/** Oldest first, and of equally old ones the last by namespace and name: in this order ingress-nginx hears Ingresses. */
export function inOrderOfNginx(ingresses: readonly Ingress[]): Ingress[] {
  const timeOf = ({ metadata }: Ingress) => Date.parse(metadata.creationTimestamp ?? '') || 0;
  return ingresses.toSorted((a, b) => timeOf(a) - timeOf(b) || (keyOf(a) > keyOf(b) ? -1 : 1));
}

/** Only hosts of ingress-nginx have their paths compared so. */
export const isNginxHost = ({ paths }: VirtualHost): boolean => paths === 'normal';

/** The Ingress that a route comes from; undefined for what no Ingress asks for. */
export function ingressOf({ store }: World, { source: { object } }: Pick<Route, 'source'>): Ingress | undefined {
  return object.kind === 'Ingress' ? store.get<Ingress>(resource, `${object.namespace}/${object.name}`) : undefined;
}

/** Path as the Ingress has it; `/` where its default backend answers for a host. */
export function writtenPath(world: World, { source }: Pick<Route, 'source'>): string {
  const { rule, match } = source;
  if (rule === undefined || match === undefined) return '/';
  return ingressOf(world, { source })?.spec.rules?.[rule]?.http?.paths[match]?.path ?? '/';
}

/** One path of one host. */
export interface Location {
  readonly hostname: string;
  readonly path: string;
  /** `Ingress shop/web`. */
  readonly owner: string;
  /** Why it lets no request through (503); null when it does. */
  readonly shut: string | null;
}

const isShut = ({ action }: Route) => action.type === 'respond' && action.status === 503;

/** Of Ingresses, each once for every name that it answers for. */
export function locationsOf(world: World): readonly Location[] {
  const found = new Map<string, Location>();
  for (const { hosts } of world.plan.listeners) {
    for (const host of hosts.filter(isNginxHost)) {
      for (const route of host.routes) {
        const { object, fieldPath } = route.source;
        const { action } = route;
        if (object.kind !== 'Ingress') continue;
        const owner = formatRef(object);
        const shut = isShut(route) && action.type === 'respond' ? action.reason : null;
        const key = `${host.hostname} ${owner} ${fieldPath}`;
        if (shut === null && found.has(key)) continue;
        found.set(key, { hostname: host.hostname, path: writtenPath(world, route), owner, shut });
      }
    }
  }
  return [...found.values()];
}
