import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeQuery } from './ask.ts';
import { canonicalName, foldCase, keyOfName, labelsOfKey, parseName, readName } from './name.ts';
import { nameOf, parseQuery } from './query.ts';

const anyLabel = fc.uint8Array({ minLength: 1, maxLength: 20 }).map((bytes) => Buffer.from(bytes).toString('latin1'));
const wireOf = (labels: readonly string[]) =>
  Buffer.concat([...labels.map((l) => Buffer.from(String.fromCharCode(l.length) + l, 'latin1')), Buffer.alloc(1)]);

describe('names', () => {
  it('keep every byte through presentation form', () => {
    fc.assert(
      fc.property(fc.array(anyLabel, { maxLength: 8 }), (labels) => {
        const read = readName(wireOf(labels), 0)!;
        expect(parseName(read.name)).toEqual(labels);
        expect(labelsOfKey(keyOfName(read.name)!)).toEqual(labels.map(foldCase));
      }),
    );
  });

  it('escape dots, backslashes and what text cannot show', () => {
    expect(readName(wireOf(['a.b', 'c\\d', 'e f\xff']), 0)?.name).toBe('a\\.b.c\\\\d.e\\032f\\255.');
  });

  it('fold ASCII letters only', () => {
    expect(foldCase('ÀBC')).toBe('Àbc');
    expect(canonicalName('Web.Example.COM')).toBe('web.example.com.');
  });

  it.each([
    ['label of 64', 'a'.repeat(64)],
    ['empty label', 'a..b'],
    ['leading dot', '.a'],
    ['nothing', ''],
    ['more than 255 bytes', `${'a'.repeat(63)}.`.repeat(4)],
    ['character beyond a byte', 'π.example'],
    ['escape at the end', 'a\\'],
  ])('that cannot exist are refused: %s', (_, text) => {
    expect(keyOfName(text)).toBeUndefined();
  });

  it('may have labels of 63 and 255 bytes in all', () => {
    const longest = `${`${'a'.repeat(63)}.`.repeat(3)}${'b'.repeat(61)}.`;
    expect(keyOfName(longest)).toHaveLength(255);
    const parsed = parseQuery(encodeQuery(longest, 1));
    expect(parsed.ok && nameOf(parsed.query)).toBe(longest);
  });

  it('follow pointers backwards only, and come to an end', () => {
    const packet = Buffer.from([3, 0x61, 0x62, 0x63, 0, 1, 0x78, 0xc0, 0, 0xc0, 5, 0xc0, 11, 0xc0, 15, 0xc0, 13]);
    expect(readName(packet, 9)).toEqual({ name: 'x.abc.', end: 11 });
    expect(readName(packet, 11)).toBeUndefined();
    expect(readName(packet, 13)).toBeUndefined();
    expect(readName(packet, 15)).toBeUndefined();
    expect(readName(Buffer.from([0x80, 0]), 0)).toBeUndefined();
  });

  it('never throw on any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 600 }), fc.nat(600), (bytes, at) => {
        const read = readName(bytes, at);
        if (read) expect(keyOfName(read.name)).toBeDefined();
      }),
    );
  });
});
