import fc from 'fast-check';
import { expect, it } from 'vitest';
import { createLineCutter } from './lines.ts';

/** The text in chunks that end at the given places. */
function chunksOf(text: string, cuts: readonly number[]): Buffer[] {
  const bytes = Buffer.from(text);
  const places = [...new Set([0, ...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length])].sort((a, b) => a - b);
  return places.slice(1).map((end, i) => bytes.subarray(places[i], end));
}

it('gives the lines of a text, however it is cut', () => {
  const text = fc
    .array(fc.oneof(fc.string(), fc.constant('\n'), fc.string({ unit: 'grapheme' })))
    .map((parts) => parts.join(''));
  fc.assert(
    fc.property(text, fc.array(fc.nat()), (given, cuts) => {
      const cutter = createLineCutter(1e6);
      const lines: string[] = [];
      for (const chunk of chunksOf(given, cuts)) expect(cutter.push(chunk, (line) => lines.push(line))).toBe(true);
      const expected = given.split('\n');
      const rest = expected.pop()!;
      expect(lines).toEqual(expected);
      expect(cutter.pending).toBe(Buffer.byteLength(rest));
    }),
  );
});

it('refuses a line over the bound, in one chunk or in many, and none below it', () => {
  const push = (...chunks: string[]) => {
    const cutter = createLineCutter(10);
    return chunks.map((chunk) => cutter.push(Buffer.from(chunk), () => undefined));
  };
  expect(push('0123456789\n', '0123456789', '\n')).toEqual([true, true, true]);
  expect(push('0123456789a\n')).toEqual([false]);
  expect(push('01234567', '89a')).toEqual([true, false]);
});

it('keeps a line that comes byte by byte in few buffers', () => {
  const cutter = createLineCutter(1e6);
  let line = '';
  for (let i = 0; i < 5000; i++) cutter.push(Buffer.from(String(i % 10)), () => undefined);
  cutter.push(Buffer.from('\n'), (whole) => {
    line = whole;
  });
  expect(line).toHaveLength(5000);
});
