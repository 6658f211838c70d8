/** Status of routes: one entry per parentRef that is ours, beside those of other controllers. */
import { refOf } from '../../kube/resources.ts';
import type { StatusUpdate } from '../translate.ts';
import { type Finding, mergeConditions, no, type OwnWriting, type Writing, yes } from './conditions.ts';
import { joinMessages, listenersNamed, toldOf } from './context.ts';
import { defaultsField } from './default-gateways.ts';
import { gatewayGroup, routeResources } from './kinds.ts';
import {
  isServable,
  isWhollyInvalid,
  type ParentRef,
  type ParentState,
  type RouteObject,
  type RouteState,
} from './model.ts';

type ParentStatus = NonNullable<NonNullable<RouteObject['status']>['parents']>[number];

/** status.parents holds no more (RouteStatus). */
const maxParents = 32;

const ownedConditions = ['Accepted', 'ResolvedRefs', 'PartiallyInvalid'];

/** Whether a route has something of ours in its status, be it only an entry to remove. */
export function hasOwnEntries({ status }: RouteObject, controller: string): boolean {
  return status?.parents?.some(({ controllerName }) => controllerName === controller) ?? false;
}

/** `clock` is read when the status is built, which may be long after the route was looked at. */
export function routeStatus(clock: Pick<Writing, 'now'>, controller: string, route: RouteState): StatusUpdate {
  const { object, kind } = route;
  const { generation } = object.metadata;
  const namespace = object.metadata.namespace ?? 'default';
  return {
    ref: refOf(object),
    resource: routeResources[kind],
    settled: true,
    build(stored) {
      const status = stored.status as RouteObject['status'];
      const writing: OwnWriting = { generation, now: clock.now, controller };
      return { ...status, parents: mergeParents(status?.parents ?? [], route, namespace, writing) };
    },
  };
}

/** Entries of others stay where they are; ours are renewed in place, added at the end while there is room, or removed. */
function mergeParents(
  stored: readonly ParentStatus[],
  route: RouteState,
  namespace: string,
  writing: OwnWriting,
): ParentStatus[] {
  const wanted = new Map(route.parents.map((parent) => [parentKey(parent.parentRef, namespace), parent]));
  const merged: ParentStatus[] = [];
  for (const entry of stored) {
    if (entry.controllerName !== writing.controller) {
      merged.push(entry);
      continue;
    }
    const key = parentKey(entry.parentRef, namespace);
    const parent = wanted.get(key);
    wanted.delete(key);
    if (parent) merged.push(parentStatus(route, parent, entry, writing));
  }
  for (const parent of wanted.values())
    if (merged.length < maxParents) merged.push(parentStatus(route, parent, undefined, writing));
  return merged;
}

function parentKey(ref: ParentRef, namespace: string): string {
  const { group = gatewayGroup, kind = 'Gateway', name, sectionName = '', port = '' } = ref;
  return [group, kind, ref.namespace ?? namespace, name, sectionName, port].join('/');
}

function parentStatus(
  route: RouteState,
  parent: ParentState,
  stored: ParentStatus | undefined,
  writing: OwnWriting,
): ParentStatus {
  return {
    parentRef: {
      ...parent.parentRef,
      group: parent.parentRef.group ?? gatewayGroup,
      kind: parent.parentRef.kind ?? 'Gateway',
    },
    controllerName: writing.controller,
    conditions: mergeConditions(stored?.conditions, routeFindings(route, parent), ownedConditions, writing),
  };
}

function routeFindings(route: RouteState, parent: ParentState): Finding[] {
  const findings = [accepted(route, parent)];
  const { http, stream } = route;
  const refFaults = (http ?? stream)?.refFaults;
  if (!refFaults) return findings;
  findings.push(
    refFaults.length > 0
      ? no('ResolvedRefs', refFaults[0]!.reason, joinMessages(refFaults.map(toldOf)))
      : yes('ResolvedRefs', 'All references are resolved'),
  );
  if (http && !parent.fault && http.ruleFaults.length > 0 && !isWhollyInvalid(route)) {
    // The prefix is the one that the API prescribes for this condition.
    const dropped = http.ruleFaults.map((fault) => `${fault.rule} (${toldOf(fault)})`);
    findings.push(
      yes(
        'PartiallyInvalid',
        `Dropped Rule ${joinMessages(dropped)}; ${route.kind === 'GRPCRoute' ? 'its calls fail with INTERNAL' : 'requests for it are answered with 500'}`,
        'UnsupportedValue',
      ),
    );
  }
  return findings;
}

function accepted(route: RouteState, { fault, fieldPath, gateway, set, listeners }: ParentState): Finding {
  if (fault) return no('Accepted', fault.reason, toldOf(fault));
  if (isWhollyInvalid(route)) {
    const faults = route.http!.ruleFaults;
    return no('Accepted', faults[0]!.reason, joinMessages([...new Set(faults.map(toldOf))]));
  }
  const where = listeners.map((listener) => {
    const { accepted, resolvedRefs } = listener.faults;
    return isServable(listener)
      ? listener.name
      : `${listener.name} (not served: ${(accepted ?? resolvedRefs)?.reason})`;
  });
  const closed = gateway?.fault ? `; the Gateway is not accepted: ${gateway.fault.reason}` : '';
  const of = set ? ` of the ListenerSet ${set.key}` : '';
  const byDefault = fieldPath === defaultsField ? ' of a default Gateway' : '';
  return yes('Accepted', `Attached to the ${listenersNamed(where)}${byDefault}${of}${closed}`);
}
