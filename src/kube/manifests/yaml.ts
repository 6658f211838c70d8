/**
 * One YAML document to a value, and a path in it to its place. Scalars are read as kubectl reads them (goyaml.v2):
 * YAML 1.1 booleans, numbers with a leading zero as octal, merge keys, no timestamps, no base-60 numbers.
 */
import {
  CORE_SCHEMA,
  DUMP_SCHEMA,
  defineScalarTag,
  dump,
  EVENT_ID,
  type Event,
  getScalarValue,
  loadAll,
  mergeTag,
  NOT_RESOLVED,
  parseEvents,
  YAMLException,
} from 'js-yaml';
import { maxNesting } from '../../base/nesting.ts';

const truths = new Set(['true', 'True', 'TRUE', 'yes', 'Yes', 'YES', 'on', 'On', 'ON']);
const untruths = new Set(['false', 'False', 'FALSE', 'no', 'No', 'NO', 'off', 'Off', 'OFF']);

/** YAML 1.1 but for the single letters, which are names more often than truths. */
const boolTag = defineScalarTag<boolean>('tag:yaml.org,2002:bool', {
  implicit: true,
  implicitFirstChars: [...'tTfFyYnNoO'],
  resolve: (source) => (truths.has(source) ? true : untruths.has(source) ? false : NOT_RESOLVED),
  identify: (data) => typeof data === 'boolean',
});

const octal = /^[-+]?0[0-7]+$/;
const decimal = /^[-+]?(?:0|[1-9][0-9]*)$/;
const prefixed = /^([-+]?)(0[xob][0-9a-f]+)$/i;

/** As Go's ParseInt with base 0; underscores between digits are passed over. */
function readInt(source: string): number | typeof NOT_RESOLVED {
  const text = source.includes('_') ? source.replaceAll('_', '') : source;
  if (decimal.test(text)) return Number(text);
  if (octal.test(text)) return (text.startsWith('-') ? -1 : 1) * Number.parseInt(text.replace(/^[-+]/, ''), 8);
  const match = prefixed.exec(text);
  if (!match) return NOT_RESOLVED;
  const value = Number(match[2]);
  // A digit that the base does not have, as in 0b2: a string.
  if (Number.isNaN(value)) return NOT_RESOLVED;
  return match[1] === '-' ? -value : value;
}

const intTag = defineScalarTag<number>('tag:yaml.org,2002:int', {
  implicit: true,
  implicitFirstChars: [...'-+0123456789'],
  resolve: readInt,
  identify: (data) => Number.isInteger(data),
});

const schema = CORE_SCHEMA.withTags(boolTag, intTag, mergeTag);

/** More aliases than any honest manifest has; each may stand for a large value. */
const maxAliases = 100;

export type ReadYaml = { readonly value: unknown } | { readonly fault: YamlFault };

export interface YamlFault {
  readonly message: string;
  readonly offset: number;
  readonly kind: 'syntax' | 'aliases' | 'nesting';
}

/** Offset of a line and column (both from 0). */
function offsetAt(text: string, line: number, column: number): number {
  let start = 0;
  for (let i = 0; i < line; i++) start = text.indexOf('\n', start) + 1;
  return start + column;
}

/** Most values that a document may stand for once its aliases are written out. */
const maxValues = 1_000_000;
const aliasesExpand = `aliases expand to more than ${maxValues} values or ${maxNesting} levels`;

/**
 * How much of a budget is left after every value below one is counted, shared ones each time; below zero: too many, or
 * nested more than `levels` deep.
 */
function spend(value: unknown, budget: number, levels = maxNesting): number {
  if (typeof value !== 'object' || value === null) return budget - 1;
  if (levels === 0) return -1;
  let left = budget - 1;
  for (const part of Object.values(value)) {
    left = spend(part, left, levels - 1);
    if (left < 0) return left;
  }
  return left;
}

/** Never throws: faults come with their offset in the text. An empty document has the value undefined. */
export function readYaml(text: string): ReadYaml {
  try {
    const [value] = loadAll(text, { schema, maxAliases, maxDepth: maxNesting });
    // Aliases share what they stand for, so a small document can be an endless one for whoever walks it.
    if (text.includes('&') && spend(value, maxValues) < 0)
      return { fault: { message: aliasesExpand, offset: 0, kind: 'aliases' } };
    return { value };
  } catch (error) {
    return { fault: faultOf(text, error) };
  }
}

function faultOf(text: string, error: unknown): YamlFault {
  const isYaml = error instanceof YAMLException;
  const message = isYaml ? error.reason : error instanceof Error ? error.message : String(error);
  const offset = Math.min(isYaml && error.mark ? offsetAt(text, error.mark.line, error.mark.column) : 0, text.length);
  if (/maxDepth/.test(message))
    return { message: `what stands here is nested more than ${maxNesting} levels deep`, offset, kind: 'nesting' };
  return { message, offset, kind: /alias/i.test(message) ? 'aliases' : 'syntax' };
}

/** How many documents a text has; 0 for one that cannot be read. */
export function countDocuments(text: string): number {
  try {
    return parseEvents(text, {}).filter(({ type }) => type === EVENT_ID.DOCUMENT).length;
  } catch {
    // Faults of the text are reported by readYaml.
    return 0;
  }
}

/**
 * A value as one YAML document in block style, without aliases or folded lines; fields that are undefined are left out.
 * Strings that YAML 1.1 or 1.2 would take for something else (`yes`, `0777`, a time) are quoted.
 */
export function writeYaml(value: unknown): string {
  return dump(value, { schema: DUMP_SCHEMA, noRefs: true, lineWidth: -1, skipInvalid: true });
}

/** Index of the event after the node that begins at one. */
function skip(events: readonly Event[], index: number): number {
  let depth = 0;
  for (let i = index; i < events.length; i++) {
    const { type } = events[i]!;
    if (type === EVENT_ID.MAPPING || type === EVENT_ID.SEQUENCE || type === EVENT_ID.DOCUMENT) depth++;
    else if (type === EVENT_ID.POP) depth--;
    if (depth === 0) return i + 1;
  }
  return events.length;
}

function startOf(event: Event): number {
  if (event.type === EVENT_ID.SCALAR) return event.valueStart;
  if (event.type === EVENT_ID.ALIAS) return event.anchorStart;
  return event.type === EVENT_ID.MAPPING || event.type === EVENT_ID.SEQUENCE ? event.start : 0;
}

/** The value of a key of a mapping (or an item of a sequence): the event it begins at, and the offset to show. */
function child(text: string, events: readonly Event[], index: number, segment: string | number) {
  const isSequence = events[index]!.type === EVENT_ID.SEQUENCE;
  for (let i = index + 1, n = 0; i < events.length && events[i]!.type !== EVENT_ID.POP; n++) {
    const event = events[i]!;
    const value = isSequence ? i : skip(events, i);
    const key = isSequence ? n : event.type === EVENT_ID.SCALAR ? getScalarValue(text, event) : undefined;
    if (key !== undefined && String(key) === String(segment)) return { index: value, offset: startOf(event) };
    i = skip(events, value);
  }
  return undefined;
}

/** What was read last, until the end of the turn: who asks for one place of a text asks for many, one after the other. */
let lastRead: { readonly text: string; readonly events: readonly Event[] } | undefined;

/** None for text that cannot be read: its faults have been reported by readYaml. */
function eventsOf(text: string): readonly Event[] {
  if (lastRead?.text === text) return lastRead.events;
  let events: readonly Event[] = [];
  try {
    events = parseEvents(text, {});
  } catch {
    // An empty list.
  }
  if (!lastRead) {
    setImmediate(() => {
      lastRead = undefined;
    });
  }
  lastRead = { text, events };
  return events;
}

/** Offset of the deepest part of a path that is there; 0 for text that cannot be read. */
export function offsetOfPath(text: string, path: readonly (string | number)[]): number {
  const events = eventsOf(text);
  const root = events.findIndex(({ type }) => type !== EVENT_ID.DOCUMENT);
  if (root < 0) return 0;
  let at = { index: root, offset: startOf(events[root]!) };
  for (const segment of path) {
    const { type } = events[at.index]!;
    const next =
      type === EVENT_ID.MAPPING || type === EVENT_ID.SEQUENCE ? child(text, events, at.index, segment) : undefined;
    if (!next) break;
    at = next;
  }
  return at.offset;
}
