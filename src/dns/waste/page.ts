/** Search-path waste as the page `/fairway/dns-waste` has it: raw counts, which add up over processes. */

export interface WasteName {
  /** As the program wrote it, absolute and in lower case: `www.example.com.`. */
  readonly name: string;
  /** A name outside the cluster, or a full name of the cluster (`web.shop.svc.cluster.local.`). */
  readonly kind: 'external' | 'cluster';
  readonly queries: number;
  /** Queries that may have come before it was among the names. */
  readonly error: number;
}

/** One workload; one client address where no Pod with it is known. */
export interface WasteGroup {
  /** '' when it is not known. */
  readonly namespace: string;
  /** `Deployment/web`; '' when no Pod with the address is known. */
  readonly workload: string;
  /** '' for workloads. */
  readonly address: string;
  /** Queries in vain, for certain. */
  readonly queries: number;
  /** Queries that may have come before it was among the groups. */
  readonly error: number;
  /** Of `queries`, those with the first, second and third domain of the search list. */
  readonly stages: readonly number[];
  /** Of `queries`, by the dots of the name as the program wrote it: none, 1, 2, 3, 4, 5 and more. */
  readonly dots: readonly number[];
  readonly names: readonly WasteName[];
}

export interface WastePage {
  /** Start of counting, RFC 3339. */
  readonly since: string;
  /** All queries in vain, those of groups that are not listed too. */
  readonly queries: number;
  readonly stages: readonly number[];
  readonly dots: readonly number[];
  readonly limits: { readonly groups: number; readonly names: number };
  /** Most queries that a group which is not listed can have. */
  readonly floor: number;
  /** The most wasteful first. */
  readonly groups: readonly WasteGroup[];
}

export const stageCount = 3;
export const dotCount = 6;

/** What makes two groups the same. */
export const groupId = ({ namespace, workload, address }: Pick<WasteGroup, 'namespace' | 'workload' | 'address'>) =>
  workload ? `${namespace}/${workload}` : address;

const sum = (a: readonly number[], b: readonly number[]): number[] => a.map((value, i) => value + (b[i] ?? 0));

const weight = ({ queries, error }: { queries: number; error: number }): number => queries + error;
const byWeight = (a: { queries: number; error: number }, b: { queries: number; error: number }) =>
  weight(b) - weight(a);

function mergeNames(a: readonly WasteName[], b: readonly WasteName[]): WasteName[] {
  const merged = new Map(a.map((name) => [name.name, name]));
  for (const name of b) {
    const known = merged.get(name.name);
    merged.set(name.name, known ? { ...known, ...both(known, name) } : name);
  }
  return [...merged.values()].sort(byWeight);
}

function both(a: { queries: number; error: number }, b: { queries: number; error: number }) {
  return { queries: a.queries + b.queries, error: a.error + b.error };
}

function mergeGroup(a: WasteGroup, b: WasteGroup): WasteGroup {
  return {
    ...a,
    ...both(a, b),
    namespace: a.namespace || b.namespace,
    stages: sum(a.stages, b.stages),
    dots: sum(a.dots, b.dots),
    names: mergeNames(a.names, b.names),
  };
}

/** Groups of one page with the same identity as one; pages that were relabelled need this. */
function foldGroups(groups: readonly WasteGroup[]): Map<string, WasteGroup> {
  const merged = new Map<string, WasteGroup>();
  for (const group of groups) {
    const known = merged.get(groupId(group));
    merged.set(groupId(group), known ? mergeGroup(known, group) : group);
  }
  return merged;
}

/** What a group may have had in pages that do not list it. */
function withFloors(group: WasteGroup, pages: readonly ReadonlyMap<string, WasteGroup>[], floors: readonly number[]) {
  const id = groupId(group);
  const unseen = floors.reduce((total, floor, i) => total + (pages[i]!.has(id) ? 0 : floor), 0);
  return unseen === 0 ? group : { ...group, error: group.error + unseen };
}

/**
 * The pages of several processes as one. Counts add up exactly; the groups and names listed are again the most frequent
 * ones, within the largest limits of the pages. An empty list gives an empty page.
 */
export function mergeWaste(pages: readonly WastePage[]): WastePage {
  const limits = {
    groups: Math.max(0, ...pages.map((page) => page.limits.groups)),
    names: Math.max(0, ...pages.map((page) => page.limits.names)),
  };
  const folded = pages.map(({ groups }) => foldGroups(groups));
  const floors = pages.map(({ floor }) => floor);
  const all = [...foldGroups(folded.flatMap((groups) => [...groups.values()])).values()]
    .map((group) => withFloors(group, folded, floors))
    .map((group) => ({ ...group, names: group.names.slice(0, limits.names) }))
    .sort(byWeight);
  const left = all[limits.groups];
  return {
    since: pages.map(({ since }) => since).sort()[0] ?? '',
    queries: pages.reduce((total, { queries }) => total + queries, 0),
    stages: pages.reduce((total, { stages }) => sum(total, stages), Array<number>(stageCount).fill(0)),
    dots: pages.reduce((total, { dots }) => sum(total, dots), Array<number>(dotCount).fill(0)),
    limits,
    floor: Math.max(
      left ? weight(left) : 0,
      floors.reduce((total, floor) => total + floor, 0),
    ),
    groups: all.slice(0, limits.groups),
  };
}
