/** A zone that comes from a file, which is looked at from time to time; the zone in force goes only for a better one. */
import { statSync } from 'node:fs';
import type { LogLine } from '../setup.ts';
import type { Zone } from './zone.ts';
import { type ReadZone, readZone, readZoneGently, type ZoneFileLimits } from './zone-file.ts';

export interface ZoneSourceOptions {
  readonly file: string;
  /** Canonical. */
  readonly origin: string;
  /** A file with another time is another zone, whatever its serial. */
  readonly byTime: boolean;
  readonly limits?: ZoneFileLimits;
  readonly log: LogLine;
}

export interface ZoneSource {
  readonly origin: string;
  /** Undefined until the file could be read. */
  zone(): Zone | undefined;
  /** Reads the file at once; the error says why there is no zone. */
  load(): string | undefined;
  /** Reads the file between other work when it changed. */
  check(): Promise<void>;
  close(): void;
}

/** What tells one state of a file from another; '' when it cannot be seen, which reading it explains. */
function stampOf(file: string): string {
  try {
    const { mtimeMs, size, ino } = statSync(file);
    return `${mtimeMs} ${size} ${ino}`;
  } catch {
    return '';
  }
}

function stampsOf(files: readonly string[]): Map<string, string> {
  return new Map(files.map((file) => [file, stampOf(file)]));
}

export function createZoneSource(options: ZoneSourceOptions): ZoneSource {
  const { file, origin, byTime, limits = {}, log } = options;
  let zone: Zone | undefined;
  /** Files of the zone as they were when it was read; none after a failure, so that it is tried again. */
  let stamps = new Map<string, string>();
  let complaint = '';
  let checking = false;
  let closed = false;

  function complain(level: 'warning' | 'error', text: string): void {
    if (text !== complaint) log(level, text);
    complaint = text;
  }

  /** Puts what was read into force. `before`: the stamps of the files before reading. */
  function take(read: ReadZone, before: ReadonlyMap<string, string>): void {
    stamps = new Map(read.files.map((name) => [name, before.get(name) ?? stampOf(name)]));
    const { serial } = read.zone;
    if (!byTime && zone && zone.serial === serial) {
      complain('warning', `${file} changed and its serial ${serial} did not: the zone stays as it was`);
      return;
    }
    complaint = '';
    for (const warning of read.warnings) log('warning', warning);
    if (zone) log('info', `Successfully reloaded zone "${origin}" in "${file}" with ${serial} SOA serial`);
    zone = read.zone;
  }

  async function reload(): Promise<void> {
    const before = stampsOf([file, ...stamps.keys()]);
    if (stamps.size > 0 && [...stamps].every(([name, stamp]) => before.get(name) === stamp)) return;
    const read = await readZoneGently(file, origin, limits);
    if (closed) return;
    if (read.ok) return take(read.value, before);
    stamps = new Map();
    complain('error', `Parsing zone "${origin}": ${read.error}`);
  }

  return {
    origin,
    zone: () => zone,
    load() {
      const before = stampsOf([file]);
      const read = readZone(file, origin, limits);
      if (!read.ok) return read.error;
      take(read.value, before);
      return undefined;
    },
    async check() {
      if (checking || closed) return;
      checking = true;
      try {
        await reload();
      } catch (error) {
        complain('error', `Reading zone "${origin}": ${error instanceof Error ? error.stack : String(error)}`);
      } finally {
        checking = false;
      }
    },
    close() {
      closed = true;
    },
  };
}
