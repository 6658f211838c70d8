/**
 * The field lines of one head, as positions in its text. Fields that nobody touches are forwarded as they came, by
 * ranges of the text and without a string each; changes are marks on lines and lines added at the end.
 * One record is used again for every head that a proxy reads.
 */
import { COLON, CR, LF, SPACE, TAB, tokenBytes, valueBytes } from './characters.ts';
import { equalsIgnoreCase, known, knownField, knownName } from './known-fields.ts';

export interface Fields {
  /** The head, one character per byte. */
  text: string;
  count: number;
  /** Position after the CRLF of the last field line. */
  end: number;
  /** Four positions per field: name from and to, value from and to. */
  readonly at: Int32Array;
  /** Number of the known field, per field. */
  readonly known: Uint8Array;
  /** 1 where the line is not forwarded. */
  readonly dropped: Uint8Array;
  /** Lines added for good, each with its CRLF. */
  added: string;
  /** Lines added that later changes can still find; they follow `added`. */
  readonly addedNames: string[];
  readonly addedValues: string[];
}

export function createFields(maxHeaders: number): Fields {
  return {
    text: '',
    count: 0,
    end: 0,
    at: new Int32Array(4 * maxHeaders),
    known: new Uint8Array(maxHeaders),
    dropped: new Uint8Array(maxHeaders),
    added: '',
    addedNames: [],
    addedValues: [],
  };
}

/** What is wrong with a head; positive numbers elsewhere are positions. */
export const fault = { incomplete: -1, malformed: -2, tooManyFields: -3 } as const;

/**
 * Scans field lines from `position` to the empty line (RFC 9112 section 5) and returns the position after it, or a
 * fault. Strict: CRLF only, no obs-fold, no control bytes. A response may have space before a colon, which is taken
 * out (section 5.1 asks that of proxies); a request may not.
 */
export function scanFields(fields: Fields, text: string, position: number, spaceBeforeColon: boolean): number {
  fields.text = text;
  fields.count = 0;
  fields.added = '';
  if (fields.addedNames.length > 0) {
    fields.addedNames.length = 0;
    fields.addedValues.length = 0;
  }
  const length = text.length;
  for (let at = position; ; ) {
    if (at + 1 >= length) return at < length && text.charCodeAt(at) !== CR ? startFault(text, at) : fault.incomplete;
    if (text.charCodeAt(at) === CR) {
      if (text.charCodeAt(at + 1) !== LF) return fault.malformed;
      fields.end = at;
      return at + 2;
    }
    at = scanField(fields, text, at, spaceBeforeColon);
    if (at < 0) return at;
  }
}

function startFault(text: string, at: number): number {
  return tokenBytes[text.charCodeAt(at)] === 1 ? fault.incomplete : fault.malformed;
}

/** Scans one line; returns the position of the next or a fault. */
function scanField(fields: Fields, text: string, start: number, spaceBeforeColon: boolean): number {
  const length = text.length;
  let at = start;
  while (at < length && tokenBytes[text.charCodeAt(at)] === 1) at++;
  if (at === length) return fault.incomplete;
  const nameEnd = at;
  if (spaceBeforeColon) at = skipSpace(text, at);
  if (at === length) return fault.incomplete;
  if (nameEnd === start || text.charCodeAt(at) !== COLON) return fault.malformed;
  const valueStart = skipSpace(text, at + 1);
  at = valueStart;
  while (at < length && valueBytes[text.charCodeAt(at)] === 1) at++;
  if (at + 1 >= length) return at < length && text.charCodeAt(at) !== CR ? fault.malformed : fault.incomplete;
  if (text.charCodeAt(at) !== CR || text.charCodeAt(at + 1) !== LF) return fault.malformed;
  let valueEnd = at;
  while (valueEnd > valueStart && isSpace(text.charCodeAt(valueEnd - 1))) valueEnd--;
  const index = fields.count;
  if (index === fields.known.length) return fault.tooManyFields;
  fields.at[4 * index] = start;
  fields.at[4 * index + 1] = nameEnd;
  fields.at[4 * index + 2] = valueStart;
  fields.at[4 * index + 3] = valueEnd;
  fields.known[index] = knownField(text, start, nameEnd);
  fields.dropped[index] = 0;
  fields.count = index + 1;
  if (text.charCodeAt(nameEnd) !== COLON && !squeeze(fields, index)) return fault.malformed;
  return at + 2;
}

/** Writes a line anew without the space before its colon. Where the field bears on framing, it is too doubtful for that. */
function squeeze(fields: Fields, index: number): boolean {
  if (fields.known[index] !== known.other) return false;
  fields.dropped[index] = 1;
  addField(fields, fields.text.slice(fields.at[4 * index]!, fields.at[4 * index + 1]!), valueAt(fields, index));
  return true;
}

function skipSpace(text: string, position: number): number {
  let at = position;
  while (at < text.length && isSpace(text.charCodeAt(at))) at++;
  return at;
}

function isSpace(code: number): boolean {
  return code === SPACE || code === TAB;
}

export function valueAt(fields: Fields, index: number): string {
  return fields.text.slice(fields.at[4 * index + 2]!, fields.at[4 * index + 3]!);
}

function isNamed(fields: Fields, index: number, lowerName: string): boolean {
  const start = fields.at[4 * index]!;
  return fields.at[4 * index + 1]! - start === lowerName.length && equalsIgnoreCase(fields.text, start, lowerName);
}

/** Value of a field as it came, by lower-case name; repeated lines joined with `,` (RFC 9110 section 5.3). */
export function fieldValue(fields: Fields, lowerName: string): string | undefined {
  let value: string | undefined;
  for (let i = 0; i < fields.count; i++) {
    if (isNamed(fields, i, lowerName))
      value = value === undefined ? valueAt(fields, i) : `${value},${valueAt(fields, i)}`;
  }
  return value;
}

/** Value of a known field by its number, joined likewise. */
export function knownValue(fields: Fields, id: number): string | undefined {
  let value: string | undefined;
  for (let i = 0; i < fields.count; i++) {
    if (fields.known[i] === id) value = value === undefined ? valueAt(fields, i) : `${value},${valueAt(fields, i)}`;
  }
  return value;
}

export function dropKnown(fields: Fields, id: number): void {
  for (let i = 0; i < fields.count; i++) if (fields.known[i] === id) fields.dropped[i] = 1;
}

/** Takes a field out of what is forwarded, wherever it came from. */
export function removeField(fields: Fields, lowerName: string): void {
  const id = knownName(lowerName);
  for (let i = 0; i < fields.count; i++) {
    if (fields.known[i] === id && isNamed(fields, i, lowerName)) fields.dropped[i] = 1;
  }
  for (let i = fields.addedNames.length - 1; i >= 0; i--) {
    if (fields.addedNames[i]!.toLowerCase() !== lowerName) continue;
    fields.addedNames.splice(i, 1);
    fields.addedValues.splice(i, 1);
  }
}

/** Adds a line that later changes can still find. */
export function addField(fields: Fields, name: string, value: string): void {
  fields.addedNames.push(name);
  fields.addedValues.push(value);
}

/** Replaces all lines of a name by one; the name is written as given. */
export function setField(fields: Fields, name: string, value: string): void {
  removeField(fields, name.toLowerCase());
  addField(fields, name, value);
}

/** The lines to forward, each with its CRLF, without the empty line. */
export function writeFields(fields: Fields): string {
  const { text, at, dropped, count } = fields;
  let lines = '';
  let from = -1;
  for (let i = 0; i < count; i++) {
    if (dropped[i] === 0) {
      if (from < 0) from = at[4 * i]!;
    } else if (from >= 0) {
      lines += text.slice(from, at[4 * i]!);
      from = -1;
    }
  }
  if (from >= 0) lines += text.slice(from, fields.end);
  lines += fields.added;
  for (let i = 0; i < fields.addedNames.length; i++) {
    lines += `${fields.addedNames[i]!}: ${fields.addedValues[i]!}\r\n`;
  }
  return lines;
}

/** The non-empty members, in lower case, of a comma-separated value (RFC 9110 section 5.6.1). */
export function listMembers(value: string): string[] {
  return value
    .toLowerCase()
    .split(',')
    .map((member) => member.trim())
    .filter((member) => member !== '');
}
