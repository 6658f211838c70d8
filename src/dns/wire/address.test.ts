import fc from 'fast-check';
import ipaddr from 'ipaddr.js';
import { describe, expect, it } from 'vitest';
import { addressBytes, addressOfReverse, addressText, canonicalAddress, reverseName } from './address.ts';

/** Without the deprecated `::192.0.2.1`, which ipaddr.js takes for a mapped address. */
const anyAddress = fc.oneof(
  fc.ipV4(),
  fc.ipV6().filter((text) => !text.includes('.')),
);

describe('addresses', () => {
  it('agree with the URL parser and ipaddr.js', () => {
    fc.assert(
      fc.property(anyAddress, (text) => {
        const spelled = text.includes(':') ? new URL(`http://[${text}]`).hostname.slice(1, -1) : text;
        expect(canonicalAddress(text)).toBe(spelled);
        expect([...addressBytes(text)!]).toEqual(ipaddr.parse(spelled).toByteArray());
      }),
    );
  });

  it('go to reverse names and back', () => {
    fc.assert(
      fc.property(anyAddress, (text) => {
        const labels = reverseName(text)!.split('.').slice(0, -1);
        expect(addressOfReverse(labels)).toBe(canonicalAddress(text));
      }),
    );
    expect(reverseName('10.0.0.1')).toBe('1.0.0.10.in-addr.arpa.');
    expect(reverseName('2001:db8::1')).toBe(
      '1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa.',
    );
  });

  it.each(['', 'a', '1.2.3', '1.2.3.4.5', '256.0.0.1', '01.2.3.4', '::1%eth0', ':::'])('refuse %j', (text) => {
    expect(addressBytes(text)).toBeUndefined();
    expect(reverseName(text)).toBeUndefined();
  });

  it.each([
    '1.0.10.in-addr.arpa',
    '01.0.0.10.in-addr.arpa',
    'x.0.0.10.in-addr.arpa',
    '1.ip6.arpa',
    '1.0.0.10.example.com',
  ])('are not in %s', (name) => expect(addressOfReverse(name.split('.'))).toBeUndefined());

  it('write IPv6 shortest, the first longest run of zeros left out', () => {
    expect(addressText(addressBytes('2001:db8:0:0:1:0:0:1')!)).toBe('2001:db8::1:0:0:1');
    expect(addressText(addressBytes('::ffff:1.2.3.4')!)).toBe('::ffff:102:304');
  });
});
