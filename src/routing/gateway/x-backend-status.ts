/** Status of XBackends: one entry per Gateway of ours whose routes lead there (BackendStatus). */
import { formatForStatus } from '../../base/diagnostics/index.ts';
import { refOf } from '../../kube/resources.ts';
import type { Gateway, XBackend } from '../../kube/types/index.ts';
import { controllerOf, type StatusUpdate } from '../translate.ts';
import { type XBackendFault, type XBackendState, type XBackends, xBackendResource } from '../x-backends.ts';
import { type Finding, mergeConditions, no, type OwnWriting, yes } from './conditions.ts';
import type { Context } from './context.ts';
import { gatewayGroup } from './kinds.ts';
import type { RouteState } from './model.ts';
import { gatewaysOf, usersByPolicy } from './policy-status.ts';

type Status = NonNullable<XBackend['status']>;
type Entry = NonNullable<Status['parents']>[number];

/** status.parents holds no more. */
const maxParents = 32;
const ownedConditions = ['Accepted'];

/** Among the keys of policies that routes meet. */
export function xBackendKey(namespace: string, name: string): string {
  return `XBackend ${namespace}/${name}`;
}

export function xBackendStatuses(context: Context, externals: XBackends, routes: Iterable<RouteState>): StatusUpdate[] {
  if (externals.all.size === 0) return [];
  const usersOf = usersByPolicy(routes);
  return [...externals.all.values()].flatMap((state) => {
    const { namespace = 'default', name } = state.object.metadata;
    const gateways = gatewaysOf(usersOf.get(xBackendKey(namespace, name)) ?? []);
    if (gateways.length > 0) report(context, state);
    else if (!hasOwn(state.object, controllerOf(context.input))) return [];
    return [statusOf(context, state, gateways)];
  });
}

function report(context: Context, { object, fault }: XBackendState): void {
  if (fault) context.report('FW3415', object, fault.fieldPath, fault.message, fault.hint);
}

function hasOwn({ status }: XBackend, controller: string): boolean {
  return status?.parents?.some(({ controllerName }) => controllerName === controller) ?? false;
}

function statusOf(context: Context, state: XBackendState, gateways: readonly Gateway[]): StatusUpdate {
  const { object, fault, hostname } = state;
  const writing: OwnWriting = {
    ...{ generation: object.metadata.generation, now: context.input.now },
    controller: controllerOf(context.input),
  };
  const finding = fault ? rejected(fault) : yes('Accepted', `Requests go to the addresses of ${hostname}`);
  return {
    ref: refOf(object),
    resource: xBackendResource,
    build(stored) {
      const status = stored.status as Status | undefined;
      return { ...status, parents: mergeParents(status?.parents ?? [], gateways, finding, writing) };
    },
  };
}

function rejected({ reason, fieldPath, message, hint }: XBackendFault): Finding {
  return no('Accepted', reason, formatForStatus(fieldPath, message, hint));
}

/** Entries of others stay where they are; ours are renewed in place, added at the end while there is room, or removed. */
function mergeParents(
  stored: readonly Entry[],
  gateways: readonly Gateway[],
  finding: Finding,
  writing: OwnWriting,
): Entry[] {
  const left = new Map(
    gateways.slice(0, maxParents).map(({ metadata }) => {
      const { name, namespace = 'default' } = metadata;
      return [String(`${namespace}/${name}`), { group: gatewayGroup, kind: 'Gateway', namespace, name }] as const;
    }),
  );
  const merged: Entry[] = [];
  const write = (parentRef: Entry['parentRef'], before?: Entry) =>
    merged.push({
      parentRef,
      controllerName: writing.controller,
      conditions: mergeConditions(before?.conditions, [finding], ownedConditions, writing),
    });
  for (const entry of stored) {
    if (entry.controllerName !== writing.controller) {
      merged.push(entry);
      continue;
    }
    const key = `${entry.parentRef.namespace ?? ''}/${entry.parentRef.name}`;
    const ref = left.get(key);
    left.delete(key);
    if (ref) write(ref, entry);
  }
  for (const ref of left.values()) if (merged.length < maxParents) write(ref);
  return merged;
}
