/** JSON merge patch, RFC 7396. */
import { equalJson } from '../objects.ts';
import { entriesOf, fieldOf, isObject, type Json, type JsonObject, setField } from './json.ts';

/** Applies a merge patch: objects merge field by field, null removes, everything else replaces. */
export function mergePatch(target: Json | undefined, patch: Json): Json {
  if (!isObject(patch)) return patch;
  const source = isObject(target) ? target : {};
  const merged: JsonObject = { ...source };
  for (const [name, value] of entriesOf(patch)) {
    if (value === null) delete merged[name];
    else setField(merged, name, mergePatch(fieldOf(source, name), value));
  }
  return merged;
}

/** The merge patch that makes `to` out of `from`; undefined when they are equal. Lists are replaced whole. */
export function mergePatchBetween(from: Json | undefined, to: Json): Json | undefined {
  if (!isObject(to)) return equalJson(from, to) ? undefined : to;
  if (!isObject(from)) return to;
  const patch: JsonObject = {};
  for (const [name, value] of entriesOf(to)) {
    const change = mergePatchBetween(fieldOf(from, name), value);
    if (change !== undefined) setField(patch, name, change);
  }
  for (const [name] of entriesOf(from)) if (fieldOf(to, name) === undefined) setField(patch, name, null);
  return Object.keys(patch).length === 0 ? undefined : patch;
}
