/** Which objects of a resource say something else than they did the last time. */
import type { ObjectRef } from '../../base/diagnostics/index.ts';
import { keyOf, type ResourceName, refOf } from '../../kube/resources.ts';
import type { StoreReader } from '../../kube/store/store.ts';
import type { KubeObject } from '../../kube/types/index.ts';
import type { TranslateInput } from '../translate.ts';
import { sameContent } from './content.ts';

export interface Changes {
  /** Keys of objects that came, went, or have other content since the last call. Everything, the first time. */
  since(store: StoreReader, placementOf?: TranslateInput['placement']): ReadonlySet<string>;
}

const none: ReadonlySet<string> = new Set();

export function createChanges(resource: ResourceName): Changes {
  /** In the order of the store, which changes little from one time to the next. */
  let before: readonly KubeObject[] = [];
  let placements = new Map<string, unknown>();

  /** Objects that stand elsewhere in files than they did. */
  function notePlacements(changed: Set<string>, placementOf: (object: ObjectRef) => unknown): void {
    const next = new Map(before.map((object) => [keyOf(object), placementOf(refOf(object))]));
    for (const [key, placement] of next) if (placements.get(key) !== placement) changed.add(key);
    placements = next;
  }

  return {
    since(store, placementOf) {
      const now = store.list<KubeObject>(resource);
      const changed = new Set<string>();
      let place = 0;
      for (const object of now) {
        if (before[place] === object) {
          place++;
          continue;
        }
        const key = keyOf(object);
        for (; place < before.length && keyOf(before[place]!) !== key; place++) changed.add(keyOf(before[place]!));
        const known = before[place++];
        if (!known || !sameContent(object, known)) changed.add(key);
      }
      for (; place < before.length; place++) changed.add(keyOf(before[place]!));
      before = now;
      if (placementOf) notePlacements(changed, placementOf);
      return changed.size > 0 ? changed : none;
    },
  };
}
