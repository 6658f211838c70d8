/** The file of `--data-plane`: options of the data plane, in YAML or JSON, with the place of each fault. */
import { readFileSync, statSync } from 'node:fs';
import { type Diagnostic, diagnostic, type Position } from '../base/diagnostics/index.ts';
import { countDocuments, offsetOfPath, readYaml } from '../kube/manifests/yaml.ts';
import { readOptions } from '../proxy/config/read.ts';
import type { Fault } from '../proxy/config/rules.ts';
import type { DataPlaneOptions } from '../proxy/config/schema.ts';

export interface DataPlaneFile {
  readonly options: DataPlaneOptions;
  /** Options that keep their defaults, and why. */
  readonly diagnostics: readonly Diagnostic[];
}

/** More than every option takes with a comment of its own. */
const MAX_FILE_BYTES = 1_048_576;

/** A file that says nothing because it cannot be read: one finding. */
type Unread = { readonly unread: Diagnostic };

/** Reads a file. What cannot be read at all is told apart from what is wrong in parts. */
export function readDataPlaneFile(file: string): DataPlaneFile | Unread {
  const unread = (message: string, line = 1, column = 1): Unread => ({
    unread: diagnostic('FW5009', { message, position: { file, line, column } }),
  });
  try {
    const { size } = statSync(file);
    if (size > MAX_FILE_BYTES) return unread(`the file has ${size} bytes, the limit is ${MAX_FILE_BYTES}`);
    return parseDataPlane(file, readFileSync(file, 'utf8'));
  } catch (error) {
    return unread(error instanceof Error ? error.message : String(error));
  }
}

/** The same for a text; `file` is what its places are given in. */
export function parseDataPlane(file: string, text: string): DataPlaneFile | Unread {
  const read = readYaml(text);
  if ('fault' in read) {
    const { message, offset } = read.fault;
    return { unread: diagnostic('FW5009', { message, position: placeOf(file, text, offset) }) };
  }
  const documents = countDocuments(text);
  if (documents > 1) {
    const message = `there are ${documents} documents, of which only one can hold`;
    return { unread: diagnostic('FW5009', { message, position: { file, line: 1, column: 1 } }) };
  }
  const { options, faults } = readOptions(read.value);
  return { options, diagnostics: faults.map((fault) => findingOf(file, text, fault)) };
}

function findingOf(file: string, text: string, { path, message }: Fault): Diagnostic {
  return diagnostic('FW5010', {
    message,
    ...(path.length > 0 && { fieldPath: fieldPathOf(path) }),
    position: placeOf(file, text, offsetOfPath(text, path)),
  });
}

/** `forwarded.trustedProxies[1]`. */
function fieldPathOf(path: Fault['path']): string {
  return path.reduce<string>((all, part) => {
    if (typeof part === 'number') return `${all}[${part}]`;
    return all === '' ? part : `${all}.${part}`;
  }, '');
}

function placeOf(file: string, text: string, offset: number): Position {
  const before = text.slice(0, offset).split('\n');
  return { file, line: before.length, column: before.at(-1)!.length + 1 };
}
