/** The functions of expr-lang that work on texts, numbers, arrays and maps. Positions count characters. */
import {
  any,
  arrayOf,
  bool,
  type Demand,
  float,
  int,
  join as joinTypes,
  satisfies,
  string,
  type Type,
  typeText,
} from './types.ts';
import {
  bounded,
  ExpressionFailure,
  equal,
  isArray,
  isMap,
  kindOf,
  limits,
  spend,
  spendOn,
  textOf,
  type Value,
  type Work,
} from './value.ts';

export interface ExprFunction {
  /** What each argument must be; those from `least` on may be left out. */
  readonly takes: readonly Demand[];
  readonly least: number;
  /** The last demand holds for any number of further arguments. */
  readonly more?: true;
  gives(args: readonly Type[]): Type;
  run(args: readonly Value[], work: Work): Value;
}

type Run = (args: readonly Value[], work: Work) => Value;

function define(
  takes: readonly Demand[],
  gives: Type | ((args: readonly Type[]) => Type),
  run: Run,
  least = takes.length,
) {
  const made: ExprFunction = { takes, least, gives: typeof gives === 'function' ? gives : () => gives, run };
  return made;
}

const elementOf = (type: Type | undefined): Type => (type?.kind === 'array' ? type.of : any);
const sameAsFirst = ([first]: readonly Type[]): Type => (first?.kind === 'array' ? first : arrayOf(any));

/** Functions of strings whose arguments are all strings. */
function ofText(count: number, gives: Type, run: (...texts: string[]) => Value): ExprFunction {
  return define(
    Array.from({ length: count }, () => 'string' as const),
    gives,
    (args) => run(...(args as string[])),
  );
}

/** The function with each occurrence taken off both ends. */
function trim(text: string, cutset: string): string {
  const cut = new Set(cutset);
  const chars = [...text];
  let [from, to] = [0, chars.length];
  while (from < to && cut.has(chars[from]!)) from++;
  while (to > from && cut.has(chars[to - 1]!)) to--;
  return chars.slice(from, to).join('');
}

/** Go's SplitN: `n` parts at most, the last one whole; all of them when negative or left out. */
function split(text: string, separator: string, n: number, keep: string): string[] {
  if (n === 0) return [];
  const parts = separator === '' ? [...text] : text.split(separator);
  const most = n < 0 ? parts.length : n;
  const head = parts.slice(0, most - 1);
  const tail = parts.slice(most - 1).join(separator);
  const all = parts.length <= most ? parts : [...head, tail];
  return all.map((part, i) => (i < all.length - 1 ? part + keep : part));
}

function splitter(keeps: boolean): ExprFunction {
  return define(
    ['string', 'string', 'int'],
    arrayOf(string),
    ([text, separator, n]) =>
      split(text as string, separator as string, (n as number | undefined) ?? -1, keeps ? (separator as string) : ''),
    2,
  );
}

function replace([text, from, to, count]: readonly Value[]): Value {
  const parts = split(
    text as string,
    from as string,
    count === undefined || (count as number) < 0 ? -1 : (count as number) + 1,
    '',
  );
  return bounded(parts.join(to as string));
}

function repeat([text, count]: readonly Value[]): Value {
  const times = count as number;
  if (times < 0 || (text as string).length * times > limits.text) throw new ExpressionFailure('repeat: too many times');
  return (text as string).repeat(times);
}

function toInt([value]: readonly Value[]): Value {
  if (typeof value === 'number') return bounded(Math.trunc(value));
  if (typeof value === 'string' && /^[+-]?\d+$/.test(value)) return bounded(Number(value));
  throw new ExpressionFailure(`invalid operation: int(${kindOf(value!)})`);
}

function toFloat([value]: readonly Value[]): Value {
  if (typeof value === 'number') return value;
  if (typeof value === 'string' && /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/.test(value)) return Number(value);
  throw new ExpressionFailure(`invalid operation: float(${kindOf(value!)})`);
}

/** All numbers in arguments and in arrays among them. */
function numbersIn(values: readonly Value[], work: Work): number[] {
  spend(work, values.length);
  return values.flatMap((value) => {
    if (isArray(value)) return numbersIn(value, work);
    if (typeof value === 'number') return [value];
    throw new ExpressionFailure(`not a number: ${kindOf(value)}`);
  });
}

function aggregate(gives: Type | 'element', calculate: (numbers: readonly number[]) => Value): ExprFunction {
  const type = (args: readonly Type[]) => {
    if (gives !== 'element') return gives;
    return args.map((arg) => (arg.kind === 'array' ? arg.of : arg)).reduce(joinTypes);
  };
  return { takes: ['any'], least: 1, more: true, gives: type, run: (args, work) => calculate(numbersIn(args, work)) };
}

const mean = (numbers: readonly number[]): number =>
  numbers.length === 0 ? 0 : numbers.reduce((sum, one) => sum + one, 0) / numbers.length;

function median(numbers: readonly number[]): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return mean(sorted.length % 2 === 1 ? [sorted[middle]!] : sorted.slice(middle - 1, middle + 1));
}

const extreme = (pick: (a: number, b: number) => number) =>
  aggregate('element', (numbers) => (numbers.length === 0 ? null : numbers.reduce((a, b) => pick(a, b))));

function flatten(values: readonly Value[], work: Work): Value[] {
  spend(work, values.length);
  return values.flatMap((value) => (isArray(value) ? flatten(value, work) : [value]));
}

function sort([values, order]: readonly Value[], work: Work): Value {
  const items = values as readonly Value[];
  spend(work, items.length * 8);
  const kinds = new Set(items.map((item) => typeof item));
  if (kinds.size > 1 || items.some((item) => typeof item !== 'number' && typeof item !== 'string'))
    throw new ExpressionFailure('sort: elements are neither all numbers nor all strings');
  if (order !== undefined && order !== 'asc' && order !== 'desc')
    throw new ExpressionFailure('sort: order is asc or desc');
  const sign = order === 'desc' ? -1 : 1;
  return (items as (string | number)[]).toSorted((a, b) => (a < b ? -sign : a > b ? sign : 0));
}

function uniq([values]: readonly Value[], work: Work): Value {
  const found: Value[] = [];
  for (const item of values as readonly Value[]) {
    spend(work, found.length);
    if (!found.some((known) => equal(work, known, item))) found.push(item);
  }
  return found;
}

function len([value]: readonly Value[]): Value {
  if (typeof value === 'string') return [...value].length;
  if (isArray(value!)) return value.length;
  if (isMap(value!)) return value.size;
  throw new ExpressionFailure(`invalid argument for len (type ${kindOf(value!)})`);
}

function get([of, key]: readonly Value[]): Value {
  if (isArray(of!) && Number.isInteger(key)) return of.at(key as number) ?? null;
  return isMap(of!) && typeof key === 'string' ? (of.get(key) ?? null) : null;
}

/** On 64 bits, as Go's int. */
function bits(count: number, calculate: (a: bigint, b: bigint) => bigint): ExprFunction {
  return define(
    Array.from({ length: count }, () => 'int' as const),
    int,
    ([a, b = 0]) => {
      if (!Number.isInteger(a) || !Number.isInteger(b)) throw new ExpressionFailure('bit functions take integers');
      return bounded(Number(BigInt.asIntN(64, calculate(BigInt(a as number), BigInt(b as number)))));
    },
  );
}

function shift(bitsToMove: bigint): bigint {
  if (bitsToMove < 0n) throw new ExpressionFailure('negative shift amount');
  return bitsToMove > 64n ? 64n : bitsToMove;
}

const strip = (take: 'start' | 'end') => (text: string, part: string) => {
  if (take === 'start') return text.startsWith(part) ? text.slice(part.length) : text;
  return part !== '' && text.endsWith(part) ? text.slice(0, -part.length) : text;
};

const all: Readonly<Record<string, ExprFunction>> = {
  len: define(['any'], int, len),
  upper: ofText(1, string, (text) => text!.toUpperCase()),
  lower: ofText(1, string, (text) => text!.toLowerCase()),
  trim: define(
    ['string', 'string'],
    string,
    ([text, cut]) => (cut === undefined ? (text as string).trim() : trim(text as string, cut as string)),
    1,
  ),
  trimPrefix: ofText(2, string, strip('start') as (...texts: string[]) => Value),
  trimSuffix: ofText(2, string, strip('end') as (...texts: string[]) => Value),
  split: splitter(false),
  splitAfter: splitter(true),
  replace: define(['string', 'string', 'string', 'int'], string, replace, 3),
  repeat: define(['string', 'int'], string, repeat),
  join: define(
    ['array', 'string'],
    string,
    ([parts, glue = ''], work) =>
      bounded((parts as readonly Value[]).map((part) => textOf(work, part)).join(glue as string)),
    1,
  ),
  indexOf: ofText(2, int, (text, part) => text!.indexOf(part!)),
  lastIndexOf: ofText(2, int, (text, part) => text!.lastIndexOf(part!)),
  hasPrefix: ofText(2, bool, (text, part) => text!.startsWith(part!)),
  hasSuffix: ofText(2, bool, (text, part) => text!.endsWith(part!)),
  string: define(['any'], string, ([value], work) => bounded(textOf(work, value!))),
  int: define(['any'], int, toInt),
  float: define(['any'], float, toFloat),
  abs: define(
    ['number'],
    ([type]) => type!,
    ([value]) => Math.abs(value as number),
  ),
  ceil: define(['number'], float, ([value]) => Math.ceil(value as number)),
  floor: define(['number'], float, ([value]) => Math.floor(value as number)),
  round: define(['number'], float, ([value]) => Math.sign(value as number) * Math.round(Math.abs(value as number))),
  max: extreme(Math.max),
  min: extreme(Math.min),
  mean: aggregate(float, mean),
  median: aggregate(float, median),
  first: define(
    ['array'],
    ([type]) => elementOf(type),
    ([items]) => (items as readonly Value[])[0] ?? null,
  ),
  last: define(
    ['array'],
    ([type]) => elementOf(type),
    ([items]) => (items as readonly Value[]).at(-1) ?? null,
  ),
  take: define(['array', 'int'], sameAsFirst, ([items, count]) =>
    (items as readonly Value[]).slice(0, Math.max(0, count as number)),
  ),
  reverse: define(['array'], sameAsFirst, ([items]) => (items as readonly Value[]).toReversed()),
  sort: define(['array', 'string'], sameAsFirst, sort, 1),
  uniq: define(['array'], sameAsFirst, uniq),
  concat: {
    takes: ['array'],
    least: 1,
    more: true,
    gives: (args) => args.reduce(joinTypes),
    run: (args) => bounded((args as (readonly Value[])[]).flat(1)),
  },
  flatten: define(['array'], arrayOf(any), ([items], work) => flatten(items as readonly Value[], work)),
  keys: define(['map'], arrayOf(string), ([value]) => [...(value as ReadonlyMap<string, Value>).keys()]),
  values: define(['map'], arrayOf(any), ([value]) => [...(value as ReadonlyMap<string, Value>).values()]),
  get: define(['any', 'any'], any, get),
  bitand: bits(2, (a, b) => a & b),
  bitor: bits(2, (a, b) => a | b),
  bitxor: bits(2, (a, b) => a ^ b),
  bitnand: bits(2, (a, b) => a & ~b),
  bitnot: bits(1, (a) => ~a),
  bitshl: bits(2, (a, b) => a << shift(b)),
  bitshr: bits(2, (a, b) => a >> shift(b)),
  bitushr: bits(2, (a, b) => BigInt.asUintN(64, a) >> shift(b)),
};

export const builtinFunctions: ReadonlyMap<string, ExprFunction> = new Map(Object.entries(all));

/** Functions of expr-lang that are not here, for a message that says so. */
export const absentFunctions: ReadonlySet<string> = new Set([
  ...['now', 'duration', 'date', 'timezone', 'type', 'toJSON', 'fromJSON', 'toBase64', 'fromBase64'],
  ...['toPairs', 'fromPairs', 'groupBy', 'sortBy'],
]);

/** Why arguments of these types cannot be; undefined when they can. */
export function misfit(
  name: string,
  { takes, least, more }: Pick<ExprFunction, 'takes' | 'least' | 'more'>,
  args: readonly Type[],
): string | undefined {
  if (args.length < least) return `not enough arguments to call ${name}`;
  if (args.length > takes.length && !more) return `too many arguments to call ${name}`;
  const wrong = args.findIndex((type, i) => !satisfies(type, takes[i] ?? takes.at(-1)!));
  return wrong < 0
    ? undefined
    : `cannot use ${typeText(args[wrong]!)} as argument ${wrong + 1} of ${name} (type ${takes[wrong] ?? takes.at(-1)})`;
}

/** Checks arguments whose types were not known when the Corefile was loaded, and counts them as work. */
export function checkArguments(name: string, takes: readonly Demand[], args: readonly Value[], work: Work): void {
  for (let i = 0; i < args.length; i++) {
    const value = args[i]!;
    spendOn(work, value);
    const demand = takes[i] ?? takes.at(-1)!;
    const kind = kindOf(value);
    const fits = demand === 'any' || kind === demand || (demand === 'number' && typeof value === 'number');
    if (!fits) throw new ExpressionFailure(`cannot use ${kind} as argument ${i + 1} of ${name} (type ${demand})`);
  }
}
