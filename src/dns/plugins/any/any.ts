/** Answers queries of type ANY with as little as may be (RFC 8482). */
import { rcode, recordType } from '../../wire/numbers.ts';
import { nameOf } from '../../wire/query.ts';
import { makeRecord } from '../../wire/records.ts';
import { emptyAnswer } from '../../wire/response.ts';
import type { Plugin } from '../plugin.ts';

const ttl = 8482;
const strings = ['ANY obsoleted', 'See RFC 8482'].map((text) => Buffer.from(text, 'latin1'));
/** The two character strings of an HINFO record. */
const bytes = Buffer.concat(strings.flatMap((text) => [Buffer.from([text.length]), text]));

export function createAny(): Plugin {
  return {
    name: 'any',
    repeats: true,
    handle(context, next) {
      if (context.query.type !== recordType.ANY) return next(context);
      const answers = [makeRecord(nameOf(context.query), recordType.HINFO, ttl, { kind: 'opaque', bytes })];
      return { kind: 'answer', by: 'any', answer: { ...emptyAnswer(rcode.NOERROR), answers } };
    },
  };
}
