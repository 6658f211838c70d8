/** Changes queries on their way in and responses on their way back, as the rules say. */
import type { ResourceRecord } from '../../wire/message.ts';
import { foldCase } from '../../wire/name.ts';
import { rcode } from '../../wire/numbers.ts';
import { nameOf } from '../../wire/query.ts';
import { type Answer, emptyAnswer } from '../../wire/response.ts';
import { type Plugin, type QueryContext, type Reply, unwritten } from '../plugin.ts';
import { answerIn } from '../reply.ts';
import type { ResponseChange, Rule } from './rule.ts';

export interface OrderedRule {
  readonly apply: Rule;
  /** The rules behind it are tried too. */
  readonly goesOn: boolean;
}

function changeRecords(records: readonly ResourceRecord[], changes: readonly ResponseChange[]): ResourceRecord[] {
  return records.map((record) => changes.reduce((one, { record: change }) => change?.(one) ?? one, record));
}

/** The last rule's changes come first. */
async function changeAnswer(
  answer: Answer,
  changes: readonly ResponseChange[],
  context: QueryContext,
): Promise<Answer> {
  let changed: Answer = {
    ...answer,
    answers: changeRecords(answer.answers, changes),
    authority: changeRecords(answer.authority, changes),
    additional: changeRecords(answer.additional, changes),
  };
  for (const { answer: change } of changes) if (change) changed = await change(changed, context);
  return changed;
}

export function createRewrite(rules: readonly OrderedRule[]): Plugin {
  /** The answer in the client's own terms: ready-made bytes hold the question as it was rewritten. */
  async function restore(reply: Reply, changes: readonly ResponseChange[], context: QueryContext): Promise<Reply> {
    // A rule for rcodes concerns failures too, which nobody has written yet.
    const empty =
      reply.kind === 'unwritten' && changes.some(({ answer }) => answer) ? emptyAnswer(reply.rcode) : undefined;
    const answer = answerIn(reply) ?? empty;
    if (!answer) return reply;
    const restored = await changeAnswer(answer, changes, context);
    if (empty && restored.rcode === empty.rcode) return reply;
    return { kind: 'answer', answer: restored, ...(reply.by !== undefined && { by: reply.by }) };
  }

  return {
    name: 'rewrite',
    handle(context, next) {
      let { query } = context;
      let changes: ResponseChange[] = [];
      let touched = false;
      for (const { apply, goesOn } of rules) {
        const done = apply({ context, query, name: foldCase(nameOf(query)) });
        if (!done) continue;
        if ('error' in done) return unwritten(rcode.SERVFAIL, done.error, 'rewrite');
        touched = true;
        query = done.query;
        changes = [...done.changes.toReversed(), ...changes];
        if (!goesOn) break;
      }
      if (!touched) return next(context);
      const reply = next({ ...context, query });
      return reply instanceof Promise
        ? reply.then((settled) => restore(settled, changes, context))
        : restore(reply, changes, context);
    },
  };
}
