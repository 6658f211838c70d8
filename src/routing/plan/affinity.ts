/**
 * Session affinity: requests of one session go to the endpoint that it began on. Part of the plan: see plan.ts. The
 * session is the client's to remember, in a cookie or a header; a data plane keeps nothing of it.
 */
import type { PathMatch } from './plan.ts';

export interface Affinity {
  /**
   * Whose sessions these are. A session that began in one scope means nothing in another, though name and backends are
   * the same. `HTTPRoute/shop/web/…`.
   */
  readonly scope: string;
  readonly carrier: SessionCookie | SessionHeader;
  /**
   * `persistent`: a session stays on its endpoint for as long as that one can serve it (Gateway API GEP-1619,
   * ingress-nginx affinity-mode). `balanced`: the endpoint follows from the session by consistent hash over those in
   * turn, so that a new endpoint takes its part of the sessions, and only these move.
   */
  readonly mode: 'persistent' | 'balanced';
  /**
   * `weight`: each request falls to a share by weight, whatever share its session began with, and the session counts
   * within the share (ingress-nginx affinity-canary-behavior `legacy`). Absent: a session stays with its share, also
   * when that has lost its weight.
   */
  readonly split?: 'weight';
  /**
   * `true`: a session whose endpoint fails a request moves to the one that took it (ingress-nginx
   * session-cookie-change-on-failure). Absent: it goes back there while the endpoint is in turn, retries of the same
   * request included; one that has only begun is tried elsewhere.
   */
  readonly moveOnFailure?: true;
  /** Milliseconds from the beginning of a session, after which it is over and another one begins. Absent: no end. */
  readonly absoluteTimeoutMs?: number;
}

/** Attributes of RFC 6265 section 4.1.2. Always HttpOnly: no script has a use for it. */
export interface SessionCookie {
  readonly type: 'cookie';
  readonly name: string;
  /** Absent: clients make it of the path of the request. */
  readonly path?: string;
  /** Absent: the host of the request alone. */
  readonly domain?: string;
  /** `https`: when the request came over TLS. */
  readonly secure: 'https' | 'always' | 'never';
  readonly sameSite?: 'Strict' | 'Lax' | 'None';
  /** SameSite=None is left out for clients that are known to take it for Strict. */
  readonly unlessUnsupported?: true;
  /** Absent, both of them: the client forgets the cookie when its own session ends. */
  readonly maxAgeSeconds?: number;
  /** The same as a date, for clients that do not know Max-Age. */
  readonly expiresSeconds?: number;
}

/** Clients get it in a response and send it with further requests. */
export interface SessionHeader {
  readonly type: 'header';
  readonly name: string;
}

/** Fields of a message that a session header may not take the place of. */
export const reservedHeaders: ReadonlySet<string> = new Set([
  'connection',
  'content-encoding',
  'content-length',
  'content-type',
  'cookie',
  'date',
  'host',
  'keep-alive',
  'proxy-connection',
  'set-cookie',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/**
 * Path of a cookie that is meant for what a route matches, and as little else as a cookie can say (GEP-1619): the whole
 * path, or the segments that are certain where the match leaves the rest open. `/` for any path.
 */
export function cookiePath(match: PathMatch | undefined): string {
  if (!match || match.ignoreCase) return '/';
  const { type, value } = match;
  if (type === 'string-prefix') return sound(wholeSegments(value));
  if (type === 'regex') return sound(literalSegments(value));
  // A prefix covers the path without its last slash too.
  return sound(type === 'prefix' && value.length > 1 ? value.replace(/\/$/, '') : value);
}

/** What can stand in the attribute, up to the last segment without anything that cannot. */
function sound(path: string): string {
  const end = path.search(/[^!-:<-~]/);
  const kept = end < 0 ? path : wholeSegments(path.slice(0, end));
  return kept.startsWith('/') ? kept : '/';
}

const wholeSegments = (path: string): string => path.slice(0, Math.max(0, path.lastIndexOf('/'))) || '/';

/** The segments at the beginning of a pattern that can only be what is written. */
function literalSegments(pattern: string): string {
  if (pattern.includes('|')) return '/';
  const from = pattern.startsWith('^') ? 1 : 0;
  let literal = '';
  for (let at = from; at < pattern.length; at++) {
    const escaped = pattern[at] === '\\' && /[^0-9A-Za-z]/.test(pattern[at + 1] ?? '');
    if (!escaped && pattern[at] === '$' && at === pattern.length - 1) return literal;
    if (!escaped && '\\.[](){}*+?^$'.includes(pattern[at]!)) return wholeSegments(literal);
    if (escaped) at++;
    // What may be there or not is not certain.
    if ('*?{'.includes(pattern[at + 1] ?? ' ')) return wholeSegments(literal);
    literal += pattern[at];
  }
  return literal;
}
