/** For tests: packets that were made by hand to do harm, or that are odd and good, with what is right to answer. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export interface Specimen {
  /** Name of the file without `.hex`. */
  readonly name: string;
  /** What it is, in a few words. */
  readonly about: string;
  /** `silence`, `answer` (NOERROR or NXDOMAIN or what the plugins say), or the rcode of the refusal. */
  readonly expected: string;
  readonly packet: Buffer;
}

const folder = join(import.meta.dirname, '../../src/dns/wire/corpus');

function read(file: string): Specimen {
  const lines = readFileSync(join(folder, file), 'utf8').trimEnd().split('\n');
  const notes = lines.filter((line) => line.startsWith('#')).map((line) => line.slice(1).trim());
  const digits = lines.filter((line) => !line.startsWith('#')).join('');
  const expected = notes.find((note) => note.startsWith('expect: '))?.slice(8);
  if (!expected || !/^(?:[0-9a-f]{2})*$/.test(digits)) throw new Error(`${file}: not a specimen`);
  return { name: file.replace(/\.hex$/, ''), about: notes[0]!, expected, packet: Buffer.from(digits, 'hex') };
}

export const corpus: readonly Specimen[] = readdirSync(folder)
  .filter((file) => file.endsWith('.hex'))
  .sort()
  .map(read);
