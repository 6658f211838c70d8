/** Replies of other plugins as answers, for plugins that change them. */
import { decodeMessage } from '../wire/decode.ts';
import { rcode } from '../wire/numbers.ts';
import { type Answer, answerOf, emptyAnswer, withTtl } from '../wire/response.ts';
import type { Reply } from './plugin.ts';
import { over } from './repeat.ts';

/** The answer in a reply; undefined for replies without one (nothing written, silence, transfers). */
export function answerIn(reply: Reply): Answer | undefined {
  if (reply.kind === 'answer') return reply.answer;
  if (reply.kind === 'ready') {
    const { answer } = reply.ready;
    return reply.ttl === undefined ? withSerial(answer, reply.serial) : withTtl(answer, reply.ttl);
  }
  if (reply.kind !== 'foreign') return undefined;
  const decoded = decodeMessage(reply.bytes);
  return decoded.ok ? answerOf(decoded.value) : emptyAnswer(rcode.SERVFAIL);
}

/** A ready answer's SOA record gets its serial when it is sent. */
function withSerial(answer: Answer, serial: number): Answer {
  if (!answer.authority.some(({ data }) => data.kind === 'soa')) return answer;
  const authority = answer.authority.map((record) =>
    record.data.kind === 'soa' ? { ...record, data: { ...record.data, serial } } : record,
  );
  return { ...answer, authority };
}

/** The reply with its answer changed; replies without one stay as they are. */
export function mapAnswer(reply: Reply, change: (answer: Answer) => Answer): Reply {
  const answer = answerIn(reply);
  if (!answer) return reply;
  const changed = change(answer);
  if (changed === answer) return reply;
  return { kind: 'answer', answer: changed, ...(reply.by !== undefined && { by: reply.by }) };
}

/** Rcode that a reply will have on the wire. */
export function rcodeIn(reply: Reply): number {
  if (reply.kind === 'answer') return reply.answer.rcode;
  if (reply.kind === 'ready') return reply.ready.rcode ?? reply.ready.bytes[3]! & 15;
  if (reply.kind === 'foreign') return reply.bytes[3]! & 15;
  return reply.kind === 'unwritten' ? reply.rcode : rcode.NOERROR;
}

/** A reply that passed: it may be repeated only for as long as the plugin would let it pass again. */
export function repeatWhile(reply: Reply, passes: () => boolean): Reply {
  if (reply.kind !== 'ready' || !reply.repeat) return reply;
  const { again } = reply.repeat;
  return { ...reply, repeat: { ...reply.repeat, again: () => (passes() ? again() : over) } };
}
