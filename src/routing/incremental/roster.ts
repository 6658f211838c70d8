/** The objects of a resource in a lasting order, each with what was worked out for it. */
import type { KubeObject } from '../../kube/types/index.ts';
import { sameContent } from './content.ts';
import { type Compare, changeSorted } from './sorted.ts';

export interface Member<T extends KubeObject> {
  /** The newest version. A version with other content gets a member of its own. */
  object: T;
}

export interface Roster<T extends KubeObject, M extends Member<T>> {
  /**
   * Follows the store: `objects` are all of them, in any order. Returns the members in their order; it is the same
   * array for as long as all members are.
   */
  update(objects: readonly T[]): readonly M[];
}

export interface RosterOptions<T extends KubeObject, M extends Member<T>> {
  /** `before` is the member that an object of the same name had. */
  make(object: T, before: M | undefined): M;
  compare: Compare<M>;
  /** Told of members that are no more. */
  drop?(member: M): void;
  /** Whether a member holds although its object is the same: for what is not in the object. Default: always. */
  holds?(member: M): boolean;
}

export function createRoster<T extends KubeObject, M extends Member<T>>(options: RosterOptions<T, M>): Roster<T, M> {
  const { make, compare, drop, holds = () => true } = options;
  /** In the order of the store, which changes little from one time to the next. */
  let filed: M[] = [];
  let sorted: readonly M[] = [];

  function follow(known: M, object: T): M {
    if (known.object !== object) {
      if (!sameContent(object, known.object)) return make(object, known);
      known.object = object;
    }
    return holds(known) ? known : make(object, known);
  }

  return {
    update(objects) {
      const next: M[] = [];
      const gone = new Map<string, M>();
      const removed = new Set<M>();
      const added: M[] = [];
      let place = 0;
      for (const object of objects) {
        while (place < filed.length && !sameName(filed[place]!.object, object)) {
          const other = filed[place++]!;
          gone.set(nameOf(other.object), other);
          removed.add(other);
        }
        const known = filed[place++];
        const member = known
          ? follow(known, object)
          : make(object, gone.size > 0 ? gone.get(nameOf(object)) : undefined);
        next.push(member);
        if (member === known) continue;
        if (known) removed.add(known);
        added.push(member);
      }
      for (; place < filed.length; place++) removed.add(filed[place]!);
      filed = next;
      if (drop) for (const member of removed) drop(member);
      if (removed.size > 0 || added.length > 0) sorted = changeSorted(sorted, removed, added, compare);
      return sorted;
    },
  };
}

function sameName(a: KubeObject, b: KubeObject): boolean {
  return a === b || (a.metadata.name === b.metadata.name && a.metadata.namespace === b.metadata.namespace);
}

function nameOf({ metadata }: KubeObject): string {
  return `${metadata.namespace ?? ''}/${metadata.name}`;
}
