import { expect, it } from 'vitest';
import { isOlderVersion } from './versions.ts';

it('compares decimal numbers of any length, and nothing else', () => {
  expect(isOlderVersion('9', '10')).toBe(true);
  expect(isOlderVersion('10', '9')).toBe(false);
  expect(isOlderVersion('18446744073709551614', '18446744073709551615')).toBe(true);
  for (const [a, b] of [
    ['10', '10'],
    ['010', '11'],
    ['', '1'],
    ['a', 'b'],
    [undefined, '1'],
    ['1', undefined],
  ])
    expect(isOlderVersion(a, b)).toBe(false);
});
