/** Text of a file that others replace while we run: tokens and certificates that a kubelet or a user renews. */
import { readFileSync } from 'node:fs';
import { err, ok, type Result } from '../../base/result.ts';
import type { Material } from './config.ts';
import type { Timing } from './timing.ts';

/** Largest credential file. */
const maxBytes = 4 * 1024 * 1024;

export interface TextSource {
  /** Read again when the last reading is old; a file that has become unreadable keeps its last text. */
  read(): Result<string, string>;
  /** The text was of no use: read again next time. */
  forget(): void;
}

function readText(file: string): Result<string, string> {
  try {
    const text = readFileSync(file, 'utf8');
    if (text.trim() === '') return err(`${file} is empty`);
    return text.length > maxBytes ? err(`${file} is larger than ${maxBytes} bytes`) : ok(text);
  } catch (error) {
    return err(`cannot read ${file}: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** `rereadMs`: how long one reading is good for. Default 60,000, as in client-go. */
export function createTextSource(material: Material, timing: Timing, rereadMs = 60_000): TextSource {
  if ('text' in material) return { read: () => ok(material.text), forget: () => undefined };
  let last: string | undefined;
  let readAt = Number.NEGATIVE_INFINITY;
  return {
    read() {
      if (last !== undefined && timing.monotonic() - readAt < rereadMs) return ok(last);
      const text = readText(material.file);
      if (!text.ok) return last === undefined ? text : ok(last);
      last = text.value;
      readAt = timing.monotonic();
      return text;
    },
    forget() {
      readAt = Number.NEGATIVE_INFINITY;
    },
  };
}
