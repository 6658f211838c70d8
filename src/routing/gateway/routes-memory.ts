/** What is known of routes from one translation to the next. */
import type { Diagnostic } from '../../base/diagnostics/index.ts';
import { refOf } from '../../kube/resources.ts';
import type { Captured } from '../incremental/capture.ts';
import { createChanges } from '../incremental/changes.ts';
import { createInventory, type Inventory } from '../incremental/inventory.ts';
import { createRoster, type Member, type Roster } from '../incremental/roster.ts';
import type { StatusUpdate, TranslateInput } from '../translate.ts';
import { type AttachedParent, type ParentsAsked, parentsAsked } from './attach.ts';
import type { Gathered } from './backends.ts';
import { type RouteKind, resources, routeKinds, routeResources } from './kinds.ts';
import type { Attachment, RouteObject, RouteState } from './model.ts';
import type { GatewayStates, Steady } from './steady.ts';

export const noFindings: readonly Diagnostic[] = [];

export type CompiledRules = Pick<RouteState, 'http' | 'stream'>;
export interface RouteMember extends Member<RouteObject> {
  /** `namespace/name`. */
  readonly name: string;
  readonly age: string;
  /** Changes with the places of its fields in files. */
  readonly placement: unknown;
  readonly asked: ParentsAsked;
  /** Unset: to be worked out. */
  parents?: Captured<AttachedParent[]> | undefined;
  rules?: (Gathered<CompiledRules> & { readonly turn: number }) | undefined;
  /** What the rules were before: routes that come out equal stay the same objects. */
  before?: CompiledRules | undefined;
  result?: RouteResult | undefined;
  /** The result that is attached and listed. */
  listed?: RouteResult | undefined;
  findings: readonly Diagnostic[];
}

export interface RouteResult {
  readonly route: RouteState;
  readonly attachments: readonly Attachment[];
  readonly status: StatusUpdate;
}

/** The routes of one kind, as they were in the last translation. All lists are in the order of names. */
export interface KindMemory {
  readonly roster: Roster<RouteObject, RouteMember>;
  /** Members whose objects have other statuses than they had. */
  readonly renewed: Set<RouteMember>;
  members: readonly RouteMember[];
  /** Members with findings. */
  talkers: readonly RouteMember[];
  statuses: readonly StatusUpdate[];
}

export interface RoutesMemory {
  readonly kinds: Readonly<Record<RouteKind, KindMemory>>;
  /** Routes whose references meet a BackendTLSPolicy. */
  readonly governed: Set<RouteState>;
  readonly backends: Inventory;
  readonly grants: ReturnType<typeof createChanges>;
  readonly namespaces: ReturnType<typeof createChanges>;
  readonly gateways: ReturnType<typeof createChanges>;
  readonly listenerSets: ReturnType<typeof createChanges>;
  /** What `steady` was made of. */
  found: GatewayStates | undefined;
  steady: Steady | undefined;
  placements: TranslateInput['placements'];
  /** Time of the translation under way. */
  readonly clock: { now: string };
}

export function createRoutesMemory(): RoutesMemory {
  const memory: RoutesMemory = {
    kinds: Object.fromEntries(routeKinds.map((kind) => [kind, createKindMemory(kind, () => memory)])) as Record<
      RouteKind,
      KindMemory
    >,
    governed: new Set(),
    backends: createInventory(),
    grants: createChanges(resources.referenceGrant),
    namespaces: createChanges('namespaces'),
    gateways: createChanges(resources.gateway),
    listenerSets: createChanges(resources.listenerSet),
    found: undefined,
    steady: undefined,
    placements: undefined,
    clock: { now: '' },
  };
  return memory;
}

function createKindMemory(kind: RouteKind, memoryOf: () => RoutesMemory): KindMemory {
  const renewed = new Set<RouteMember>();
  const roster = createRouteRoster(kind, renewed, memoryOf);
  return { roster, renewed, members: [], talkers: [], statuses: [] };
}

function createRouteRoster(
  kind: RouteKind,
  renewed: Set<RouteMember>,
  memoryOf: () => RoutesMemory,
): Roster<RouteObject, RouteMember> {
  const placementOf = (object: RouteObject) => memoryOf().placements?.of(refOf(object));
  return createRoster<RouteObject, RouteMember>({
    resource: routeResources[kind],
    make(object) {
      const { namespace, name, creationTimestamp } = object.metadata;
      const key = namespace ? `${namespace}/${name}` : name;
      // An object without a time has not been through an API server: it counts as the newest.
      const age = `${creationTimestamp ?? '~'} ${key}`;
      return {
        object,
        name: key,
        age,
        placement: placementOf(object),
        asked: parentsAsked(object),
        findings: noFindings,
      };
    },
    drop: ({ rules }) => memoryOf().backends.replace(rules?.backends ?? [], []),
    renewed: (member) => void renewed.add(member),
    compare: compareMembers,
    holds: ({ object, placement }) => placementOf(object) === placement,
  });
}

export function compareMembers(a: RouteMember, b: RouteMember): number {
  return a.name < b.name ? -1 : a.name > b.name ? 1 : 0;
}
