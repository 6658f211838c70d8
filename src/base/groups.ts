/** Members filed under names, where most names have one member: such a group costs a fifth of a Map of its own. */

export interface Groups<T> {
  /** Files a member by its key; one that was there under the same key is replaced. */
  add(group: string, key: string, member: T): void;
  remove(group: string, key: string): void;
  size(group: string): number;
  /** In the order in which their keys came. */
  members(group: string): T[];
}

interface One<T> {
  readonly key: string;
  member: T;
}

export function createGroups<T>(): Groups<T> {
  const groups = new Map<string, One<T> | Map<string, T>>();
  return {
    add(group, key, member) {
      const found = groups.get(group);
      if (found === undefined) groups.set(group, { key, member });
      else if (found instanceof Map) found.set(key, member);
      else if (found.key === key) found.member = member;
      else {
        const both = new Map([[found.key, found.member]]);
        both.set(key, member);
        groups.set(group, both);
      }
    },
    remove(group, key) {
      const found = groups.get(group);
      const isGone = found instanceof Map ? found.delete(key) && found.size === 0 : found?.key === key;
      if (isGone) groups.delete(group);
    },
    size(group) {
      const found = groups.get(group);
      return found instanceof Map ? found.size : found ? 1 : 0;
    },
    members(group) {
      const found = groups.get(group);
      return found instanceof Map ? [...found.values()] : found ? [found.member] : [];
    },
  };
}
