/**
 * What the statuses of objects say: where the objects come from an API and have entries of this controller, those; else
 * what would be written once the data plane has opened every listener (files), or before it has answered (an API that no
 * Fairway writes to).
 */
import { formatRef, type ObjectRef } from '../base/diagnostics/index.ts';
import type { Gateway, KubeObject } from '../kube/types/index.ts';
import type { ParentRef, RouteObject } from '../routing/gateway/model.ts';
import type { DeliveryReport, StatusUpdate } from '../routing/translate.ts';
import type { World } from './world.ts';

export type ParentStatus = NonNullable<RouteObject['status']>['parents'] extends (infer P)[] | undefined ? P : never;
export type ListenerStatus = NonNullable<NonNullable<Gateway['status']>['listeners']>[number];

export interface Statuses {
  /** Entries of this controller in the status of a route. */
  parentsOf(ref: ObjectRef): readonly ParentStatus[];
  /** Of a Gateway (or whatever else has listeners), by name. */
  listenerOf(ref: ObjectRef, name: string): ListenerStatus | undefined;
  /** Addresses that an Ingress is published at. */
  addressesOf(ref: ObjectRef): readonly string[];
}

interface Status {
  readonly parents?: readonly ParentStatus[];
  readonly listeners?: readonly ListenerStatus[];
  readonly loadBalancer?: { readonly ingress?: readonly { readonly ip?: string }[] };
}

const allOpen: DeliveryReport = { listener: () => ({ bound: true }) };
const noAnswer: DeliveryReport = { listener: () => undefined };

/** Somebody has judged the object already: a status without a condition is what the API begins with. */
function isWritten({ parents, listeners, loadBalancer }: Status, isOurs: (parent: ParentStatus) => boolean): boolean {
  if (loadBalancer) return (loadBalancer.ingress ?? []).length > 0;
  return parents?.some(isOurs) ?? listeners?.some(({ conditions }) => conditions.length > 0) ?? false;
}

export function createStatuses(world: World): Statuses {
  const updates = new Map(world.statuses.map((update) => [formatRef(update.ref), update]));
  const known = new Map<string, Status>();
  const isOurs = ({ controllerName }: ParentStatus) => controllerName === world.controllerName;

  function build({ resource, ref, build: make }: StatusUpdate): Status {
    const stored = world.store.get<KubeObject & { status?: Status }>(resource, keyOfRef(ref));
    if (!stored) return {};
    if (world.isLive && stored.status && isWritten(stored.status, isOurs)) return stored.status;
    return make(stored, world.isLive ? noAnswer : allOpen) as Status;
  }

  function statusOf(ref: ObjectRef): Status {
    const key = formatRef(ref);
    const update = updates.get(key);
    const status = known.get(key) ?? (update ? build(update) : {});
    known.set(key, status);
    return status;
  }

  return {
    parentsOf: (ref) => (statusOf(ref).parents ?? []).filter(isOurs),
    listenerOf: (ref, name) => statusOf(ref).listeners?.find((listener) => listener.name === name),
    addressesOf: (ref) => statusOf(ref).loadBalancer?.ingress?.flatMap(({ ip }) => ip ?? []) ?? [],
  };
}

function keyOfRef({ namespace, name }: ObjectRef): string {
  return namespace ? `${namespace}/${name}` : name;
}

/** Whether a parentRef of a route names an object; `namespace` is the route's. */
export function namesParent(
  { kind = 'Gateway', namespace: given, name }: ParentRef,
  namespace: string,
  ref: ObjectRef,
): boolean {
  return kind === ref.kind && name === ref.name && (given ?? namespace) === (ref.namespace ?? 'default');
}
