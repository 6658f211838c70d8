/** When to try again after a failure, and whether the order is worth going on with. */
import { AcmeError } from './problem.ts';

export interface RetryOptions {
  /** After the first failure for good, in milliseconds; doubles with each more. Default 5 minutes, at most a day. */
  readonly failedMs?: readonly [number, number];
  /** After the first that may pass by itself, in milliseconds; doubles too. Default 5 seconds, at most 10 minutes. */
  readonly passingMs?: readonly [number, number];
  /** After a rate limit that does not say for how long, in milliseconds. Default an hour. */
  readonly limitedMs?: number;
}

export interface Retry {
  /** From now, in milliseconds. */
  readonly waitMs: number;
  /**
   * `failed`: the server has said no, the order is over. `limited`: it has said not now. `passing`: nobody has said
   * anything, or of something else.
   */
  readonly verdict: 'failed' | 'limited' | 'passing';
}

const minuteMs = 60_000;

/** `failures`: how many there have been in a row, this one included, of its kind. */
export function retryAfter(
  error: unknown,
  failures: number,
  {
    failedMs = [5 * minuteMs, 1440 * minuteMs],
    passingMs = [5000, 10 * minuteMs],
    limitedMs = 60 * minuteMs,
  }: RetryOptions,
  random: () => number,
): Retry {
  const verdict = verdictOf(error);
  const asked = error instanceof AcmeError ? (error.problem.retryAfterMs ?? 0) : 0;
  if (verdict === 'limited') return { verdict, waitMs: (asked || limitedMs) * (1 + random() / 10) };
  const [first, most] = verdict === 'failed' ? failedMs : passingMs;
  const wait = Math.min(first * 2 ** Math.min(failures - 1, 30), most) * (1 + random() / 10);
  return { verdict, waitMs: Math.max(wait, Math.min(asked, failedMs[1])) };
}

export function verdictOf(error: unknown): Retry['verdict'] {
  if (!(error instanceof AcmeError)) return 'passing';
  const { type, status, isFinal } = error.problem;
  if (type === 'rateLimited' || status === 429) return 'limited';
  if (isFinal) return 'failed';
  // Status 0 without a type: no response, or one that makes no sense.
  const isPassing = status >= 500 || (status === 0 && type === '') || type === 'badNonce' || type === 'serverInternal';
  return isPassing ? 'passing' : 'failed';
}
