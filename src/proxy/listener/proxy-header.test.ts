import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type ProxyHeader, parseProxyHeader } from './proxy-header.ts';

const parse = (text: string) => parseProxyHeader(Buffer.from(text, 'latin1'), 1_024);
const start = '\r\n\r\n\0\r\nQUIT\n';
const two = (command: number, family: number, rest: string) =>
  `${start}${String.fromCharCode(command, family, rest.length >> 8, rest.length & 255)}${rest}`;
const ipv4 = '\x0a\x01\x02\x03\x7f\x00\x00\x01\x04\xd2\x00\x50';
const ipv6 = `\x20\x01\x0d\xb8${'\0'.repeat(11)}\x01${'\0'.repeat(15)}\x01\x04\xd2\x00\x50`;
const mapped = (address: string) => `${'\0'.repeat(10)}\xff\xff${address}`;
const ipv4InIpv6 = `${mapped('\x0a\x01\x02\x03')}${mapped('\x7f\x00\x00\x01')}\x04\xd2\x00\x50`;

describe('a PROXY header', () => {
  it.each([
    ['version 1, IPv4', 'PROXY TCP4 10.1.2.3 127.0.0.1 1234 80\r\n', '10.1.2.3'],
    ['version 1, IPv6', 'PROXY TCP6 2001:db8::1 ::1 1234 80\r\n', '2001:db8::1'],
    ['version 1, unknown', 'PROXY UNKNOWN\r\n', undefined],
    ['version 1, unknown with more', 'PROXY UNKNOWN a b c d\r\n', undefined],
    ['version 2, IPv4', two(0x21, 0x11, ipv4), '10.1.2.3'],
    ['version 2, IPv6', two(0x21, 0x21, ipv6), '2001:db8::1'],
    ['version 2, IPv4 within IPv6', two(0x21, 0x21, ipv4InIpv6), '10.1.2.3'],
    ['version 2, with TLVs', two(0x21, 0x11, `${ipv4}\x04\x00\x03abc`), '10.1.2.3'],
    ['version 2, local', two(0x20, 0x00, ''), undefined],
    ['version 2, unspecified', two(0x21, 0x00, 'xyz'), undefined],
    ['version 2, UNIX', two(0x21, 0x31, 'x'.repeat(216)), undefined],
  ])('%s', (_, header, address) => {
    const { length, ends } = parse(`${header}GET / HTTP/1.1`) as ProxyHeader;
    expect([length, ends?.client.address]).toEqual([header.length, address]);
    if (address !== undefined) expect([ends?.client.port, ends?.local.port]).toEqual([1234, 80]);
    for (let at = 0; at < header.length; at++) expect(parse(header.slice(0, at))).toBe('incomplete');
  });

  it.each([
    ['a request', 'GET / HTTP/1.1\r\n'],
    ['lower case', 'proxy TCP4 10.1.2.3 127.0.0.1 1234 80\r\n'],
    ['other family', 'PROXY TCP5 10.1.2.3 127.0.0.1 1234 80\r\n'],
    ['IPv6 as IPv4', 'PROXY TCP4 ::1 127.0.0.1 1234 80\r\n'],
    ['address that is none', 'PROXY TCP4 10.1.2 127.0.0.1 1234 80\r\n'],
    ['two spaces', 'PROXY TCP4  10.1.2.3 127.0.0.1 1234 80\r\n'],
    ['port over 65535', 'PROXY TCP4 10.1.2.3 127.0.0.1 65536 80\r\n'],
    ['port with a zero first', 'PROXY TCP4 10.1.2.3 127.0.0.1 080 80\r\n'],
    ['no ports', 'PROXY TCP4 10.1.2.3 127.0.0.1\r\n'],
    ['bare LF', `PROXY TCP4 10.1.2.3 127.0.0.1 1234 80\n${'x'.repeat(100)}`],
    ['line without an end', `PROXY UNKNOWN ${'x'.repeat(100)}`],
    ['version 3', two(0x31, 0x11, ipv4)],
    ['unknown command', two(0x22, 0x11, ipv4)],
    ['too short for its addresses', two(0x21, 0x11, 'short')],
    ['over the bound', two(0x21, 0x11, ipv4 + 'x'.repeat(1_100))],
  ])('that is wrong: %s', (_, bytes) => {
    expect(parse(bytes)).toEqual({ reason: expect.any(String) });
  });

  it('has an outcome whatever the bytes, and is decided once', () => {
    const near = fc.constantFrom('PROXY ', 'TCP4 ', '1.2.3.4 ', '1 2', '\r\n', start, '\x21\x11\x00\x0c', ipv4, 'x');
    fc.assert(
      fc.property(
        fc.array(fc.oneof(near, fc.string({ unit: 'binary-ascii', maxLength: 6 })), { maxLength: 8 }),
        (parts) => {
          const text = parts.join('');
          let decided: unknown;
          for (let length = 0; length <= text.length; length++) {
            const outcome = parse(text.slice(0, length));
            if (decided !== undefined) expect(outcome).toEqual(decided);
            else if (outcome !== 'incomplete') decided = outcome;
          }
        },
      ),
      { numRuns: 500 },
    );
  });
});
