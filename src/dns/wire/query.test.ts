import packetCodec from 'dns-packet';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeQuery, isResponseTo } from './ask.ts';
import { decodeMessage } from './decode.ts';
import { rcode } from './numbers.ts';
import { labelsOf, nameOf, ownUdpSize, parseQuery, type Query, udpLimit } from './query.ts';
import { addressRecord } from './records.ts';
import { emptyAnswer, encodeAnswer, fillForeign, fillReady, prepareAnswer } from './response.ts';

const edns = { udpSize: 4096, version: 0, dnssecOk: true, options: [] };

function queryOf(packet: Uint8Array): Query {
  const parsed = parseQuery(packet);
  if (!parsed.ok) throw new Error('refused');
  return parsed.query;
}

/** Rcode of the refusal of a packet; 'silence' when there is none. */
function refusal(packet: Uint8Array): number | 'silence' {
  const parsed = parseQuery(packet);
  if (parsed.ok) throw new Error('accepted');
  if (!parsed.response) return 'silence';
  const decoded = decodeMessage(parsed.response);
  if (!decoded.ok) throw new Error(decoded.error);
  expect(decoded.value.response).toBe(true);
  expect(decoded.value.id).toBe((packet[0]! << 8) | packet[1]!);
  return decoded.value.rcode;
}

const changed = (packet: Uint8Array, at: number, value: number) => {
  const copy = Buffer.from(packet);
  copy[at] = value;
  return copy;
};

describe('parseQuery', () => {
  it('reads question, flags and EDNS, and keeps the case of the name', () => {
    const packet = encodeQuery('wEb.Example.com.', 28, { id: 77, edns, checkingDisabled: true });
    const query = queryOf(packet);
    expect(query).toMatchObject({ id: 77, type: 28, class: 1, recursionDesired: true, checkingDisabled: true, edns });
    expect(nameOf(query)).toBe('wEb.Example.com.');
    expect(labelsOf(query)).toEqual(['web', 'example', 'com']);
  });

  it('reads what dns-packet and the root ask', () => {
    const packet = packetCodec.encode({
      type: 'query',
      id: 1,
      questions: [{ type: 'A', name: '.' }],
      additionals: [
        {
          type: 'OPT',
          name: '.',
          udpPayloadSize: 900,
          flags: 0,
          extendedRcode: 0,
          ednsVersion: 0,
          options: [],
        } as never,
      ],
    });
    expect(nameOf(queryOf(packet))).toBe('.');
    expect(queryOf(packet).edns?.udpSize).toBe(900);
  });

  it('ignores what follows the last record', () => {
    expect(queryOf(Buffer.concat([encodeQuery('a.b.', 1), Buffer.from('junk')])).type).toBe(1);
  });

  const plain = encodeQuery('a.example.', 1);
  it.each<[string, Uint8Array, number | 'silence']>([
    ['nothing', Buffer.alloc(0), 'silence'],
    ['less than a header', plain.subarray(0, 11), 'silence'],
    ['a response', changed(plain, 2, 0x80), 'silence'],
    ['an update', changed(plain, 2, 5 << 3), rcode.NOTIMP],
    ['no question', changed(plain, 5, 0), rcode.FORMERR],
    ['two questions', changed(plain, 5, 2), rcode.FORMERR],
    ['a question cut short', plain.subarray(0, plain.length - 1), rcode.FORMERR],
    ['a pointer in the question', changed(plain, 12, 0xc0), rcode.FORMERR],
    ['a label of 64', changed(plain, 12, 64), rcode.FORMERR],
    ['an additional record that is not there', changed(plain, 11, 1), rcode.FORMERR],
    ['EDNS version 1', encodeQuery('a.', 1, { edns: { ...edns, version: 1 } }), rcode.BADVERS],
    [
      'two OPT records',
      changed(Buffer.concat([encodeQuery('a.', 1, { edns }), encodeQuery('a.', 1, { edns }).subarray(19)]), 11, 2),
      rcode.FORMERR,
    ],
    [
      'an option longer than its record',
      changed(encodeQuery('a.', 1, { edns: { ...edns, options: [{ code: 9, data: Buffer.alloc(4) }] } }), 33, 200),
      rcode.FORMERR,
    ],
  ])('refuses %s', (_, packet, expected) => {
    expect(refusal(packet)).toBe(expected);
  });

  it('takes any bytes, and refuses in bounded size', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 700 }), (bytes) => {
        const parsed = parseQuery(bytes);
        if (!parsed.ok) expect(parsed.response?.length ?? 0).toBeLessThanOrEqual(bytes.length + 11);
      }),
      { numRuns: 1000 },
    );
  });
});

describe('responses', () => {
  const answer = {
    ...emptyAnswer(rcode.NOERROR),
    authoritative: true,
    answers: [addressRecord('web.example.com.', 5, '10.0.0.1')],
  };
  const all = { limit: 65_535, recursionAvailable: true };

  it('made ready are the same bytes as made anew, for any id, case and EDNS', () => {
    const ready = prepareAnswer(queryOf(encodeQuery('web.example.com.', 1)), answer, false);
    const cased = fc
      .array(fc.boolean(), { minLength: 15, maxLength: 15 })
      .map((up) => [...'web.example.com'].map((char, i) => (up[i] ? char.toUpperCase() : char)).join(''));
    fc.assert(
      fc.property(cased, fc.nat(0xffff), fc.boolean(), fc.boolean(), (name, id, withEdns, recursionDesired) => {
        const query = queryOf(encodeQuery(`${name}.`, 1, { id, recursionDesired, ...(withEdns && { edns }) }));
        const bytes = fillReady(query, ready, 0, all);
        expect(Buffer.from(bytes)).toEqual(Buffer.from(encodeAnswer(query, answer, all)));
        const judged = packetCodec.decode(Buffer.from(bytes));
        expect(judged.questions?.[0]?.name).toBe(name);
        expect(judged.answers?.[0]?.name).toBe(name);
        expect(judged.additionals ?? []).toHaveLength(withEdns ? 1 : 0);
      }),
    );
  });

  it('keep to the size that the client takes: at least 512, at most the cap', () => {
    const limit = (udpSize?: number) =>
      udpLimit(queryOf(encodeQuery('a.', 1, udpSize === undefined ? {} : { edns: { ...edns, udpSize } })), ownUdpSize);
    expect([undefined, 0, 512, 700, 65_535].map(limit)).toEqual([512, 512, 512, 700, ownUdpSize]);
  });

  it('of others get the id of the client, and are cut when too large', () => {
    const query = queryOf(encodeQuery('web.example.com.', 1, { id: 5 }));
    const many = Array.from({ length: 60 }, (_, i) => addressRecord('web.example.com.', 5, `10.0.0.${i}`));
    const foreign = encodeAnswer({ ...query, id: 99 }, { ...answer, answers: many }, all);
    const cut = decodeMessage(fillForeign(query, foreign, 512)!);
    expect(cut.ok && cut.value).toMatchObject({ id: 5, truncated: true });
    const whole = decodeMessage(fillForeign(query, foreign, 5000)!);
    expect(whole.ok && whole.value.answers).toHaveLength(60);
    expect(fillForeign(query, Buffer.alloc(600, 0xff), 512)).toBeUndefined();
  });

  it('are recognised by id, opcode and question', () => {
    const query = queryOf(encodeQuery('web.example.com.', 1, { id: 5 }));
    const good = encodeAnswer(query, answer, all);
    expect(isResponseTo(query, good)).toBe(true);
    expect(isResponseTo(query, encodeAnswer(queryOf(encodeQuery('WEB.example.com.', 1, { id: 5 })), answer, all))).toBe(
      true,
    );
    expect(isResponseTo(query, changed(good, 1, 6))).toBe(false);
    expect(isResponseTo(query, query.packet)).toBe(false);
    expect(isResponseTo(query, encodeAnswer(queryOf(encodeQuery('web.example.org.', 1, { id: 5 })), answer, all))).toBe(
      false,
    );
    expect(
      isResponseTo(query, encodeAnswer(queryOf(encodeQuery('web.example.com.', 28, { id: 5 })), answer, all)),
    ).toBe(false);
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
        expect(isResponseTo(query, bytes)).toBe(false);
      }),
    );
  });
});
