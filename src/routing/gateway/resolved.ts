/** Our classes and Gateways as they were resolved the last time, for as long as nothing that they depend on has changed. */
import type { Gateway } from '../../kube/types/index.ts';
import { addFindings, type Captured, capture } from '../incremental/capture.ts';
import { createChanges } from '../incremental/changes.ts';
import { type ClassState, resolveClasses } from './classes.ts';
import { type Context, sortByName } from './context.ts';
import { resolveGateways } from './gateways.ts';
import { resources } from './kinds.ts';
import type { GatewayStates } from './steady.ts';

export interface Resolved {
  readonly classes: ReadonlyMap<string, ClassState>;
  /** The same map for as long as it holds. */
  readonly gateways: GatewayStates;
}

export interface ResolvedMemory {
  resolve(context: Context): Resolved;
}

interface Known extends Captured<Resolved> {
  /** Since and before which times it holds: milliseconds since the epoch. */
  readonly from: number;
  readonly until: number;
}

/** What Gateways are made of besides time: themselves, what they refer to, who may refer to what, and whom they admit. */
const dependencies = [
  resources.gatewayClass,
  resources.gateway,
  resources.referenceGrant,
  'secrets',
  'configmaps',
  'namespaces',
] as const;

/** Kinds that there are findings about, which have places in files. */
const placed: ReadonlySet<string> = new Set([resources.gatewayClass, resources.gateway]);

export function createResolvedMemory(): ResolvedMemory {
  const changes = dependencies.map((resource) => ({ resource, changes: createChanges(resource) }));
  let known: Known | undefined;

  function hasChanged({ input: { store, placements } }: Context): boolean {
    const sizes = changes.map(
      (each) => each.changes.since(store, placed.has(each.resource) ? placements : undefined).size,
    );
    return sizes.some((size) => size > 0);
  }

  return {
    resolve(context) {
      const at = Date.parse(context.input.now);
      const isStale = hasChanged(context) || !known || at < known.from || at >= known.until;
      known = isStale ? resolveAnew(context, at) : known!;
      addFindings(context, known.findings);
      return known.value;
    },
  };
}

function resolveAnew(context: Context, at: number): Known {
  const captured = capture(context, () => {
    const objects = sortByName(context.input.store.list<Gateway>(resources.gateway));
    const classes = resolveClasses(context, objects);
    return { classes, gateways: resolveGateways(context, objects, classes) };
  });
  const until = context.turns.reduce((first, turn) => (turn >= at && turn < first ? turn : first), Infinity);
  return { ...captured, from: at, until };
}
