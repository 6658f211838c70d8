/** A server that misbehaves now and then, to test clients with. */
import { rcode, recordType } from '../../wire/numbers.ts';
import { nameOf } from '../../wire/query.ts';
import { addressRecord } from '../../wire/records.ts';
import { emptyAnswer } from '../../wire/response.ts';
import { type Plugin, type QueryContext, type Reply, unwritten } from '../plugin.ts';

export interface ErraticOptions {
  /** Every n-th query is dropped, truncated or delayed; 0: none. */
  readonly drop: number;
  readonly truncate: number;
  readonly delay: number;
  readonly delayMs: number;
  /** Answers are padded to more than a client over UDP takes. */
  readonly large: boolean;
}

const addresses = new Map<number, string>([
  [recordType.A, '192.0.2.53'],
  [recordType.AAAA, '2001:db8::53'],
]);
const ttl = 0;
const largeCount = 29;

export function createErratic(options: ErraticOptions): Plugin {
  let queries = 0;
  const isTurn = (every: number): boolean => every > 0 && queries % every === 0;

  function answer({ query }: QueryContext, truncated: boolean): Reply {
    const address = addresses.get(query.type);
    if (!address) return unwritten(rcode.REFUSED, undefined, 'erratic');
    const name = nameOf(query);
    const record = addressRecord(name, ttl, address);
    const more = options.large && !truncated ? Array.from({ length: largeCount }, () => record) : [];
    const answers = truncated ? [] : [record, ...more];
    return {
      kind: 'answer',
      by: 'erratic',
      answer: { ...emptyAnswer(rcode.NOERROR), authoritative: true, answers, truncated },
    };
  }

  return {
    name: 'erratic',
    handle(context) {
      queries++;
      if (isTurn(options.drop)) return { kind: 'silence', by: 'erratic' };
      const reply = answer(context, isTurn(options.truncate));
      if (!isTurn(options.delay)) return reply;
      return new Promise((resolve) => setTimeout(() => resolve(reply), options.delayMs));
    },
  };
}
