/**
 * Values that survive JSON, made small for the way to another process: an object that stands in many places is sent
 * once, and is one object again where it arrives. Values that are shared all over a plan (routing/plan/shared.ts) are
 * one object with those that came earlier, too.
 */
import { sharedOf, sharedText } from '../../routing/plan/shared.ts';

/** A value as JSON has it; what is undefined counts as absent. */
type Json = unknown;
type JsonObject = Record<string, Json>;

/** The only member of what stands for a part: its number. Of an object with such a member of its own: that object. */
const mark = '=';

export interface Packed {
  /** Text: the JSON of a shared value. Others name no parts but those before them. */
  readonly parts: readonly Json[];
  readonly value: Json;
}

/** Leaves what it is given as it is. */
export function pack(value: Json): Packed {
  const repeated = findRepeated(value);
  const parts: Json[] = [];
  const places = new Map<object, { readonly [mark]: number }>();

  function packOne(one: Json): Json {
    if (typeof one !== 'object' || one === null) return one;
    if (!repeated.has(one)) return packMembers(one);
    let place = places.get(one);
    if (!place) {
      const part = sharedText(one) ?? packMembers(one);
      place = { [mark]: parts.push(part) - 1 };
      places.set(one, place);
    }
    return place;
  }

  function packMembers(one: object): Json {
    if (Array.isArray(one)) return packList(one);
    const packed = packObject(one as JsonObject);
    return Object.hasOwn(one, mark) ? { [mark]: packed } : packed;
  }

  function packList(list: readonly Json[]): Json {
    let made: Json[] | undefined;
    for (let i = 0; i < list.length; i++) {
      const packed = packOne(list[i]);
      if (packed === list[i]) continue;
      made ??= list.slice();
      made[i] = packed;
    }
    return made ?? list;
  }

  function packObject(object: JsonObject): Json {
    let made: JsonObject | undefined;
    for (const name of Object.keys(object)) {
      const member = object[name];
      const packed = packOne(member);
      if (packed === member) continue;
      made ??= { ...object };
      made[name] = packed;
    }
    return made ?? object;
  }

  const packed = packOne(value);
  return { parts, value: packed };
}

/** Objects that stand in more than one place, and shared values. These are not looked into again. */
function findRepeated(value: Json): ReadonlySet<object> {
  const met = new Set<object>();
  const repeated = new Set<object>();
  const visit = (one: Json): void => {
    if (typeof one !== 'object' || one === null) return;
    if (met.has(one)) return void repeated.add(one);
    met.add(one);
    if (sharedText(one) !== undefined) repeated.add(one);
    else if (Array.isArray(one)) for (const element of one) visit(element);
    else for (const name of Object.keys(one)) visit((one as JsonObject)[name]);
  };
  visit(value);
  return repeated;
}

/** What was packed, as it has come through JSON. Takes it apart: it is of no use afterwards. */
export function unpack({ parts, value }: Packed): Json {
  const made: Json[] = [];

  function restore(one: Json): Json {
    if (typeof one !== 'object' || one === null) return one;
    if (Array.isArray(one)) return restoreList(one);
    const part = Object.hasOwn(one, mark) ? (one as JsonObject)[mark] : undefined;
    if (part === undefined) return restoreMembers(one as JsonObject);
    return typeof part === 'number' ? made[part] : restoreMembers(part as JsonObject);
  }

  function restoreList(list: Json[]): Json {
    for (let i = 0; i < list.length; i++) {
      const element = list[i];
      const restored = restore(element);
      if (restored !== element) list[i] = restored;
    }
    return list;
  }

  function restoreMembers(object: JsonObject): Json {
    for (const name of Object.keys(object)) {
      const member = object[name];
      const restored = restore(member);
      if (restored !== member) object[name] = restored;
    }
    return object;
  }

  for (const part of parts) made.push(typeof part === 'string' ? sharedOf(part) : restore(part));
  return restore(value);
}
