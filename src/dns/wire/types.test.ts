/** Every type of record that cluster and forwarded traffic carries: read, kept, shown. dns-packet and dig judge. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import packetCodec, { type Answer as JudgeAnswer } from 'dns-packet';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { digVersion } from '../../../test/support/dig.ts';
import { createResponder } from '../server/responder.ts';
import { createDnsServer } from '../server/server.ts';
import { decodeMessage } from './decode.ts';
import { encodeMessage } from './encode.ts';
import type { Message, ResourceRecord } from './message.ts';
import { rcode, recordType } from './numbers.ts';
import { nameOf } from './query.ts';
import { parseRecord } from './record-text.ts';
import { addressRecord, dataText, makeRecord, recordText } from './records.ts';
import { emptyAnswer } from './response.ts';

const key = 'AwEAAaetidLzsKWUt4swWR8yu0wPHPiUi8LUsAD0QPWU+wzt89epO6tHzkMBVDkC7qphQO2hTY4hHn9npWFRw5BYubE=';
const digest = 'D4B7D520E7BB5F0F67674A0CCEB1E3E0614B93C4F9E99B8383F6A1E4469DA50A';
const nsec3 = '0101000c04aabbccdd14174eb2409fe28bcb4887a1836f957f0a8425e27b0007220100000002' + '90';

/** Type, data as we show it, and as it is written when that differs. */
const rows: [string, string, string?][] = [
  ['A', '192.0.2.1'],
  ['AAAA', '2001:db8::1'],
  ['NS', 'ns.example.org.'],
  ['CNAME', 'a\\.b.example.org.'],
  ['PTR', 'host.example.org.'],
  ['SOA', 'ns.example.org. me.example.org. 4294967295 7200 1800 86400 5'],
  ['MX', '10 mail.example.org.'],
  ['TXT', '"v=spf1 -all" "a \\"b\\" \\\\ \\195\\164" ""'],
  ['SRV', '0 5 8080 node-1.example.org.'],
  ['NAPTR', '100 10 "u" "E2U+sip" "!^.*$!sip:info@example.org!" .'],
  ['NAPTR', '100 10 "" "" "" next.example.org.'],
  ['CAA', '128 issue "ca.example.net; policy=ev"'],
  ['HINFO', '"RFC8482" ""'],
  ['DNAME', 'elsewhere.example.org.'],
  ['DS', `20326 8 2 ${digest}`],
  ['DNSKEY', `257 3 13 ${key}`],
  ['RRSIG', `A 13 3 3600 20260901000000 20260820103000 20326 example.org. ${key}`],
  ['NSEC', 'host.example.org. A MX RRSIG NSEC TYPE1234'],
  [
    'NSEC3',
    '1 1 12 AABBCCDD 2T7B4G4VSA5SMI47K61MV5BV1A22BOJR NS SOA MX RRSIG DNSKEY NSEC3PARAM',
    `\\# ${nsec3.length / 2} ${nsec3}`,
  ],
  ['NSEC3PARAM', '1 0 12 AABBCCDD', '\\# 9 0100000c04aabbccdd'],
  ['TLSA', `3 1 1 ${digest}`],
  ['SSHFP', `4 2 ${digest}`],
  ['SVCB', '0 other.example.org.'],
  ['SVCB', '16 svc.example.org. mandatory=alpn,port alpn="h2,h3" port=8443 ipv4hint=192.0.2.1,192.0.2.2'],
  ['HTTPS', '1 . alpn="h3" no-default-alpn ipv6hint=2001:db8::1,2001:db8::53:1'],
  ['TYPE65280', '\\# 3 abcdef'],
  ['TYPE65281', '\\# 0'],
];

function recordOf(name: string, type: string, text: string): ResourceRecord {
  const found = parseRecord(`${name} 60 IN ${type} ${text}`);
  if (!found.ok) throw new Error(`${type} ${text}: ${found.error}`);
  return found.value;
}

function messageWith(answers: readonly ResourceRecord[]): Message {
  const flags = { authoritative: true, truncated: false, recursionDesired: true, recursionAvailable: false };
  const more = { id: 7, response: true, opcode: 0, rcode: 0, authenticData: false, checkingDisabled: false };
  return { ...flags, ...more, questions: [], answers, authority: [], additional: [] };
}

function decoded(bytes: Uint8Array): Message {
  const found = decodeMessage(bytes);
  if (!found.ok) throw new Error(found.error);
  return found.value;
}

describe('types', () => {
  it.each(rows)('%s %s', (type, text, written = text) => {
    const record = recordOf('x.example.org.', type, written);
    const [again] = decoded(encodeMessage(messageWith([record]))).answers;
    expect(recordText(again!)).toBe(`x.example.org. 60 ${type} ${text}`);
    // What we show is read as the same record, but for the types that have no reader.
    if (written === text)
      expect(recordText(recordOf('x.example.org.', type, dataText(again!.data, again!.type)))).toBe(recordText(again!));
  });

  it('data that is not of its type is shown as bytes', () => {
    fc.assert(
      fc.property(fc.constantFrom(...Object.values(recordType)), fc.uint8Array({ maxLength: 60 }), (type, bytes) => {
        const text = dataText({ kind: 'opaque', bytes }, type);
        expect(text).toMatch(/^[ -~]*$/);
      }),
      { numRuns: 2000 },
    );
    expect(dataText({ kind: 'opaque', bytes: Buffer.from([1, 2]) }, recordType.DS)).toBe('\\# 2 0102');
  });

  it('any TXT bytes come back from what is shown', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 255 }), { minLength: 1, maxLength: 4 }), (strings) => {
        const data = { kind: 'txt' as const, strings: strings.map((bytes) => Buffer.from(bytes).toString('latin1')) };
        expect(recordOf('x.', 'TXT', dataText(data)).data).toEqual(data);
      }),
    );
  });
});

describe('names inside data', () => {
  /** A response with one answer whose data is given; `example.org.` stands at offset 12. */
  function withData(type: number, data: readonly (number | string)[]): Buffer {
    const bytes = Buffer.concat(
      data.map((part) => (typeof part === 'string' ? Buffer.from(part, 'latin1') : Buffer.from([part]))),
    );
    const head = Buffer.from([0, 7, 0x84, 0, 0, 1, 0, 1, 0, 0, 0, 0]);
    const question = Buffer.from('\x07example\x03org\x00\x00\x01\x00\x01', 'latin1');
    const fixed = Buffer.from([
      0xc0,
      12,
      type >> 8,
      type & 255,
      0,
      1,
      0,
      0,
      0,
      60,
      bytes.length >> 8,
      bytes.length & 255,
    ]);
    return Buffer.concat([head, question, fixed, bytes]);
  }
  const pointer = '\xc0\x0c';
  const plain = '\x07example\x03org\x00';

  it.each<[string, number, string, string]>([
    ['NAPTR', 35, '\x00\x01\x00\x02\x01u\x00\x00', ''],
    ['MINFO', 14, plain, ''],
    ['RP', 17, '\x01x\x00', ''],
    ['AFSDB', 18, '\x00\x01', ''],
    ['KX', 36, '\x00\x01', ''],
    ['DNAME', 39, '', ''],
    ['RRSIG', 46, 'eighteen bytes are', 'signature'],
    ['NSEC', 47, '', '\x00\x01\x40'],
    ['SVCB', 64, '\x00\x01', '\x00\x03\x00\x02\x01\xbb'],
  ])('of %s are written out when they came compressed', (_, type, before, after) => {
    const read = decoded(withData(type, [before, pointer, after]));
    expect(read.answers[0]!.data).toEqual({ kind: 'opaque', bytes: Buffer.from(before + plain + after, 'latin1') });
    const moved = decoded(encodeMessage({ ...read, questions: [] }));
    expect(recordText(moved.answers[0]!)).toBe(recordText(read.answers[0]!));
  });

  it('that are broken make the message malformed', () => {
    expect(decodeMessage(withData(35, ['\x00\x01\x00\x02\x01u\x00\x00\xc0\xff'])).ok).toBe(false);
    expect(decodeMessage(withData(35, ['\x00\x01\x00\x02\xffu'])).ok).toBe(false);
    expect(decodeMessage(withData(39, ['\x01a'])).ok).toBe(false);
    expect(decodeMessage(withData(39, [pointer, 'x'])).ok).toBe(false);
  });

  it('of other types are left alone: their bytes may look like anything (RFC 3597)', () => {
    const read = decoded(withData(65_280, [pointer]));
    expect(read.answers[0]!.data).toEqual({ kind: 'opaque', bytes: Buffer.from(pointer, 'latin1') });
  });
});

describe('dns-packet', () => {
  const label = fc.stringMatching(/^[a-z0-9]([-a-z0-9]{0,8}[a-z0-9])?$/);
  const name = fc.array(label, { minLength: 1, maxLength: 4 }).map((labels) => labels.join('.'));
  const byte = fc.nat(255);
  const u16 = fc.nat(0xffff);
  const bytes = (least: number) => fc.uint8Array({ minLength: least, maxLength: 40 }).map((b) => Buffer.from(b));
  const text = fc.stringMatching(/^[ -~]{0,40}$/);
  const types = fc.uniqueArray(fc.constantFrom('A', 'NS', 'MX', 'RRSIG', 'CAA', 'AAAA'), { minLength: 1 });
  const data: readonly [string, fc.Arbitrary<unknown>][] = [
    ['A', fc.ipV4()],
    ['NS', name],
    ['CNAME', name],
    ['PTR', name],
    ['DNAME', name],
    ['MX', fc.record({ preference: u16, exchange: name })],
    ['SRV', fc.record({ priority: u16, weight: u16, port: u16, target: name })],
    ['TXT', fc.array(bytes(0), { minLength: 1, maxLength: 3 })],
    ['HINFO', fc.record({ cpu: text, os: text })],
    ['CAA', fc.record({ flags: fc.constantFrom(0, 128), tag: fc.constantFrom('issue', 'iodef'), value: text })],
    ['DS', fc.record({ keyTag: u16, algorithm: byte, digestType: byte, digest: bytes(1) })],
    ['DNSKEY', fc.record({ flags: u16, algorithm: byte, key: bytes(1) })],
    ['NSEC', fc.record({ nextDomain: name, rrtypes: types })],
    ['TLSA', fc.record({ usage: byte, selector: byte, matchingType: byte, certificate: bytes(1) })],
    [
      'SSHFP',
      fc.record({ algorithm: fc.constant(4), hash: fc.constant(1), fingerprint: fc.constant('00'.repeat(20)) }),
    ],
    ['RP', fc.record({ mbox: name, txt: name })],
    ['NAPTR', fc.record({ order: u16, preference: u16, flags: text, services: text, regexp: text, replacement: name })],
    [
      'RRSIG',
      fc.record({
        ...{ typeCovered: fc.constant('A'), algorithm: byte, labels: fc.nat(20), originalTTL: fc.nat(0x7fffffff) },
        ...{ expiration: fc.nat(0x7fffffff), inception: fc.nat(0x7fffffff), keyTag: u16, signersName: name },
        signature: bytes(1),
      }),
    ],
  ];
  const answer = fc
    .constantFrom(...data)
    .chain(([type, made]) =>
      fc.tuple(name, made).map(([owner, value]) => ({ type, name: owner, ttl: 60, data: value })),
    );

  it('sees the same records after they went through us', () => {
    fc.assert(
      fc.property(fc.array(answer, { maxLength: 10 }), (answers) => {
        const sent = packetCodec.encode({ type: 'response', id: 1, answers: answers as unknown as JudgeAnswer[] });
        const back = packetCodec.decode(Buffer.from(encodeMessage(decoded(sent))));
        expect(back.answers).toEqual(packetCodec.decode(sent).answers);
      }),
      { numRuns: 300 },
    );
  });
});

describe.skipIf(!digVersion)('dig', () => {
  const run = promisify(execFile);
  const served = rows.filter(([type]) => !['CNAME', 'DNAME'].includes(type));
  // dig takes NSEC3 at hashed names only.
  const owner = (type: string, i: number) =>
    `${type === 'NSEC3' ? '0p9mhaveqvm6t7vbl5lop2u3t2rp3tom' : `n${i}`}.example.org`;
  const records = served.map(([type, text, written = text], i) => recordOf(`${owner(type, i)}.`, type, written));
  const responder = createResponder({
    chain: ({ query }) => {
      const answers = records.filter(({ name }) => name === nameOf(query));
      return { kind: 'answer', answer: { ...emptyAnswer(rcode.NOERROR), answers } };
    },
    recursionAvailable: false,
    onError: (error) => console.error(error),
  });
  const server = createDnsServer({ handler: responder.handle, listen: [{ address: '127.82.4.3', port: 0 }] });
  let port = 0;
  beforeAll(async () => {
    port = (await server.start())[0]!.port;
  });
  afterAll(() => server.close());

  /** dig cuts long digits in pieces, and shows letters of hexadecimal digits in upper case. */
  const folded = (text: string) => text.replace(/\s+/g, '').toUpperCase();

  it.each(served.map(([type, text], i) => [type, text, i] as const))('shows %s %s as we do', async (type, text, i) => {
    const args = ['@127.82.4.3', '-p', String(port), '+tries=1', '+time=3', '+short', '+tcp'];
    const { stdout } = await run('dig', [...args, owner(type, i), type]);
    expect(folded(stdout)).toBe(folded(text));
  });
});

describe('large answers', () => {
  it('are cut between records, whatever their type', () => {
    const answers = rows.flatMap(([type, text, written = text]) => [recordOf('x.example.org.', type, written)]);
    const many = [...answers, addressRecord('x.example.org.', 60, '192.0.2.9'), ...answers];
    for (let limit = 512; limit < 1500; limit += 7) {
      const bytes = encodeMessage(messageWith(many), limit);
      expect(bytes.length).toBeLessThanOrEqual(limit);
      const { answers: got, truncated } = decoded(bytes);
      expect(got.map(recordText)).toEqual(many.slice(0, got.length).map(recordText));
      expect(truncated).toBe(got.length < many.length);
    }
    expect(() =>
      encodeMessage(messageWith([makeRecord('a..b.', 1, 1, { kind: 'address', address: '192.0.2.1' })])),
    ).toThrow(RangeError);
  });
});
