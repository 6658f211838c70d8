/** The options of the cache plugin as the Corefile has them. */
import type { Directive, Line } from '../../corefile/types.ts';
import { duration, expectArgs, integer, readBlock, refuse } from '../../corefile/values.ts';
import { zonesOfWords, zonesOr } from '../zones.ts';

/** One half of the cache: answers, or denials and failures. */
export interface HalfOptions {
  /** Items. */
  readonly capacity: number;
  /** Seconds. */
  readonly maxTtl: number;
  readonly minTtl: number;
  /** Zones whose responses are not kept. */
  readonly disabled: readonly string[];
}

export interface CacheOptions {
  readonly zones: readonly string[];
  readonly success: HalfOptions;
  readonly denial: HalfOptions;
  /** Seconds that a SERVFAIL response is kept; 0: not at all. */
  readonly servfailTtl: number;
  /** Uses after which an item is fetched again before it ends; 0: never. */
  readonly prefetch: { readonly amount: number; readonly gapMs: number; readonly percentage: number };
  readonly stale?: {
    /** Milliseconds after its end that an item may still be served. */
    readonly forMs: number;
    /** Asks first and falls back to the item, instead of asking afterwards. */
    readonly verify: boolean;
    /** Longest wait of `verify`, ms; 0: as long as the answer takes. */
    readonly verifyTimeoutMs: number;
    /** Seconds that a stale answer says it holds. */
    readonly ttl: number;
    /** After a refresh that failed the next one waits for this, ms. */
    readonly recheckMs: number;
    readonly preferPositive: boolean;
  };
  readonly keepTtl: boolean;
}

const defaultCapacity = 9984;
const leastCapacity = 1024;

type Writable<T> = { -readonly [K in keyof T]: T[K] };

function readHalf(line: Line, half: Writable<HalfOptions>): void {
  const [capacity, ttl, least] = expectArgs(line, 1, 3);
  half.capacity = Math.max(leastCapacity, integer(line, capacity, 0));
  if (ttl !== undefined) half.maxTtl = integer(line, ttl, 1);
  if (least !== undefined) half.minTtl = integer(line, least, 0);
}

function readPrefetch(line: Line) {
  const [amount, gap = '1m', percentage = '10%'] = expectArgs(line, 1, 3);
  if (!percentage.endsWith('%')) refuse(line, `last character of percentage should be '%': ${percentage}`);
  return {
    amount: integer(line, amount, 0),
    gapMs: duration(line, gap),
    percentage: integer(line, percentage.slice(0, -1), 10, 90),
  };
}

function readStale(line: Line): Writable<NonNullable<CacheOptions['stale']>> {
  const [span = '1h', mode = 'immediate', ...rest] = expectArgs(line, 0, 5);
  const verify = mode.toLowerCase() === 'verify';
  if (!verify && mode.toLowerCase() !== 'immediate')
    refuse(line, `invalid value for serve_stale refresh mode: ${mode}`);
  if (!verify && rest.length > 2) refuse(line, 'serve_stale immediate takes at most 4 arguments');
  const timeout = verify ? rest.shift() : undefined;
  const [ttl, recheck] = rest;
  const ttlMs = ttl === undefined ? 0 : duration(line, ttl);
  if (ttlMs % 1000 !== 0) refuse(line, `serve_stale: the TTL must be whole seconds: ${ttl}`);
  return {
    ...{ forMs: duration(line, span), verify, verifyTimeoutMs: timeout === undefined ? 0 : duration(line, timeout) },
    ...{ ttl: ttlMs / 1000, recheckMs: recheck === undefined ? 0 : duration(line, recheck), preferPositive: false },
  };
}

export function readCache(directive: Directive, blockZones: readonly string[]): CacheOptions {
  const words = [...directive.args];
  const ttl = words[0] !== undefined && /^[+-]?\d+$/.test(words[0]) ? integer(directive, words.shift(), 1) : undefined;
  const success: Writable<HalfOptions> = { capacity: defaultCapacity, maxTtl: ttl ?? 3600, minTtl: 5, disabled: [] };
  const denial: Writable<HalfOptions> = { capacity: defaultCapacity, maxTtl: ttl ?? 1800, minTtl: 5, disabled: [] };
  const options: Writable<CacheOptions> = {
    ...{ zones: zonesOr(directive, words, blockZones), success, denial, servfailTtl: 5, keepTtl: false },
    prefetch: { amount: 0, gapMs: 60_000, percentage: 10 },
  };
  let policy: Line | undefined;
  readBlock(directive, {
    success: (line) => readHalf(line, success),
    denial: (line) => readHalf(line, denial),
    prefetch: (line) => (options.prefetch = readPrefetch(line)),
    serve_stale: (line) => (options.stale = readStale(line)),
    serve_stale_policy(line) {
      if (policy) refuse(line, 'serve_stale_policy can only be specified once');
      if (expectArgs(line, 1)[0]!.toLowerCase() !== 'prefer_positive')
        refuse(line, `invalid serve_stale_policy: ${line.args[0]}`);
      policy = line;
    },
    servfail(line) {
      const ms = duration(line, expectArgs(line, 1)[0]);
      if (ms > 300_000) refuse(line, 'caching SERVFAIL responses over 5 minutes is not permitted');
      options.servfailTtl = ms / 1000;
    },
    disable(line) {
      const [which, ...zones] = expectArgs(line, 1, Infinity);
      const half = { success, denial }[which as 'success' | 'denial'];
      if (!half) refuse(line, `cache type for disable must be "success" or "denial": ${which}`);
      half.disabled = zones.length > 0 ? zonesOfWords(line, zones) : ['.'];
    },
    keepttl(line) {
      expectArgs(line, 0);
      options.keepTtl = true;
    },
  });
  if (policy && !options.stale) refuse(policy, 'serve_stale_policy requires serve_stale');
  if (policy && options.stale) options.stale = { ...options.stale, preferPositive: true };
  return options;
}
