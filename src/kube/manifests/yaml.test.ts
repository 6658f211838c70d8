import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { offsetOfPath, readYaml, writeYaml } from './yaml.ts';

describe('writeYaml', () => {
  it('quotes what YAML 1.1 or 1.2 takes for no string', () => {
    const texts = [
      'yes',
      'off',
      '0777',
      '0o17',
      '1e3',
      '12:30',
      '1_000',
      'null',
      '~',
      '2026-01-01T00:00:00Z',
      '',
      '# x',
    ];
    for (const text of texts) expect(writeYaml({ text })).toMatch(/^text: ['"].*['"]\n$/);
  });

  it('leaves out what is undefined, and writes a shared value twice', () => {
    const shared = { a: 1 };
    expect(writeYaml({ none: undefined, one: shared, two: shared })).toBe('one:\n  a: 1\ntwo:\n  a: 1\n');
  });

  it('reads numbers of other bases, and as text what has a digit that its base does not have', () => {
    const { value } = readYaml('[0x1F, -0X1f, 0o17, 0b101, +0b1, 017, 0b2, 0b12, 0o8, 0xg]') as { value: unknown };
    expect(value).toEqual([31, -31, 15, 5, 1, 15, '0b2', '0b12', '0o8', '0xg']);
    expect(readYaml(writeYaml({ '0b2': ['0b2'] }))).toEqual({ value: { '0b2': ['0b2'] } });
  });

  it('writes what readYaml reads back', () => {
    const json = fc.jsonValue({ maxDepth: 6 }).map((value) => JSON.parse(JSON.stringify(value)) as unknown);
    const property = fc.property(json, (value) => {
      expect(readYaml(writeYaml(value))).toEqual({ value });
    });
    fc.assert(property, { numRuns: 300 });
  });
});

describe('offsetOfPath', () => {
  it('finds a thousand places of a long text, which is read once for all of them', () => {
    const items = Array.from({ length: 1_000 }, (_, i) => ({ path: `/app-${i}`, backend: { name: 'app', port: i } }));
    const text = JSON.stringify({ spec: { items } });
    const began = performance.now();
    items.forEach(({ path }, i) => {
      const offset = offsetOfPath(text, ['spec', 'items', i, 'path']);
      const shown = `path":"${path}"`;
      expect(text.slice(offset, offset + shown.length)).toBe(shown);
    });
    // Read for each of them, it takes more than ten times as long.
    expect(performance.now() - began).toBeLessThan(5_000);
    expect(offsetOfPath('a: 1\nb: 2\n', ['b'])).toBe(5);
    expect(offsetOfPath('a: [', ['a'])).toBe(0);
  });
});
