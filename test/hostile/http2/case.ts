/** What a row of the tables says. */
import { data, flag, headers, PREFACE } from './frames.ts';
import { block, type Field } from './hpack.ts';
import type { Peer } from './wire.ts';

/** What a backend must get of a case; nothing else may arrive there. */
export interface Seen {
  /** Request line as HTTP/1.1 has it. */
  readonly line?: string;
  /** Body without its framing. */
  readonly data?: string;
  /** Field lines that must be there, names in lower case. */
  readonly has?: readonly string[];
  /** What no field line may look like. */
  readonly lacks?: RegExp;
  /** A field line of the trailer section. */
  readonly trailer?: string;
}

/** Frames to send, or something to wait for. */
export type Step = Buffer | ((peer: Peer) => Buffer | Promise<unknown>);

export type Expectation =
  /** Section 5.4.1: GOAWAY with one of the codes, and the connection is closed. */
  | { readonly kind: 'connection'; readonly codes: readonly number[]; readonly silently?: boolean }
  /** Section 5.4.2: RST_STREAM with one of the codes, or a connection error with one. */
  | {
      readonly kind: 'stream';
      readonly stream: number;
      readonly codes: readonly number[];
      readonly orNothing?: boolean;
    }
  /** Section 8.1.1: a stream error PROTOCOL_ERROR, before which an answer of our own may come. */
  | { readonly kind: 'malformed'; readonly stream: number; readonly statuses: readonly number[] }
  | { readonly kind: 'answer'; readonly stream: number; readonly status: number }
  /** No error, no answer. */
  | { readonly kind: 'ignored' };

export interface Http2Case {
  /** RFC and section: `9113 6.1`. */
  readonly rfc: string;
  readonly name: string;
  readonly steps: readonly Step[];
  readonly expect: Expectation;
  /** One per whole request that may reach the backend, in order of arrival. */
  readonly seen: readonly Seen[];
  /** Whether they arrive depends on who is faster, the backend or the error. */
  readonly race?: boolean;
  /** The steps begin with the connection preface, or what is sent instead. */
  readonly bare?: boolean;
  /** No other request can follow on the connection, and it may end. */
  readonly last?: boolean;
  /** Only over TLS, or only without it. */
  readonly only?: 'tls' | 'plain';
  /** What is wrong with what has come back; undefined if nothing is. */
  readonly check?: (peer: Peer) => string | undefined;
}

type More = Partial<Pick<Http2Case, 'bare' | 'last' | 'only' | 'check' | 'race' | 'seen'>>;

export function breaks(
  rfc: string,
  name: string,
  steps: readonly Step[],
  codes: readonly number[],
  more: More & { readonly silently?: boolean } = {},
): Http2Case {
  const { silently, ...rest } = more;
  return { rfc, name, steps, expect: { kind: 'connection', codes, silently }, seen: [], ...rest };
}

/** The stream ends in an error; it is stream 1 in all the tables. */
export function resets(
  rfc: string,
  name: string,
  steps: readonly Step[],
  codes: readonly number[],
  more: More & { readonly orNothing?: boolean; readonly stream?: number } = {},
): Http2Case {
  const { orNothing, stream = 1, ...rest } = more;
  return { rfc, name, steps, expect: { kind: 'stream', stream, codes, orNothing }, seen: [], ...rest };
}

/** Malformed as section 8.1.1 has it: no backend hears of it. */
export function malformed(
  rfc: string,
  name: string,
  steps: readonly Step[],
  more: More & { readonly statuses?: readonly number[] } = {},
): Http2Case {
  const { statuses = [400], ...rest } = more;
  return { rfc, name, steps, expect: { kind: 'malformed', stream: 1, statuses }, seen: [], ...rest };
}

/** Answered by the backend, or with another status by the proxy. */
export function answered(
  rfc: string,
  name: string,
  steps: readonly Step[],
  seen: readonly Seen[] = [{}],
  more: More & { readonly stream?: number; readonly status?: number } = {},
): Http2Case {
  const { stream = 1, status = 200, ...rest } = more;
  return { rfc, name, steps, expect: { kind: 'answer', stream, status }, seen, ...rest };
}

export function ignored(rfc: string, name: string, steps: readonly Step[], more: More = {}): Http2Case {
  return { rfc, name, steps, expect: { kind: 'ignored' }, seen: [], ...more };
}

/** Pseudo-header fields of a request for `/` at host `a`, some changed or, with undefined, left out. */
export function pseudo(changed: Readonly<Record<string, string | undefined>> = {}): readonly Field[] {
  const all = { ':method': 'GET', ':scheme': 'http', ':authority': 'a', ':path': '/', ...changed };
  return Object.entries(all).filter((field): field is [string, string] => field[1] !== undefined);
}

export const get = (...fields: readonly Field[]) => block([...pseudo(), ...fields]);
export const post = (...fields: readonly Field[]) => block([...pseudo({ ':method': 'POST' }), ...fields]);

export const END = flag.endStream | flag.endHeaders;
/** A whole request without a body on a stream. */
export const ask = (stream: number, ...fields: readonly Field[]) => headers(stream, get(...fields), END);
/** One for which a backend takes its time, so that the stream stays half-closed. */
export const askSlow = (stream: number, method = 'GET') => headers(stream, slowly(method), END);
export const slowly = (method: string) => block(pseudo({ ':method': method, ':path': '/slow' }));
/** Streams that a subject lets a client have open at once. */
export const MAX_STREAMS = 32;
/** How long a backend takes for `/slow`. */
export const SLOW_MS = 150;
/** A request whose body is still to come. */
export const open = (stream: number, ...fields: readonly Field[]) => headers(stream, post(...fields));
/** A whole request with a body. */
export const postWith = (body: string, ...fields: readonly Field[]) =>
  Buffer.concat([open(1, ...fields), data(1, body, flag.endStream)]);
export const preface = PREFACE;

/** Waits for the end of the answer on a stream. */
export const end =
  (stream: number): Step =>
  (peer) =>
    peer.until(() => peer.stream(stream).ended);
export const pause =
  (ms: number): Step =>
  () =>
    new Promise((resolve) => setTimeout(resolve, ms));
