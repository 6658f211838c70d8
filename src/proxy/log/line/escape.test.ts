import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { escapedFor } from './escape.ts';

const utf8 = (text: string) => Buffer.from(text, 'utf8').toString('latin1');

describe('values of a line', () => {
  it.each([
    ['default', 'a"b\\c\n\x1b\x7f', 'a\\x22b\\x5Cc\\x0A\\x1B\\x7F'],
    ['default', utf8('é'), '\\xC3\\xA9'],
    ['none', 'a"b\\c\n', 'a\\x22b\\x5Cc\\x0A'],
    ['json', 'a"b\\c\n\r\t\b\f\x1b\x7f', 'a\\"b\\\\c\\n\\r\\t\\b\\f\\u001B\\u007F'],
    ['json', utf8('é€😀'), '\\u00E9\\u20AC\\uD83D\\uDE00'],
    ['json', '\xe9\xff', '\\u00E9\\u00FF'],
    ['default', "a b[]{}'$`", "a b[]{}'$`"],
  ] as const)('with escape %s: %j', (escaping, value, written) => {
    expect(escapedFor(escaping)(value)).toBe(written);
  });

  it.each([
    ['] rest', 'a] [b', 'a\\x5D [b'],
    [' rest', 'a b', 'a\\x20b'],
    ['^', 'a^b', 'a\\x5Eb'],
    ['-', '+,-./', '+,\\x2D./'],
    ['\\', 'a\\', 'a\\x5C'],
    ['x22', 'x1', 'x1'],
    ['\t', '\t', '\\x09'],
    ['é', 'é', '\\xE9'],
  ])('that %j follows do not hold its first character', (next, value, written) => {
    expect(escapedFor('default', next)(value)).toBe(written);
  });

  it.each(['default', 'json', 'none'] as const)(
    'are printable ASCII without quotes, whatever they are: %s',
    (escaping) => {
      const some = fc.oneof(fc.string({ unit: 'binary' }), fc.string().map(utf8));
      fc.assert(
        fc.property(some, fc.string({ maxLength: 1 }), (value, next) => {
          const written = escapedFor(escaping, next)(value);
          expect(written).toMatch(/^(?:[\x20\x21\x23-\x5b\x5d-\x7e]|\\.)*$/);
          if (/[^a-z0-9"\\]/i.test(next)) expect(written).not.toContain(next);
        }),
      );
    },
  );

  it('of JSON give back the characters that were sent', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (value) => {
        expect(JSON.parse(`"${escapedFor('json', '"')(utf8(value))}"`)).toBe(value);
      }),
    );
  });
});
