/** Findings about the objects on a path. */
import { type Diagnostic, formatRef } from '../../base/diagnostics/index.ts';
import type { World } from '../world.ts';
import type { Rejected, Step } from './types.ts';

/** Findings about any object that a step names. */
export function findingsOn(world: World, steps: readonly Step[], rejected: readonly Rejected[]): Diagnostic[] {
  const names = new Set([
    ...steps.flatMap(({ object }) => (object ? [formatRef(object)] : [])),
    ...rejected.map(({ kind, namespace, name }) => `${kind} ${namespace}/${name}`),
  ]);
  return world.diagnostics.filter(({ object }) => object && names.has(formatRef(object)));
}
