/**
 * Lines that somebody else has laid out (nginx's log_format), as one function for each listener. What clients choose is
 * escaped, so that no request can begin a line, forge a field or move a terminal's cursor.
 */
import type { LogField, LogFormat } from '../../../routing/plan/plan.ts';
import type { AccessRecord } from '../../access.ts';
import type { Exchange } from '../../exchange/exchange.ts';
import { toWire } from '../../http1/characters.ts';
import { absent, type Escaped, escapedFor } from './escape.ts';
import { type Late, lateFacts } from './facts.ts';
import type { LogNotes } from './notes.ts';
import { compileEarly, type Early, type EarlyFact, earlyFacts } from './values.ts';

export interface CompiledLine {
  /** To be read when the request has come. */
  readonly early: readonly Early[];
  /** Headers of responses, lower case: of the backend's, and of those that clients get. */
  readonly responseHeaders: readonly string[];
  readonly sentHeaders: readonly string[];
  /** Of an exchange that is over, without its line feed. */
  readonly text: (record: AccessRecord, notes: LogNotes, exchange: Exchange) => string;
}

/** What is to be noted, in lists that fill while a format is read. */
interface Wanted {
  readonly early: Early[];
  readonly responseHeaders: string[];
  readonly sentHeaders: string[];
}

export function compileLine({ parts, escape: escaping }: LogFormat): CompiledLine {
  const wanted: Wanted = { early: [], responseHeaders: [], sentHeaders: [] };
  const none = absent[escaping];
  const writers = parts.map((part, i) => {
    if (typeof part === 'string') return toWire(part);
    const next = parts[i + 1];
    // Times and lists of attempts have blanks of their own.
    const end = typeof next === 'string' && !ownValue(part) ? next : '';
    return writerOf(part, wanted, escapedFor(escaping, end), none);
  });
  return {
    early: wanted.early,
    responseHeaders: wanted.responseHeaders,
    sentHeaders: wanted.sentHeaders,
    text(record, notes, exchange) {
      let line = '';
      for (const writer of writers) line += typeof writer === 'string' ? writer : writer(record, notes, exchange);
      return line;
    },
  };
}

type Writer = (record: AccessRecord, notes: LogNotes, exchange: Exchange) => string;

function writerOf(field: LogField, wanted: Wanted, escaped: Escaped, none: string): Writer {
  if (field.of === 'log' && field.fact === 'request-line')
    return ({ method, target, protocol }) =>
      method === '' ? none : `${escaped(method)} ${escaped(target)} ${protocol}`;
  const read = ownValue(field) ?? recordValue(field) ?? noted(field, wanted);
  return (record, notes, exchange) => {
    const value = read(record, notes, exchange);
    return value === undefined ? none : escaped(value);
  };
}

/** Values in which clients have no say. */
const ownValue = (field: LogField): Late | undefined =>
  field.of === 'log' ? (lateFacts as Readonly<Record<string, Late>>)[field.fact] : undefined;

/** What every record has. */
const recordFacts: Readonly<Record<string, Late>> = {
  method: ({ method }) => method || undefined,
  uri: ({ target }) => target || undefined,
  host: ({ host }) => host || undefined,
  protocol: ({ protocol }) => protocol,
};
const recordHeaders: Readonly<Record<string, Late>> = {
  host: ({ host }) => host || undefined,
  referer: ({ referer }) => referer,
  'user-agent': ({ userAgent }) => userAgent,
};

function recordValue(field: LogField): Late | undefined {
  if (field.of === 'fact') return Object.hasOwn(recordFacts, field.fact) ? recordFacts[field.fact] : undefined;
  return field.of === 'header' && Object.hasOwn(recordHeaders, field.name) ? recordHeaders[field.name] : undefined;
}

/** Has a value noted while the exchange lasts. */
function noted(field: LogField, { early, responseHeaders, sentHeaders }: Wanted): Late {
  if (field.of === 'response-header') {
    const at = responseHeaders.push(field.name) - 1;
    return (_record, notes) => notes.responseHeaders[at];
  }
  if (field.of === 'sent-header') {
    const at = sentHeaders.push(field.name) - 1;
    return (_record, notes) => notes.sentHeaders[at];
  }
  const at = early.push(field.of === 'log' ? earlyFacts[field.fact as EarlyFact] : compileEarly(field)) - 1;
  return (_record, notes) => notes.early[at];
}
