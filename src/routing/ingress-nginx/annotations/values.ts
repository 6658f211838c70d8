/**
 * Values of annotations as ingress-nginx reads them, each with what is right in its place. Text is kept as text where a
 * later step has to know the location to make sense of it: variables and groups of the path.
 */
import type { ValueReader } from '../../backend-policy/values.ts';
import { addressBlocks } from '../../route-policy/values.ts';

export type { ValueReader } from '../../backend-policy/values.ts';

/** As Go's strconv.ParseBool has them. */
const truths: Readonly<Record<string, boolean>> = {
  ...{ '1': true, t: true, T: true, true: true, TRUE: true, True: true },
  ...{ '0': false, f: false, F: false, false: false, FALSE: false, False: false },
};

export const bool: ValueReader<boolean> = {
  read: (text) => (Object.hasOwn(truths, text) ? truths[text] : undefined),
  expected: '"true" or "false"',
};

export const onOff: ValueReader<boolean> = {
  read: (text) => (text === 'on' ? true : text === 'off' ? false : undefined),
  expected: 'on or off',
};

/** Digits as Go's strconv.Atoi takes them, between two bounds. */
export function whole(least: number, most: number): ValueReader<number> {
  return {
    read(text) {
      const value = /^[+-]?[0-9]{1,10}$/.test(text) ? Number(text) : Number.NaN;
      return value >= least && value <= most ? value : undefined;
    },
    expected: `a whole number from ${least} to ${most}, without a unit`,
  };
}

/** Of what has no effect here. */
export const anyWhole: ValueReader<number> = {
  read: whole(-9_999_999_999, 9_999_999_999).read,
  expected: 'a whole number',
};

/** What counts and what is counted. */
export const count = whole(0, 1_000_000_000);

/** Seconds of a time-out. Timers take no more than 2^31 - 1 milliseconds, so longer ones are cut to 596 hours. */
export const seconds: ValueReader<number> = {
  read(text) {
    const value = whole(1, 9_999_999_999).read(text);
    return value === undefined ? undefined : Math.min(value, 596 * 3_600);
  },
  expected: 'a whole number of seconds from 1 on, without a unit',
};

/** Powers of 1024 by the suffix of a size of nginx. */
const sizeUnits: Readonly<Record<string, number>> = { '': 1, k: 1_024, m: 1_024 ** 2, g: 1_024 ** 3 };

/** Bytes. */
export const size: ValueReader<number> = {
  read(text) {
    const [, digits, unit = ''] = /^([0-9]{1,12})([kKmMgG])?$/.exec(text) ?? [];
    const value = digits === undefined ? Number.NaN : Number(digits) * sizeUnits[unit.toLowerCase()]!;
    return Number.isSafeInteger(value) ? value : undefined;
  },
  expected: 'a size such as 8k, 10m or 1g',
};

/** Matched without regard to case where `anyCase`; yields the option as it is spelt in the list. */
export function option<const T extends string>(options: readonly T[], anyCase = false): ValueReader<T> {
  const fold = (text: string) => (anyCase ? text.toLowerCase() : text);
  return {
    read: (text) => options.find((each) => fold(each) === fold(text)),
    expected: `one of ${options.join(', ')}`,
  };
}

/** Text that a pattern covers, of 2048 characters at most. */
export function matching(pattern: RegExp, expected: string): ValueReader<string> {
  return { read: (text) => (text.length <= 2_048 && pattern.test(text) ? text : undefined), expected };
}

/** What stands between commas, without empty parts and repetitions. */
export function commas<T>(read: (item: string) => T | undefined, expected: string): ValueReader<readonly T[]> {
  return {
    read(text) {
      const items = [...new Set(text.split(',').map((item) => item.trim()))].filter((item) => item !== '').map(read);
      return items.every((item) => item !== undefined) ? items : undefined;
    },
    expected,
  };
}

export const cidrs: ValueReader<readonly string[]> = {
  // Runs of white space first: the split behind it takes its time over them.
  read: (text) => addressBlocks.read(text.replace(/\s+/g, ' ')),
  expected: 'addresses and CIDRs with commas between them, such as 10.0.0.0/8,192.0.2.7',
};

/** Kept as it is: others read it. */
export const anyText: ValueReader<string> = { read: (text) => text, expected: 'text' };

/** Header names that ingress-nginx takes. */
const headerName = (item: string) => (/^[A-Za-z0-9\-_]{1,256}$/.test(item) ? item : undefined);

export const headerNames = commas(headerName, 'names of headers with commas between them');

export const variableText = matching(/^[A-Za-z0-9\-_${} .:/]*$/, 'text with variables such as $request_uri');

/** Paths of rewrites: groups of the location's pattern stand as `$1`, `$2`. A superset of what ingress-nginx takes. */
export const pathWithGroups = matching(
  /^[\x21\x23-\x3a\x3c-\x7a\x7c\x7e]+$/,
  'a path or URL that may have groups such as $1',
);

/** Names of hosts, plain or as patterns of nginx that begin with a tilde. */
export const serverName = matching(/^[-._~A-Za-z0-9/:^$[\](){}*+?|&=\\]+$/, 'a host name');

const parseable = (text: string) => URL.canParse(text.replace(/\$(?:\{\w+\}|\w+)/g, 'v'));

/** Scheme, host and what follows; variables may stand anywhere behind the scheme. */
export const urlWithVariables: ValueReader<string> = {
  read(text) {
    const isUrl = text.length <= 2_048 && /^https?:\/\/[^/?#.\s][^\s"'<>\\;]*$/i.test(text) && parseable(text);
    return isUrl && !/^[a-z]+:\/\/[^/?#]*\.\./i.test(text) ? text : undefined;
  },
  expected: 'a URL that begins with http:// or https://',
};

/** Where clients are sent. */
export const destination: ValueReader<string> = {
  read: (text) => (/^[\x21\x23-\x26\x28-\x3a\x3c-\x5b\x5d-\x7e]{1,2048}$/.test(text) ? text : undefined),
  expected: 'a URL or path without white space',
};

/** `name`, or `namespace/name`. */
export interface ObjectName {
  readonly namespace?: string;
  readonly name: string;
}

const objectPath = /^(?:([a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?)\/)?([a-z0-9](?:[-a-z0-9.]{0,251}[a-z0-9])?)$/;

/** Of a Secret or a ConfigMap. */
export function objectName(kind: string): ValueReader<ObjectName> {
  return {
    read(text) {
      const [, namespace, name] = objectPath.exec(text) ?? [];
      return name === undefined ? undefined : { name, ...(namespace !== undefined && { namespace }) };
    },
    expected: `the name of a ${kind}, or namespace/name`,
  };
}

export interface Lifetime {
  readonly statuses: readonly number[];
  readonly ttlMs: number;
}

/** Milliseconds by unit of nginx; a month has 30 days, a year 365. */
const timeUnits: Readonly<Record<string, number>> = {
  ...{ ms: 1, s: 1_000, m: 60_000, h: 3_600_000 },
  ...{ d: 86_400_000, w: 604_800_000, M: 2_592_000_000, y: 31_536_000_000 },
};

/** What nginx remembers where no status is given. */
const usualStatuses: readonly number[] = [200, 301, 302];

/** `200 202 401 5m`: statuses, then for how long. */
function lifetime(item: string): Lifetime | undefined {
  const words = item.split(/\s+/);
  const [, amount, unit] = /^([0-9]{1,9})(ms|s|m|h|d|w|M|y)$/.exec(words.pop() ?? '') ?? [];
  if (unit === undefined || !words.every((word) => /^[1-5][0-9]{2}$/.test(word))) return undefined;
  return { statuses: words.length > 0 ? words.map(Number) : usualStatuses, ttlMs: Number(amount) * timeUnits[unit]! };
}

export const lifetimes = commas(lifetime, 'statuses and a time with commas between them, such as 200 202 10m, 401 1m');

/** From and to, or off. */
export interface Replacement {
  readonly from: string;
  readonly to: string;
}

export const replacement: ValueReader<Replacement | 'off'> = {
  read(text) {
    if (text === 'off') return 'off';
    const [from, to, ...rest] = text.split(/\s+/);
    const isPlain = from !== undefined && to !== undefined && rest.length === 0;
    return isPlain && [from, to].every((part) => /^[\x21\x23-\x26\x28-\x3a\x3c-\x7e]{1,512}$/.test(part))
      ? { from, to }
      : undefined;
  },
  expected: 'off, or two words: what is replaced and by what',
};
