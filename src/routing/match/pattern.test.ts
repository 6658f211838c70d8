import { describe, expect, it } from 'vitest';
import { compilePattern } from './pattern.ts';

const test = (source: string, text: string, ignoreCase = false) => {
  const compiled = compilePattern(source, { ignoreCase });
  if (!compiled.ok) throw new Error(compiled.error);
  return compiled.value.matches(text);
};

describe('patterns', () => {
  it('cover the whole text', () => {
    expect(test('/v[0-9]+', '/v12')).toBe(true);
    expect(test('/v[0-9]+', '/v12/users')).toBe(false);
    expect(test('/v[0-9]+', 'x/v12')).toBe(false);
    expect(test('a|ab', 'ab')).toBe(true);
  });

  it('ignore case on request', () => {
    expect(test('/Foo', '/fOO')).toBe(false);
    expect(test('/Foo', '/fOO', true)).toBe(true);
  });

  it.each(['(', 'a(?=b)', '(?<=a)b', '(a)\\1', '[z-a]', 'a{1001}'])('refuse %s', (source) => {
    expect(compilePattern(source)).toMatchObject({ ok: false, error: expect.stringMatching(/.+/) });
  });

  it('refuse what is too long or too costly', () => {
    expect(compilePattern('a'.repeat(4097))).toMatchObject({ ok: false });
    expect(compilePattern('.{1000}'.repeat(20))).toMatchObject({ ok: false });
  });

  it('take linear time where backtracking would not end', () => {
    const started = performance.now();
    expect(test('(x+x+)+y', 'x'.repeat(50_000))).toBe(false);
    expect(performance.now() - started).toBeLessThan(2000);
  });
});
