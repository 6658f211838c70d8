/** Routes of ours that no listener carries: refused by their parents, or accepted where another one takes it all. */
import { formatForStatus, formatRef, type ObjectRef } from '../../base/diagnostics/index.ts';
import { refOf } from '../../kube/resources.ts';
import type { KubeObject } from '../../kube/types/index.ts';
import { routeKinds, routeResources } from '../../routing/gateway/kinds.ts';
import type { RouteObject } from '../../routing/gateway/model.ts';
import { seniorityRule } from '../precedence.ts';
import type { ParentStatus, Statuses } from '../statuses.ts';
import type { World } from '../world.ts';
import { conditionsOf, isNamed, listenersOf, ownersOf } from './conditions.ts';
import type { RuleCondition, RuleRow } from './types.ts';

interface Reading {
  readonly world: World;
  readonly statuses: Statuses;
}

interface Rules {
  readonly rules?: readonly { readonly name?: string }[];
}

/** `served`: routes of which some rule is in the plan, as `Kind namespace/name`. */
export function unserved(world: World, statuses: Statuses, served: ReadonlySet<string>): RuleRow[] {
  return routeKinds.flatMap((kind) =>
    world.store
      .list<RouteObject & KubeObject>(routeResources[kind])
      .map((object) => ({ object, ref: refOf(object) }))
      .filter(({ ref }) => !served.has(formatRef(ref)))
      .sort(({ ref: a }, { ref: b }) => (formatRef(a) < formatRef(b) ? -1 : 1))
      .flatMap(({ object, ref }) => {
        const parents = statuses.parentsOf(ref);
        if (parents.length > 0) return rowsOf({ world, statuses }, object, ref, parents);
        const orphaned = orphanedBy(world, ref);
        return orphaned === undefined ? [] : rowsOfRoute(object, ref, [], orphaned);
      }),
  );
}

function rowsOf(reading: Reading, object: RouteObject, ref: ObjectRef, parents: readonly ParentStatus[]): RuleRow[] {
  const parent = parents[0]!;
  const conditions = conditionsOf(parent);
  const refused = conditions.find(({ type, status }) => type === 'Accepted' && status === 'False');
  const closed = closedListeners(reading, ref.namespace ?? 'default', parents);
  const never =
    refused?.message ?? winnerAt(reading.world, ref, parent) ?? (closed || 'no listener takes its hostnames');
  return rowsOfRoute(object, ref, conditions, never);
}

/** A route that names a parent which does not exist, or none, is nobody's: only the findings tell of it. */
function orphanedBy({ diagnostics }: World, ref: ObjectRef): string | undefined {
  const name = formatRef(ref);
  const found = diagnostics.find(
    ({ code, object }) => (code === 'FW3201' || code === 'FW3207') && object && formatRef(object) === name,
  );
  return found && formatForStatus(found.fieldPath ?? 'spec', found.message, found.hint);
}

function rowsOfRoute(
  object: RouteObject,
  ref: ObjectRef,
  conditions: readonly RuleCondition[],
  never: string,
): RuleRow[] {
  const { rules = [] } = object.spec as Rules;
  return (rules.length > 0 ? rules : [{}]).map(
    ({ name }, index): RuleRow => ({
      ...{ owner: ref, rule: index, ruleName: name ?? null, match: null, listener: null, rank: null },
      hostname: object.spec.hostnames?.join(',') || '*',
      ...{ matches: 'any', action: 'none', backends: [], filters: [], filterTypes: [] },
      ...{ timeouts: null, retry: null, sessions: null, canary: null, conditions, never, position: null },
    }),
  );
}

/** Why listeners that parentRefs name are not open: `http: port 80 is taken`. */
function closedListeners({ world, statuses }: Reading, namespace: string, parents: readonly ParentStatus[]): string {
  const told = parents.flatMap(({ parentRef }) =>
    listenersOf(world, parentRef, namespace).flatMap(({ ref, name }) => {
      const programmed = statuses.listenerOf(ref, name)?.conditions.find(({ type }) => type === 'Programmed');
      return programmed?.status === 'False' ? [`listener ${name} is closed: ${programmed.message}`] : [];
    }),
  );
  return told.slice(0, 3).join('; ');
}

/** The route that has what an accepted one attaches to as well. */
function winnerAt(world: World, route: ObjectRef, { parentRef }: ParentStatus): string | undefined {
  const namespace = route.namespace ?? 'default';
  const [winner] = (world.plan.streams ?? [])
    .filter(({ sources }) => ownersOf(world, sources).some((owner) => isNamed(parentRef, namespace, owner)))
    .flatMap(({ routes }) => routes.filter(({ backends }) => backends.length > 0))
    .map(({ source }) => source.object)
    .filter(({ kind }) => kind === route.kind);
  if (!winner) return undefined;
  const what = route.kind === 'TLSRoute' ? 'its hostnames' : 'the listener';
  return `${formatRef(winner)} has ${what}: ${seniorityRule(world, winner, route)}`;
}
