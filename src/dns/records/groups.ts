/** Keys of objects by something they have in common: an address, a namespace, a Service. */

export interface Groups {
  add(group: string, member: string): void;
  remove(group: string, member: string): void;
  /** Sorted. */
  members(group: string): string[];
  has(group: string): boolean;
}

/** Leaves no empty group behind. Most groups have one member, which costs no set of its own. */
export function createGroups(): Groups {
  const groups = new Map<string, string | Set<string>>();
  return {
    add(group, member) {
      const members = groups.get(group);
      if (members === undefined) groups.set(group, member);
      else if (typeof members !== 'string') members.add(member);
      else if (members !== member) groups.set(group, new Set([members, member]));
    },
    remove(group, member) {
      const members = groups.get(group);
      if (members === member) groups.delete(group);
      else if (typeof members === 'object' && members.delete(member) && members.size === 0) groups.delete(group);
    },
    members(group) {
      const members = groups.get(group);
      if (members === undefined) return [];
      return typeof members === 'string' ? [members] : [...members].sort();
    },
    has: (group) => groups.has(group),
  };
}
