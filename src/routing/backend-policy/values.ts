/** Values of the annotations, each with what is right in its place. */
import { parseDuration } from '../gateway/duration.ts';
import type { HashSource } from '../plan/backend-policy.ts';

export interface ValueReader<T> {
  /** undefined: no such value. */
  read(text: string): T | undefined;
  /** What is right, for messages: `a duration such as 10s`. */
  readonly expected: string;
}

export function oneOf<T extends string>(...values: readonly T[]): ValueReader<T> {
  return { read: (text) => values.find((value) => value === text), expected: `one of ${values.join(', ')}` };
}

/** Timers take no more than 2^31 - 1 milliseconds. */
const MAX_MS = 596 * 3_600_000;

/** Milliseconds of a duration of the Gateway API (GEP-2257), not below `least`. */
export function duration(least: number, leastText: string): ValueReader<number> {
  return {
    read(text) {
      const value = parseDuration(text);
      return value !== undefined && value >= least && value <= MAX_MS ? value : undefined;
    },
    expected: `a duration from ${leastText} to 596h, such as 500ms, 10s or 1m30s`,
  };
}

export function wholeNumber(least: number, most: number): ValueReader<number> {
  return {
    read(text) {
      const value = /^[0-9]{1,7}$/.test(text) ? Number(text) : Number.NaN;
      return value >= least && value <= most ? value : undefined;
    },
    expected: `a whole number from ${least} to ${most}`,
  };
}

/** Failures in a row; `on` for five, which is what is usual. */
export const failures: ValueReader<number> = {
  read: (text) => (text === 'on' ? 5 : wholeNumber(1, 1_000).read(text)),
  expected: 'on, or how many failures in a row it takes: a whole number from 1 to 1000',
};

export type CheckedBy =
  | { readonly type: 'tcp' }
  | { readonly type: 'http'; readonly path: string; readonly host?: string };

const httpCheck = /^http:(?:\/\/([A-Za-z0-9.-]+(?::[0-9]{1,5})?))?(\/[!-~]*)$/;

export const check: ValueReader<CheckedBy> = {
  read(text) {
    if (text === 'tcp') return { type: 'tcp' };
    const [, host, path] = httpCheck.exec(text) ?? [];
    return path === undefined ? undefined : { type: 'http', path, ...(host !== undefined && { host }) };
  },
  expected: 'tcp, http:/path, or http://host/path',
};

/** RFC 9110 section 5.6.2; cookies have names of the same characters (RFC 6265 section 4.1.1). */
const named = /^(header|cookie):([!#$%&'*+.^_`|~0-9A-Za-z-]+)$/;

/** Keys of a request, the first that it has counts. */
export const hashSources: ValueReader<readonly HashSource[]> = {
  read(text) {
    const sources = text.split(',').map((part) => hashSource(part.trim()));
    return sources.every((source) => source !== undefined) ? sources : undefined;
  },
  expected: 'address, header:NAME or cookie:NAME, or several of them with commas',
};

function hashSource(text: string): HashSource | undefined {
  if (text === 'address') return { by: 'address' };
  const [, by, name] = named.exec(text) ?? [];
  if (name === undefined) return undefined;
  return by === 'cookie' ? { by: 'cookie', name } : { by: 'header', name: name.toLowerCase() };
}
