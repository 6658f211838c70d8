/** Structural schemas against an independent judge: a value is valid for us exactly when it is valid for ajv. */
import { isIPv4, isIPv6 } from 'node:net';
import { Ajv } from 'ajv';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readGatewayCrds } from '../crd.ts';
import { createFaultList } from '../fields.ts';
import { gatewayExamples } from '../testing/gateway-examples.ts';
import { compileSchema } from './compile.ts';
import { isObject, type Schema } from './types.ts';

/** The same schema in the dialect of ajv (JSON Schema draft 7). */
function toJsonSchema(schema: Schema): Record<string, unknown> {
  const { nullable, exclusiveMinimum, exclusiveMaximum, minimum, maximum, ...rest } = schema;
  const out: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(rest)) if (!key.startsWith('x-') && key !== 'default') out[key] = value;
  const types = schema['x-kubernetes-int-or-string'] ? ['integer', 'string'] : schema.type ? [schema.type] : undefined;
  if (types) out.type = nullable ? [...types, 'null'] : types;
  if (minimum !== undefined) out[exclusiveMinimum ? 'exclusiveMinimum' : 'minimum'] = minimum;
  if (maximum !== undefined) out[exclusiveMaximum ? 'exclusiveMaximum' : 'maximum'] = maximum;
  if (schema['x-kubernetes-list-type'] === 'set') out.uniqueItems = true;
  if (schema.properties)
    out.properties = Object.fromEntries(Object.entries(schema.properties).map(([k, v]) => [k, toJsonSchema(v)]));
  if (schema.items) out.items = toJsonSchema(schema.items);
  if (isObject(schema.additionalProperties))
    out.additionalProperties = toJsonSchema(schema.additionalProperties as Schema);
  for (const key of ['allOf', 'anyOf', 'oneOf'] as const) if (schema[key]) out[key] = schema[key].map(toJsonSchema);
  if (schema.not) out.not = toJsonSchema(schema.not);
  return out;
}

function createAjv(options: { validateSchema?: boolean } = {}): Ajv {
  const ajv = new Ajv({ strict: false, logger: false, ...options });
  ajv.addFormat('ipv4', isIPv4);
  ajv.addFormat('ipv6', (text) => isIPv6(text) && !text.includes('%'));
  ajv.addFormat(
    'date-time',
    (text) => /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/.test(text) && !Number.isNaN(Date.parse(text)),
  );
  ajv.addFormat('int32', {
    type: 'number',
    validate: (value: number) => Math.abs(value) <= 2 ** 31 - 1 || value === -(2 ** 31),
  });
  ajv.addFormat('int64', true);
  return ajv;
}

/** A list of type map has no counterpart in JSON Schema. */
const withoutMapKeys = (faults: readonly string[]) => faults.filter((fault) => !/Duplicate value: \{/.test(fault));

const scalar = fc.constantFrom<unknown>(
  '',
  'a',
  'Service',
  'A.b',
  '*.example.com',
  '10.0.0.1',
  'x'.repeat(300),
  0,
  1,
  -1,
  80,
  1.5,
  70_000,
  2 ** 40,
  true,
  null,
);
const small = fc.oneof(
  scalar,
  fc.constantFrom<unknown>([], {}, ['a'], ['a', 'a'], { name: 'a' }, [{}], [{ name: 'a' }], [1]),
);

type Place = { holder: Record<string, unknown> | unknown[]; key: string | number };

function placesIn(value: unknown, places: Place[] = []): Place[] {
  if (Array.isArray(value))
    value.forEach((item, key) => {
      places.push({ holder: value, key });
      placesIn(item, places);
    });
  else if (isObject(value))
    for (const key of Object.keys(value)) {
      places.push({ holder: value, key });
      placesIn(value[key], places);
    }
  return places;
}

const mutation = fc.record({ at: fc.nat(), how: fc.constantFrom('replace', 'delete', 'add', 'repeat'), value: small });

function mutate(object: unknown, { at, how, value }: { at: number; how: string; value: unknown }): void {
  const places = placesIn((object as { spec: unknown }).spec);
  if (places.length === 0) return;
  const { holder, key } = places[at % places.length]!;
  const target = (holder as Record<string, unknown>)[key];
  if (how === 'delete' && !Array.isArray(holder)) delete holder[key as string];
  else if (how === 'add' && isObject(target)) target.extra = structuredClone(value);
  else if (how === 'repeat' && Array.isArray(target)) target.push(structuredClone(target[0] ?? value));
  else (holder as Record<string, unknown>)[key] = structuredClone(value);
}

describe('against ajv', () => {
  const ajv = createAjv();
  const kinds = readGatewayCrds().flatMap((crd) => {
    const { names, versions } = crd.spec as {
      names: { kind: string };
      versions: { name: string; schema: { openAPIV3Schema: Schema } }[];
    };
    const examples = gatewayExamples.filter(({ kind }) => kind === names.kind);
    return versions.map(({ name, schema }) => ({
      kind: `${names.kind} ${name}`,
      schema: schema.openAPIV3Schema,
      examples,
    }));
  });

  it('has an example of every kind', () => {
    expect(kinds.filter(({ examples }) => examples.length === 0)).toEqual([]);
  });

  it.each(kinds)('$kind', ({ schema, examples }) => {
    const node = compileSchema(schema, { wholeObject: true });
    const judge = ajv.compile(toJsonSchema(schema));
    let refused = 0;
    fc.assert(
      fc.property(fc.constantFrom(...examples), fc.array(mutation, { maxLength: 2 }), (example, mutations) => {
        const object = structuredClone(example);
        for (const each of mutations) mutate(object, each);
        const faults = createFaultList();
        const shaped = node(object, undefined, '', faults);
        const ours = withoutMapKeys(faults.errors.map(({ field, message }) => `${field}: ${message}`));
        if (ours.length > 0) refused++;
        expect(judge(shaped), JSON.stringify({ ours, ajv: judge.errors })).toBe(ours.length === 0);
      }),
      { numRuns: 150 },
    );
    expect(refused).toBeGreaterThan(10);
  });

  it('on random schemas and values', () => {
    const name = fc.constantFrom('a', 'b', 'c');
    const text = fc.record(
      {
        type: fc.constant('string' as const),
        minLength: fc.nat(3),
        maxLength: fc.nat(4),
        pattern: fc.constantFrom('^a', 'b$', '^[ab]*$', 'a|b'),
        enum: fc.array(fc.constantFrom('a', 'ab', ''), { minLength: 1 }),
        nullable: fc.boolean(),
      },
      { requiredKeys: ['type'] },
    );
    const number = fc.record(
      {
        type: fc.constantFrom('integer' as const, 'number' as const),
        minimum: fc.integer({ min: -2, max: 2 }),
        maximum: fc.integer({ min: -2, max: 5 }),
        exclusiveMinimum: fc.boolean(),
        exclusiveMaximum: fc.boolean(),
        multipleOf: fc.constantFrom(1, 2, 0.5),
      },
      { requiredKeys: ['type'] },
    );
    const leaf: fc.Arbitrary<Schema> = fc.oneof(
      text,
      number,
      fc.constant<Schema>({ type: 'boolean' }),
      fc.constant<Schema>({ 'x-kubernetes-int-or-string': true }),
    );
    const partial = fc.oneof(
      leaf,
      fc.record({
        required: fc.array(name, { maxLength: 2 }),
        properties: fc.dictionary(name, leaf, { maxKeys: 2 }),
      }) as fc.Arbitrary<Schema>,
    );
    const { tree } = fc.letrec<{ tree: Schema }>((tie) => ({
      tree: fc.oneof(
        { maxDepth: 3 },
        leaf,
        fc.record(
          {
            type: fc.constant('object' as const),
            properties: fc.dictionary(name, tie('tree'), { maxKeys: 3 }),
            required: fc.array(name, { maxLength: 2 }),
            minProperties: fc.nat(2),
            maxProperties: fc.nat(3),
            anyOf: fc.array(partial, { minLength: 1, maxLength: 2 }),
            oneOf: fc.array(partial, { minLength: 1, maxLength: 2 }),
            allOf: fc.array(partial, { minLength: 1, maxLength: 2 }),
            not: partial,
          },
          { requiredKeys: ['type'] },
        ),
        fc.record({ type: fc.constant('object' as const), additionalProperties: tie('tree') }),
        fc.record(
          {
            type: fc.constant('array' as const),
            items: tie('tree'),
            minItems: fc.nat(2),
            maxItems: fc.nat(3),
            'x-kubernetes-list-type': fc.constantFrom('set' as const, 'atomic' as const),
          },
          { requiredKeys: ['type', 'items'] },
        ),
      ),
    }));
    const { value } = fc.letrec((tie) => ({
      value: fc.oneof(
        { maxDepth: 3 },
        fc.constantFrom<unknown>('', 'a', 'ab', 'b', 0, 1, 2, 3, -1, 0.5, true, null),
        fc.array(tie('value'), { maxLength: 3 }),
        fc.dictionary(name, tie('value'), { maxKeys: 3 }),
      ),
    }));
    fc.assert(
      fc.property(tree, fc.array(value, { minLength: 5, maxLength: 15 }), (schema, values) => {
        const node = compileSchema(schema, { unknownFields: 'keep' });
        const judge = createAjv({ validateSchema: false }).compile(toJsonSchema(schema));
        for (const each of values) {
          const faults = createFaultList();
          node(each, undefined, '', faults);
          expect(judge(each), JSON.stringify({ each, ours: faults.errors })).toBe(faults.errors.length === 0);
        }
      }),
      { numRuns: 300 },
    );
  });
});
