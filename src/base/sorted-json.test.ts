import { expect, it } from 'vitest';
import { sortedJson } from './sorted-json.ts';

it('writes keys in order, at every depth, and leaves out what is undefined', () => {
  const value = { b: [{ z: 1, a: 'x"y' }, undefined], a: { 'ö"': null, c: undefined, b: true } };
  expect(sortedJson(value)).toBe('{"a":{"b":true,"ö\\"":null},"b":[{"a":"x\\"y","z":1},null]}');
});

it('writes what JSON.stringify writes when keys are in order', () => {
  for (const value of [null, 0, '', '\u2028', [], {}, [[1], { a: [] }], { 1: 'a', a: 1 }])
    expect(sortedJson(value)).toBe(JSON.stringify(value));
  expect(sortedJson(undefined)).toBe('null');
});

it('stays right with more names than it keeps', () => {
  for (let i = 0; i < 5_000; i++) expect(sortedJson({ [`n${i}"`]: i })).toBe(`{"n${i}\\"":${i}}`);
});
