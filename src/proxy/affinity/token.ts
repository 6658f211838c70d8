/**
 * What a client remembers of its session, as text of letters, digits, `-` and `_`: the share, then the endpoint or the
 * key that it follows from; where sessions have an end, when it began, and a seal on all of it.
 */
import { ENDPOINT_LENGTH, SEAL_LENGTH, type SessionIds, SHARE_LENGTH } from './ids.ts';

export interface SessionToken {
  readonly share: string;
  /** Name of an endpoint, or the key of the session (Affinity.mode). */
  readonly named: string;
}

/** Milliseconds since the epoch in base 36: until the year 5188. */
const TIME_LENGTH = 9;
const PLAIN_LENGTH = SHARE_LENGTH + ENDPOINT_LENGTH;
const TIMED_LENGTH = PLAIN_LENGTH + TIME_LENGTH;
const SEALED_LENGTH = TIMED_LENGTH + SEAL_LENGTH;

/** `began`: milliseconds since the epoch, for sessions with an end. */
export function writeToken({ share, named }: SessionToken, ids: SessionIds, began?: number): string {
  const plain = share + named;
  if (began === undefined) return plain;
  const timed = plain + Math.floor(began).toString(36).padStart(TIME_LENGTH, '0');
  return timed + ids.seal(timed);
}

/**
 * Undefined for what is no token, and for one that began earlier than `since`, or does not prove when it began, where
 * that is asked. A token with more than is asked will do, so that a session lives on when its end is lifted.
 */
export function readToken(text: string, ids: SessionIds, since?: number): SessionToken | undefined {
  if (text.length !== PLAIN_LENGTH && text.length !== SEALED_LENGTH) return undefined;
  if (since !== undefined && !(beganAt(text, ids) >= since)) return undefined;
  return { share: text.slice(0, SHARE_LENGTH), named: text.slice(SHARE_LENGTH, PLAIN_LENGTH) };
}

/** NaN where that is not said, or not proved. */
function beganAt(text: string, ids: SessionIds): number {
  if (!ids.isSeal(text.slice(0, TIMED_LENGTH), text.slice(TIMED_LENGTH))) return Number.NaN;
  return Number.parseInt(text.slice(PLAIN_LENGTH, TIMED_LENGTH), 36);
}

/** Values looked at in one request: a client sends the cookie with the most specific path first (RFC 6265 section 5.4). */
const MAX_CANDIDATES = 4;

/**
 * Values of a cookie in the order in which they came, from lines that were joined with a comma (RFC 9113 section 8.2.3),
 * and without anything that is no token anyway.
 */
export function cookieValues(lines: string, name: string): string[] {
  const values: string[] = [];
  for (let at = 0; at < lines.length && values.length < MAX_CANDIDATES; ) {
    const end = endOfPair(lines, at);
    while (lines[at] === ' ') at++;
    if (lines.startsWith(name, at) && lines[at + name.length] === '=') {
      const value = lines.slice(at + name.length + 1, end).trim();
      if (value.length <= SEALED_LENGTH) values.push(value);
    }
    at = end + 1;
  }
  return values;
}

/** The same of a header. */
export function headerValues(lines: string): string[] {
  return lines.length > 16 * SEALED_LENGTH ? [] : lines.split(',', MAX_CANDIDATES).map((value) => value.trim());
}

function endOfPair(lines: string, from: number): number {
  for (let at = from; at < lines.length; at++) if (lines[at] === ';' || lines[at] === ',') return at;
  return lines.length;
}
