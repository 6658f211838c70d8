/**
 * What is written down of an exchange while it lasts, for a line that asks for it. Exchanges whose log asks for no such
 * line have no notes and pay for none.
 */
import type { AccessRecord } from '../../access.ts';
import type { Exchange } from '../../exchange/exchange.ts';
import type { RequestHead } from '../../http1/request.ts';
import type { ResponseHead } from '../../http1/response.ts';
import type { CompiledLine } from './compile.ts';
import { headerOf } from './values.ts';

/** Undefined: there is no such thing. */
type Values = readonly (string | undefined)[];

/** One try at an endpoint. Times are milliseconds from its beginning; negative as long as there is none. */
export interface Attempt {
  /** `address:port`. */
  readonly address: string;
  /** `performance.now()`. */
  readonly began: number;
  connectMs: number;
  headerMs: number;
  ms: number;
  /** Of the response, or 502 and 504 for one that did not come (nginx $upstream_status); 0: nothing is known. */
  status: number;
  /** Of the response's body. */
  bytes: number;
}

export interface LogNotes {
  readonly line: CompiledLine;
  /** What `line.early` has found. */
  readonly early: Values;
  /** Of the request. */
  readonly headBytes: number;
  /** Of the virtual host that was found; '' for none. */
  hostname: string;
  readonly attempts: Attempt[];
  /** As `line.responseHeaders`, of the backend that answered last. */
  responseHeaders: Values;
  /** As `line.sentHeaders`. */
  sentHeaders: Values;
  /** Of heads. */
  sentBytes: number;
}

/** To be called when a request has come. `head`: while nothing was changed in it; absent where it could not be read. */
export function beginNotes(exchange: Exchange, head?: RequestHead): void {
  const { line } = exchange.client.door.table;
  if (!line || !exchange.logged) return;
  // Not known yet; what is there is of the request before.
  if (head) head.normalPath = '';
  exchange.notes = {
    line,
    early: line.early.map((read) => read(exchange, head)),
    headBytes: head ? lengthOf(exchange, head) : 0,
    hostname: '',
    attempts: [],
    responseHeaders: [],
    sentHeaders: [],
    sentBytes: 0,
  };
}

/** The line of an exchange that is over; undefined where nobody wants one. */
export function lineOf(exchange: Exchange, record: AccessRecord): string | undefined {
  const { notes } = exchange;
  if (!notes) return undefined;
  noteEnd(notes, 0);
  return notes.line.text(record, notes, exchange);
}

/** HTTP/2 has no text for a head: what is in its fields counts. */
function lengthOf(exchange: Exchange, { length, lineStart, method, target, fields }: RequestHead): number {
  const isHttp2 = exchange.client.wire.protocol(exchange) === 'HTTP/2.0';
  return isHttp2 ? method.length + target.length + fields.end : length - lineStart;
}

/** The request is on its way to an endpoint, `address:port`. */
export function noteAttempt(notes: LogNotes, address: string): void {
  noteEnd(notes, 502);
  const began = performance.now();
  notes.attempts.push({ address, began, connectMs: -1, headerMs: -1, ms: -1, status: 0, bytes: 0 });
}

const sinceBegin = ({ began }: Attempt): number => performance.now() - began;

/** The connection can carry the request. */
export function noteConnected({ attempts }: LogNotes): void {
  const last = attempts.at(-1);
  if (last) last.connectMs = sinceBegin(last);
}

/** The head of a response that is not an interim one has come. */
export function noteResponse(notes: LogNotes, { status, fields }: ResponseHead): void {
  const last = notes.attempts.at(-1);
  if (last) {
    last.status = status;
    last.headerMs = sinceBegin(last);
  }
  notes.responseHeaders = notes.line.responseHeaders.map((name) => headerOf(fields, name));
}

/** So many bytes of the response's body have come. */
export function noteReceived({ attempts }: LogNotes, bytes: number): void {
  const last = attempts.at(-1);
  if (last) last.bytes += bytes;
}

/** The attempt is over: well, or without a response, for which `status` stands. */
export function noteEnd({ attempts }: LogNotes, status: number): void {
  const last = attempts.at(-1);
  if (!last || last.ms >= 0) return;
  last.ms = sinceBegin(last);
  if (last.status === 0) last.status = status;
}

/** A head for the client as text, lines with their CRLF. */
export function noteSent(notes: LogNotes, head: string): void {
  notes.sentBytes += head.length;
  const { sentHeaders: names } = notes.line;
  if (names.length > 0) notes.sentHeaders = valuesIn(head, names);
}

/** Of each name, the values of all its lines. */
function valuesIn(head: string, names: readonly string[]): Values {
  const lines = head.split('\r\n').map((line) => {
    const colon = line.indexOf(':');
    return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()] as const;
  });
  return names.map((wanted) => {
    const values = lines.flatMap(([name, value]) => (name === wanted ? [value] : []));
    return values.length > 0 ? values.join(', ') : undefined;
  });
}
