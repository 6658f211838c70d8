import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, it } from 'vitest';
import { blank } from './blank.ts';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

/** Bytes of the heap for each of many copies. */
function bytesEach(copy: (source: { type: string; status: string }) => object): number {
  const sources = Array.from({ length: 20_000 }, (_, n) => ({ type: 'Ready', status: String(n % 7) }));
  const copies: object[] = new Array(sources.length);
  collect();
  const before = process.memoryUsage().heapUsed;
  for (const [n, source] of sources.entries()) copies[n] = copy(source);
  collect();
  return (process.memoryUsage().heapUsed - before) / copies.length;
}

it('makes copies with further fields that share their shape', () => {
  const own = bytesEach((source) => ({ ...source, reason: 'A', message: 'B' }));
  const shared = bytesEach((source) => ({ ...blank, ...source, reason: 'A', message: 'B' }));
  expect(shared).toBeLessThan(own / 2);
});

it('keeps what is spread after it as it is', () => {
  const read = JSON.parse('{"__proto__":{"role":"admin"},"a":1}') as object;
  const copy = { ...blank, ...read, b: 2 };
  expect(JSON.stringify(copy)).toBe('{"__proto__":{"role":"admin"},"a":1,"b":2}');
  expect('role' in copy).toBe(false);
});
