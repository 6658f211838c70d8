import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { expect, it } from 'vitest';
import { openFileLimit } from './open-files.ts';

const table = (soft: string) => `Limit                     Soft Limit           Hard Limit           Units
Max processes             63432                63432                processes
Max open files            ${soft.padEnd(20)} 1048576              files
`;

it.each([
  ['1024', 1024],
  ['unlimited', Number.POSITIVE_INFINITY],
  ['many', undefined],
])('reads %s', (soft, limit) => {
  expect(openFileLimit(() => table(soft))).toBe(limit);
});

it('is unknown where nothing tells it', () => {
  expect(openFileLimit(() => 'Max processes 1 1')).toBeUndefined();
  const absent = () => {
    throw new Error('ENOENT');
  };
  expect(openFileLimit(absent)).toBeUndefined();
});

it.skipIf(!existsSync('/proc/self/limits'))('is what the shell says of the same process', () => {
  const told = execFileSync('sh', ['-c', 'ulimit -n'], { encoding: 'utf8' }).trim();
  expect(String(openFileLimit())).toBe(told === 'unlimited' ? 'Infinity' : told);
});
