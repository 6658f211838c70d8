/** Schemas inside CustomResourceDefinitions: well-formed and structural, so that compiling them cannot fail. */
import { type FaultList, forbidden, invalid, notSupported, report, required, typeInvalid } from './fields.ts';
import { compilePattern } from './patterns.ts';
import { isObject, type JsonObject, typeName } from './structural/types.ts';

/** Deepest nesting of a schema that is read. */
const depthLimit = 100;

type Test = (value: unknown) => boolean;

const isText: Test = (value) => typeof value === 'string';
const isNumber: Test = (value) => typeof value === 'number';
const isCount: Test = (value) => Number.isInteger(value) && (value as number) >= 0;
const isFlag: Test = (value) => typeof value === 'boolean';
const isTexts: Test = (value) => Array.isArray(value) && value.every(isText);
const isObjects: Test = (value) => Array.isArray(value) && value.every(isObject);

/** Keywords with the type their value must have, and how messages name it. */
const keywords: Record<string, readonly [Test, string]> = {
  type: [isText, 'string'],
  format: [isText, 'string'],
  pattern: [isText, 'string'],
  nullable: [isFlag, 'boolean'],
  enum: [Array.isArray, 'array'],
  properties: [(value) => isObject(value) && Object.values(value).every(isObject), 'object'],
  additionalProperties: [(value) => isObject(value) || isFlag(value), 'object'],
  required: [isTexts, 'array'],
  items: [isObject, 'object'],
  uniqueItems: [isFlag, 'boolean'],
  not: [isObject, 'object'],
  'x-kubernetes-list-type': [isText, 'string'],
  'x-kubernetes-list-map-keys': [isTexts, 'array'],
  'x-kubernetes-validations': [isRules, 'array'],
};
for (const name of ['minProperties', 'maxProperties', 'minItems', 'maxItems', 'minLength', 'maxLength'])
  keywords[name] = [isCount, 'integer'];
for (const name of ['minimum', 'maximum', 'multipleOf']) keywords[name] = [isNumber, 'number'];
for (const name of ['exclusiveMinimum', 'exclusiveMaximum']) keywords[name] = [isFlag, 'boolean'];
for (const name of ['allOf', 'anyOf', 'oneOf']) keywords[name] = [isObjects, 'array'];
for (const name of ['int-or-string', 'preserve-unknown-fields', 'embedded-resource'])
  keywords[`x-kubernetes-${name}`] = [isFlag, 'boolean'];

function isRules(value: unknown): boolean {
  const optionalText = (part: unknown) => part === undefined || isText(part);
  return (
    isObjects(value) &&
    (value as JsonObject[]).every(
      (rule) =>
        isText(rule.rule) && [rule.message, rule.messageExpression, rule.reason, rule.fieldPath].every(optionalText),
    )
  );
}

const types = ['array', 'boolean', 'integer', 'number', 'object', 'string'];

/** Judges a whole schema: root must be an object, every field needs a type. */
export function checkSchema(root: JsonObject, path: string, faults: FaultList): void {
  if (root.type !== 'object')
    report(
      faults,
      root.type === undefined
        ? required(`${path}.type`, 'must not be empty at the root')
        : invalid(`${path}.type`, root.type, 'must be object at the root'),
    );
  checkNode(root, path, faults, { depth: 0, inComposition: false });
}

interface Place {
  readonly depth: number;
  /** Inside allOf, anyOf, oneOf or not, where types are not repeated. */
  readonly inComposition: boolean;
}

function checkNode(schema: JsonObject, path: string, faults: FaultList, place: Place): void {
  if (place.depth > depthLimit) {
    report(faults, invalid(path, '', `must not be nested more than ${depthLimit} levels`));
    return;
  }
  if (!checkKeywords(schema, path, faults)) return;
  checkType(schema, path, faults, place);
  if ('$ref' in schema) report(faults, forbidden(`${path}.$ref`, '$ref is not supported'));
  if (typeof schema.pattern === 'string') {
    const pattern = compilePattern(schema.pattern);
    if (pattern instanceof Error)
      report(
        faults,
        invalid(`${path}.pattern`, schema.pattern, `must be a valid regular expression, but isn't: ${pattern.message}`),
      );
  }
  if (isObject(schema.properties) && isObject(schema.additionalProperties))
    report(faults, forbidden(`${path}.additionalProperties`, 'must not be set together with properties'));
  if (schema['x-kubernetes-list-type'] === 'map' && !Array.isArray(schema['x-kubernetes-list-map-keys']))
    report(
      faults,
      required(`${path}.x-kubernetes-list-map-keys`, 'must not be empty if x-kubernetes-list-type is map'),
    );
  checkParts(schema, path, faults, place);
}

/** False when a keyword has a value of the wrong type, so that nothing below can be trusted. */
function checkKeywords(schema: JsonObject, path: string, faults: FaultList): boolean {
  let good = true;
  for (const [name, value] of Object.entries(schema)) {
    const keyword = Object.hasOwn(keywords, name) ? keywords[name] : undefined;
    if (!keyword || keyword[0](value)) continue;
    good = false;
    report(faults, typeInvalid(`${path}.${name}`, typeName(value), `must be of type ${keyword[1]}`));
  }
  return good;
}

function checkType(schema: JsonObject, path: string, faults: FaultList, place: Place): void {
  const { type } = schema;
  if (type !== undefined && !types.includes(type as string)) report(faults, notSupported(`${path}.type`, type, types));
  const untyped =
    schema['x-kubernetes-int-or-string'] === true || schema['x-kubernetes-preserve-unknown-fields'] === true;
  if (type === undefined && !untyped && !place.inComposition)
    report(faults, required(`${path}.type`, 'must not be empty for specified object fields'));
  if (type === 'array' && !schema.items && !place.inComposition)
    report(faults, required(`${path}.items`, 'must be specified'));
}

function checkParts(schema: JsonObject, path: string, faults: FaultList, place: Place): void {
  const below = { ...place, depth: place.depth + 1 };
  for (const [name, part] of Object.entries((schema.properties ?? {}) as Record<string, JsonObject>))
    checkNode(part, `${path}.properties[${name}]`, faults, below);
  if (isObject(schema.items)) checkNode(schema.items, `${path}.items`, faults, below);
  if (isObject(schema.additionalProperties))
    checkNode(schema.additionalProperties, `${path}.additionalProperties`, faults, below);
  const composed = { depth: below.depth, inComposition: true };
  for (const name of ['allOf', 'anyOf', 'oneOf'])
    ((schema[name] ?? []) as JsonObject[]).forEach((part, i) => {
      checkNode(part, `${path}.${name}[${i}]`, faults, composed);
    });
  if (isObject(schema.not)) checkNode(schema.not, `${path}.not`, faults, composed);
}
