import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonicalIp, formatIp, fromReverseName, parseIp, reverseName } from './ip.ts';

describe('canonicalIp', () => {
  it.each([
    ['127.96.0.10', '127.96.0.10'],
    ['fd00:0096:0:0:0:0:0:10', 'fd00:96::10'],
    ['2001:DB8::0:1:0:0:1', '2001:db8::1:0:0:1'],
    ['::', '::'],
  ])('%s is written %s', (text, canonical) => expect(canonicalIp(text)).toBe(canonical));

  it.each(['', '127.1', '127.0.0.01', '0x7f.0.0.1', '256.0.0.1', 'fe80::1%lo', '1.2.3.4/8', 'example.com', ':::'])(
    'refuses %s',
    (text) => expect(canonicalIp(text)).toBeUndefined(),
  );
});

describe('reverse names', () => {
  it('follow RFC 1035 and RFC 3596', () => {
    expect(reverseName(parseIp('127.96.0.10')!)).toBe('10.0.96.127.in-addr.arpa');
    expect(reverseName(parseIp('2001:db8::567:89ab')!)).toBe(
      'b.a.9.8.7.6.5.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa',
    );
  });

  it.each(['10.0.96.127.in-addr.arpa.', '10.0.96.127.IN-ADDR.ARPA'])('reads %s', (name) =>
    expect(formatIp(fromReverseName(name)!)).toBe('127.96.0.10'),
  );

  it.each([
    '0.96.127.in-addr.arpa',
    '1.10.0.96.127.in-addr.arpa',
    '999.0.0.1.in-addr.arpa',
    'in-addr.arpa',
    'a.ip6.arpa',
  ])('does not take %s for an address', (name) => expect(fromReverseName(name)).toBeUndefined());

  it('come back to the same address', () => {
    fc.assert(
      fc.property(fc.oneof(fc.ipV4(), fc.ipV6()), (text) => {
        const address = parseIp(text)!;
        expect(fromReverseName(reverseName(address))).toEqual(address);
        expect(parseIp(formatIp(address))).toEqual(address);
      }),
    );
  });
});
