/**
 * Zone files (RFC 1035 section 5, RFC 2308 section 4): records, $ORIGIN, $TTL, $INCLUDE and $GENERATE. Reading goes in
 * steps, so that a server can answer queries between them.
 */
import { readFileSync, statSync } from 'node:fs';
import { dirname, isAbsolute, join } from 'node:path';
import { err, ok, type Result } from '../../../base/result.ts';
import { canonicalName } from '../../wire/name.ts';
import { recordClass, recordType } from '../../wire/numbers.ts';
import { orWrong, parseTtl, type RecordLine, recordOfWords } from '../../wire/record-text.ts';
import { absoluteName } from '../../wire/text-fields.ts';
import { type Entry, entriesOf, ZoneFileError } from './entries.ts';
import { generated } from './generate.ts';
import { createZoneBuilder, type Zone, type ZoneBuilder } from './zone.ts';

export interface ZoneFileLimits {
  /** All files of a zone together, bytes. Default 64 MiB. */
  maxSize?: number;
  /** Default 1,000,000. */
  maxRecords?: number;
  /** How deep $INCLUDE may go. Default 7. */
  maxDepth?: number;
}

export interface ReadZone {
  readonly zone: Zone;
  /** What is odd but no error. */
  readonly warnings: readonly string[];
  /** The file and those that it includes. */
  readonly files: readonly string[];
}

/** Text of a file, or why it cannot be read; `room` is what is left of the bytes. */
export type ReadText = (path: string, room: number) => Result<string, string>;

/** Most files of a zone. */
const maxFiles = 1000;

/** Records after which other work may be done. */
const stepSize = 500;

const readTextFile: ReadText = (path, room) => {
  try {
    const stat = statSync(path);
    if (!stat.isFile()) return err(`${path} is not a file`);
    if (stat.size > room) return err(`${path} is too large: ${stat.size} bytes, ${room} are allowed`);
    return ok(readFileSync(path, 'utf8'));
  } catch (error) {
    return err(`cannot read ${path}: ${error instanceof Error ? error.message : String(error)}`);
  }
};

/** What holds for the records of a file from some line on. */
interface State {
  readonly file: string;
  readonly depth: number;
  origin: string;
  /** $TTL; then the TTL of the record before. */
  defaultTtl?: number;
  lastTtl?: number;
  owner?: string;
}

interface Reading {
  readonly builder: ZoneBuilder;
  readonly limits: Required<ZoneFileLimits>;
  readonly readText: ReadText;
  readonly files: string[];
  readonly outside: string[];
  records: number;
  size: number;
}

type Steps = Generator<void, void>;
type Directive = (reading: Reading, state: State, entry: Entry) => Steps | undefined;

function wrong(state: State, { line }: Pick<Entry, 'line'>, message: string): never {
  throw new ZoneFileError(state.file, line, message);
}

function nameIn(state: State, entry: Entry, i: number): string {
  const text = entry.words[i]?.text ?? wrong(state, entry, `${entry.words[0]!.text} needs a name`);
  const name = orWrong(() => absoluteName(text, state.origin));
  return name.ok ? name.value : wrong(state, entry, name.error);
}

function* include(reading: Reading, state: State, entry: Entry): Steps {
  const path = entry.words[1]?.text ?? wrong(state, entry, '$INCLUDE needs a file');
  if (state.depth >= reading.limits.maxDepth)
    wrong(state, entry, `$INCLUDE goes deeper than ${reading.limits.maxDepth}`);
  const origin = entry.words[2] ? canonicalName(nameIn(state, entry, 2)) : state.origin;
  const file = isAbsolute(path) ? path : join(dirname(state.file), path);
  const text = load(reading, file);
  if (!text.ok) wrong(state, entry, text.error);
  // Neither the origin nor the owner nor a $TTL of the included file holds behind it.
  yield* readEntries(reading, { ...state, file, origin, depth: state.depth + 1 }, text.value);
}

function* generate(reading: Reading, state: State, entry: Entry): Steps {
  const lines = generated(entry.words.slice(1));
  if (!lines.ok) wrong(state, entry, lines.error);
  for (const words of lines.value) {
    readRecord(reading, state, { ...entry, words, indented: false });
    yield;
  }
}

const directives: Readonly<Record<string, Directive>> = {
  $ORIGIN(_, state, entry) {
    state.origin = canonicalName(nameIn(state, entry, 1));
    return undefined;
  },
  $TTL(_, state, entry) {
    state.defaultTtl = parseTtl(entry.words[1]?.text ?? '') ?? wrong(state, entry, '$TTL needs a number of seconds');
    return undefined;
  },
  $INCLUDE: include,
  $GENERATE: generate,
};

/** The TTL of a record without its own: $TTL, else that of the record before, else the SOA's minimum. */
function inheritTtl(state: State, entry: Entry, { record, ownTtl }: RecordLine): number {
  if (ownTtl) {
    state.lastTtl = record.ttl;
    return record.ttl;
  }
  const inherited = state.defaultTtl ?? state.lastTtl;
  if (inherited !== undefined) return inherited;
  if (record.data.kind !== 'soa') wrong(state, entry, 'a record without a TTL, and no $TTL before it');
  state.lastTtl = record.data.minimum;
  return record.data.minimum;
}

function readRecord(reading: Reading, state: State, entry: Entry): void {
  if (entry.indented && state.owner === undefined) wrong(state, entry, 'a record without an owner, and none before it');
  const { origin } = state;
  const line = recordOfWords(entry.words, { origin, ...(entry.indented && { owner: state.owner! }) });
  if (!line.ok) wrong(state, entry, line.error);
  const { record } = line.value;
  if (record.class !== recordClass.IN) wrong(state, entry, 'only class IN is served');
  if (record.type === recordType.NSEC3 || record.type === recordType.NSEC3PARAM)
    wrong(state, entry, 'NSEC3 is not supported; sign the zone with NSEC');
  state.owner = record.name;
  if (++reading.records > reading.limits.maxRecords)
    wrong(state, entry, `more than ${reading.limits.maxRecords} records`);
  const added = reading.builder.add({ ...record, ttl: inheritTtl(state, entry, line.value) });
  if (!added) reading.outside.push(`${state.file}:${entry.line}: ${record.name}`);
}

function* readEntries(reading: Reading, state: State, text: string): Steps {
  let count = 0;
  for (const entry of entriesOf(text, state.file)) {
    const [first] = entry.words;
    if (!entry.indented && first!.text.startsWith('$') && !first!.quoted) {
      const name = first!.text.toUpperCase();
      const directive = Object.hasOwn(directives, name) ? directives[name] : undefined;
      const steps = (directive ?? wrong(state, entry, `unknown directive ${first!.text}`))(reading, state, entry);
      if (steps) yield* steps;
    } else readRecord(reading, state, entry);
    if (++count % stepSize === 0) yield;
  }
}

function load(reading: Reading, file: string): Result<string, string> {
  if (reading.files.length >= maxFiles) return err(`more than ${maxFiles} files`);
  const text = reading.readText(file, reading.limits.maxSize - reading.size);
  if (text.ok) {
    reading.size += text.value.length;
    reading.files.push(file);
  }
  return text;
}

function* readAll(reading: Reading, file: string, origin: string): Generator<void, Result<ReadZone, string>> {
  const text = load(reading, file);
  if (!text.ok) return text;
  yield* readEntries(reading, { file, origin, depth: 0 }, text.value);
  const { zone, error, warnings } = yield* reading.builder.finish();
  if (!zone) return err(`${file}: ${error}`);
  const [first] = reading.outside;
  const ignored = first ? [`${first} is outside of ${origin}: ${reading.outside.length} records are ignored`] : [];
  return ok({ zone, warnings: [...warnings.map((text) => `${file}: ${text}`), ...ignored], files: reading.files });
}

/** Reads a zone in steps; the result comes last. The error has file and line where there are. Never throws. */
export function* readZoneSteps(
  file: string,
  origin: string,
  limits: ZoneFileLimits = {},
  readText: ReadText = readTextFile,
): Generator<void, Result<ReadZone, string>> {
  const reading: Reading = {
    ...{ builder: createZoneBuilder(origin), readText, files: [], outside: [], records: 0, size: 0 },
    limits: { maxSize: 64 * 1024 * 1024, maxRecords: 1_000_000, maxDepth: 7, ...limits },
  };
  try {
    return yield* readAll(reading, file, origin);
  } catch (error) {
    if (error instanceof ZoneFileError) return err(error.message);
    throw error;
  }
}

/** Reads a zone at once. */
export function readZone(...wanted: Parameters<typeof readZoneSteps>): Result<ReadZone, string> {
  const steps = readZoneSteps(...wanted);
  for (;;) {
    const step = steps.next();
    if (step.done) return step.value;
  }
}

/** How long reading may hold up other work, ms. */
const sliceMs = 5;

/** Reads a zone between other work. */
export async function readZoneGently(...wanted: Parameters<typeof readZoneSteps>): Promise<Result<ReadZone, string>> {
  const steps = readZoneSteps(...wanted);
  let end = performance.now() + sliceMs;
  for (;;) {
    const step = steps.next();
    if (step.done) return step.value;
    if (performance.now() < end) continue;
    await new Promise((resume) => setImmediate(resume));
    end = performance.now() + sliceMs;
  }
}
