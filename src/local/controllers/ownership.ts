/** Which workloads a change concerns: the workload itself, the controllers of what changed, or who may adopt it. */
import { keyOf } from '../../kube/resources.ts';
import type { Change } from '../../kube/store/store.ts';
import type { KubeObject, LabelSelector } from '../../kube/types/index.ts';
import { controllerOf } from './indexes.ts';
import { createSelectorIndexes } from './selector-index.ts';

export interface Ownership {
  /** For changes of workloads. */
  owners(change: Change): string[];
  /** For changes of what they control. */
  owned(change: Change): string[];
}

/** Keys of the controllers of a kind that an object had before a change and has after it. */
export function controllersIn(change: Change, kind: string): string[] {
  const { namespace } = change.object.metadata;
  const after = controllerOf(change.object);
  const before = change.previous && controllerOf(change.previous);
  const keys = after?.kind === kind ? [`${namespace}/${after.name}`] : [];
  if (before?.kind === kind && before.uid !== after?.uid) keys.push(`${namespace}/${before.name}`);
  return keys;
}

export function createOwnership(kind: string, selectorOf: (owner: KubeObject) => LabelSelector | undefined): Ownership {
  const selectors = createSelectorIndexes();

  return {
    owners(change) {
      const key = keyOf(change.object);
      const index = selectors(change.object.metadata.namespace!);
      if (change.type === 'DELETED') index.delete(key);
      else index.set(key, selectorOf(change.object)?.matchLabels);
      return [key];
    },
    owned(change) {
      const { namespace, labels } = change.object.metadata;
      const orphaned = change.type !== 'DELETED' && !controllerOf(change.object);
      return [...controllersIn(change, kind), ...(orphaned ? selectors(namespace!).candidates(labels) : [])];
    },
  };
}
