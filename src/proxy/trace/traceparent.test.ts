import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isTracestate, newRequestId, newTraceparent, traceIdOf } from './traceparent.ts';

const trace = '0af7651916cd43dd8448eb211c80319c';
const parent = 'b7ad6b7169203331';
const valid = `00-${trace}-${parent}-01`;

describe('traceparent (W3C Trace Context section 3.2)', () => {
  it.each([
    valid,
    `00-${trace}-${parent}-00`,
    `00-${trace}-${parent}-ff`,
    `cc-${trace}-${parent}-01`,
    `cc-${trace}-${parent}-01-what-the-future-brings`,
  ])('takes %s', (text) => expect(traceIdOf(text)).toBe(trace));

  it.each([
    ['', 'empty'],
    [`${valid}-more`, 'version 00 with more'],
    [`${valid}.`, 'a byte too many'],
    [valid.slice(0, -1), 'a byte too few'],
    [valid.toUpperCase(), 'capital letters'],
    [`ff-${trace}-${parent}-01`, 'version ff'],
    [`cc-${trace}-${parent}-01.more`, 'a later version without its dash'],
    [`00-${'0'.repeat(32)}-${parent}-01`, 'a trace id of zeros'],
    [`00-${trace}-${'0'.repeat(16)}-01`, 'a parent id of zeros'],
    [`00-${trace}-${parent}-0g`, 'no hexadecimal digit'],
    [`cc-${trace}-${parent}-01-${'x'.repeat(300)}`, 'too long'],
  ])('refuses %s (%s)', (text) => expect(traceIdOf(text)).toBeUndefined());

  it('makes ones that it takes itself, and none twice', () => {
    const made = Array.from({ length: 1000 }, (_, i) => newTraceparent(i % 2 === 0));
    expect(new Set(made.map(traceIdOf)).size).toBe(1000);
    expect(made.map(traceIdOf)).not.toContain(undefined);
    expect(made.every((text, i) => text.endsWith(i % 2 === 0 ? '-01' : '-00'))).toBe(true);
  });

  it('reads anything without throwing', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 80 }), (text) => {
        traceIdOf(text);
        isTracestate(text);
      }),
    );
  });
});

describe('tracestate (section 3.3)', () => {
  it.each([
    'rojo=00f067aa0ba902b7,congo=t61rcWkgMzE',
    'a=1 , b=2,\t,c=3',
    'tenant@system=x',
    '1tenant@system=x',
    Array.from({ length: 32 }, (_, i) => `k${i}=v`).join(','),
  ])('takes %s', (text) => expect(isTracestate(text)).toBe(true));

  it.each([
    'a',
    'A=1',
    'a=',
    'a=1=2',
    'a=1,a=2',
    '1a=2',
    'a=\xe9',
    `${'a'.repeat(257)}=1`,
    `a=${'x'.repeat(257)}`,
    Array.from({ length: 33 }, (_, i) => `k${i}=v`).join(','),
  ])('refuses %s', (text) => expect(isTracestate(text)).toBe(false));

  it('takes no longer than its length allows', () => {
    const began = performance.now();
    isTracestate(`a=${' '.repeat(60_000)}`);
    isTracestate(' '.repeat(60_000));
    isTracestate(`a=${' '.repeat(60_000)}x`);
    isTracestate(`${'a='.repeat(30_000)}`);
    expect(performance.now() - began).toBeLessThan(200);
  });
});

it('ids of requests are 32 digits that no other has', () => {
  const ids = Array.from({ length: 1_000 }, newRequestId);
  expect(new Set(ids).size).toBe(1_000);
  for (const id of ids) expect(id).toMatch(/^[0-9a-f]{32}$/);
});
