/** Label selectors as a query parameter (apimachinery `labels.Parse`): `a=b,c!=d,e in (x,y),f notin (z),g,!h,i>1`. */
import { err, ok, type Result } from '../base/result.ts';

type Labels = Readonly<Record<string, string>> | undefined;
export type LabelPredicate = (labels: Labels) => boolean;

const NAME = /^[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$/;
const PREFIX = /^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/;

function isKey(key: string): boolean {
  const parts = key.split('/');
  const name = parts.at(-1)!;
  if (parts.length > 2 || name.length > 63 || !NAME.test(name)) return false;
  return parts.length === 1 || (parts[0]!.length <= 253 && PREFIX.test(parts[0]!));
}

const isValue = (value: string) => value === '' || (value.length <= 63 && NAME.test(value));

const labelOf = (labels: Labels, key: string) => (labels && Object.hasOwn(labels, key) ? labels[key] : undefined);

const TOKEN = /\s*(==|!=|=|!|>|<|\(|\)|,|[^\s=!<>(),]+)/y;

function tokensOf(selector: string): string[] {
  const tokens: string[] = [];
  TOKEN.lastIndex = 0;
  for (let match = TOKEN.exec(selector); match; match = TOKEN.exec(selector)) tokens.push(match[1]!);
  return tokens;
}

interface Reader {
  peek(): string | undefined;
  next(): string | undefined;
}

function readerOf(tokens: readonly string[]): Reader {
  let at = 0;
  return { peek: () => tokens[at], next: () => tokens[at++] };
}

type Requirement = Result<LabelPredicate, string>;

function isWord(token: string | undefined): token is string {
  return token !== undefined && !/^(==|!=|=|!|>|<|\(|\)|,)$/.test(token);
}

/** One value, which may be empty: `a=` wants the empty string. */
function readValue(reader: Reader): string {
  return isWord(reader.peek()) ? reader.next()! : '';
}

function readSet(reader: Reader): Result<string[], string> {
  if (reader.next() !== '(') return err("expected '('");
  const values: string[] = [readValue(reader)];
  while (reader.peek() === ',') {
    reader.next();
    values.push(readValue(reader));
  }
  return reader.next() === ')' ? ok(values) : err("expected ')'");
}

function badValue(key: string, value: string): Requirement {
  return err(
    `values[0][${key}]: Invalid value: ${JSON.stringify(value)}: a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.'`,
  );
}

function membership(key: string, wanted: boolean, reader: Reader): Requirement {
  const values = readSet(reader);
  if (!values.ok) return values;
  const wrong = values.value.find((value) => !isValue(value));
  if (wrong !== undefined) return badValue(key, wrong);
  const set = new Set(values.value);
  return ok((labels) => {
    const label = labelOf(labels, key);
    return label === undefined ? !wanted : set.has(label) === wanted;
  });
}

function equality(key: string, wanted: boolean, reader: Reader): Requirement {
  const value = readValue(reader);
  if (!isValue(value)) return badValue(key, value);
  return ok((labels) => (labelOf(labels, key) === value) === wanted);
}

function comparison(key: string, sign: 1 | -1, reader: Reader): Requirement {
  const value = readValue(reader);
  if (!/^-?\d+$/.test(value)) return err(`for 'Gt', 'Lt' operators, the value must be an integer`);
  const bound = BigInt(value);
  return ok((labels) => {
    const label = labelOf(labels, key);
    if (label === undefined || !/^-?\d{1,19}$/.test(label)) return false;
    return sign > 0 ? BigInt(label) > bound : BigInt(label) < bound;
  });
}

const operators: Record<string, (key: string, reader: Reader) => Requirement> = {
  '=': (key, reader) => equality(key, true, reader),
  '==': (key, reader) => equality(key, true, reader),
  '!=': (key, reader) => equality(key, false, reader),
  in: (key, reader) => membership(key, true, reader),
  notin: (key, reader) => membership(key, false, reader),
  '>': (key, reader) => comparison(key, 1, reader),
  '<': (key, reader) => comparison(key, -1, reader),
};

function readRequirement(reader: Reader): Requirement {
  const absent = reader.peek() === '!';
  if (absent) reader.next();
  const key = reader.next();
  if (!isWord(key)) return err(`found '${key ?? ''}', expected: !, identifier, or 'end of string'`);
  if (!isKey(key)) return err(`key: Invalid value: ${JSON.stringify(key)}: a qualified name is expected`);
  const end = reader.peek();
  if (absent || end === undefined || end === ',')
    return ok((labels) => (labelOf(labels, key) === undefined) === absent);
  const operator = operators[reader.next()!];
  return operator ? operator(key, reader) : err(`found '${end}', expected: in, notin, =, ==, !=, gt, lt`);
}

/** A predicate, or what is wrong with the selector. An empty selector selects everything. */
export function parseLabelSelector(selector: string): Result<LabelPredicate, string> {
  const reader = readerOf(tokensOf(selector));
  const requirements: LabelPredicate[] = [];
  if (reader.peek() === undefined) return selector.trim() === '' ? ok(() => true) : err('found no selector');
  for (;;) {
    const requirement = readRequirement(reader);
    if (!requirement.ok) return err(`unable to parse requirement: ${requirement.error}`);
    requirements.push(requirement.value);
    const separator = reader.next();
    if (separator === undefined) return ok((labels) => requirements.every((met) => met(labels)));
    if (separator !== ',')
      return err(`unable to parse requirement: found '${separator}', expected: ',' or 'end of string'`);
  }
}
