/** `rewrite ttl`, `rewrite rcode` and `rewrite cname`: rules that change responses only. */
import type { Line } from '../../corefile/types.ts';
import { refuse, regExp } from '../../corefile/values.ts';
import { foldCase } from '../../wire/name.ts';
import { rcodeNumber, recordType } from '../../wire/numbers.ts';
import { fill } from './name.ts';
import { type Matching, matcherOf, type ResponseChange, type Rule } from './rule.ts';

function matching(line: Line, kind: string, text: string): Matching {
  if (kind === 'regex') {
    const pattern = regExp(line, text);
    return (name) => pattern.test(name);
  }
  return matcherOf(kind, text) ?? refuse(line, `${kind} is none of exact, prefix, suffix, substring, regex`);
}

/** `[KIND] NAME` in front of `count` more words. */
function split(
  line: Line,
  field: string,
  words: readonly string[],
  count: number,
): { matches: Matching; rest: string[] } {
  if (words.length !== count + 1 && words.length !== count + 2)
    refuse(line, `${field} rules take ${count + 1} or ${count + 2} arguments, not ${words.length}`);
  const [kind, name, ...rest] = words.length === count + 1 ? ['exact', ...words] : words;
  return { matches: matching(line, kind!.toLowerCase(), name!), rest };
}

const onResponse =
  (matches: Matching, change: ResponseChange): Rule =>
  ({ name, query }) =>
    matches(name) ? { query, changes: [change] } : undefined;

/** `30`, `30-`, `-30`, `30-300`. */
function ttlRange(line: Line, text: string): [least: number, most: number] {
  const [, least = '', dash, most = ''] = /^(\d*)(-?)(\d*)$/.exec(text) ?? [];
  if (least === '' && most === '') refuse(line, `invalid TTL '${text}' for a ttl rule`);
  if (!dash) return [Number(least), Number(least)];
  const range: [number, number] = [Number(least), most === '' ? 0x7fffffff : Number(most)];
  return range[0] <= range[1] ? range : refuse(line, `invalid TTL '${text}' for a ttl rule`);
}

export function readTtlRule(line: Line, words: readonly string[]): Rule {
  const { matches, rest } = split(line, 'ttl', words, 1);
  const [least, most] = ttlRange(line, rest[0]!);
  return onResponse(matches, {
    record: (record) => ({ ...record, ttl: Math.min(Math.max(record.ttl, least), most) }),
  });
}

function rcodeOf(line: Line, text: string): number {
  const number = /^\d+$/.test(text) && Number(text) <= 23 ? Number(text) : rcodeNumber(text);
  return number ?? refuse(line, `invalid RCODE '${text}' for a rcode rule`);
}

export function readRcodeRule(line: Line, words: readonly string[]): Rule {
  const { matches, rest } = split(line, 'rcode', words, 2);
  const [from, to] = rest.map((text) => rcodeOf(line, text)) as [number, number];
  return onResponse(matches, { answer: (answer) => (answer.rcode === from ? { ...answer, rcode: to } : answer) });
}

const absolute = (text: string): string => (text.endsWith('.') ? foldCase(text) : `${foldCase(text)}.`);

/** From the target of an alias to another one; undefined when the rule does not concern it. */
function retarget(line: Line, kind: string, from: string, to: string): (target: string) => string | undefined {
  if (kind === 'regex') {
    const pattern = regExp(line, from);
    return (target) => {
      const groups = pattern.exec(target);
      return groups ? absolute(fill(to, [...groups])) : undefined;
    };
  }
  const matches = matching(line, kind, from);
  const [source, replacement] = [foldCase(from), foldCase(to)];
  const replace: Readonly<Record<string, (target: string) => string>> = {
    exact: () => absolute(to),
    prefix: (target) => replacement + target.slice(source.length),
    suffix: (target) => target.slice(0, -absolute(from).length) + absolute(to),
    substring: (target) => target.replaceAll(source, replacement),
  };
  return (target) => (matches(target) ? replace[kind]!(target) : undefined);
}

/** The alias gets another target, whose records are looked up and take the place of the old ones. */
export function readCnameRule(line: Line, words: readonly string[]): Rule {
  if (words.length !== 2 && words.length !== 3) refuse(line, 'cname rules take 2 or 3 arguments');
  const [kind, from, to] = (words.length === 2 ? ['exact', ...words] : words) as [string, string, string];
  const rename = retarget(line, kind.toLowerCase(), from, to);
  const change: ResponseChange = {
    async answer(answer, context) {
      const alias = answer.answers.find(
        ({ data }) => data.kind === 'name' && rename(foldCase(data.target)) !== undefined,
      );
      if (alias?.type !== recordType.CNAME || alias.data.kind !== 'name') return answer;
      const target = rename(foldCase(alias.data.target))!;
      const found = await context.resolve(target, context.query.type);
      if (!found) return answer;
      const records = found.answers.filter(({ name }) => foldCase(name) === target);
      return { ...answer, rcode: found.rcode, answers: [{ ...alias, data: { ...alias.data, target } }, ...records] };
    },
  };
  return ({ query }) => ({ query, changes: [change] });
}
