/** Max-Forwards of TRACE and OPTIONS (RFC 9110 section 7.6.2): a count of proxies, for finding out where requests go. */
import { bit, dropKnown, knownValue } from '../http1/fields.ts';
import { known } from '../http1/known-fields.ts';
import type { RequestHead } from '../http1/request.ts';
import type { Exchange } from './exchange.ts';
import { finish } from './finish.ts';
import { type Reply, reply } from './reply.ts';

const malformed: Reply = { status: 400, flag: 'bad_request', reason: 'Max-Forwards is not a number' };
/** What the last recipient says: TRACE would show to a client what proxies add to its request. */
const lastAnswer: Readonly<Record<string, Reply>> = {
  OPTIONS: { status: 204, flag: 'fixed_response', reason: 'Max-Forwards is 0' },
  TRACE: {
    status: 405,
    flag: 'fixed_response',
    reason: 'Max-Forwards is 0 and TRACE is not answered here',
    lines: 'Allow: OPTIONS\r\n',
  },
};

/** Counts the field down; true when the request ends here, and is answered then. */
export function endsHere(exchange: Exchange, head: RequestHead): boolean {
  const { fields, method } = head;
  if ((fields.seen & bit(known.maxForwards)) === 0 || !Object.hasOwn(lastAnswer, method)) return false;
  const value = knownValue(fields, known.maxForwards)!;
  const isNumber = /^[0-9]{1,10}$/.test(value);
  if (isNumber && Number(value) > 0) {
    dropKnown(fields, known.maxForwards);
    fields.added += `Max-Forwards: ${Number(value) - 1}\r\n`;
    return false;
  }
  if (!isNumber) exchange.close = true;
  reply(exchange, isNumber ? lastAnswer[method]! : malformed);
  finish(exchange);
  return true;
}
