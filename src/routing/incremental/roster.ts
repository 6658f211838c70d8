/** The objects of a resource in a lasting order, each with what was worked out for it. */
import type { ResourceName } from '../../kube/resources.ts';
import type { StoreReader } from '../../kube/store/store.ts';
import type { KubeObject } from '../../kube/types/index.ts';
import { sameContent } from './content.ts';
import { type Compare, changeSorted, unlike } from './sorted.ts';

export interface Member<T extends KubeObject> {
  /** The newest version. A version with other content gets a member of its own. */
  object: T;
}

export interface Roster<T extends KubeObject, M extends Member<T>> {
  /**
   * Follows the store. Returns the members in their order; it is the same array for as long as all members are.
   * `revision`: of what `holds` asks for; it is not asked while that stays the same.
   */
  update(store: StoreReader, revision?: number): readonly M[];
}

export interface RosterOptions<T extends KubeObject, M extends Member<T>> {
  readonly resource: ResourceName;
  /** `before` is the member that an object of the same name had. */
  make(object: T, before: M | undefined): M;
  compare: Compare<M>;
  /** Told of members that are no more. */
  drop?(member: M): void;
  /** Told of members that hold a newer version of their object, which says the same. */
  renewed?(member: M): void;
  /** Whether a member holds although its object is the same: for what is not in the object. Default: always. */
  holds?(member: M): boolean;
}

export function createRoster<T extends KubeObject, M extends Member<T>>(options: RosterOptions<T, M>): Roster<T, M> {
  const { resource, make, compare, drop, renewed, holds = () => true } = options;
  /** In the order of the store, which changes little from one time to the next. */
  let filed: M[] = [];
  /** The objects of those. */
  let known: readonly T[] = [];
  let sorted: readonly M[] = [];
  let source: StoreReader | undefined;
  let changedAt = 0;
  let heldAt: number | undefined;

  /** The member of a newer version of its object. */
  function renew(member: M, object: T): M {
    if (member.object !== object) {
      if (!sameContent(object, member.object)) return make(object, member);
      member.object = object;
      renewed?.(member);
    }
    return holds(member) ? member : make(object, member);
  }

  /** `isHeld`: members whose objects are the same hold. */
  function follow(objects: readonly T[], isHeld: boolean): void {
    const [from, oldTo, newTo] = isHeld ? unlike(known, objects) : [0, known.length, objects.length];
    const next: M[] = [];
    const gone = new Map<string, M>();
    const removed = new Set<M>();
    const added: M[] = [];
    let place = from;
    for (let i = from; i < newTo; i++) {
      const object = objects[i]!;
      if (isHeld && place < oldTo && known[place] === object) {
        next.push(filed[place++]!);
        continue;
      }
      while (place < oldTo && !sameName(known[place]!, object)) {
        const other = filed[place++]!;
        gone.set(nameOf(other.object), other);
        removed.add(other);
      }
      const before = place < oldTo ? filed[place++] : undefined;
      const member = before
        ? renew(before, object)
        : make(object, gone.size > 0 ? gone.get(nameOf(object)) : undefined);
      next.push(member);
      if (member === before) continue;
      if (before) removed.add(before);
      added.push(member);
    }
    for (; place < oldTo; place++) removed.add(filed[place]!);
    filed = filed.slice(0, from).concat(next, filed.slice(oldTo));
    known = objects;
    if (drop) for (const member of removed) drop(member);
    if (removed.size > 0 || added.length > 0) sorted = changeSorted(sorted, removed, added, compare);
  }

  return {
    update(store, revision) {
      const isHeld = revision === heldAt;
      const now = store.changedAt(resource);
      if (isHeld && store === source && now === changedAt) return sorted;
      source = store;
      changedAt = now;
      heldAt = revision;
      follow(store.list<T>(resource), isHeld);
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
