import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createNumbering6, createPool, createPool4, createPool6 } from './pool.ts';

describe('an address pool', () => {
  it('gives a name the same address in every run', () => {
    expect(createPool4('127.96').allocate('shop/web')).toBe(createPool4('127.96').allocate('shop/web'));
  });

  it('keeps the lowest 256 for those who ask for them', () => {
    const pool = createPool4('127.96');
    const given = Array.from({ length: 5000 }, (_, index) => pool.allocate(`shop/${index}`)!);
    expect(new Set(given).size).toBe(5000);
    expect(given.filter((address) => address.startsWith('127.96.0.'))).toEqual([]);
    expect(pool.claim('kube-system/kube-dns', '127.96.0.10')).toBe(true);
    expect(pool.ownerOf('127.96.0.10')).toBe('kube-system/kube-dns');
  });

  it.each(['127.96.0.0', '127.96.255.255', '127.97.0.1', '10.0.0.1', '127.96.1', 'None', 'fd00:96::1'])(
    'does not lend %s',
    (address) => expect(createPool4('127.96').claim('a', address)).toBe(false),
  );

  it('lends IPv6 addresses in canonical text', () => {
    const pool = createPool6('fd00:96::');
    expect(pool.claim('a', 'fd00:96::10')).toBe(true);
    expect(pool.claim('b', 'fd00:96::1:0')).toBe(false);
    expect(pool.allocate('c')).toMatch(/^fd00:96::[1-9a-f][0-9a-f]{2,3}$/);
  });

  it('writes a lone zero group of a full prefix, as RFC 5952 wants', () => {
    expect(createNumbering6('fd00:1:2:3:4:5::')(0xab)).toBe('fd00:1:2:3:4:5:0:ab');
  });

  it('goes to the next free number when the hashed one is taken, and says when none is left', () => {
    const same = (number: number) => number;
    const pool = createPool<number>({ first: 1, last: 3, format: same, parse: same });
    const given = ['a', 'b', 'c'].map((owner) => pool.allocate(owner));
    expect([...given].sort()).toEqual([1, 2, 3]);
    expect(pool.allocate('d')).toBeUndefined();
    pool.release('b');
    expect(pool.allocate('d')).toBe(given[1]);
  });

  it('never lends a number to two owners, whatever they do', () => {
    const action = fc.record({
      owner: fc.integer({ min: 0, max: 9 }).map(String),
      what: fc.constantFrom('allocate', 'claim', 'release'),
      number: fc.integer({ min: 0, max: 14 }),
    });
    fc.assert(
      fc.property(fc.array(action, { maxLength: 60 }), (actions) => {
        const pool = createPool<number>({ first: 1, last: 12, format: (n) => n, parse: (n) => n });
        for (const { owner, what, number } of actions) {
          if (what === 'allocate') pool.allocate(owner);
          else if (what === 'claim') pool.claim(owner, number);
          else pool.release(owner);
        }
        const held = Array.from({ length: 10 }, (_, owner) => pool.itemOf(String(owner))).filter(
          (n) => n !== undefined,
        );
        expect(new Set(held).size).toBe(held.length);
        for (const number of held) expect(pool.itemOf(pool.ownerOf(number)!)).toBe(number);
      }),
    );
  });
});
