/**
 * What changed between two values that survive JSON, so that a plan of many megabytes need not travel because of one
 * route. Parts that did not change are named by their place in the value before and keep their identity when the
 * change is applied, which lets the receiver keep what it has made of them.
 */

/** A value as JSON has it; what is undefined counts as absent. */
type Json = unknown;
type JsonObject = Readonly<Record<string, Json>>;

/** `v`: another value in its place. `l`: a changed list. `o`: a changed object, as the list of its members. */
export type Delta =
  | { readonly v: Json }
  | { readonly l: readonly Step<Json>[] }
  | { readonly o: readonly Step<readonly [name: string, value: Json]>[] };

/**
 * The next element or elements: a number of them from a place in the list before, a changed one from a place (of a
 * member, its value), or a new one.
 */
export type Step<T> =
  | readonly ['keep', from: number, count: number]
  | readonly ['edit', at: number, change: Delta]
  | readonly ['new', T];

/** Undefined when both are equal. What is identical is not looked into. */
export function encodeDelta(before: Json, after: Json): Delta | undefined {
  if (before === after) return undefined;
  if (Array.isArray(before) && Array.isArray(after)) return encodeList(before, after);
  if (!isObject(before) || !isObject(after)) return { v: after };
  // Most of a plan is equal, and that is seen soonest without taking anything apart.
  return isSame(before, after) ? undefined : encodeObject(before, after);
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

/** `decodeDelta(before, encodeDelta(before, after))` equals `after`, with all that is equal taken from `before`. */
export function decodeDelta(before: Json, delta: Delta | undefined): Json {
  if (!delta) return before;
  if ('v' in delta) return delta.v;
  if ('l' in delta) return decodeSteps(before as readonly Json[], delta.l, decodeDelta);
  const members = membersOf(before as JsonObject);
  return Object.fromEntries(
    decodeSteps(members, delta.o, ([name, value], change) => [name, decodeDelta(value, change)] as const),
  );
}

function decodeSteps<T>(before: readonly T[], steps: readonly Step<T>[], edit: (one: T, change: Delta) => T): T[] {
  const after: T[] = [];
  for (const step of steps) {
    if (step[0] === 'new') after.push(step[1]);
    else if (step[0] === 'edit') after.push(edit(before[step[1]]!, step[2]));
    else for (let i = step[1]; i < step[1] + step[2]; i++) after.push(before[i]!);
  }
  return after;
}

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

function encodeList(before: readonly Json[], after: readonly Json[]): Delta | undefined {
  const steps = encodeSteps(before, after, keyOf, encodeDelta);
  return steps && { l: steps };
}

function encodeObject(before: JsonObject, after: JsonObject): Delta | undefined {
  const steps = encodeSteps(
    membersOf(before),
    membersOf(after),
    ([name]) => name,
    ([, old], [, value]) => encodeDelta(old, value),
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
  let places: Map<string, number> | undefined;
  let next = 0;

  function placeOf(element: T): number | undefined {
    const name = key(element);
    const expected = next < before.length ? key(before[next]!) : undefined;
    if (name === expected) return next < before.length ? next : undefined;
    if (name === undefined) return undefined;
    places ??= new Map(before.map((one, place) => [key(one) ?? '', place]));
    const place = places.get(name);
    return place !== undefined && key(before[place]!) === name ? place : undefined;
  }

  for (const element of after) {
    const place = placeOf(element);
    if (place === undefined) {
      steps.push(['new', element]);
      continue;
    }
    const change = compare(before[place]!, element);
    if (change) steps.push(['edit', place, change]);
    else keep(steps, place);
    next = place + 1;
  }
  return isWhole(steps, before.length) ? undefined : steps;
}

/** One more from `place`, in the run before where it goes on. */
function keep<T>(steps: Step<T>[], place: number): void {
  const last = steps.at(-1);
  if (last?.[0] === 'keep' && last[1] + last[2] === place) steps[steps.length - 1] = ['keep', last[1], last[2] + 1];
  else steps.push(['keep', place, 1]);
}

function isWhole<T>(steps: readonly Step<T>[], length: number): boolean {
  const [first] = steps;
  if (!first) return length === 0;
  return steps.length === 1 && first[0] === 'keep' && first[1] === 0 && first[2] === length;
}
