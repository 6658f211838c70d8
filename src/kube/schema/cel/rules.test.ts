/** Rules at their schema nodes: transitions, reasons, places, messages; and those of the Gateway API. */
import { describe, expect, it } from 'vitest';
import { crdSpec, readGatewayCrds } from '../crd.ts';
import { createFaultList, report, required } from '../fields.ts';
import type { JsonObject, Schema, ValidationRule } from '../structural/types.ts';
import { compileRules, ruleProblems } from './rules.ts';

function judge(schema: Schema, object: JsonObject, old?: JsonObject): string[] {
  const faults = createFaultList();
  compileRules(schema)?.(object, old, faults);
  return faults.errors.map(({ field, message }) => `${field}: ${message}`);
}

function withRules(part: Schema, ...rules: ValidationRule[]): Schema {
  return { type: 'object', properties: { spec: { ...part, 'x-kubernetes-validations': rules } } };
}

const spec: Schema = {
  type: 'object',
  properties: {
    min: { type: 'integer' },
    max: { type: 'integer' },
    ratio: { type: 'number' },
    namespace: { type: 'string' },
    since: { type: 'string', format: 'date-time' },
    wait: { type: 'string', format: 'duration' },
    port: { 'x-kubernetes-int-or-string': true },
    labels: { type: 'object', additionalProperties: { type: 'string' } },
    maybe: { type: 'string', nullable: true },
  },
};

describe('evaluation', () => {
  it.each<[string, JsonObject, boolean]>([
    ['self.min <= self.max', { min: 1, max: 2 }, true],
    ['self.min <= self.max', { min: 3, max: 2 }, false],
    ['self.ratio > 0.5', { ratio: 1 }, true],
    ["self.__namespace__ == 'a'", { namespace: 'a' }, true],
    ["self.since > timestamp('2024-01-01T00:00:00Z')", { since: '2024-06-01T00:00:00Z' }, true],
    ["self.wait < duration('1m')", { wait: '30s' }, true],
    ['type(self.port) == int ? self.port < 10 : self.port.startsWith("h")', { port: 5 }, true],
    ['type(self.port) == int ? self.port < 10 : self.port.startsWith("h")', { port: 'http' }, true],
    ["self.labels.all(k, k.size() < 3) && self.labels['a'] == 'b'", { labels: { a: 'b' } }, true],
    ['!has(self.min)', {}, true],
    ['self.maybe == null', { maybe: null }, true],
    ["'constructor' in self.labels", { labels: { constructor: 'x' } }, true],
    ["'toString' in self.labels", { labels: {} }, false],
  ])('%s of %j is %s', (rule, value, holds) => {
    expect(judge(withRules(spec, { rule }), { spec: value })).toEqual(
      holds ? [] : [`spec: Invalid value: "object": failed rule: ${rule}`],
    );
  });

  it('speaks as the rule says', () => {
    const value = { spec: { min: 3, max: 2 } };
    const rule = 'self.min <= self.max';
    const say = (more: Partial<ValidationRule>) => judge(withRules(spec, { rule, ...more }), value)[0];
    expect(say({ message: 'min above max' })).toBe('spec: Invalid value: "object": min above max');
    expect(say({ messageExpression: "'min is ' + string(self.min)" })).toBe('spec: Invalid value: "object": min is 3');
    expect(say({ message: 'm', messageExpression: 'self.nothing' })).toBe('spec: Invalid value: "object": m');
    expect(say({ message: 'm', fieldPath: '.min' })).toBe('spec.min: Invalid value: "object": m');
    expect(say({ message: 'm', fieldPath: ".labels['a']" })).toBe('spec.labels[a]: Invalid value: "object": m');
    expect(say({ message: 'm', reason: 'FieldValueForbidden' })).toBe('spec: Forbidden: m');
    expect(say({ message: 'm', reason: 'FieldValueRequired' })).toBe('spec: Required value: m');
    expect(say({ message: 'm', reason: 'FieldValueDuplicate' })).toBe('spec: Duplicate value: "object": m');
  });

  it('turns errors of a rule into faults', () => {
    expect(judge(withRules(spec, { rule: 'self.min > 0', message: 'm' }), { spec: {} })).toEqual([
      'spec: Invalid value: "object": no such key: min evaluating rule: m',
    ]);
  });

  it('skips a rule that does not compile', () => {
    expect(judge(withRules(spec, { rule: 'self.nope(' }), { spec: {} })).toEqual([]);
  });

  it('sees of a whole object its names only', () => {
    const schema: Schema = {
      type: 'object',
      'x-kubernetes-validations': [
        { rule: "self.metadata.name == 'a' && self.kind == 'K' && !has(self.metadata.labels)" },
      ],
    };
    expect(judge(schema, { kind: 'K', metadata: { name: 'a', labels: { x: 'y' } } })).toEqual([]);
  });

  it('names list items and map entries', () => {
    const text: Schema = { type: 'string', 'x-kubernetes-validations': [{ rule: "self != 'bad'", message: 'm' }] };
    const schema: Schema = {
      type: 'object',
      properties: { list: { type: 'array', items: text }, map: { type: 'object', additionalProperties: text } },
    };
    expect(judge(schema, { list: ['ok', 'bad'], map: { k: 'bad' } })).toEqual([
      'list[1]: Invalid value: "string": m',
      'map[k]: Invalid value: "string": m',
    ]);
  });
});

describe('transition rules', () => {
  const immutable = withRules({ type: 'string' }, { rule: 'self == oldSelf', message: 'immutable' });

  it('run on updates only', () => {
    expect(judge(immutable, { spec: 'a' })).toEqual([]);
    expect(judge(immutable, { spec: 'a' }, {})).toEqual([]);
    expect(judge(immutable, { spec: 'a' }, { spec: 'a' })).toEqual([]);
    expect(judge(immutable, { spec: 'b' }, { spec: 'a' })).toEqual(['spec: Invalid value: "string": immutable']);
  });

  it('run always with optionalOldSelf', () => {
    const schema = withRules(
      { type: 'integer' },
      { rule: 'oldSelf.hasValue() ? self >= oldSelf.value() : self == 1', optionalOldSelf: true },
    );
    expect(judge(schema, { spec: 1 })).toEqual([]);
    expect(judge(schema, { spec: 2 })).toHaveLength(1);
    expect(judge(schema, { spec: 5 }, { spec: 4 })).toEqual([]);
    expect(judge(schema, { spec: 3 }, { spec: 4 })).toHaveLength(1);
  });

  it('pair items of keyed lists, and of no others', () => {
    const item: Schema = {
      type: 'object',
      properties: {
        k: { type: 'string' },
        v: { type: 'integer', 'x-kubernetes-validations': [{ rule: 'self >= oldSelf' }] },
      },
    };
    const keyed: Schema = {
      type: 'object',
      properties: {
        list: { type: 'array', items: item, 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['k'] },
      },
    };
    const object = {
      list: [
        { k: 'b', v: 1 },
        { k: 'a', v: 5 },
      ],
    };
    const old = {
      list: [
        { k: 'a', v: 4 },
        { k: 'b', v: 2 },
      ],
    };
    expect(judge(keyed, object, old)).toEqual(['list[0].v: Invalid value: "integer": failed rule: self >= oldSelf']);
    const plain: Schema = { type: 'object', properties: { list: { type: 'array', items: item } } };
    expect(judge(plain, object, old)).toEqual([]);
  });
});

describe('ratcheting', () => {
  it('lets what was stored stay', () => {
    const schema = withRules(spec, { rule: 'self.min <= self.max' });
    const bad = { min: 3, max: 2 };
    expect(judge(schema, { spec: bad, other: 1 }, { spec: { ...bad } })).toEqual([]);
    expect(judge(schema, { spec: { ...bad, ratio: 1 } }, { spec: bad })).toHaveLength(1);
  });

  it('lets all of a list stay that has not changed, though its items have no names', () => {
    const list: Schema = {
      type: 'array',
      items: withRules(spec, { rule: 'self.min <= self.max' }).properties!['spec'],
    };
    const schema: Schema = { type: 'object', properties: { list, other: { type: 'integer' } } };
    const bad = [{ min: 3, max: 2 }];
    expect(judge(schema, { list: [...bad], other: 1 }, { list: bad })).toEqual([]);
    expect(judge(schema, { list: [...bad, { min: 1, max: 2 }] }, { list: bad })).toHaveLength(1);
  });

  it('holds what has not changed against transitions below it all the same', () => {
    const schema = withRules(spec, { rule: 'self.min > oldSelf.min' });
    expect(judge(schema, { spec: { min: 1 } }, { spec: { min: 1 } })).toHaveLength(1);
  });
});

describe('values that were judged before', () => {
  const item = withRules(spec, { rule: 'self.min <= self.max' }).properties!['spec']!;
  const list: Schema = {
    type: 'array',
    items: { ...item, properties: { ...item.properties, name: { type: 'string' } } },
    'x-kubernetes-list-type': 'map',
    'x-kubernetes-list-map-keys': ['name'],
  };
  const schema: Schema = { type: 'object', properties: { list } };
  const good = { name: 'good', min: 1, max: 2 };
  const bad = { name: 'bad', min: 3, max: 2 };

  /** Judged one after the other by the same rules. */
  function judgeAll(objects: readonly { object: JsonObject; old?: JsonObject; full?: boolean }[]): number[] {
    const rules = compileRules(schema)!;
    return objects.map(({ object, old, full }) => {
      const faults = createFaultList();
      if (full) for (let i = 0; i < 200; i++) report(faults, required('other'));
      const before = faults.errors.length;
      rules(object, old, faults);
      return faults.errors.length - before;
    });
  }

  it('are judged as they were the first time', () => {
    const objects = [{ list: [good] }, { list: [good, bad] }, { list: [good] }, { list: [good, bad] }, { list: [bad] }];
    expect(judgeAll(objects.map((object) => ({ object })))).toEqual([0, 1, 0, 1, 1]);
  });

  it('are not taken for good because they were let stay, or because nothing more could be said', () => {
    const stays = { object: { list: [bad, good] }, old: { list: [bad] } };
    expect(judgeAll([stays, { object: { list: [bad, good] } }])).toEqual([0, 1]);
    expect(judgeAll([{ object: { list: [bad] }, full: true }, { object: { list: [bad] } }])).toEqual([0, 1]);
  });

  it('are not kept without end', () => {
    const many = Array.from({ length: 2_500 }, (_, max) => ({
      object: { list: [{ name: 'a', min: 1, max: max + 1 }] },
    }));
    expect(judgeAll([...many, { object: { list: [bad] } }, many[0]!])).toEqual([...many.map(() => 0), 1, 0]);
  });
});

describe('the Gateway API', () => {
  const versions = readGatewayCrds().flatMap((crd) =>
    crdSpec(crd).versions.map(({ name, schema }) => ({
      name: `${crd.metadata.name} ${name}`,
      schema: schema!.openAPIV3Schema!,
    })),
  );

  it.each(versions)('$name: every rule compiles', ({ schema }) => {
    expect(ruleProblems(schema)).toEqual([]);
  });

  it('has the rules that this test believes it has', () => {
    const rules = JSON.stringify(versions).match(/"x-kubernetes-validations"/g);
    expect(rules?.length).toBeGreaterThan(100);
  });
});
