import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Json } from './json.ts';
import { jsonPatch } from './json-patch.ts';
import { mergePatch } from './merge-patch.ts';

function apply(document: Json, ...patch: unknown[]): Json {
  const result = jsonPatch(document, patch);
  if (!result.ok) throw new Error(result.error.message);
  return result.value;
}

describe('JSON patch', () => {
  // RFC 6902, appendix A.
  it.each<[Json, unknown, Json]>([
    [{ foo: 'bar' }, { op: 'add', path: '/baz', value: 'qux' }, { baz: 'qux', foo: 'bar' }],
    [{ foo: ['bar', 'baz'] }, { op: 'add', path: '/foo/1', value: 'qux' }, { foo: ['bar', 'qux', 'baz'] }],
    [{ baz: 'qux', foo: 'bar' }, { op: 'remove', path: '/baz' }, { foo: 'bar' }],
    [{ foo: ['bar', 'qux', 'baz'] }, { op: 'remove', path: '/foo/1' }, { foo: ['bar', 'baz'] }],
    [{ baz: 'qux' }, { op: 'replace', path: '/baz', value: 'boo' }, { baz: 'boo' }],
    [
      { foo: { bar: 'baz', waldo: 'fred' }, qux: { corge: 'grault' } },
      { op: 'move', from: '/foo/waldo', path: '/qux/thud' },
      { foo: { bar: 'baz' }, qux: { corge: 'grault', thud: 'fred' } },
    ],
    [
      { foo: ['all', 'grass', 'cows', 'eat'] },
      { op: 'move', from: '/foo/1', path: '/foo/3' },
      { foo: ['all', 'cows', 'eat', 'grass'] },
    ],
    [{ baz: 'qux' }, { op: 'test', path: '/baz', value: 'qux' }, { baz: 'qux' }],
    [{ foo: 'bar' }, { op: 'add', path: '/child', value: { a: {} } }, { foo: 'bar', child: { a: {} } }],
    [
      { '/': 9, '~1': 10 },
      { op: 'test', path: '/~01', value: 10 },
      { '/': 9, '~1': 10 },
    ],
    [{ foo: ['bar'] }, { op: 'add', path: '/foo/-', value: ['abc'] }, { foo: ['bar', ['abc']] }],
    [{ a: [1] }, { op: 'copy', from: '/a', path: '/b' }, { a: [1], b: [1] }],
    [{ a: 1 }, { op: 'replace', path: '', value: { b: 2 } }, { b: 2 }],
  ])('%j with %j', (document, operation, expected) => {
    expect(apply(document, operation)).toEqual(expected);
  });

  it.each<[Json, unknown, 'failed' | 'malformed']>([
    [{ baz: 'qux' }, { op: 'test', path: '/baz', value: 'bar' }, 'failed'],
    [{ foo: 'bar' }, { op: 'add', path: '/baz/bat', value: 'qux' }, 'failed'],
    [{ '/': 9, '~1': 10 }, { op: 'test', path: '/~01', value: '10' }, 'failed'],
    [{}, { op: 'remove', path: '/constructor' }, 'failed'],
    [{}, { op: 'add', path: '/__proto__/x', value: 1 }, 'failed'],
    [[1], { op: 'add', path: '/3', value: 1 }, 'failed'],
    [[1], { op: 'replace', path: '/01', value: 1 }, 'failed'],
    [{ a: {} }, { op: 'move', from: '/a', path: '/a/b' }, 'malformed'],
    [{}, { op: 'jump', path: '/a' }, 'malformed'],
    [{}, { op: 'add', path: 'a', value: 1 }, 'malformed'],
    [{}, { op: 'add', path: '/a' }, 'malformed'],
  ])('%j refuses %j', (document, operation, kind) => {
    const result = jsonPatch(document, [operation]);
    expect(result.ok ? undefined : result.error.kind).toBe(kind);
  });

  it('bounds operations and copies', () => {
    const many = Array.from({ length: 11 }, () => ({ op: 'test', path: '', value: {} }));
    expect(jsonPatch({}, many, { operations: 10 }).ok).toBe(false);
    const doubling = Array.from({ length: 40 }, (_, i) => ({ op: 'copy', from: '', path: `/${i}` }));
    const result = jsonPatch({ seed: 'x' }, doubling);
    expect(result.ok ? '' : result.error.message).toMatch(/add too much/);
  });

  it('changes neither the document nor the prototype of objects', () => {
    const document = { a: { b: 1 } };
    expect(apply(document, { op: 'add', path: '/__proto__', value: { polluted: true } })).toHaveProperty('a');
    expect(document).toEqual({ a: { b: 1 } });
    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
  });
});

describe('JSON merge patch', () => {
  // RFC 7396, appendix A.
  it.each<[Json, Json, Json]>([
    [{ a: 'b' }, { a: 'c' }, { a: 'c' }],
    [{ a: 'b' }, { b: 'c' }, { a: 'b', b: 'c' }],
    [{ a: 'b' }, { a: null }, {}],
    [{ a: ['b'] }, { a: 'c' }, { a: 'c' }],
    [{ a: { b: 'c' } }, { a: { b: 'd', c: null } }, { a: { b: 'd' } }],
    [{ a: [{ b: 'c' }] }, { a: [1] }, { a: [1] }],
    [
      ['a', 'b'],
      ['c', 'd'],
      ['c', 'd'],
    ],
    [{ a: 'foo' }, null, null],
    [{ e: null }, { a: 1 }, { e: null, a: 1 }],
    [[1, 2], { a: 'b', c: null }, { a: 'b' }],
    [{}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
  ])('%j with %j', (target, patch, expected) => {
    expect(mergePatch(target, patch)).toEqual(expected);
  });

  it('is idempotent', () => {
    const json = fc.jsonValue() as fc.Arbitrary<Json>;
    fc.assert(
      fc.property(json, json, (target, patch) => {
        const once = mergePatch(target, patch);
        expect(mergePatch(once, patch)).toEqual(once);
      }),
    );
  });
});
