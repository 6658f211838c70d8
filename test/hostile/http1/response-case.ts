/** What a row of the tables of responses says. Bytes are written as text, one character per byte. */

export interface ResponseCase {
  /** RFC and section. */
  readonly rfc: string;
  readonly name: string;
  /** What the backend sends, and what it does then: nothing, unless told. */
  readonly bytes: string;
  readonly finally?: 'close' | 'reset';
  /** Milliseconds between its bytes, which are then sent one by one. */
  readonly dripMs?: number;
  readonly method?: 'GET' | 'HEAD';
  /** HTTP/1.0 clients get no chunks. */
  readonly version?: '1.0';
  /** Further header lines of the request. */
  readonly lines?: string;
  /** Status of the final response that the client gets. */
  readonly status: number;
  readonly interim?: readonly number[];
  /** Absent where it does not matter. */
  readonly body?: string;
  /** The client can tell that the response breaks off. */
  readonly broken?: boolean;
  readonly has?: readonly string[];
  readonly lacks?: RegExp;
}

/** Refused: the client gets a 502 of our own. */
export function bad(rfc: string, name: string, bytes: string, more: Partial<ResponseCase> = {}): ResponseCase {
  return { rfc, name, bytes, status: 502, ...more };
}

/** Relayed whole. */
export function good(
  rfc: string,
  name: string,
  bytes: string,
  body: string,
  more: Partial<ResponseCase> = {},
): ResponseCase {
  return { rfc, name, bytes, status: 200, body, ...more };
}

/** Begun, and cut so that the client notices. */
export function broken(rfc: string, name: string, bytes: string, more: Partial<ResponseCase> = {}): ResponseCase {
  return { rfc, name, bytes, status: 200, broken: true, ...more };
}

export const ok = (lines: string, body = '') => `HTTP/1.1 200 OK\r\n${lines}\r\n${body}`;
export const chunkedOk = (body: string) => ok('Transfer-Encoding: chunked\r\n', body);
/** A second answer that nobody may ever get. */
export const poison = 'HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison';
