/** Records as people write them: bytes of the forms that are hard, and what is said of bad ones. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseRecord, parseTtl } from './record-text.ts';

function bytesOf(text: string): string {
  const record = parseRecord(`a. 60 IN ${text}`, { origin: 'example.com.' });
  if (!record.ok) return record.error;
  return record.value.data.kind === 'opaque' ? Buffer.from(record.value.data.bytes).toString('hex') : 'not opaque';
}

const latin1 = (text: string) => Buffer.from(text, 'latin1').toString('hex');
const foo = '03666f6f076578616d706c6503636f6d00';

describe('records in text', () => {
  it.each([
    // RFC 9460 appendix D.
    ['HTTPS 0 foo', `0000${foo}`],
    ['SVCB 1 .', '000100'],
    ['SVCB 16 foo port=53', `0010${foo}000300020035`],
    ['SVCB 1 foo key667=hello', `0001${foo}029b0005${latin1('hello')}`],
    ['SVCB 1 foo key667="hello\\210qoo"', `0001${foo}029b0009${latin1('hello\xd2qoo')}`],
    [
      'SVCB 1 foo ipv6hint="2001:db8::1,2001:db8::53:1"',
      `0001${foo}0006002020010db800000000000000000000000120010db8000000000000000000530001`,
    ],
    [
      'SVCB 16 foo alpn=h2,h3-19 mandatory=ipv4hint,alpn ipv4hint=192.0.2.1',
      `0010${foo}0000000400010004000100090268320568332d3139000400 04c0000201`.replace(' ', ''),
    ],
    ['SVCB 16 foo alpn="f\\\\\\\\oo\\\\,bar,h2"', `0010${foo}0001000c08665c6f6f2c626172026832`],
    ['SVCB 16 foo alpn=f\\\\\\092oo\\092,bar,h2', `0010${foo}0001000c08665c6f6f2c626172026832`],
    // RFC 4034 section 4.3.
    [
      'NSEC host.example.com. A MX RRSIG NSEC TYPE1234',
      '04686f7374076578616d706c6503636f6d000006400100000003041b000000000000000000000000000000000000000000000000000020',
    ],
    // RFC 4034 section 5.4.
    [
      'DS 60485 5 1 ( 2BB183AF5F22588179A53B0A 98631FAD1A292118 )'.replace(/[()] ?/g, ''),
      'ec4505012bb183af5f22588179a53b0a98631fad1a292118',
    ],
    [
      'RRSIG A 5 3 86400 20030322173103 20030220173103 2642 foo AQID',
      `000105030001518 03e7c9dd73e5510d70a52${foo}010203`.replace(' ', ''),
    ],
    ['NAPTR 100 50 "s" "http+N2L" "" foo', `006400320173${'08'}${latin1('http+N2L')}00${foo}`],
    ['CAA 0 issue "ca.example; x=y"', `0005${latin1('issue')}${latin1('ca.example; x=y')}`],
  ])('%s', (text, bytes) => {
    expect(bytesOf(text)).toBe(bytes);
  });

  it.each([
    ['SVCB 1 foo key667=a key667=b', 'key667 stands there twice'],
    ['SVCB 1 foo mandatory=mandatory', 'mandatory: not a list of other keys'],
    ['SVCB 1 foo mandatory=alpn,alpn alpn=h2', 'mandatory: not a list of other keys'],
    ['SVCB 1 foo mandatory=key123', 'a mandatory parameter is missing'],
    ['SVCB 1 foo no-default-alpn', 'no-default-alpn needs alpn'],
    ['SVCB 1 foo no-default-alpn=abc alpn=h2', 'no-default-alpn has no value'],
    ['SVCB 1 foo port', 'port: not a port: '],
    ['SVCB 1 foo alpn', 'alpn needs a value'],
    ['SVCB 1 foo alpn="h2,,h3"', 'alpn has an empty part'],
    ['SVCB 1 foo ipv4hint=::1', 'ipv4hint: not such an address: ::1'],
    ['SVCB 1 foo what=1', 'not a service parameter: what'],
    ['SVCB 1 foo key65535=1', 'not a service parameter: key65535'],
    ['DS 1 2 3 ABC', 'not hexadecimal: ABC'],
    ['DNSKEY 1 2 3 ?', 'not base64: ?'],
    ['NSEC foo NOPE', 'not a record type: NOPE'],
    ['RRSIG A 5 3 86400 now 0 1 foo AA', 'not a number up to 4294967295: now'],
    ['TLSA 300 1 1 00', 'not a number up to 255: 300'],
    [`HINFO ${'x'.repeat(256)} y`, 'a character string is longer than 255 bytes'],
    ['MX 10', 'MX takes 2 fields, not 1'],
    ['TXT', 'TXT takes at least 1 fields, not 0'],
  ])('%s is refused', (text, message) => {
    expect(bytesOf(text)).toBe(message);
  });

  it('times have units', () => {
    expect(['0', '3600', '1h30m', '1w2d', '2147483647'].map(parseTtl)).toEqual([0, 3600, 5400, 777_600, 0x7fffffff]);
    expect(['', 'h', '1x', '-1', '1h x', '2147483648', '1.5h'].map(parseTtl)).toEqual(Array(7).fill(undefined));
  });

  it('may be any text', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 100 }), (text) => {
        expect(typeof parseRecord(text).ok).toBe('boolean');
        expect(typeof parseRecord(`a. 1 IN SVCB 1 ${text}`).ok).toBe('boolean');
        expect(typeof parseRecord(`a. 1 IN TXT ${text}`).ok).toBe('boolean');
      }),
      { numRuns: 500 },
    );
  });
});
