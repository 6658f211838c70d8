/** The codec under packets made to do harm: no exception, bounded work, the refusal that the RFCs name. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { corpus } from '../../../test/support/corpus.ts';
import { decodeMessage } from './decode.ts';
import { encodeMessage } from './encode.ts';
import { freshnessOf } from './freshness.ts';
import { rcodeName, recordType } from './numbers.ts';
import { parseQuery } from './query.ts';
import { recordText } from './records.ts';

/** What the reader of queries says: a query, silence, or the rcode of the refusal. */
function reaction(packet: Uint8Array): string {
  const parsed = parseQuery(packet);
  if (parsed.ok) return 'query';
  if (!parsed.response) return 'silence';
  const refusal = decodeMessage(parsed.response);
  if (!refusal.ok) throw new Error(refusal.error);
  expect(refusal.value).toMatchObject({ response: true, id: (packet[0]! << 8) | packet[1]! });
  return rcodeName(refusal.value.rcode);
}

/** Everything that is done with bytes from elsewhere. */
function handleAll(bytes: Uint8Array): void {
  parseQuery(bytes);
  freshnessOf(bytes);
  const decoded = decodeMessage(bytes);
  if (!decoded.ok) return;
  const { value } = decoded;
  for (const section of [value.answers, value.authority, value.additional]) section.map(recordText);
  const again = decodeMessage(encodeMessage(value));
  if (!again.ok) throw new Error(`what we wrote cannot be read: ${again.error}`);
}

describe('the corpus', () => {
  it.each(corpus)('$name: $about', ({ packet, expected }) => {
    const refusals = ['FORMERR', 'NOTIMP', 'BADVERS', 'silence'];
    expect(reaction(packet)).toBe(refusals.includes(expected) ? expected : 'query');
    expect(() => handleAll(packet)).not.toThrow();
  });

  it('cut anywhere and changed anywhere is no exception', () => {
    const specimen = fc.constantFrom(...corpus.map(({ packet }) => packet).filter(({ length }) => length > 0));
    const change = fc.tuple(fc.nat(), fc.nat(255));
    fc.assert(
      fc.property(specimen, fc.array(change, { maxLength: 4 }), fc.nat(), (packet, changes, cut) => {
        const damaged = Buffer.from(packet);
        for (const [at, value] of changes) damaged[at % damaged.length] = value;
        handleAll(damaged);
        handleAll(damaged.subarray(0, cut % damaged.length));
      }),
      { numRuns: 3000 },
    );
  });
});

/** A response whose records are given, behind one question. */
function response(count: number, records: Buffer): Buffer {
  const head = Buffer.from([0, 7, 0x84, 0, 0, 1, count >> 8, count & 255, 0, 0, 0, 0]);
  return Buffer.concat([head, Buffer.from('\x07example\x03org\x00\x00\x01\x00\x01', 'latin1'), records]).subarray(
    0,
    65_535,
  );
}

const owner = (pointer: number, type: number, data: Buffer) => {
  const fixed = Buffer.from([0xc0 | (pointer >> 8), pointer & 255, type >> 8, type & 255, 0, 1, 0, 0, 0, 60]);
  return Buffer.concat([fixed, Buffer.from([data.length >> 8, data.length & 255]), data]);
};

describe('work', () => {
  const longName = Buffer.concat([Buffer.from('\x01a'.repeat(127), 'latin1'), Buffer.alloc(1)]);
  const start = 29;
  const chain = () => {
    const parts: Buffer[] = [];
    for (let i = 0, at = start; i < 5000; i++, at += 12)
      parts.push(owner(i === 0 ? 12 : Math.min(at - 12, 0x3fff), 99, Buffer.alloc(0)));
    return response(5000, Buffer.concat(parts));
  };
  const repeated = () => {
    const first = owner(12, recordType.NS, longName);
    const more = Array.from({ length: 4000 }, () =>
      owner(start + 12, recordType.CNAME, Buffer.from([0xc0, start + 12])),
    );
    return response(4001, Buffer.concat([first, ...more]));
  };
  const different = () => {
    const first = owner(12, recordType.NS, longName);
    const more = Array.from({ length: 3500 }, (_, i) =>
      owner(start + 14, recordType.CNAME, Buffer.from([1, 33 + (i % 200), 0xc0, start + 14])),
    );
    return response(3501, Buffer.concat([first, ...more]));
  };
  const options = () => {
    const data = Buffer.alloc(65_000);
    const head = Buffer.from([0, 7, 1, 0, 0, 1, 0, 0, 0, 0, 0, 1]);
    const question = Buffer.from('\x00\x00\x01\x00\x01', 'latin1');
    return Buffer.concat([
      head,
      question,
      Buffer.from([0, 0, 41, 4, 208, 0, 0, 0, 0, data.length >> 8, data.length & 255]),
      data,
    ]);
  };

  it.each<[string, () => Buffer]>([
    ['pointers that lead from record to record', chain],
    ['one long name a thousand times', repeated],
    ['long names with a common end', different],
    ['thousands of options', options],
    ['zeros', () => Buffer.alloc(65_535)],
    ['ones', () => Buffer.alloc(65_535, 0xff)],
    ['pointers only', () => Buffer.alloc(65_535, 0xc0)],
  ])('for 65,535 bytes is bounded: %s', (_, make) => {
    const packet = make();
    const began = process.cpuUsage();
    handleAll(packet);
    // Of this process alone, so that a busy machine does not matter: microseconds.
    expect(process.cpuUsage(began).user).toBeLessThan(3_000_000);
  });

  it('in names: no more pointers than a name can have labels', () => {
    const parsed = decodeMessage(chain());
    expect(parsed.ok).toBe(false);
  });
});
