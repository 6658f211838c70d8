/** What the cache did for a query, read off the replies around it. */
import type { Reply } from '../plugins/plugin.ts';
import { answerIn } from '../plugins/reply.ts';
import type { Inner } from './recorder.ts';

/** Seconds that a reply holds. */
function secondsLeft(reply: Reply): number | undefined {
  if (reply.kind === 'ready' && reply.ttl !== undefined) return reply.ttl;
  const answer = answerIn(reply);
  const records = answer && (answer.answers.length > 0 ? answer.answers : answer.authority);
  return records?.length ? Math.min(...records.map(({ ttl }) => ttl)) : undefined;
}

/** `hit, 17 s left`; `miss, kept for 30 s`; `miss, not kept`. */
export function cacheText(inner: readonly Inner[], reply: Reply): string {
  const left = secondsLeft(reply);
  if (reply.by === 'cache') {
    const again = inner.length > 0 ? '; asked anew in the background' : '';
    return `hit${left === undefined ? '' : `, ${left} s left`}${again}`;
  }
  const below = inner.at(-1)?.reply;
  if (below === reply) {
    if (reply.kind === 'ready') return 'not kept: the answer is made already';
    return reply.kind === 'silence' ? 'miss' : 'miss, not kept';
  }
  return reply.kind === 'ready' && left !== undefined ? `miss, kept for ${left} s` : 'miss';
}
