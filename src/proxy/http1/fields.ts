/**
 * The field lines of one head, as positions in its text. Fields that nobody touches are forwarded as they came, by
 * ranges of the text and without a string each; changes are marks on lines and lines added at the end.
 * One record is used again for every head that a proxy reads.
 */
import { COLON, CR, LF, SPACE, TAB, tokenBytes, trimSpace, valueBytes } from './characters.ts';
import { equalsIgnoreCase, known, knownField, knownName } from './known-fields.ts';

export interface Fields {
  /** The head, one character per byte; what follows the head may be there too. */
  text: string;
  count: number;
  /** Where the first field line begins, and the position after the CRLF of the last one. */
  start: number;
  end: number;
  /** Four positions per field: name from and to, value from and to. */
  readonly at: Int32Array;
  /** Number of the known field, per field. */
  readonly known: Uint8Array;
  /** Known fields that are there, and those that are there more than once: bit by number. */
  seen: number;
  repeated: number;
  /** 1 where the line is not forwarded. */
  readonly dropped: Uint8Array;
  /** Some line is not forwarded. */
  anyDropped: boolean;
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
    start: 0,
    end: 0,
    at: new Int32Array(4 * maxHeaders),
    known: new Uint8Array(maxHeaders),
    seen: 0,
    repeated: 0,
    dropped: new Uint8Array(maxHeaders),
    anyDropped: false,
    added: '',
    addedNames: [],
    addedValues: [],
  };
}

/** What is wrong with a head; positive numbers elsewhere are positions. */
export const fault = { incomplete: -1, malformed: -2, tooManyFields: -3 } as const;

/** Bit of a known field in `seen` and `repeated`. */
export const bit = (id: number): number => 1 << id;

/** Makes a record ready for the lines of another head, the first of which begins at `start`. */
export function clearFields(fields: Fields, start: number): void {
  fields.start = start;
  fields.count = 0;
  fields.seen = 0;
  fields.repeated = 0;
  fields.anyDropped = false;
  fields.added = '';
  if (fields.addedNames.length > 0) {
    fields.addedNames.length = 0;
    fields.addedValues.length = 0;
  }
}

/**
 * Takes in a line that is known to be right: `name: value` and its CRLF, `length` characters from `start`, where the
 * text goes on. False when there are too many.
 */
export function takeLine(fields: Fields, start: number, length: number, nameLength: number, id: number): boolean {
  const index = fields.count;
  if (index === fields.known.length) return false;
  fields.at[4 * index] = start;
  fields.at[4 * index + 1] = start + nameLength;
  fields.at[4 * index + 2] = start + nameLength + 2;
  fields.at[4 * index + 3] = start + length - 2;
  fields.dropped[index] = 0;
  fields.known[index] = id;
  fields.repeated |= fields.seen & bit(id);
  fields.seen |= bit(id);
  fields.count = index + 1;
  return true;
}

/**
 * Scans field lines in `bytes[start, end)` up to the empty line (RFC 9112 section 5) and returns the position after it,
 * or a fault. Strict: CRLF only, no obs-fold, no control bytes. A response may have space before a colon, which is
 * taken out (section 5.1 asks that of proxies); a request may not. Positions are those of `bytes`; `text` is for the
 * caller to set.
 */
export function scanFields(
  fields: Fields,
  bytes: Buffer,
  start: number,
  end: number,
  spaceBeforeColon: boolean,
): number {
  clearFields(fields, start);
  for (let at = start; ; ) {
    if (at + 1 >= end) return at < end && bytes[at] !== CR ? startFault(bytes[at]!) : fault.incomplete;
    if (bytes[at] === CR) {
      if (bytes[at + 1] !== LF) return fault.malformed;
      fields.end = at;
      return at + 2;
    }
    at = scanField(fields, bytes, at, end, spaceBeforeColon);
    if (at < 0) return at;
  }
}

function startFault(byte: number): number {
  return tokenBytes[byte] === 1 ? fault.incomplete : fault.malformed;
}

/** Scans one line; returns the position of the next or a fault. */
function scanField(fields: Fields, bytes: Buffer, start: number, end: number, spaceBeforeColon: boolean): number {
  let at = start;
  while (at < end && tokenBytes[bytes[at]!] === 1) at++;
  if (at === end) return fault.incomplete;
  const nameEnd = at;
  if (nameEnd === start) return fault.malformed;
  if (spaceBeforeColon) at = skipSpace(bytes, at, end);
  if (at === end) return fault.incomplete;
  if (bytes[at] !== COLON) return fault.malformed;
  const valueStart = skipSpace(bytes, at + 1, end);
  at = valueStart;
  while (at < end && valueBytes[bytes[at]!] === 1) at++;
  if (at + 1 >= end) return at < end && bytes[at] !== CR ? fault.malformed : fault.incomplete;
  if (bytes[at] !== CR || bytes[at + 1] !== LF) return fault.malformed;
  let valueEnd = at;
  while (valueEnd > valueStart && isSpace(bytes[valueEnd - 1]!)) valueEnd--;
  const index = fields.count;
  if (index === fields.known.length) return fault.tooManyFields;
  fields.at[4 * index] = start;
  fields.at[4 * index + 1] = nameEnd;
  fields.at[4 * index + 2] = valueStart;
  fields.at[4 * index + 3] = valueEnd;
  fields.dropped[index] = 0;
  fields.count = index + 1;
  const id = knownField(bytes, start, nameEnd);
  fields.known[index] = id;
  fields.repeated |= fields.seen & bit(id);
  fields.seen |= bit(id);
  if (bytes[nameEnd] !== COLON && !squeeze(fields, bytes, index)) return fault.malformed;
  return at + 2;
}

/** Writes a line anew without the space before its colon. Where the field bears on framing, it is too doubtful for that. */
function squeeze(fields: Fields, bytes: Buffer, index: number): boolean {
  if (fields.known[index] !== known.other) return false;
  dropLine(fields, index);
  const { at } = fields;
  const name = bytes.toString('latin1', at[4 * index]!, at[4 * index + 1]!);
  addField(fields, name, bytes.toString('latin1', at[4 * index + 2]!, at[4 * index + 3]!));
  return true;
}

/** Scans field lines with their empty line, given as text; returns the position after it, or a fault. */
export function scanText(fields: Fields, text: string): number {
  const bytes = Buffer.from(text, 'latin1');
  fields.text = text;
  return scanFields(fields, bytes, 0, bytes.length, false);
}

function skipSpace(bytes: Buffer, position: number, end: number): number {
  let at = position;
  while (at < end && isSpace(bytes[at]!)) at++;
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
  if ((fields.seen & bit(id)) === 0) return undefined;
  let value: string | undefined;
  for (let i = 0; i < fields.count; i++) {
    if (fields.known[i] === id) value = value === undefined ? valueAt(fields, i) : `${value},${valueAt(fields, i)}`;
  }
  return value;
}

function dropLine(fields: Fields, index: number): void {
  fields.dropped[index] = 1;
  fields.anyDropped = true;
}

export function dropKnown(fields: Fields, id: number): void {
  dropAnyOf(fields, bit(id));
}

/** Takes all known fields out whose bits are in `ids`. */
export function dropAnyOf(fields: Fields, ids: number): void {
  if ((fields.seen & ids) === 0) return;
  for (let i = 0; i < fields.count; i++) if (bit(fields.known[i]!) & ids) dropLine(fields, i);
}

/** Takes a field out of what is forwarded, wherever it came from. */
export function removeField(fields: Fields, lowerName: string): void {
  const id = knownName(lowerName);
  for (let i = 0; i < fields.count; i++) {
    if (fields.known[i] === id && isNamed(fields, i, lowerName)) dropLine(fields, i);
  }
  for (let i = fields.addedNames.length - 1; i >= 0; i--) {
    if (!isSameName(fields.addedNames[i]!, lowerName)) continue;
    fields.addedNames.splice(i, 1);
    fields.addedValues.splice(i, 1);
  }
}

const isSameName = (name: string, lowerName: string): boolean =>
  name.length === lowerName.length && equalsIgnoreCase(name, 0, lowerName);

/** Adds a line that later changes can still find. */
export function addField(fields: Fields, name: string, value: string): void {
  fields.addedNames.push(name);
  fields.addedValues.push(value);
}

/** Replaces all lines of a name by one; the name is written as given. */
export function setField(fields: Fields, name: string, value: string, lowerName = name.toLowerCase()): void {
  removeField(fields, lowerName);
  addField(fields, name, value);
}

/**
 * The lines to forward, each with its CRLF, without the empty line. `from` is where to begin: by default at the first
 * field line, or earlier to have the text in front of it as it came.
 */
export function writeFields(fields: Fields, from = fields.start): string {
  let lines = fields.anyDropped ? keptLines(fields, from) : fields.text.slice(from, fields.end);
  lines += fields.added;
  for (let i = 0; i < fields.addedNames.length; i++) {
    lines += `${fields.addedNames[i]!}: ${fields.addedValues[i]!}\r\n`;
  }
  return lines;
}

function keptLines({ text, at, dropped, count, end }: Fields, start: number): string {
  let lines = '';
  let from = start;
  for (let i = 0; i < count; i++) {
    if (dropped[i] === 0) continue;
    if (at[4 * i]! > from) lines += text.slice(from, at[4 * i]!);
    from = i + 1 < count ? at[4 * i + 4]! : end;
  }
  return from < end ? lines + text.slice(from, end) : lines;
}

/** The non-empty members, in lower case, of a comma-separated value (RFC 9110 section 5.6.1). */
export function listMembers(value: string): string[] {
  return value
    .toLowerCase()
    .split(',')
    .map((member) => trimSpace(member))
    .filter((member) => member !== '');
}

/** The names of the lines to forward, as they are written; those in `added` excepted. */
export function fieldNames(fields: Fields): string[] {
  const names: string[] = [];
  for (let i = 0; i < fields.count; i++) {
    if (fields.dropped[i] === 0) names.push(fields.text.slice(fields.at[4 * i]!, fields.at[4 * i + 1]!));
  }
  return [...names, ...fields.addedNames];
}

/**
 * Takes out the fields whose names have a character for which `wanted`, by its code, does not hold 1. Of a letter it holds
 * the same for both cases.
 */
export function keepNames(fields: Fields, wanted: Uint8Array): void {
  const { at, text, addedNames } = fields;
  for (let i = 0; i < fields.count; i++) {
    if (!isAllOf(text, at[4 * i]!, at[4 * i + 1]!, wanted)) dropLine(fields, i);
  }
  for (const name of addedNames.length > 0 ? [...addedNames] : addedNames) {
    if (!isAllOf(name, 0, name.length, wanted)) removeField(fields, name.toLowerCase());
  }
}

/** Whether all lines to forward have names of such characters only. */
export function areNamesOf(fields: Fields, wanted: Uint8Array): boolean {
  const { at, text, addedNames } = fields;
  for (let i = 0; i < fields.count; i++) {
    if (fields.dropped[i] === 0 && !isAllOf(text, at[4 * i]!, at[4 * i + 1]!, wanted)) return false;
  }
  for (let i = 0; i < addedNames.length; i++) {
    if (!isAllOf(addedNames[i]!, 0, addedNames[i]!.length, wanted)) return false;
  }
  return true;
}

function isAllOf(text: string, start: number, end: number, wanted: Uint8Array): boolean {
  for (let i = start; i < end; i++) if (wanted[text.charCodeAt(i)] !== 1) return false;
  return true;
}

/** Names and values of the lines to forward, as they are written; those in `added` excepted. */
export function fieldPairs(fields: Fields): (readonly [name: string, value: string])[] {
  const pairs: (readonly [string, string])[] = [];
  for (let i = 0; i < fields.count; i++) {
    if (fields.dropped[i] === 0)
      pairs.push([fields.text.slice(fields.at[4 * i]!, fields.at[4 * i + 1]!), valueAt(fields, i)]);
  }
  fields.addedNames.forEach((name, i) => {
    pairs.push([name, fields.addedValues[i]!]);
  });
  return pairs;
}

/** Value of a field as the lines to forward have it, changes included; those in `added` excepted. */
export function currentValue(fields: Fields, lowerName: string): string | undefined {
  let value: string | undefined;
  const put = (more: string) => {
    value = value === undefined ? more : `${value},${more}`;
  };
  for (let i = 0; i < fields.count; i++) {
    if (fields.dropped[i] === 0 && isNamed(fields, i, lowerName)) put(valueAt(fields, i));
  }
  fields.addedNames.forEach((name, i) => {
    if (isSameName(name, lowerName)) put(fields.addedValues[i]!);
  });
  return value;
}
