/** What the controllers have to say about objects, kept up to date: a finding goes when its cause or its object goes. */
import type { Diagnostic, ObjectRef } from '../../base/diagnostics/index.ts';
import { refOf } from '../../kube/resources.ts';
import type { StoreReader } from '../../kube/store/store.ts';

export interface Findings {
  /** Replaces what one controller (`scope`) found about one object. */
  set(scope: string, object: ObjectRef, found: readonly Diagnostic[]): void;
  list(): readonly Diagnostic[];
  close(): void;
}

const idOf = (ref: ObjectRef) => `${ref.kind} ${ref.namespace ?? ''}/${ref.name}`;
const same = (a: Diagnostic, b: Diagnostic) =>
  a.code === b.code && a.message === b.message && a.fieldPath === b.fieldPath;

/** `onFound` hears of each finding that was not there before. */
export function createFindings(store: StoreReader, onFound?: (diagnostic: Diagnostic) => void): Findings {
  const byObject = new Map<string, Map<string, readonly Diagnostic[]>>();
  const unsubscribe = store.subscribe((change) => {
    if (change.type === 'DELETED' && byObject.size > 0) byObject.delete(idOf(refOf(change.object)));
  });

  return {
    set(scope, object, found) {
      // The common case, for each object over and over.
      if (found.length === 0 && byObject.size === 0) return;
      const id = idOf(object);
      const scopes = byObject.get(id);
      const before = scopes?.get(scope) ?? [];
      if (found.length === 0) {
        if (scopes?.delete(scope) && scopes.size === 0) byObject.delete(id);
        return;
      }
      if (scopes) scopes.set(scope, found);
      else byObject.set(id, new Map([[scope, found]]));
      for (const item of found) if (!before.some((old) => same(old, item))) onFound?.(item);
    },
    list: () => [...byObject.values()].flatMap((scopes) => [...scopes.values()].flat()),
    close: unsubscribe,
  };
}
