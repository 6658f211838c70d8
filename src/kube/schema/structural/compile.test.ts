/** Structural schemas: pruning, defaulting, validation, case by case. */
import { describe, expect, it } from 'vitest';
import { createFaultList } from '../fields.ts';
import { type CompileOptions, compileSchema } from './compile.ts';
import type { Schema } from './types.ts';

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
