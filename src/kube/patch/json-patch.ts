/** JSON patch, RFC 6902, with pointers of RFC 6901. */
import { err, ok, type Result } from '../../base/result.ts';
import { equalJson } from '../objects.ts';
import { fieldOf, isObject, type Json, setField } from './json.ts';

export interface JsonPatchLimits {
  /** Operations in one patch. Default 10,000, as the API server of Kubernetes. */
  operations?: number;
  /** Bytes (as JSON text) that `copy` operations may add in all: repeated copies double a document. Default 3 MiB. */
  copiedBytes?: number;
}

interface Operation {
  op: string;
  path: string;
  from?: string;
  value?: Json;
}

/** `malformed`: the patch is no patch (HTTP 400). `failed`: it does not apply to this document (HTTP 422). */
export interface JsonPatchError {
  kind: 'malformed' | 'failed';
  message: string;
}

const failed = (message: string) => err<JsonPatchError>({ kind: 'failed', message });
const malformed = (message: string) => err<JsonPatchError>({ kind: 'malformed', message });

function parsePointer(pointer: string): string[] | undefined {
  if (pointer === '') return [];
  if (!pointer.startsWith('/')) return undefined;
  return pointer
    .slice(1)
    .split('/')
    .map((token) => token.replaceAll('~1', '/').replaceAll('~0', '~'));
}

function indexIn(list: Json[], token: string, past: boolean): number | undefined {
  if (past && token === '-') return list.length;
  if (!/^(0|[1-9]\d{0,8})$/.test(token)) return undefined;
  const index = Number(token);
  return index < list.length + (past ? 1 : 0) ? index : undefined;
}

function child(value: Json | undefined, token: string): Json | undefined {
  if (Array.isArray(value)) {
    const index = indexIn(value, token, false);
    return index === undefined ? undefined : value[index];
  }
  return isObject(value) ? fieldOf(value, token) : undefined;
}

function valueAt(document: Json, path: readonly string[]): Json | undefined {
  let value: Json | undefined = document;
  for (const token of path) value = child(value, token);
  return value;
}

type Edit = (holder: Json, token: string) => boolean;

/** Changes a private copy of the document; false when the place does not exist. */
function edit(document: Json, path: readonly string[], change: Edit): boolean {
  const holder = valueAt(document, path.slice(0, -1));
  return holder !== undefined && change(holder, path.at(-1)!);
}

const adding =
  (value: Json): Edit =>
  (holder, token) => {
    if (isObject(holder)) {
      setField(holder, token, value);
      return true;
    }
    const index = Array.isArray(holder) ? indexIn(holder, token, true) : undefined;
    if (index === undefined) return false;
    (holder as Json[]).splice(index, 0, value);
    return true;
  };

const removing: Edit = (holder, token) => {
  if (isObject(holder)) return Object.hasOwn(holder, token) && delete holder[token];
  const index = Array.isArray(holder) ? indexIn(holder, token, false) : undefined;
  if (index === undefined) return false;
  (holder as Json[]).splice(index, 1);
  return true;
};

const replacing =
  (value: Json): Edit =>
  (holder, token) => {
    if (child(holder, token) === undefined) return false;
    if (isObject(holder)) setField(holder, token, value);
    else (holder as Json[])[Number(token)] = value;
    return true;
  };

interface Step {
  readonly operation: Operation;
  readonly path: string[];
  readonly from: string[];
  /** Charges copied bytes; false when the budget is used up. */
  spend(value: Json): boolean;
}

type Outcome = Result<Json, JsonPatchError>;

function put(document: Json, path: readonly string[], value: Json, change: Edit, pointer: string): Outcome {
  if (path.length === 0) return ok(value);
  return edit(document, path, change) ? ok(document) : failed(`path ${JSON.stringify(pointer)} does not exist`);
}

const steps: Record<string, (document: Json, step: Step) => Outcome> = {
  add(document, { operation, path }) {
    const value = structuredClone(operation.value!);
    return put(document, path, value, adding(value), operation.path);
  },
  replace(document, { operation, path }) {
    const value = structuredClone(operation.value!);
    return put(document, path, value, replacing(value), operation.path);
  },
  remove: (document, { operation, path }) => put(document, path, null, removing, operation.path),
  move(document, { operation, path, from }) {
    const value = valueAt(document, from);
    if (value === undefined || from.length === 0 || !edit(document, from, removing))
      return failed(`path ${JSON.stringify(operation.from)} does not exist`);
    return put(document, path, value, adding(value), operation.path);
  },
  copy(document, { operation, path, from, spend }) {
    const value = valueAt(document, from);
    if (value === undefined) return failed(`path ${JSON.stringify(operation.from)} does not exist`);
    if (!spend(value)) return failed('copy operations of this patch add too much');
    const copy = structuredClone(value);
    return put(document, path, copy, adding(copy), operation.path);
  },
  test(document, { operation, path }) {
    const value = valueAt(document, path);
    if (value !== undefined && equalJson(value, operation.value)) return ok(document);
    return failed(`testing value ${operation.path} failed`);
  },
};

function check(operation: unknown): string | undefined {
  if (!isObject(operation) || typeof operation.op !== 'string' || !Object.hasOwn(steps, operation.op))
    return 'each operation needs an op of add, remove, replace, move, copy or test';
  if (typeof operation.path !== 'string' || !parsePointer(operation.path))
    return `${operation.op}: path must be a JSON pointer`;
  if (/^(move|copy)$/.test(operation.op)) {
    if (typeof operation.from !== 'string' || !parsePointer(operation.from))
      return `${operation.op}: from must be a JSON pointer`;
    if (operation.op === 'move' && operation.path.startsWith(`${operation.from}/`))
      return 'move: a value cannot move into itself';
  }
  if (/^(add|replace|test)$/.test(operation.op) && operation.value === undefined)
    return `${operation.op}: value is missing`;
  return undefined;
}

/** Applies all operations to a copy, or none: the first that fails ends it. */
export function jsonPatch(document: Json, patch: unknown, limits: JsonPatchLimits = {}): Result<Json, JsonPatchError> {
  if (!Array.isArray(patch)) return malformed('a JSON patch is a list of operations');
  const most = limits.operations ?? 10_000;
  if (patch.length > most)
    return malformed(`The allowed maximum operations in a JSON patch is ${most}, got ${patch.length}`);
  let budget = limits.copiedBytes ?? 3 * 1024 * 1024;
  const spend = (value: Json) => {
    budget -= JSON.stringify(value).length;
    return budget >= 0;
  };
  let current = structuredClone(document);
  for (const item of patch) {
    const fault = check(item);
    if (fault) return malformed(fault);
    const operation = item as Operation;
    const step = { operation, path: parsePointer(operation.path)!, from: parsePointer(operation.from ?? '')!, spend };
    const outcome = steps[operation.op]!(current, step);
    if (!outcome.ok) return outcome;
    current = outcome.value;
  }
  return ok(current);
}
