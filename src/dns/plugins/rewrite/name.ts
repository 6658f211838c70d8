/** `rewrite name ...`: another name in the query, and the first one again in the response. */
import type { Pattern } from '../../corefile/pattern.ts';
import type { Line } from '../../corefile/types.ts';
import { refuse, regExp } from '../../corefile/values.ts';
import type { RecordData, ResourceRecord } from '../../wire/message.ts';
import { foldCase } from '../../wire/name.ts';
import { changed, type ResponseChange, type Rule } from './rule.ts';

type Change = (text: string) => string;

const absolute = (text: string): string => (text.endsWith('.') ? foldCase(text) : `${foldCase(text)}.`);

/** `{1}` stands for what the first group of the pattern has found. */
export function fill(template: string, groups: readonly (string | undefined)[]): string {
  return groups.reduce<string>((text, group, i) => text.replaceAll(`{${i}}`, group ?? ''), template);
}

const dataChanges: {
  [K in RecordData['kind']]?: (data: Extract<RecordData, { kind: K }>, change: Change) => RecordData;
} = {
  name: (data, change) => ({ ...data, target: change(data.target) }),
  mx: (data, change) => ({ ...data, exchange: change(data.exchange) }),
  srv: (data, change) => ({ ...data, target: change(data.target) }),
  soa: (data, change) => ({ ...data, primary: change(data.primary) }),
};

export const ownerChange = (change: Change): ResponseChange => ({
  record: (record) => ({ ...record, name: change(record.name) }),
});

const valueChange = (change: Change): ResponseChange => ({
  record(record: ResourceRecord) {
    const apply = dataChanges[record.data.kind] as ((data: RecordData, change: Change) => RecordData) | undefined;
    return apply ? { ...record, data: apply(record.data, change) } : record;
  },
});

/** From a name to another one, for itself and all names below. */
function remap(from: string, to: string): Change {
  return (text) => {
    const folded = foldCase(text);
    if (folded === from) return to;
    return folded.endsWith(`.${from}`) ? text.slice(0, -from.length) + to : text;
  };
}

function bySuffix(from: string, to: string): Change {
  return (text) => (foldCase(text).endsWith(from) ? text.slice(0, -from.length) + to : text);
}

function byPattern(pattern: Pattern, to: string): Change {
  return (text) => {
    const groups = pattern.exec(text);
    return groups ? fill(to, [...groups]) : text;
  };
}

interface AnswerRules {
  readonly auto: boolean;
  readonly changes: readonly ResponseChange[];
}

/** `answer auto`, `answer name FROM TO`, `answer value FROM TO`, any number of them. */
function readAnswerRules(line: Line, words: readonly string[]): AnswerRules {
  const changes: ResponseChange[] = [];
  let auto = false;
  let at = 0;
  while (at < words.length) {
    if (words[at] === 'answer') at++;
    else if (at === 0) refuse(line, `rewrite: unexpected '${words[0]}' behind the name; expected 'answer'`);
    const kind = words[at++];
    if (kind === 'auto') {
      auto = true;
      continue;
    }
    const [from, to] = words.slice(at, at + 2);
    if ((kind !== 'name' && kind !== 'value') || from === undefined || to === undefined)
      return refuse(line, 'rewrite: expected answer auto, answer name FROM TO or answer value FROM TO');
    const change = byPattern(regExp(line, from), absolute(to));
    changes.push(kind === 'name' ? ownerChange(change) : valueChange(change));
    at += 2;
  }
  return { auto, changes };
}

/** Finds the new name, or undefined. */
type Renaming = (name: string) => string | undefined;

function renamingOf(line: Line, kind: string, from: string, to: string): Renaming {
  const [source, target] = [foldCase(from), foldCase(to)];
  const kinds: Readonly<Record<string, () => Renaming>> = {
    exact: () => (name) => (name === absolute(from) ? absolute(to) : undefined),
    prefix: () => (name) => (name.startsWith(source) ? target + name.slice(source.length) : undefined),
    suffix: () => (name) =>
      name.endsWith(absolute(from)) ? name.slice(0, -absolute(from).length) + absolute(to) : undefined,
    substring: () => (name) => (name.includes(source) ? name.replaceAll(source, target) : undefined),
    regex() {
      const pattern = regExp(line, from);
      return (name) => {
        const groups = pattern.exec(name);
        return groups ? absolute(fill(to, [...groups])) : undefined;
      };
    },
  };
  const make = Object.hasOwn(kinds, kind) ? kinds[kind] : undefined;
  return (
    make?.() ??
    refuse(line, `name rule supports only exact, prefix, suffix, substring and regex name matching: ${kind}`)
  );
}

/** `words`: those behind `name`. */
export function readNameRule(line: Line, words: readonly string[]): Rule {
  if (words.length < 2) refuse(line, 'too few arguments for a name rule');
  const [kind, from, to, ...rest] = (words.length === 2 ? ['exact', ...words] : words) as [string, string, string];
  const matching = kind.toLowerCase();
  const rename = renamingOf(line, matching, from, to);
  const { auto, changes } = readAnswerRules(line, rest);
  const suffix = matching === 'suffix' && auto ? bySuffix(absolute(to), absolute(from)) : undefined;
  return ({ name, query }) => {
    const next = rename(name);
    if (next === undefined) return undefined;
    const renamed = changed(query, { name: next });
    if (!renamed) return { error: `invalid name after rewrite: ${next}` };
    const back = suffix ?? (auto || matching === 'exact' ? remap(next, name) : undefined);
    return { query: renamed, changes: back ? [ownerChange(back), valueChange(back), ...changes] : changes };
  };
}
