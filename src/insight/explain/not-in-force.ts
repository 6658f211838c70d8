/** Routes that ask for a name and are not in force: refused by their parents, or attached to listeners that are closed. */
import { formatRef, type ObjectRef } from '../../base/diagnostics/index.ts';
import { covers, normalizeHostname } from '../../routing/gateway/hostnames.ts';
import { type RouteKind, routeResources } from '../../routing/gateway/kinds.ts';
import type { RouteObject } from '../../routing/gateway/model.ts';
import { servedOwners } from '../routes/rows.ts';
import type { RuleRow } from '../routes/types.ts';
import { unserved } from '../routes/unserved.ts';
import { createStatuses, namesParent } from '../statuses.ts';
import type { World } from '../world.ts';
import type { NotInForce } from './types.ts';

/** What routes are looked for by: those of the kinds that ask for the name, or for one of the parents. */
export interface Wanted {
  readonly kinds: readonly RouteKind[];
  /** Absent: whatever their hostnames. */
  readonly hostname?: string | undefined;
  /** Absent: whatever their parents. */
  readonly parents?: readonly ObjectRef[] | undefined;
}

export function routesNotInForce(world: World, { kinds, hostname, parents }: Wanted): NotInForce[] {
  const rows = unserved(world, createStatuses(world), servedOwners(world));
  const wanted = rows
    .filter(({ owner }) => kinds.includes(owner.kind as RouteKind))
    .filter(({ hostname: own }) => hostname === undefined || claims(own, hostname))
    .filter(({ owner }) => parents === undefined || asksFor(world, owner, parents));
  return [...new Map(wanted.map((row) => [formatRef(row.owner), toNotInForce(row)])).values()];
}

const claims = (own: string, hostname: string) =>
  own.split(',').some((one) => covers(normalizeHostname(one), normalizeHostname(hostname)));

function asksFor({ store }: World, { kind, namespace = 'default', name }: ObjectRef, parents: readonly ObjectRef[]) {
  const route = store.get<RouteObject>(routeResources[kind as RouteKind], `${namespace}/${name}`);
  return route?.spec.parentRefs?.some((ref) => parents.some((parent) => namesParent(ref, namespace, parent)));
}

function toNotInForce({ owner, hostname, conditions, never }: RuleRow): NotInForce {
  const failed = conditions.find(({ type, status }) => type === 'Accepted' && status === 'False');
  const { kind, namespace = 'default', name } = owner;
  return { kind, namespace, name, hostname, reason: failed?.reason ?? 'NotServed', detail: never ?? '' };
}

type Named = Pick<NotInForce, 'kind' | 'namespace' | 'name'>;

/** Gateways and ListenerSets that such routes name: what is wrong with them is why the routes are not in force. */
export function parentsOf({ store }: World, routes: readonly NotInForce[]): Named[] {
  return routes.flatMap(({ kind, namespace, name }) => {
    const route = store.get<RouteObject>(routeResources[kind as RouteKind], `${namespace}/${name}`);
    return (route?.spec.parentRefs ?? []).map((parent) => ({
      kind: parent.kind ?? 'Gateway',
      namespace: parent.namespace ?? namespace,
      name: parent.name,
    }));
  });
}
