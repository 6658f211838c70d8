import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createItemCutter } from './items.ts';

/** Cuts a text that comes in pieces of the given sizes, over and over. */
function cut(text: string, sizes: readonly number[], maxItemBytes = 1e6) {
  const bytes = Buffer.from(text);
  const cutter = createItemCutter({ maxItemBytes, maxRestBytes: 1e6 });
  const items: string[] = [];
  for (let at = 0, i = 0; at < bytes.length; i++) {
    const size = Math.max(1, sizes[i % sizes.length] ?? bytes.length);
    if (!cutter.push(bytes.subarray(at, at + size), (json) => items.push(json))) return undefined;
    at += size;
  }
  return { items: items.map((json) => JSON.parse(json) as unknown), rest: cutter.rest() };
}

const sizes = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 5 });

describe('the items of a list', () => {
  it('are those that JSON.parse finds, wherever the chunks end', () => {
    const metadata = fc.record({ resourceVersion: fc.string(), continue: fc.string(), items: fc.json() });
    const list = fc.record({
      kind: fc.string(),
      metadata,
      items: fc.array(fc.dictionary(fc.string(), fc.jsonValue())),
    });
    fc.assert(
      fc.property(list, sizes, fc.constantFrom(0, 1, 4), (given, pieces, indent) => {
        const found = cut(`${JSON.stringify(given, undefined, indent)}\n`, pieces);
        const { items, ...around } = JSON.parse(JSON.stringify(given)) as typeof given;
        expect(found?.items).toEqual(items);
        expect(JSON.parse(found!.rest)).toEqual({ ...around, items: [] });
      }),
    );
  });

  it('come one by one, each as soon as it is there', () => {
    const cutter = createItemCutter({ maxItemBytes: 100 });
    const items: string[] = [];
    const push = (text: string) => cutter.push(Buffer.from(text), (json) => items.push(json));
    push('{"metadata":{},"items":[{"a":1},{"b"');
    expect(items).toEqual(['{"a":1}']);
    push(':"}]"}');
    expect(items).toEqual(['{"a":1}', '{"b":"}]"}']);
    push(']}');
    expect(cutter.rest()).toBe('{"metadata":{},"items":[]}');
  });

  it.each([
    ['no items', '{"metadata":{"items":[1]},"x":"items"}'],
    ['null for items', '{"items":null,"metadata":{}}'],
    ['an error', '{"kind":"Status","message":"items\\":[{"}'],
  ])('are none where there are %s', (_, text) => {
    expect(cut(text, [3])).toEqual({ items: [], rest: text });
  });

  it('are bounded, and what is no object ends the reading', () => {
    expect(cut(`{"items":[{"a":"${'x'.repeat(200)}"}]}`, [50], 100)).toBeUndefined();
    expect(cut('{"items":[1,2]}', [50])).toBeUndefined();
    const endless = createItemCutter({ maxItemBytes: 100, maxRestBytes: 100 });
    expect(endless.push(Buffer.alloc(101, ' '), () => undefined)).toBe(false);
  });

  it('never throws, whatever comes', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.json(),
          fc.json().map((json) => `{"items":[${json}`),
        ),
        sizes,
        (text, pieces) => {
          const bytes = Buffer.from(text);
          const cutter = createItemCutter({ maxItemBytes: 1000 });
          for (let at = 0; at < bytes.length; at += pieces[0]!)
            if (!cutter.push(bytes.subarray(at, at + pieces[0]!), () => undefined)) return;
          cutter.rest();
        },
      ),
    );
  });
});
