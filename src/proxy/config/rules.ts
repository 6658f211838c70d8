/** What values of options may be, and how people may write them: `500ms` for 500, `64KiB` for 65536. */
import { isAddressBlock } from '../exchange/forwarded.ts';

/** Something wrong with a value. `path` leads from it to the part that is meant. */
export interface Fault {
  readonly path: readonly (string | number)[];
  readonly message: string;
}

/** `value` is absent when the default has to hold. */
export interface Reading<T> {
  readonly value?: T;
  readonly faults: readonly Fault[];
}

export interface Rule<T> {
  /** How the value is written in numbers: nothing is both. */
  readonly unit: 'milliseconds' | 'bytes' | 'none';
  /** What would be right, for people. */
  readonly expected: string;
  /** Of numbers: the least and the most. */
  readonly range?: readonly [least: number, most: number];
  read(given: unknown): Reading<T>;
}

/** A rule of one value that is right or not. `read` gives undefined when it is not. */
function rule<T>(unit: Rule<T>['unit'], expected: string, read: (given: unknown) => T | undefined): Rule<T> {
  return {
    unit,
    expected,
    read(given) {
      const value = read(given);
      if (value !== undefined) return { value, faults: [] };
      return { faults: [{ path: [], message: `${shown(given)} is not ${expected}` }] };
    },
  };
}

const MAX_SHOWN = 60;

function shown(given: unknown): string {
  if (given === null || given === undefined) return 'nothing';
  const text = JSON.stringify(given) ?? String(given);
  return text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}…` : text;
}

/** A rule of whole numbers within a range. */
function numbers(
  unit: Rule<number>['unit'],
  range: readonly [number, number],
  expected: string,
  toNumber: (given: unknown) => number | undefined,
): Rule<number> {
  const read = (given: unknown): number | undefined => {
    const number = toNumber(given);
    const isWithin = Number.isSafeInteger(number) && number! >= range[0] && number! <= range[1];
    return isWithin ? number : undefined;
  };
  return { ...rule(unit, expected, read), range };
}

/** A whole number. */
export function count(least: number, most: number): Rule<number> {
  return numbers('none', [least, most], `a whole number from ${least} to ${most}`, (given) =>
    typeof given === 'number' ? given : undefined,
  );
}

/** A share from 0 to 1. */
export const share: Rule<number> = rule('none', 'a number from 0 to 1', (given) =>
  typeof given === 'number' && given >= 0 && given <= 1 ? given : undefined,
);

export const truth: Rule<boolean> = rule('none', 'true or false', (given) =>
  typeof given === 'boolean' ? given : undefined,
);

/** Longer timers overflow. */
export const MAX_MS = 2_147_483_647;

/** Milliseconds, or hours, minutes, seconds and milliseconds as Gateway API's Duration has them (`1m30s`). */
export function time(least: number, most = MAX_MS): Rule<number> {
  const expected = `a time from ${timeText(least)} to ${timeText(most)}: milliseconds, or as in 500ms, 10s, 1m30s`;
  return numbers('milliseconds', [least, most], expected, toMs);
}

const timeUnits: Readonly<Record<string, number>> = { h: 3_600_000, m: 60_000, s: 1_000, ms: 1 };

function toMs(given: unknown): number | undefined {
  if (typeof given === 'number') return given;
  if (typeof given !== 'string' || !/^(?:[0-9]{1,10}(?:\.[0-9]{1,3})?(?:h|ms|m|s)){1,4}$/.test(given)) return undefined;
  let total = 0;
  for (const [, digits, unit] of given.matchAll(/([0-9.]+)(h|ms|m|s)/g)) total += Number(digits) * timeUnits[unit!]!;
  return Math.round(total);
}

function timeText(ms: number): string {
  if (ms === MAX_MS) return '24d';
  for (const [unit, size] of Object.entries(timeUnits)) if (ms >= size && ms % size === 0) return `${ms / size}${unit}`;
  return `${ms}ms`;
}

const sizeUnits: Readonly<Record<string, number>> = {
  GiB: 1_073_741_824,
  MiB: 1_048_576,
  KiB: 1_024,
  GB: 1e9,
  MB: 1e6,
  kB: 1e3,
  B: 1,
};

/** Bytes, or as in `64KiB`. */
export function size(least: number, most: number): Rule<number> {
  const expected = `a size from ${sizeText(least)} to ${sizeText(most)}: bytes, or as in 512B, 64KiB, 1MiB`;
  return numbers('bytes', [least, most], expected, toBytes);
}

function toBytes(given: unknown): number | undefined {
  if (typeof given === 'number') return given;
  const [, digits, unit] =
    (typeof given === 'string' && /^([0-9]{1,15}(?:\.[0-9]{1,3})?) ?(GiB|MiB|KiB|GB|MB|kB|B)$/.exec(given)) || [];
  return digits === undefined ? undefined : Math.round(Number(digits) * sizeUnits[unit!]!);
}

function sizeText(bytes: number): string {
  for (const unit of ['GiB', 'MiB', 'KiB']) {
    const whole = bytes / sizeUnits[unit]!;
    if (Number.isInteger(whole) && whole > 0) return `${whole}${unit}`;
  }
  return `${bytes}B`;
}

export function oneOf<T extends string>(...words: readonly T[]): Rule<T> {
  return rule('none', `one of ${words.join(', ')}`, (given) => words.find((word) => word === given));
}

/** A text that `isRight`, of which `expected` says what it is. */
export function text(expected: string, isRight: (value: string) => boolean): Rule<string> {
  return rule('none', expected, (given) => (typeof given === 'string' && isRight(given) ? given : undefined));
}

/** More than anybody lists by hand. */
const MAX_BLOCKS = 10_000;

/** CIDRs and addresses. Entries that are neither are left out, and the others hold. */
export const blocks: Rule<readonly string[]> = {
  unit: 'none',
  expected: 'a list of addresses and CIDRs, as in [10.0.0.0/8, 192.0.2.1, fd00::/8]',
  read(given) {
    if (!Array.isArray(given) || given.length > MAX_BLOCKS)
      return { faults: [{ path: [], message: `${shown(given)} is not ${this.expected}` }] };
    const isBlock = (entry: unknown): entry is string => typeof entry === 'string' && isAddressBlock(entry);
    const faults = given.flatMap((entry, i) =>
      isBlock(entry)
        ? []
        : [{ path: [i], message: `${shown(entry)} is not an address or CIDR; the entry is left out` }],
    );
    return { value: given.filter(isBlock), faults };
  },
};
