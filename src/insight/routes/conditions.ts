/** What the statuses say of a rule on a listener. */
import type { ObjectRef } from '../../base/diagnostics/index.ts';
import { refOf } from '../../kube/resources.ts';
import type { Gateway } from '../../kube/types/index.ts';
import { resources } from '../../routing/gateway/kinds.ts';
import type { ParentRef } from '../../routing/gateway/model.ts';
import type { Provenance } from '../../routing/plan/plan.ts';
import { type ListenerStatus, namesParent, type ParentStatus, type Statuses } from '../statuses.ts';
import type { World } from '../world.ts';
import type { RuleCondition } from './types.ts';

/** A listener as parentRefs and statuses know it. */
export interface Owner {
  readonly ref: ObjectRef;
  readonly name: string;
  readonly port: number | undefined;
}

const shown = ['Accepted', 'ResolvedRefs', 'PartiallyInvalid'];

function pick(conditions: ListenerStatus['conditions'] | undefined, types: readonly string[]): RuleCondition[] {
  return (conditions ?? [])
    .filter(({ type }) => types.includes(type))
    .map(({ type, status, reason, message }) => ({ type, status, reason, message }));
}

/** The listener that an element of the plan comes from: `spec.listeners[2]` of a Gateway. */
function ownerOf({ store }: World, { object, fieldPath = '' }: Provenance): Owner | undefined {
  const index = /^spec\.listeners\[(\d+)\]/.exec(fieldPath)?.[1];
  if (index === undefined) return undefined;
  const found = store.get<Gateway>(resourceOf(object.kind), `${object.namespace ?? 'default'}/${object.name}`);
  const listener = found?.spec.listeners[Number(index)];
  return listener && { ref: object, name: listener.name, port: listener.port };
}

const isTrue = (type: string) => (status: ParentStatus) =>
  status.conditions.some((condition) => condition.type === type && condition.status === 'True');

/** Whether a parentRef of a route in a namespace asks for a listener. */
export function isNamed(parentRef: ParentRef, namespace: string, { ref, name, port }: Owner): boolean {
  const { sectionName, port: asked } = parentRef;
  return (
    namesParent(parentRef, namespace, ref) &&
    (sectionName === undefined || sectionName === name) &&
    (asked === undefined || asked === port)
  );
}

/** The listeners that a parentRef of a route in a namespace asks for. */
export function listenersOf({ store }: World, parentRef: ParentRef, namespace: string): Owner[] {
  const { kind = 'Gateway', namespace: own = namespace, name } = parentRef;
  const parent = store.get<Gateway>(resourceOf(kind), `${own}/${name}`);
  if (!parent) return [];
  return parent.spec.listeners
    .map((listener) => ({ ref: refOf(parent), name: listener.name, port: listener.port }))
    .filter((owner) => isNamed(parentRef, namespace, owner));
}

const resourceOf = (kind: string) => (kind === 'Gateway' ? resources.gateway : resources.listenerSet);

/** The listeners that an element of the plan comes from. */
export function ownersOf(world: World, sources: readonly Provenance[]): Owner[] {
  return sources.flatMap((source) => ownerOf(world, source) ?? []);
}

/** The entry of the route's status for one of the listeners; one that is accepted before others. */
function entryFor(parents: readonly ParentStatus[], owners: readonly Owner[], namespace: string) {
  const pairs = parents.flatMap((parent) => {
    const owner = owners.find((one) => isNamed(parent.parentRef, namespace, one));
    return owner ? [{ parent, owner }] : [];
  });
  return pairs.find(({ parent }) => isTrue('Accepted')(parent)) ?? pairs[0];
}

/** Ingresses have no conditions: a published address is all that there is. */
function published(statuses: Statuses, ref: ObjectRef, address: string): RuleCondition[] {
  if (!statuses.addressesOf(ref).includes(address)) return [];
  return [{ type: 'Published', status: 'True', reason: 'Published', message: `status.loadBalancer has ${address}` }];
}

export function conditionsOn(
  world: World,
  statuses: Statuses,
  route: ObjectRef,
  listener: { readonly address: string; readonly sources: readonly Provenance[] },
): RuleCondition[] {
  if (route.kind === 'Ingress') return published(statuses, route, listener.address);
  const owners = ownersOf(world, listener.sources);
  const entry = entryFor(statuses.parentsOf(route), owners, route.namespace ?? 'default');
  if (!entry) return [];
  const { ref, name } = entry.owner;
  const programmed = pick(statuses.listenerOf(ref, name)?.conditions, ['Programmed']);
  return [...pick(entry.parent.conditions, shown), ...programmed];
}

/** Of a route that no listener carries: the entry that says so. */
export function conditionsOf(parent: ParentStatus): RuleCondition[] {
  return pick(parent.conditions, shown);
}
