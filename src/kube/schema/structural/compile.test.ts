/** Structural schemas: pruning, defaulting, validation. ajv judges whether a value is valid at all. */
import { isIPv4, isIPv6 } from 'node:net';
import { Ajv } from 'ajv';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readGatewayCrds } from '../crd.ts';
import { createFaultList } from '../fields.ts';
import { gatewayExamples } from '../testing/gateway-examples.ts';
import { type CompileOptions, compileSchema } from './compile.ts';
import { isObject, type Schema } from './types.ts';

function walk(schema: Schema, value: unknown, old?: unknown, options: CompileOptions = {}) {
  const faults = createFaultList();
  const result = compileSchema(schema, options)(value, old, '', faults);
  return { result, faults: faults.errors.map(({ field, message }) => `${field}: ${message}`), blocked: faults.blocked };
}

const port: Schema = { type: 'integer', format: 'int32', minimum: 1, maximum: 65535 };
const pets: Schema = {
  type: 'object',
  properties: {
    spec: {
      type: 'object',
      required: ['name'],
      properties: {
        name: { type: 'string', minLength: 1, maxLength: 5, pattern: '^[a-z]+$' },
        port,
        mode: { type: 'string', enum: ['On', 'Off'], default: 'On' },
        limits: {
          type: 'object',
          default: {},
          properties: { cpu: { type: 'integer', default: 2 }, note: { type: 'string', nullable: true } },
        },
        tags: { type: 'object', additionalProperties: { type: 'string' }, maxProperties: 2 },
        free: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true, properties: { a: { type: 'integer' } } },
        target: { 'x-kubernetes-int-or-string': true },
        owners: {
          type: 'array',
          maxItems: 3,
          items: { type: 'object', properties: { id: { type: 'integer' }, role: { type: 'string', default: 'x' } } },
          'x-kubernetes-list-type': 'map',
          'x-kubernetes-list-map-keys': ['id'],
        },
        words: { type: 'array', minItems: 1, items: { type: 'string' }, 'x-kubernetes-list-type': 'set' },
        embedded: {
          type: 'object',
          'x-kubernetes-embedded-resource': true,
          'x-kubernetes-preserve-unknown-fields': true,
        },
      },
    },
  },
};

const pet = (spec: unknown) =>
  walk(pets, { apiVersion: 'a/v1', kind: 'Pet', metadata: { name: 'n', x: 1 }, spec }, undefined, {
    wholeObject: true,
  });

describe('pruning and defaulting', () => {
  it('drops unknown fields, keeps apiVersion, kind and all of metadata', () => {
    const { result, faults } = pet({ name: 'rex', bogus: 1, limits: { cpu: 1, bogus: 2 } });
    expect(faults).toEqual([]);
    expect(result).toEqual({
      apiVersion: 'a/v1',
      kind: 'Pet',
      metadata: { name: 'n', x: 1 },
      spec: { name: 'rex', mode: 'On', limits: { cpu: 1 } },
    });
  });

  it('fills defaults inside defaulted objects and list items', () => {
    const { result } = pet({ name: 'rex', owners: [{ id: 1 }] });
    expect(result).toMatchObject({ spec: { limits: { cpu: 2 }, owners: [{ id: 1, role: 'x' }] } });
  });

  it('replaces null by the default, keeps it where it is allowed, refuses it elsewhere', () => {
    expect(pet({ name: 'rex', mode: null, limits: { note: null } }).result).toMatchObject({
      spec: { mode: 'On', limits: { cpu: 2, note: null } },
    });
    expect(pet({ name: null }).faults).toEqual([
      'spec.name: Invalid value: "null": spec.name in body must be of type string: "null"',
    ]);
  });

  it('keeps what preserve-unknown-fields and additionalProperties cover', () => {
    const spec = {
      name: 'rex',
      free: { a: 1, b: { c: [1] } },
      tags: { k: 'v' },
      target: 'http',
      embedded: { apiVersion: 'v1', kind: 'X', metadata: {}, foo: 1 },
    };
    expect((pet(spec).result as { spec: unknown }).spec).toMatchObject(spec);
  });

  it('leaves the value it was given as it was', () => {
    const given = { name: 'rex', bogus: 1 };
    pet(given);
    expect(given).toEqual({ name: 'rex', bogus: 1 });
  });

  it('never reaches into prototypes', () => {
    const hostile = JSON.parse(
      '{"name":"rex","__proto__":{"polluted":true},"constructor":{"a":1},"tags":{"__proto__":"v"}}',
    );
    const { result, faults } = pet(hostile);
    expect(faults).toEqual([]);
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
    expect(Object.keys((result as { spec: object }).spec)).not.toContain('constructor');
  });
});

describe('messages', () => {
  it.each<[string, unknown, string]>([
    ['type', { name: 1 }, 'spec.name: Invalid value: "integer": spec.name in body must be of type string: "integer"'],
    ['required', {}, 'spec.name: Required value'],
    ['enum', { name: 'a', mode: 'x' }, 'spec.mode: Unsupported value: "x": supported values: "On", "Off"'],
    [
      'minimum',
      { name: 'a', port: 0 },
      'spec.port: Invalid value: 0: spec.port in body should be greater than or equal to 1',
    ],
    [
      'maximum',
      { name: 'a', port: 65536 },
      'spec.port: Invalid value: 65536: spec.port in body should be less than or equal to 65535',
    ],
    ['maxLength', { name: 'abcdef' }, 'spec.name: Too long: may not be more than 5 bytes'],
    ['pattern', { name: 'A' }, `spec.name: Invalid value: "A": spec.name in body should match '^[a-z]+$'`],
    ['maxItems', { name: 'a', owners: [1, 2, 3, 4] }, 'spec.owners: Too many: 4: must have at most 3 items'],
    [
      'minItems',
      { name: 'a', words: [] },
      'spec.words: Invalid value: 0: spec.words in body should have at least 1 items',
    ],
    [
      'maxProperties',
      { name: 'a', tags: { a: '1', b: '2', c: '3' } },
      'spec.tags: Too many: 3: must have at most 2 items',
    ],
    ['map key', { name: 'a', owners: [{ id: 1 }, { id: 1 }] }, 'spec.owners[1]: Duplicate value: {"id":1}'],
    ['set', { name: 'a', words: ['x', 'y', 'x'] }, 'spec.words[2]: Duplicate value: "x"'],
    [
      'int or string',
      { name: 'a', target: {} },
      'spec.target: Invalid value: "object": spec.target in body must be of type integer,string: "object"',
    ],
    ['embedded', { name: 'a', embedded: { kind: 'X' } }, 'spec.embedded.apiVersion: Required value'],
    [
      'list item',
      { name: 'a', owners: [{ id: 'x' }] },
      'spec.owners[0].id: Invalid value: "string": spec.owners[0].id in body must be of type integer: "string"',
    ],
  ])('%s', (_, spec, message) => {
    expect(pet(spec).faults).toEqual([message]);
  });

  it('counts characters, not UTF-16 units', () => {
    expect(walk({ type: 'string', maxLength: 2 }, '😀😀').faults).toEqual([]);
    expect(walk({ type: 'string', minLength: 3 }, '😀😀').faults).toHaveLength(1);
  });

  it('keeps a bounded number of faults', () => {
    const schema: Schema = { type: 'array', items: { type: 'string' } };
    expect(walk(schema, new Array(100_000).fill(1)).faults).toHaveLength(100);
  });

  it('takes linear time for patterns that make backtracking engines hang', () => {
    const started = performance.now();
    const { faults } = walk({ type: 'string', pattern: '^(a+)+$' }, `${'a'.repeat(5000)}!`);
    expect(faults).toHaveLength(1);
    expect(performance.now() - started).toBeLessThan(2000);
  });
});

describe('formats', () => {
  it.each<[string, string[], string[]]>([
    ['ipv4', ['10.0.0.1'], ['10.0.0', '::1', '010.0.0.1']],
    ['ipv6', ['::1', 'fd00::1'], ['10.0.0.1', 'fe80::1%eth0']],
    ['cidr', ['10.0.0.0/8', 'fd00::/8'], ['10.0.0.0', '10.0.0.0/33']],
    ['date-time', ['2024-02-29T10:00:00Z', '2024-01-01T10:00:00.123+02:00'], ['2024-02-30T10:00:00Z', '2024-01-01']],
    ['duration', ['1h30m', '0', '-1.5s'], ['1', 'h', '']],
    ['byte', ['YWJj', ''], ['YWJ', '!']],
    ['uuid', ['123e4567-e89b-12d3-a456-426614174000'], ['123']],
    ['unknown-format', ['anything'], []],
  ])('%s', (format, good, bad) => {
    for (const text of good) expect(walk({ type: 'string', format }, text).faults, text).toEqual([]);
    for (const text of bad) expect(walk({ type: 'string', format }, text).faults, text).toHaveLength(1);
  });
});

describe('ratcheting', () => {
  const schema: Schema = {
    type: 'object',
    properties: { a: { type: 'string', maxLength: 1 }, b: { type: 'integer' } },
  };

  it('does not judge again what did not change', () => {
    expect(walk(schema, { a: 'long', b: 2 }, { a: 'long', b: 1 }).faults).toEqual([]);
    expect(walk(schema, { a: 'longer', b: 2 }, { a: 'long', b: 1 }).faults).toHaveLength(1);
  });

  it('pairs items of keyed lists', () => {
    const list: Schema = {
      type: 'array',
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['k'],
      items: { type: 'object', properties: { k: { type: 'string' }, v: { type: 'integer', maximum: 1 } } },
    };
    expect(
      walk(
        list,
        [
          { k: 'new', v: 0 },
          { k: 'old', v: 9 },
        ],
        [{ k: 'old', v: 9 }],
      ).faults,
    ).toEqual([]);
    expect(walk(list, [{ k: 'new', v: 9 }], [{ k: 'old', v: 9 }]).faults).toHaveLength(1);
  });
});

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
  else if (how === 'add' && isObject(target)) target.extra = value;
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
