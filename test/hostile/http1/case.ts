/** What a row of the tables says. Bytes are written as text, one character per byte. */

/** What a backend must get of a case; nothing else may arrive there. */
export interface Seen {
  /** Request line, when it is not the client's own. */
  readonly line?: string;
  /** Body without its framing. */
  readonly data?: string;
  readonly trailer?: string;
  /** Lines that must be there as they stand. */
  readonly has?: readonly string[];
  readonly lacks?: RegExp;
}

export interface RequestCase {
  /** RFC and section: `9112 6.3`. */
  readonly rfc: string;
  readonly name: string;
  readonly bytes: string;
  /** Statuses of the final responses, in order. */
  readonly statuses: readonly number[];
  /** One per request that may reach the backend, in order. */
  readonly seen: readonly Seen[];
  /** The proxy closes the connection after the last response. */
  readonly closed: boolean;
  /** The client closes its sending side after its bytes. */
  readonly halfClose?: boolean;
}

/** Answered by the proxy itself, once, and closed; no backend hears of it. */
export function refused(rfc: string, name: string, bytes: string, status = 400): RequestCase {
  return { rfc, name, bytes, statuses: [status], seen: [], closed: true };
}

/** One request for the backend, one response, and the connection stays open. */
export function passed(rfc: string, name: string, bytes: string, seen: Seen = {}): RequestCase {
  return { rfc, name, bytes, statuses: [200], seen: [seen], closed: false };
}

/** The same, and the proxy closes. */
export function closing(rfc: string, name: string, bytes: string, seen: Seen = {}): RequestCase {
  return { ...passed(rfc, name, bytes, seen), closed: true };
}

/** Whole requests that reach the backend each, in order. */
export function pipelined(rfc: string, name: string, bytes: string, seen: readonly Seen[]): RequestCase {
  return { rfc, name, bytes, statuses: seen.map(() => 200), seen, closed: false };
}

/** Good requests, and then one that is refused. */
export function spoiled(rfc: string, name: string, bytes: string, seen: readonly Seen[], status = 400): RequestCase {
  return { rfc, name, bytes, statuses: [...seen.map(() => 200), status], seen, closed: true };
}

export const get = (lines: string) => `GET / HTTP/1.1\r\nHost: a\r\n${lines}\r\n`;
export const post = (lines: string, body = '') => `POST / HTTP/1.1\r\nHost: a\r\n${lines}\r\n${body}`;
export const chunked = (body: string) => post('Transfer-Encoding: chunked\r\n', body);
/** What an attacker hopes to have taken for a request of its own. */
export const smuggled = 'GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n';

/** `0x0b`: how names of cases write a byte. */
export const named = (code: number) => `0x${code.toString(16).padStart(2, '0')}`;
const upTo = (count: number) => Array.from({ length: count }, (_, code) => code);
/** NUL to US without TAB, LF and CR, and DEL. */
export const controls: readonly number[] = [...upTo(32).filter((code) => ![9, 10, 13].includes(code)), 127];
/** Visible ASCII that is no token character (RFC 9110 section 5.6.2). */
export const delimiters: readonly string[] = [...'"(),/:;<=>?@[\\]{}'];
