/** Field lines as requests bring them: named and judged once, when they are decoded, however often they are referred to. */
import { tokenBytes, valueBytes } from '../../../http1/characters.ts';
import { knownName } from '../../../http1/known-fields.ts';

/** What a field is to whoever reads a head. */
export const fieldKind = {
  regular: 0,
  method: 1,
  scheme: 2,
  path: 3,
  authority: 4,
  protocol: 5,
  /** A pseudo-header field that requests do not have. */
  badPseudo: 6,
  cookie: 7,
  contentType: 8,
  te: 9,
  /** RFC 9113 section 8.2.2: belongs to a connection of HTTP/1.1. */
  connection: 10,
} as const;
export type FieldKind = (typeof fieldKind)[keyof typeof fieldKind];

/** A name, and what follows from it. */
export interface FieldName {
  readonly text: string;
  readonly kind: FieldKind;
  /** Number among the known fields of http1/known-fields.ts. */
  readonly known: number;
  /** RFC 9113 section 8.2.1: a token without capitals; for pseudo-header fields, after the colon. */
  readonly isValid: boolean;
}

export interface Field {
  readonly name: FieldName;
  readonly value: string;
  /** As HTTP/1.1 writes it, with its CRLF; '' for what never becomes a line. */
  readonly line: string;
  /** In the dynamic table (RFC 7541 section 4.1). */
  readonly size: number;
  /** Name and value may stand in a request. */
  readonly isValid: boolean;
}

/** What an entry of a table counts beside its bytes. */
export const ENTRY_OVERHEAD = 32;

const kinds: ReadonlyMap<string, FieldKind> = new Map<string, FieldKind>([
  [':method', fieldKind.method],
  [':scheme', fieldKind.scheme],
  [':path', fieldKind.path],
  [':authority', fieldKind.authority],
  [':protocol', fieldKind.protocol],
  ['cookie', fieldKind.cookie],
  ['content-type', fieldKind.contentType],
  ['te', fieldKind.te],
  ['connection', fieldKind.connection],
  ['keep-alive', fieldKind.connection],
  ['proxy-connection', fieldKind.connection],
  ['transfer-encoding', fieldKind.connection],
  ['upgrade', fieldKind.connection],
]);

/** Names that were seen, for all connections; those that nobody uses twice must not drive out the others. */
const names = new Map<string, FieldName>();
const MAX_NAMES = 512;
const MAX_KEPT_BYTES = 64;

export function fieldName(text: string): FieldName {
  const kept = names.get(text);
  if (kept) return kept;
  const isPseudo = text.charCodeAt(0) === COLON;
  const kind = kinds.get(text) ?? (isPseudo ? fieldKind.badPseudo : fieldKind.regular);
  const name: FieldName = { text, kind, known: knownName(text), isValid: isLowerToken(text, isPseudo ? 1 : 0) };
  if (names.size < MAX_NAMES && text.length <= MAX_KEPT_BYTES && name.isValid) names.set(text, name);
  return name;
}

const COLON = 58;

function isLowerToken(text: string, from: number): boolean {
  if (text.length === from) return false;
  for (let i = from; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (tokenBytes[code] !== 1 || (code >= 65 && code <= 90)) return false;
  }
  return true;
}

export function createField(name: FieldName, value: string): Field {
  const isValid = name.isValid && isFieldValue(value);
  return {
    name,
    value,
    line: isValid && name.kind !== fieldKind.cookie && !isPseudo(name) ? `${name.text}: ${value}\r\n` : '',
    size: name.text.length + value.length + ENTRY_OVERHEAD,
    isValid,
  };
}

const isPseudo = ({ kind }: FieldName): boolean => kind >= fieldKind.method && kind <= fieldKind.badPseudo;

/** RFC 9113 section 8.2.1, with what RFC 9110 section 5.5 asks beyond it: no control bytes, no space at either end. */
function isFieldValue(value: string): boolean {
  const { length } = value;
  if (length === 0) return true;
  for (let i = 0; i < length; i++) if (valueBytes[value.charCodeAt(i)] !== 1) return false;
  return !isSpace(value.charCodeAt(0)) && !isSpace(value.charCodeAt(length - 1));
}

const isSpace = (code: number): boolean => code === 32 || code === 9;
