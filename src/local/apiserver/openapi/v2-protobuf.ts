/**
 * OpenAPI v2 documents as protobuf: the messages of `openapiv2/OpenAPIv2.proto` (gnostic) that our documents need.
 * Field numbers are those of that file.
 */
import { entriesOf, isObject, type Json, type JsonObject } from '../../../kube/patch/json.ts';
import { lengthField } from '../protobuf.ts';

type Encode = (number: number, value: Json) => Buffer[];

const text: Encode = (number, value) => [lengthField(number, String(value))];
const texts: Encode = (number, value) => (Array.isArray(value) ? value.flatMap((item) => text(number, item)) : []);
const message =
  (encode: (value: JsonObject) => Buffer): Encode =>
  (number, value) =>
    isObject(value) ? [lengthField(number, encode(value))] : [];
/** `Any` holds a value as YAML, and JSON is YAML. */
const anyValue: Encode = (number, value) => [lengthField(number, lengthField(2, JSON.stringify(value)))];

/** A message by its fields; names that the message does not have, but that begin with `x-`, are extensions. */
function fields(value: JsonObject, numbers: Record<string, readonly [number, Encode]>, extensions?: number): Buffer {
  const parts = entriesOf(value).flatMap(([name, child]) => {
    const known = numbers[name];
    if (known) return known[1](known[0], child);
    if (extensions === undefined || !name.startsWith('x-')) return [];
    return [lengthField(extensions, Buffer.concat([lengthField(1, name), ...anyValue(2, child)]))];
  });
  return Buffer.concat(parts);
}

/** A map as a list of `{name = 1, value = 2}`. */
function named(value: JsonObject, number: number, encode: (value: JsonObject) => Buffer): Buffer {
  return Buffer.concat(
    entriesOf(value).flatMap(([name, child]) =>
      isObject(child)
        ? [lengthField(number, Buffer.concat([lengthField(1, name), lengthField(2, encode(child))]))]
        : [],
    ),
  );
}

const typeItem: Encode = (number, value) => [lengthField(number, lengthField(1, String(value)))];

function encodeSchema(schema: JsonObject): Buffer {
  return fields(schema, schemaFields, 31);
}

const schemaFields: Record<string, readonly [number, Encode]> = {
  $ref: [1, text],
  format: [2, text],
  description: [4, text],
  default: [5, anyValue],
  pattern: [13, text],
  required: [19, texts],
  enum: [20, (number, value) => (Array.isArray(value) ? value.flatMap((item) => anyValue(number, item)) : [])],
  additionalProperties: [21, message((schema) => lengthField(1, encodeSchema(schema)))],
  type: [22, typeItem],
  items: [23, message((schema) => lengthField(1, encodeSchema(schema)))],
  properties: [25, message((properties) => named(properties, 1, encodeSchema))],
};

/** ParametersItem > Parameter > NonBodyParameter > QueryParameterSubSchema. */
function encodeParameter(parameter: JsonObject): Buffer {
  const query = fields(parameter, { in: [2, text], name: [4, text], type: [6, text] });
  return lengthField(1, lengthField(2, lengthField(3, query)));
}

const encodeResponses = (responses: JsonObject) =>
  named(responses, 1, (response) => lengthField(1, fields(response, { description: [1, text] })));

const operationFields: Record<string, readonly [number, Encode]> = {
  operationId: [5, text],
  consumes: [7, texts],
  parameters: [
    8,
    (number, value) =>
      Array.isArray(value) ? value.filter(isObject).map((item) => lengthField(number, encodeParameter(item))) : [],
  ],
  responses: [9, message(encodeResponses)],
};

const operation = message((value) => fields(value, operationFields, 13));

const pathFields: Record<string, readonly [number, Encode]> = {
  get: [2, operation],
  put: [3, operation],
  post: [4, operation],
  delete: [5, operation],
  patch: [8, operation],
};

export function encodeDocument(document: JsonObject): Buffer {
  return fields(document, {
    swagger: [1, text],
    info: [2, message((info) => fields(info, { title: [1, text], version: [2, text] }))],
    paths: [8, message((paths) => named(paths, 2, (path) => fields(path, pathFields)))],
    definitions: [9, message((definitions) => named(definitions, 1, encodeSchema))],
  });
}
