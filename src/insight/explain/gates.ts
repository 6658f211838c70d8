/** What filters say to a request, for people. */
import type { Filter } from '../../routing/plan/plan.ts';
import { describeFilter } from './describe.ts';
import type { GateVerdict, Verdict } from './rehearsal/gates.ts';
import type { Answer, GateTold } from './types.ts';

export const toldOf = ({ filter, verdict }: GateVerdict): GateTold => ({
  ...{ type: filter.type, filter: describeFilter(filter) },
  ...verdict,
});

function verdictText(verdict: Verdict): string {
  if (verdict.says !== 'answers') return `${verdict.says}: ${verdict.why}`;
  const { status, location, why } = verdict;
  return location === undefined ? `answers ${status}: ${why}` : `answers ${status} to ${location}: ${why}`;
}

const maxLength = 160;

/** Lists of headers may be long: what is left out is in the JSON. */
function shortened(text: string): string {
  if (text.length <= maxLength) return text;
  const start = text.slice(0, maxLength);
  const end = start.lastIndexOf(', ');
  return end > maxLength / 2 ? `${start.slice(0, end)}, …` : `${start}…`;
}

/** A line for each filter, and below those that may stop a request what they say to this one. */
export function filterLines(filters: readonly Filter[], gates: readonly GateVerdict[]): string[] {
  const byFilter = new Map(gates.map(({ filter, verdict }) => [filter, verdict]));
  return filters.flatMap((filter) => {
    const verdict = byFilter.get(filter);
    return [`filter ${shortened(describeFilter(filter))}`, ...(verdict ? [`  ${verdictText(verdict)}`] : [])];
  });
}

/** The answer of the filter that stops the request; undefined when none does for certain. */
export function stopOf(
  gates: readonly GateVerdict[],
): { readonly filter: Filter; readonly answer: Answer } | undefined {
  const last = gates.at(-1);
  if (last?.verdict.says !== 'answers') return undefined;
  const { status, why: reason, location } = last.verdict;
  return { filter: last.filter, answer: { status, reason, ...(location !== undefined && { location }) } };
}

const fixes: { readonly [T in Filter['type']]?: string } = {
  'ip-access': 'ask from an address that is let in (--client)',
  'basic-auth': 'send the name and password of a user: -H "Authorization: Basic …"',
  'any-of': 'be who any one of its filters lets in',
  'request-size': 'send less',
};

/** What would get a request past a filter; `said`: what has asked for the filter, `''` where that is not known. */
export function fixFor({ type }: Filter, said: string): string | undefined {
  const change = said === '' ? [] : [`change ${said}`];
  return [...(fixes[type] ? [fixes[type]] : []), ...change].join(', or ') || undefined;
}
