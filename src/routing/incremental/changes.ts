/** Which objects of a resource say something else than they did the last time. */
import { keyOf, type ResourceName, refOf } from '../../kube/resources.ts';
import type { StoreReader } from '../../kube/store/store.ts';
import type { KubeObject } from '../../kube/types/index.ts';
import type { Placements } from '../translate.ts';
import { sameContent } from './content.ts';

export interface Changes {
  /** Keys of objects that came, went, or have other content since the last call. Everything, the first time. */
  since(store: StoreReader, placements?: Placements): ReadonlySet<string>;
}

const none: ReadonlySet<string> = new Set();

export function createChanges(resource: ResourceName): Changes {
  /** In the order of the store, which changes little from one time to the next. */
  let before: readonly KubeObject[] = [];
  let source: StoreReader | undefined;
  let changedAt = 0;
  let placed: ReadonlyMap<string, unknown> = new Map();
  let placedAt: number | undefined;

  function follow(store: StoreReader, changed: Set<string>): void {
    if (store === source && store.changedAt(resource) === changedAt) return;
    source = store;
    changedAt = store.changedAt(resource);
    const now = store.list<KubeObject>(resource);
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
  }

  /** Objects that stand elsewhere in files than they did. */
  function followPlacements(placements: Placements, changed: Set<string>): void {
    if (placements.revision === placedAt) return;
    placedAt = placements.revision;
    const next = new Map(before.map((object) => [keyOf(object), placements.of(refOf(object))]));
    for (const [key, placement] of next) if (placed.get(key) !== placement) changed.add(key);
    placed = next;
  }

  return {
    since(store, placements) {
      const changed = new Set<string>();
      follow(store, changed);
      if (placements) followPlacements(placements, changed);
      return changed.size > 0 ? changed : none;
    },
  };
}
