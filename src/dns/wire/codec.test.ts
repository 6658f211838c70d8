/** Encoder and decoder against dns-packet, against each other, and against any bytes. */
import packetCodec, { type Answer as JudgeAnswer } from 'dns-packet';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeQuery } from './ask.ts';
import { decodeMessage } from './decode.ts';
import { encodeMessage } from './encode.ts';
import type { Message, ResourceRecord } from './message.ts';
import { recordType, typeName, typeNumber } from './numbers.ts';
import { addressRecord, makeRecord, recordText, targetRecord } from './records.ts';

const label = fc.stringMatching(/^[a-z0-9]([-a-z0-9]{0,8}[a-z0-9])?$/);
const name = fc
  .tuple(fc.array(label, { minLength: 1, maxLength: 3 }), fc.constantFrom('cluster.local.', 'example.com.'))
  .map(([labels, zone]) => `${labels.join('.')}.${zone}`);
const u16 = fc.integer({ min: 0, max: 0xffff });
const u31 = fc.integer({ min: 0, max: 0x7fffffff });
const text = fc.stringMatching(/^[ -~]{0,300}$/);

const record: fc.Arbitrary<ResourceRecord> = fc.oneof(
  fc.tuple(name, u31, fc.ipV4()).map(([n, ttl, a]) => addressRecord(n, ttl, a)),
  fc.tuple(name, u31, fc.ipV6()).map(([n, ttl, a]) => addressRecord(n, ttl, a)),
  fc.tuple(name, fc.constantFrom(2, 5, 12) as fc.Arbitrary<2 | 5 | 12>, u31, name).map((a) => targetRecord(...a)),
  fc
    .tuple(name, u31, name, name, fc.array(u31, { minLength: 5, maxLength: 5 }))
    .map(([n, ttl, primary, mailbox, [serial, refresh, retry, expire, minimum]]) =>
      makeRecord(n, recordType.SOA, ttl, {
        kind: 'soa',
        primary,
        mailbox,
        serial: serial!,
        refresh: refresh!,
        retry: retry!,
        expire: expire!,
        minimum: minimum!,
      }),
    ),
  fc
    .tuple(name, u31, u16, name)
    .map(([n, ttl, preference, exchange]) => makeRecord(n, recordType.MX, ttl, { kind: 'mx', preference, exchange })),
  fc
    .tuple(name, u31, u16, u16, u16, name)
    .map(([n, ttl, priority, weight, port, target]) =>
      makeRecord(n, recordType.SRV, ttl, { kind: 'srv', priority, weight, port, target }),
    ),
  fc.tuple(name, u31, fc.array(text, { minLength: 1, maxLength: 3 })).map(([n, ttl, strings]) =>
    makeRecord(n, recordType.TXT, ttl, {
      kind: 'txt',
      strings: strings.flatMap((s) => s.match(/.{1,255}/g) ?? ['']),
    }),
  ),
  fc
    .tuple(name, fc.integer({ min: 1000, max: 60000 }), u31, fc.uint8Array({ maxLength: 40 }))
    .map(([n, type, ttl, bytes]) => makeRecord(n, type, ttl, { kind: 'opaque', bytes: Buffer.from(bytes) })),
);

function message(part: Partial<Message>): Message {
  return {
    id: 7,
    response: true,
    opcode: 0,
    authoritative: true,
    truncated: false,
    recursionDesired: true,
    recursionAvailable: false,
    authenticData: false,
    checkingDisabled: false,
    rcode: 0,
    questions: [{ name: 'web.shop.svc.cluster.local.', type: 1, class: 1 }],
    answers: [],
    authority: [],
    additional: [],
    ...part,
  };
}

/** A record as dns-packet decodes it, in the words of `recordText`; undefined for types it shows in other ways. */
function judgeText(answer: JudgeAnswer): string | undefined {
  const head = (type: string) => `${answer.name}. ${'ttl' in answer ? answer.ttl : ''} ${type} `;
  switch (answer.type) {
    case 'A':
      return head('A') + answer.data;
    case 'NS':
    case 'CNAME':
    case 'PTR':
      return `${head(answer.type)}${answer.data}.`;
    case 'MX':
      return `${head('MX')}${answer.data.preference} ${answer.data.exchange}.`;
    case 'SRV':
      return `${head('SRV')}${answer.data.priority} ${answer.data.weight} ${answer.data.port} ${answer.data.target}.`;
    case 'SOA': {
      const d = answer.data;
      return `${head('SOA')}${d.mname}. ${d.rname}. ${d.serial} ${d.refresh} ${d.retry} ${d.expire} ${d.minimum}`;
    }
    default:
      return undefined;
  }
}

describe('codec', () => {
  it('gives back what it encoded', () => {
    fc.assert(
      fc.property(fc.array(record, { maxLength: 12 }), fc.array(record, { maxLength: 4 }), (answers, additional) => {
        const original = message({
          answers,
          additional,
          rcode: 16,
          edns: { udpSize: 1400, version: 0, dnssecOk: true, options: [{ code: 8, data: Buffer.from([1, 2]) }] },
        });
        const decoded = decodeMessage(encodeMessage(original));
        if (!decoded.ok) throw new Error(decoded.error);
        expect({ ...decoded.value, answers: [], additional: [], edns: undefined }).toEqual({
          ...original,
          answers: [],
          additional: [],
          edns: undefined,
        });
        // Compression takes the case of what it points to; these names are all in lower case.
        expect(decoded.value.answers.map(recordText)).toEqual(answers.map(recordText));
        expect(decoded.value.additional.map(recordText)).toEqual(additional.map(recordText));
        expect(decoded.value.edns).toMatchObject({ udpSize: 1400, dnssecOk: true });
        expect([...decoded.value.edns!.options[0]!.data]).toEqual([1, 2]);
      }),
    );
  });

  it('is read by dns-packet the same way', () => {
    fc.assert(
      fc.property(fc.array(record, { maxLength: 12 }), (answers) => {
        const judged = packetCodec.decode(Buffer.from(encodeMessage(message({ answers }))));
        expect(judged.answers).toHaveLength(answers.length);
        judged.answers!.forEach((answer, i) => {
          const judgement = judgeText(answer);
          if (judgement) expect(judgement).toBe(recordText(answers[i]!));
        });
      }),
    );
  });

  it('reads what dns-packet wrote', () => {
    const bytes = packetCodec.encode({
      type: 'response',
      id: 9,
      flags: packetCodec.AUTHORITATIVE_ANSWER,
      questions: [{ type: 'SRV', name: '_http._tcp.db.shop.svc.cluster.local' }],
      answers: [
        {
          type: 'SRV',
          name: '_http._tcp.db.shop.svc.cluster.local',
          data: { port: 80, target: 'db.shop.svc.cluster.local' },
        },
        { type: 'TXT', name: 'a.b', data: ['one', 'two'] },
        { type: 'CAA', name: 'a.b', data: { flags: 0, tag: 'issue', value: 'x' } },
      ],
      additionals: [{ type: 'AAAA', name: 'db.shop.svc.cluster.local', ttl: 5, data: 'fd00::1' }],
    });
    const decoded = decodeMessage(bytes);
    if (!decoded.ok) throw new Error(decoded.error);
    expect(decoded.value).toMatchObject({ id: 9, response: true, authoritative: true });
    expect(decoded.value.answers.map(recordText)).toEqual([
      '_http._tcp.db.shop.svc.cluster.local. 0 SRV 0 0 80 db.shop.svc.cluster.local.',
      'a.b. 0 TXT "one" "two"',
      'a.b. 0 CAA 0 issue "x"',
    ]);
    expect(decoded.value.additional.map(recordText)).toEqual(['db.shop.svc.cluster.local. 5 AAAA fd00::1']);
  });

  it('compresses names of the RFC 1035 types, and never the target of SRV', () => {
    const owner = 'web.shop.svc.cluster.local.';
    const alias = encodeMessage(message({ answers: [targetRecord(owner, 5, 5, `db.${owner}`)] }));
    expect(alias.length).toBe(12 + 28 + 4 + (2 + 10 + 3 + 2));
    const service = encodeMessage(
      message({
        answers: [
          makeRecord(owner, recordType.SRV, 5, { kind: 'srv', priority: 0, weight: 1, port: 1, target: owner }),
        ],
      }),
    );
    expect(service.length).toBe(12 + 28 + 4 + (2 + 10 + 6 + 28));
  });

  it('cuts at a record boundary with TC, keeps OPT, and is never larger than the limit', () => {
    const answers = Array.from({ length: 100 }, (_, i) =>
      addressRecord('web.shop.svc.cluster.local.', 5, `10.0.0.${i}`),
    );
    const edns = { udpSize: 1232, version: 0, dnssecOk: false, options: [] };
    fc.assert(
      fc.property(fc.integer({ min: 512, max: 1800 }), (limit) => {
        const bytes = encodeMessage(message({ answers, edns }), limit);
        expect(bytes.length).toBeLessThanOrEqual(limit);
        expect(bytes.length).toBeGreaterThan(Math.min(limit - 16, 1600));
        const decoded = decodeMessage(bytes);
        if (!decoded.ok) throw new Error(decoded.error);
        expect(decoded.value.truncated).toBe(decoded.value.answers.length < 100);
        expect(decoded.value.edns).toBeDefined();
        expect(packetCodec.decode(Buffer.from(bytes)).answers).toHaveLength(decoded.value.answers.length);
      }),
    );
  });

  it('leaves out additional records without TC', () => {
    const glue = Array.from({ length: 100 }, (_, i) => addressRecord('web.shop.svc.cluster.local.', 5, `10.0.0.${i}`));
    const decoded = decodeMessage(encodeMessage(message({ answers: glue.slice(0, 1), additional: glue }), 512));
    expect(decoded.ok && decoded.value.truncated).toBe(false);
    expect(decoded.ok && decoded.value.additional.length).toBeGreaterThan(20);
  });

  it('takes any bytes without throwing, and only whole messages', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 800 }), (bytes) => {
        expect(typeof decodeMessage(bytes).ok).toBe('boolean');
      }),
    );
  });

  it('takes damaged messages without throwing', () => {
    const bytes = fc
      .array(record, { minLength: 1, maxLength: 8 })
      .map((answers) => encodeMessage(message({ answers })));
    fc.assert(
      fc.property(bytes, fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 4 }), fc.nat(), (good, hits, cut) => {
        const damaged = Buffer.from(good);
        for (const [at, value] of hits) damaged[at % damaged.length] = value;
        const decoded = decodeMessage(damaged.subarray(0, cut % (damaged.length + 1)));
        if (decoded.ok) expect(() => encodeMessage(decoded.value)).not.toThrow();
      }),
      { numRuns: 500 },
    );
  });

  it('bounds the work of names that point into each other', () => {
    const chain = Buffer.alloc(60_000, 0);
    Buffer.from(encodeQuery('a.', 1)).copy(chain);
    chain.writeUInt16BE(4000, 6);
    let at = 19;
    for (let i = 0; i < 4000; i++, at += 12) {
      chain.writeUInt16BE(0xc000 | Math.max(12, Math.min(at - 12, 0x3fff)), at);
      chain.writeUInt16BE(99, at + 2);
    }
    const started = process.cpuUsage();
    decodeMessage(chain);
    expect(process.cpuUsage(started).user).toBeLessThan(1_000_000);
  });

  it('names types in both directions', () => {
    expect([typeName(28), typeName(65280)]).toEqual(['AAAA', 'TYPE65280']);
    expect([typeNumber('aaaa'), typeNumber('TYPE65280'), typeNumber('TYPE70000'), typeNumber('x')]).toEqual([
      28,
      65280,
      undefined,
      undefined,
    ]);
  });
});
