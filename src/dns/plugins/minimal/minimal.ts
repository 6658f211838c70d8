/** Leaves authority and additional records out of answers that do without them. */
import { rcode } from '../../wire/numbers.ts';
import type { Answer } from '../../wire/response.ts';
import { type Plugin, whenSettled } from '../plugin.ts';
import { mapAnswer } from '../reply.ts';

/** Denials need their SOA record, and referrals have nothing but authority. */
function shorten(answer: Answer): Answer {
  const needless = answer.authority.length + answer.additional.length > 0;
  const complete = answer.rcode === rcode.NOERROR && answer.answers.length > 0;
  return complete && needless ? { ...answer, authority: [], additional: [] } : answer;
}

export function createMinimal(): Plugin {
  return {
    name: 'minimal',
    handle: (context, next) => whenSettled(next(context), (reply) => mapAnswer(reply, shorten)),
  };
}
