/**
 * Objects in protobuf, as typed Go clients (and `kubectl create` of built-in kinds) send them: `runtime.Unknown` behind
 * a magic number, in it the message of the kind. Read into the JSON form by the table of built-in types.
 */
import { err, ok, type Result } from '../../base/result.ts';
import { type BuiltinField, type BuiltinType, builtinStruct, builtinTypeOf } from '../../kube/patch/builtin-types.ts';
import { fieldOf, type Json, type JsonObject, setField } from '../../kube/patch/json.ts';
import { type ProtoField, readMessage } from './protobuf.ts';

const MAGIC = Buffer.from('k8s\0');

/** Thrown inside this file only. */
class DecodeFault extends Error {}

type ProtoValue = ProtoField[1];

/** The fields of a message by number; a number with numbers below is a message that JSON shows flat. */
interface Layout {
  readonly fields: Map<number, readonly [name: string, field: BuiltinField]>;
  readonly inner: Map<number, Layout>;
}

const layouts = new Map<string, Layout>();
const emptyLayout = (): Layout => ({ fields: new Map(), inner: new Map() });

function layoutOf(struct: string): Layout {
  const known = layouts.get(struct);
  if (known) return known;
  const root = emptyLayout();
  for (const [name, field] of builtinStruct(struct)) {
    let layout = root;
    for (const number of field.protoPath.slice(0, -1)) {
      if (!layout.inner.has(number)) layout.inner.set(number, emptyLayout());
      layout = layout.inner.get(number)!;
    }
    const last = field.protoPath.at(-1);
    if (last !== undefined) layout.fields.set(last, [name, field]);
  }
  layouts.set(struct, root);
  return root;
}

function message(value: ProtoValue): ProtoField[] {
  const fields = typeof value === 'bigint' ? undefined : readMessage(value);
  if (!fields) throw new DecodeFault('a field is no message');
  return fields;
}

function text(value: ProtoValue | undefined): string {
  if (typeof value === 'bigint') throw new DecodeFault('a field is no string');
  return value?.toString('utf8') ?? '';
}

function integer(value: ProtoValue | undefined): number {
  if (value !== undefined && typeof value !== 'bigint') throw new DecodeFault('a field is no integer');
  return Number(BigInt.asIntN(64, value ?? 0n));
}

/** The last value of a field: later ones win. */
function only(fields: readonly ProtoField[], number: number): ProtoValue | undefined {
  return fields.findLast((field) => field[0] === number)?.[1];
}

function time(value: ProtoValue, digits: number): Json | undefined {
  const fields = message(value);
  const seconds = integer(only(fields, 1));
  // The zero time of Go is the year 1: a time that is not set.
  if (fields.length === 0 || seconds === 0 || seconds <= -62_135_596_800) return undefined;
  if (Math.abs(seconds) > 8_640_000_000_000) throw new DecodeFault('a time is out of range');
  const fraction = String(integer(only(fields, 2)))
    .padStart(9, '0')
    .slice(0, digits);
  const whole = new Date(seconds * 1000).toISOString().replace(/\.\d+Z$/, '');
  return `${whole}${digits > 0 ? `.${fraction}` : ''}Z`;
}

function rawJson(value: ProtoValue): Json | undefined {
  const raw = only(message(value), 1);
  if (raw === undefined) return undefined;
  try {
    return JSON.parse(text(raw)) as Json;
  } catch (error) {
    if (error instanceof SyntaxError) throw new DecodeFault('raw JSON in a field is malformed');
    throw error;
  }
}

const schema: BuiltinType = { form: 'struct', name: 'apiextensions.JSONSchemaProps' };

type Read = (value: ProtoValue, depth: number) => Json | undefined;

const scalars: Record<string, Read> = {
  string: text,
  int: integer,
  int64: integer,
  bool: (value) => integer(value) !== 0,
  bytes(value) {
    if (typeof value === 'bigint') throw new DecodeFault('a field is no bytes');
    return value.toString('base64');
  },
  number(value) {
    if (typeof value === 'bigint' || value.length !== 8) throw new DecodeFault('a field is no number');
    return value.readDoubleLE();
  },
  time: (value) => time(value, 0),
  microtime: (value) => time(value, 6),
  quantity: (value) => text(only(message(value), 1)),
  intorstring(value) {
    const fields = message(value);
    return integer(only(fields, 1)) === 1 ? text(only(fields, 3)) : integer(only(fields, 2));
  },
  any: rawJson,
  schemaorbool(value, depth) {
    const fields = message(value);
    const inner = only(fields, 2);
    return inner === undefined ? integer(only(fields, 1)) !== 0 : read(schema, inner, depth);
  },
  schemaorarray(value, depth) {
    const fields = message(value);
    const inner = only(fields, 1);
    if (inner !== undefined) return read(schema, inner, depth);
    return fields.flatMap(([number, item]) => (number === 2 ? [read(schema, item, depth)!] : []));
  },
  schemaorstrings(value, depth) {
    const fields = message(value);
    const inner = only(fields, 1);
    if (inner !== undefined) return read(schema, inner, depth);
    return fields.flatMap(([number, item]) => (number === 2 ? [text(item)] : []));
  },
};

function read(type: BuiltinType, value: ProtoValue, depth: number): Json | undefined {
  if (depth <= 0) throw new DecodeFault('the message nests too deep');
  if (type.form === 'scalar') return scalars[type.name]!(value, depth - 1);
  if (type.form === 'struct') return readStruct(type.name, message(value), depth - 1);
  // A list as the value of a map is a message of its own, with the items as field 1.
  if (type.form === 'list')
    return message(value).flatMap(([number, item]) => (number === 1 ? [read(type.item, item, depth - 1) ?? null] : []));
  throw new DecodeFault('a map stands where none can be');
}

function readStruct(struct: string, fields: readonly ProtoField[], depth: number): JsonObject {
  const out: JsonObject = {};
  fill(out, layoutOf(struct), fields, depth);
  return out;
}

const isZero = (value: Json) =>
  value === '' ||
  value === 0 ||
  value === false ||
  (typeof value === 'object' && Object.keys(value ?? {}).length === 0);

function fill(out: JsonObject, layout: Layout, fields: readonly ProtoField[], depth: number): void {
  for (const [number, value] of fields) {
    const inner = layout.inner.get(number);
    if (inner) fill(out, inner, message(value), depth);
    const known = layout.fields.get(number);
    if (known) add(out, known[0], known[1], value, depth);
  }
}

function add(out: JsonObject, name: string, field: BuiltinField, value: ProtoValue, depth: number): void {
  const { type } = field;
  if (type.form === 'list') {
    const item = read(type.item, value, depth);
    const list = fieldOf(out, name);
    if (Array.isArray(list)) list.push(item ?? null);
    else out[name] = [item ?? null];
    return;
  }
  if (type.form === 'map') {
    const entry = message(value);
    const held = only(entry, 2);
    const map = (fieldOf(out, name) ?? {}) as JsonObject;
    setField(map, text(only(entry, 1)), held === undefined ? '' : (read(type.item, held, depth) ?? null));
    out[name] = map;
    return;
  }
  const found = read(type, value, depth);
  // Go writes values that are not pointers even when they are unset.
  if (found !== undefined && (field.pointer || field.required || !isZero(found))) out[name] = found;
}

/**
 * Reads an object, with the apiVersion and kind of its envelope. `expected` is used where the envelope names no kind
 * (DeleteOptions come without). The error is a message for people.
 */
export function decodeProtobuf(body: Buffer, depth: number, expected?: string): Result<JsonObject, string> {
  if (!body.subarray(0, 4).equals(MAGIC)) return err('the body does not begin as protobuf of Kubernetes does');
  try {
    const envelope = readMessage(body.subarray(4));
    if (!envelope) return err('the body is no protobuf message');
    const typeMeta = message(only(envelope, 1) ?? Buffer.alloc(0));
    const [apiVersion, kind] = [text(only(typeMeta, 1)), text(only(typeMeta, 2))];
    const struct = expected ?? builtinTypeOf(apiVersion, kind);
    if (!struct)
      return err(`${kind || 'the kind'} in version ${JSON.stringify(apiVersion)} cannot be read from protobuf`);
    const object = readStruct(struct, message(only(envelope, 2) ?? Buffer.alloc(0)), depth);
    return ok({ ...(apiVersion && { apiVersion }), ...(kind && { kind }), ...object });
  } catch (fault) {
    if (fault instanceof DecodeFault) return err(fault.message);
    throw fault;
  }
}
