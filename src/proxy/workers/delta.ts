/**
 * What changed between two values that survive JSON, so that a plan of many megabytes need not travel because of one
 * route. Parts that did not change are named by their place in the value before and keep their identity when the
 * change is applied, which lets the receiver keep what it has made of them.
 */
import { changeRecord, knownChanges, type Members } from '../../routing/incremental/records.ts';

/** A value as JSON has it; what is undefined counts as absent. */
type Json = unknown;
type JsonObject = Readonly<Record<string, Json>>;

/**
 * `v`: another value in its place. `l`: a changed list. `o`: a changed object, as the list of its members. `m`: some
 * members of an object whose order means nothing; null takes one out.
 */
export type Delta =
  | { readonly v: Json }
  | { readonly l: readonly Step<Json>[] }
  | { readonly o: readonly Step<readonly [name: string, value: Json]>[] }
  | { readonly m: readonly (readonly [name: string, change: Delta | null])[] };

/**
 * The next element or elements: a number of them from a place in the list before, a changed one from a place (of a
 * member, its value), or a new one.
 */
export type Step<T> =
  | readonly ['keep', from: number, count: number]
  | readonly ['edit', at: number, change: Delta]
  | readonly ['new', T];

/** Changes of lists that stand in several places, as the hosts of listeners do: by what the list has become. */
type Encoded = Map<readonly Json[], { readonly before: readonly Json[]; readonly change: Delta | undefined }>;
/** The same where they arrive, by the change. */
type Decoded = Map<Delta, { readonly before: Json; readonly value: Json }>;

/**
 * Undefined when both are equal. What is identical is not looked into, and what changes from one object into another in
 * several places is one and the same change.
 */
export function encodeDelta(before: Json, after: Json, encoded: Encoded = new Map()): Delta | undefined {
  if (before === after) return undefined;
  if (Array.isArray(before) && Array.isArray(after)) return encodeList(before, after, encoded);
  if (!isObject(before) || !isObject(after)) return { v: after };
  const known = knownChanges(before, after);
  if (known) return encodeMembers(known, encoded);
  // Most of a plan is equal, and that is seen soonest without taking anything apart.
  return isSame(before, after) ? undefined : encodeObject(before, after, encoded);
}

function encodeMembers(changes: NonNullable<ReturnType<typeof knownChanges>>, encoded: Encoded): Delta | undefined {
  const members: (readonly [string, Delta | null])[] = [];
  for (const { key, before, now } of changes) {
    const change = before === undefined ? { v: now } : encodeDelta(before, now, encoded);
    if (now === undefined) members.push([key, null]);
    else if (change) members.push([key, change]);
  }
  return members.length > 0 ? { m: members } : undefined;
}

function decodeMembers(before: JsonObject, changes: Extract<Delta, { m: unknown }>['m'], decoded: Decoded): JsonObject {
  const members = changes.map(
    ([name, change]) => [name, change ? decodeDelta(before[name], change, decoded) : undefined] as const,
  );
  return changeRecord(before as Members<Json>, members);
}

/** Equal in all members and in their order. False is no answer: members may be undefined in one of them. */
function isSame(before: Json, after: Json): boolean {
  if (before === after) return true;
  if (typeof before !== 'object' || typeof after !== 'object' || before === null || after === null) return false;
  if (Array.isArray(before)) {
    if (!Array.isArray(after) || before.length !== after.length) return false;
    for (let i = 0; i < before.length; i++) if (!isSame(before[i], after[i])) return false;
    return true;
  }
  return !Array.isArray(after) && hasSameMembers(before as JsonObject, after as JsonObject);
}

function hasSameMembers(before: JsonObject, after: JsonObject): boolean {
  const names = Object.keys(before);
  const others = Object.keys(after);
  if (names.length !== others.length) return false;
  for (let i = 0; i < names.length; i++) {
    const name = names[i]!;
    if (name !== others[i] || !isSame(before[name], after[name])) return false;
  }
  return true;
}

/**
 * `decodeDelta(before, encodeDelta(before, after))` equals `after`, with all that is equal taken from `before`. The same
 * change of the same list gives the same list.
 */
export function decodeDelta(before: Json, delta: Delta | undefined, decoded: Decoded = new Map()): Json {
  if (!delta) return before;
  if ('v' in delta) return delta.v;
  if ('l' in delta) return decodeList(before as readonly Json[], delta, decoded);
  if ('m' in delta) return decodeMembers(before as JsonObject, delta.m, decoded);
  const members = membersOf(before as JsonObject);
  return Object.fromEntries(
    decodeSteps(members, delta.o, ([name, value], change) => [name, decodeDelta(value, change, decoded)] as const),
  );
}

function decodeList(before: readonly Json[], delta: Extract<Delta, { l: unknown }>, decoded: Decoded): Json {
  const known = decoded.get(delta);
  if (known?.before === before) return known.value;
  const value = decodeSteps(before, delta.l, (one, change) => decodeDelta(one, change, decoded));
  decoded.set(delta, { before, value });
  return value;
}

function decodeSteps<T>(before: readonly T[], steps: readonly Step<T>[], edit: (one: T, change: Delta) => T): T[] {
  const parts = steps.map((step) => {
    if (step[0] === 'new') return [step[1]];
    return step[0] === 'edit' ? [edit(before[step[1]]!, step[2])] : before.slice(step[1], step[1] + step[2]);
  });
  // Long runs are copied at once.
  return parts.length <= fewParts ? ([] as T[]).concat(...parts) : parts.flat();
}

const fewParts = 1_000;

function isObject(value: Json): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function membersOf(object: JsonObject): [name: string, value: Json][] {
  return Object.entries(object).filter(([, value]) => value !== undefined);
}

/** What tells an element from the others of its list: elements of plans have one of these. */
function keyOf(element: Json): string | undefined {
  if (typeof element === 'string') return element;
  if (!isObject(element)) return undefined;
  const key = element['id'] ?? element['hostname'] ?? element['serverName'] ?? element['backend'];
  return typeof key === 'string' ? key : undefined;
}

function encodeList(before: readonly Json[], after: readonly Json[], encoded: Encoded): Delta | undefined {
  const known = encoded.get(after);
  if (known?.before === before) return known.change;
  const steps = encodeSteps(before, after, keyOf, (old, now) => encodeDelta(old, now, encoded));
  const change = steps && { l: steps };
  encoded.set(after, { before, change });
  return change;
}

function encodeObject(before: JsonObject, after: JsonObject, encoded: Encoded): Delta | undefined {
  const steps = encodeSteps(
    membersOf(before),
    membersOf(after),
    ([name]) => name,
    ([, old], [, value]) => encodeDelta(old, value, encoded),
  );
  return steps && { o: steps };
}

type Compare<T> = (before: T, after: T) => Delta | undefined;

/** Each element is compared with the one of its key, or, without a key, with the one that is next in turn. */
function encodeSteps<T>(
  before: readonly T[],
  after: readonly T[],
  key: (element: T) => string | undefined,
  compare: Compare<T>,
): Step<T>[] | undefined {
  const steps: Step<T>[] = [];
  const [from, oldTo, newTo] = unlike(before, after);
  let places: Map<string, number> | undefined;
  let next = from;
  if (from > 0) steps.push(['keep', 0, from]);

  function placeOf(element: T): number | undefined {
    if (next < oldTo && before[next] === element) return next;
    const name = key(element);
    const expected = next < oldTo ? key(before[next]!) : undefined;
    if (name === expected) return next < oldTo ? next : undefined;
    if (name === undefined) return undefined;
    places ??= new Map(before.slice(from, oldTo).map((one, i) => [key(one) ?? '', from + i]));
    const place = places.get(name);
    return place !== undefined && key(before[place]!) === name ? place : undefined;
  }

  for (let i = from; i < newTo; i++) {
    const element = after[i]!;
    const place = placeOf(element);
    if (place === undefined) {
      steps.push(['new', element]);
      continue;
    }
    const old = before[place]!;
    const change = old === element ? undefined : compare(old, element);
    if (change) steps.push(['edit', place, change]);
    else keep(steps, place, 1);
    next = place + 1;
  }
  if (oldTo < before.length) keep(steps, oldTo, before.length - oldTo);
  return isWhole(steps, before.length) ? undefined : steps;
}

/** Between which places lists are not the same elements: the first that differs, and the ends of what differs in both. */
function unlike<T>(before: readonly T[], after: readonly T[]): [from: number, oldTo: number, newTo: number] {
  let [oldTo, newTo] = [before.length, after.length];
  const least = Math.min(oldTo, newTo);
  let from = 0;
  while (from < least && before[from] === after[from]) from++;
  while (oldTo > from && newTo > from && before[oldTo - 1] === after[newTo - 1]) {
    oldTo--;
    newTo--;
  }
  return [from, oldTo, newTo];
}

/** Some more from `place` on, in the run before where it goes on. */
function keep<T>(steps: Step<T>[], place: number, count: number): void {
  const last = steps.at(-1);
  if (last?.[0] === 'keep' && last[1] + last[2] === place) steps[steps.length - 1] = ['keep', last[1], last[2] + count];
  else steps.push(['keep', place, count]);
}

function isWhole<T>(steps: readonly Step<T>[], length: number): boolean {
  const [first] = steps;
  if (!first) return length === 0;
  return steps.length === 1 && first[0] === 'keep' && first[1] === 0 && first[2] === length;
}
