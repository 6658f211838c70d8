/** Our classes and Gateways as they were resolved the last time, for as long as nothing that they depend on has changed. */
import type { ResourceName } from '../../kube/resources.ts';
import type { Gateway, ListenerSet } from '../../kube/types/index.ts';
import { addFindings, type Captured, capture } from '../incremental/capture.ts';
import { createChanges } from '../incremental/changes.ts';
import { type ClassState, resolveClasses } from './classes.ts';
import { type Context, sortByName } from './context.ts';
import { resolveGateways } from './gateways.ts';
import { resources } from './kinds.ts';
import { createSetsMemory, type SetChanges, type SetsMemory } from './listener-sets.ts';
import type { GatewayStates } from './steady.ts';

export interface Resolved {
  readonly classes: ReadonlyMap<string, ClassState>;
  /** The same map for as long as it holds. */
  readonly gateways: GatewayStates;
  /** ListenerSets of Gateways that are not there. */
  readonly orphans: readonly ListenerSet[];
}

export interface ResolvedMemory {
  resolve(context: Context): Resolved;
}

interface Known extends Captured<Resolved> {
  /** Since and before which times it holds: milliseconds since the epoch. */
  readonly from: number;
  readonly until: number;
  /** Where Ingresses are served, whose ports are not for Gateways. */
  readonly ingress: string;
}

/** What Gateways are made of besides time: themselves, what they refer to, who may refer to what, and whom they admit. */
const dependencies = [
  resources.gatewayClass,
  resources.gateway,
  resources.listenerSet,
  resources.referenceGrant,
  'secrets',
  'configmaps',
  'namespaces',
] as const;

/** Kinds that there are findings about, which have places in files. */
const placed: ReadonlySet<string> = new Set([resources.gatewayClass, resources.gateway, resources.listenerSet]);

export function createResolvedMemory(): ResolvedMemory {
  const changes = dependencies.map((resource) => ({ resource, changes: createChanges(resource) }));
  const sets = createSetsMemory();
  let known: Known | undefined;

  /** Keys of what has changed, by resource. */
  function changedKeys({ input: { store, placements } }: Context): ChangedKeys {
    return new Map(
      changes.map((each) => [
        each.resource,
        each.changes.since(store, placed.has(each.resource) ? placements : undefined),
      ]),
    );
  }

  return {
    resolve(context) {
      const at = Date.parse(context.input.now);
      const changed = changedKeys(context);
      const isOutOfTime = !known || at < known.from || at >= known.until || known.ingress !== ingressOf(context);
      const isChanged = [...changed.values()].some((keys) => keys.size > 0);
      known = isChanged || isOutOfTime ? resolveAnew(context, at, sets, setChanges(changed, isOutOfTime)) : known!;
      addFindings(context, known.findings);
      return known.value;
    },
  };
}

type ChangedKeys = ReadonlyMap<ResourceName, ReadonlySet<string>>;

const none: ReadonlySet<string> = new Set();

function setChanges(changed: ChangedKeys, isOutOfTime: boolean): SetChanges {
  const keysOf = (resource: ResourceName) => changed.get(resource) ?? none;
  return {
    sets: keysOf(resources.listenerSet),
    secrets: keysOf('secrets'),
    others: isOutOfTime || keysOf(resources.referenceGrant).size + keysOf('namespaces').size > 0,
  };
}

const ingressOf = ({ input }: Context): string => input.addresses.ingress().join(' ');

function resolveAnew(context: Context, at: number, memory: SetsMemory, changed: SetChanges): Known {
  const captured = capture(context, () => {
    const objects = sortByName(context.input.store.list<Gateway>(resources.gateway));
    const classes = resolveClasses(context, objects);
    const byGateway = memory.byGateway(context, changed);
    const gateways = resolveGateways(context, objects, classes, { byGateway, memory });
    return { classes, gateways, orphans: memory.orphans };
  });
  const until = context.turns.reduce((first, turn) => (turn >= at && turn < first ? turn : first), Infinity);
  return { ...captured, from: at, until, ingress: ingressOf(context) };
}
