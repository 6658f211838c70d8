/** JSON merge patch, RFC 7396. */
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
