/**
 * A hash ring (Karger et al., 1997): endpoints stand at many points of a circle, and a key belongs to the next point.
 * A ring follows from the set of its endpoints alone, so it is the same in every process and for every order; when one
 * comes or goes, only keys from or to that one move.
 */

export interface Ring {
  /** Place in `names` of the owner of each point, in the order of the points. */
  readonly owners: Uint32Array;
  readonly points: Uint32Array;
}

/** Points of one name: shares of names then differ by about a tenth. Fewer where there are very many names. */
const POINTS_EACH = 160;
const MIN_POINTS_EACH = 8;
const MAX_POINTS = 131_072;

/** Point and owner are sorted as one number, exact below 2^53. */
const OWNERS = 2 ** 21;

/** `names` must differ from each other. */
export function createRing(names: readonly string[]): Ring {
  const each = Math.max(MIN_POINTS_EACH, Math.min(POINTS_EACH, Math.floor(MAX_POINTS / Math.max(1, names.length))));
  // Where two names have the same point, the order of the names decides, whatever order they came in.
  const order = names.map((_, i) => i).sort((a, b) => (names[a]! < names[b]! ? -1 : 1));
  const sorted = new Float64Array(order.length * each);
  order.forEach((name, rank) => {
    const seed = hashText(names[name]!);
    for (let i = 0; i < each; i++) sorted[rank * each + i] = mix(seed + Math.imul(i, 0x9e3779b1)) * OWNERS + rank;
  });
  sorted.sort();
  const points = new Uint32Array(sorted.length);
  const owners = new Uint32Array(sorted.length);
  sorted.forEach((value, at) => {
    points[at] = Math.floor(value / OWNERS);
    owners[at] = order[value % OWNERS]!;
  });
  return { points, owners };
}

/** The index of the first point from `key` on, around the circle; 0 for a ring without points. */
export function findPoint({ points }: Ring, key: number): number {
  let low = 0;
  let high = points.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (points[middle]! < key) low = middle + 1;
    else high = middle;
  }
  return low === points.length ? 0 : low;
}

/** 32 bits of a text, each depending on all of it: FNV-1a, then a final mix. Not for secrets. */
export function hashText(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return mix(hash);
}

/** The finalizer of MurmurHash3. */
function mix(value: number): number {
  let hash = value | 0;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
