/** Sets or clears flags of queries on their way in and of responses on their way out. */
import type { Query } from '../../wire/query.ts';
import type { Answer } from '../../wire/response.ts';
import { type Plugin, whenSettled } from '../plugin.ts';
import { mapAnswer } from '../reply.ts';

export const flagNames = ['aa', 'ra', 'rd'] as const;
export type FlagName = (typeof flagNames)[number];

export interface FlagRule {
  readonly flag: FlagName;
  readonly value: boolean;
}

const answerFields = { aa: 'authoritative', ra: 'recursionAvailable', rd: 'recursionDesired' } as const;

function changeAnswer(answer: Answer, rules: readonly FlagRule[]): Answer {
  return { ...answer, ...Object.fromEntries(rules.map(({ flag, value }) => [answerFields[flag], value])) };
}

/** Only RD means anything in a query. */
function changeQuery(query: Query, rules: readonly FlagRule[]): Query {
  const wanted = rules.findLast(({ flag }) => flag === 'rd');
  return wanted ? { ...query, recursionDesired: wanted.value } : query;
}

export function createHeader(rules: { query: readonly FlagRule[]; response: readonly FlagRule[] }): Plugin {
  return {
    name: 'header',
    handle(context, next) {
      const query = changeQuery(context.query, rules.query);
      const reply = next(query === context.query ? context : { ...context, query });
      if (rules.response.length === 0) return reply;
      return whenSettled(reply, (settled) => mapAnswer(settled, (answer) => changeAnswer(answer, rules.response)));
    },
  };
}
