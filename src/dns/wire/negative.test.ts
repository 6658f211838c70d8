import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeQuery } from './ask.ts';
import { decodeMessage } from './decode.ts';
import type { ResourceRecord } from './message.ts';
import { createNegativeAnswers } from './negative.ts';
import { recordClass, recordType } from './numbers.ts';
import { parseQuery, type Query } from './query.ts';
import { emptyAnswer, fillReady, prepareAnswer } from './response.ts';

const soaOf = (zone: string): ResourceRecord => ({
  ...{ name: zone, type: recordType.SOA, class: recordClass.IN, ttl: 30 },
  data: {
    ...{ kind: 'soa', primary: `ns.dns.${zone}`, mailbox: `hostmaster.${zone}`, serial: 0 },
    ...{ refresh: 7200, retry: 1800, expire: 86_400, minimum: 30 },
  },
});

function queryOf(name: string, type: number = recordType.A): Query {
  const parsed = parseQuery(encodeQuery(name, type, { id: 7 }));
  if (!parsed.ok) throw new Error(`not a query: ${name}`);
  return parsed.query;
}

const label = fc.stringMatching(/^[A-Za-z0-9_-]{1,20}$/);
const options = { limit: 1232, recursionAvailable: false };

describe('a negative answer ready-made', () => {
  it('says what the encoder would say, whatever stands left of the zone', () => {
    const zone = 'Cluster.local.';
    const make = createNegativeAnswers(soaOf('cluster.local.'))!;
    fc.assert(
      fc.property(
        fc.array(label, { maxLength: 6 }),
        fc.constantFrom(0, 3),
        fc.nat(0xffffffff),
        (labels, rcode, serial) => {
          const query = queryOf([...labels, zone].join('.'));
          const made = make(query, rcode)!;
          const answer = { ...emptyAnswer(rcode), authoritative: true, authority: [soaOf('cluster.local.')] };
          const [ours, encoded] = [made, prepareAnswer(query, answer, true)].map((ready) =>
            decodeMessage(fillReady(query, ready, serial, options)),
          );
          // Names that point into the question have its spelling.
          const folded = (value: unknown) => JSON.parse(JSON.stringify(value).toLowerCase());
          expect(ours!.ok && folded(ours!)).toEqual(encoded!.ok && folded(encoded!));
          expect(made.answer.rcode).toBe(rcode);
          expect(made.answer.authority).toHaveLength(1);
        },
      ),
    );
  });

  it('is not made for names outside the zone, and not for the root', () => {
    const make = createNegativeAnswers(soaOf('cluster.local.'))!;
    expect(make(queryOf('cluster.locale.'), 3)).toBeUndefined();
    expect(make(queryOf('a.example.org.'), 3)).toBeUndefined();
    expect(createNegativeAnswers(soaOf('.'))).toBeUndefined();
  });
});
