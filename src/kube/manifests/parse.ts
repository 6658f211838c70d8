/**
 * Text of a manifest file to objects, each with a way to find where a field stands. One broken document never hides
 * the others.
 */
import { type Diagnostic, diagnostic, type Position } from '../../base/diagnostics/index.ts';
import { isNestedTooDeep } from '../../base/nesting.ts';
import { refOf } from '../resources.ts';
import type { Unstructured } from '../types/index.ts';
import { offsetOfPath, readYaml, type YamlFault } from './yaml.ts';

export interface ManifestObject {
  readonly object: Unstructured;
  /** Place of a field (`spec.rules[0].host`, '' for the object), or of the nearest parent that is there. Parses the document again: for findings only. */
  readonly positionOf: (fieldPath: string) => Position;
}

export interface ParsedManifest {
  readonly objects: readonly ManifestObject[];
  readonly diagnostics: readonly Diagnostic[];
}

/** One YAML document of a file: its text and how many lines stand before it. */
interface Chunk {
  readonly text: string;
  readonly line: number;
}

/** A line that starts with `---` or `...` ends a document wherever it stands, even within a block scalar (YAML 1.2, 9.1.2). */
function splitDocuments(text: string): Chunk[] {
  const chunks: Chunk[] = [];
  let start = 0;
  let line = 0;
  const marker = /^(?:---|\.\.\.)(?=\s|$)[^\S\n]*(?:#[^\n]*)?\n?/gm;
  const push = (end: number) => {
    const part = text.slice(start, end);
    if (part.trim() !== '') chunks.push({ text: part, line });
  };
  for (const match of text.matchAll(marker)) {
    push(match.index);
    line += count(text, start, match.index + match[0].length);
    start = match.index + match[0].length;
  }
  push(text.length);
  return chunks;
}

/** Line feeds in text[from, to). */
function count(text: string, from: number, to: number): number {
  let lines = 0;
  for (let at = text.indexOf('\n', from); at >= 0 && at < to; at = text.indexOf('\n', at + 1)) lines++;
  return lines;
}

const segmentPattern = /\[(\d+)\]|\[(['"]?)([^\]]*?)\2\]|([^.[\]]+)/g;

/** `a.b[0].c` to keys and indexes. */
export function splitFieldPath(path: string): (string | number)[] {
  return [...path.matchAll(segmentPattern)].map((match) =>
    match[1] !== undefined ? Number(match[1]) : (match[3] ?? match[4]!),
  );
}

function locate(file: string, chunk: Chunk, path: readonly (string | number)[]): Position {
  const { line, column } = lineAndColumn(chunk.text, offsetOfPath(chunk.text, path));
  return { file, line: line + chunk.line, column };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function faultOf(value: unknown): string | undefined {
  if (!isObject(value)) return 'the document is not an object';
  if (typeof value.apiVersion !== 'string' || value.apiVersion === '') return 'apiVersion is missing';
  if (typeof value.kind !== 'string' || value.kind === '') return 'kind is missing';
  if (!isObject(value.metadata)) return 'metadata is missing';
  const { name, generateName, namespace } = value.metadata;
  if (typeof name !== 'string' || name === '')
    return typeof generateName === 'string'
      ? 'metadata.generateName is not enough in a file: give it a metadata.name'
      : 'metadata.name is missing';
  if (namespace !== undefined && namespace !== null && typeof namespace !== 'string')
    return 'metadata.namespace is not a string';
  return undefined;
}

/** Objects of a document: itself, or the items of a List. */
function unfold(value: unknown): { value: unknown; path: (string | number)[] }[] {
  if (isObject(value) && typeof value.kind === 'string' && value.kind.endsWith('List') && Array.isArray(value.items)) {
    return value.items.flatMap((item, index) =>
      unfold(item).map((inner) => ({ value: inner.value, path: ['items', index, ...inner.path] })),
    );
  }
  return value === null || value === undefined ? [] : [{ value, path: [] }];
}

/** JSON is YAML, and much faster read as what it is. */
function readChunk({ text }: Chunk): ReturnType<typeof readYaml> {
  const start = text.trimStart();
  if (!start.startsWith('{')) return readYaml(text);
  try {
    const value: unknown = JSON.parse(start);
    if (!isNestedTooDeep(value)) return { value };
  } catch {
    // Not JSON after all, or broken.
  }
  // The YAML reader takes both, and knows the place of what is wrong.
  return readYaml(text);
}

const codes: Record<YamlFault['kind'], 'FW1001' | 'FW1008' | 'FW1009'> = {
  syntax: 'FW1001',
  aliases: 'FW1008',
  nesting: 'FW1009',
};

function lineAndColumn(text: string, offset: number): { line: number; column: number } {
  const before = text.lastIndexOf('\n', offset - 1);
  return { line: count(text, 0, offset) + 1, column: offset - before };
}

/** Reads a whole file. Never throws: what cannot be read is a diagnostic. */
export function parseManifest(file: string, text: string): ParsedManifest {
  const objects: ManifestObject[] = [];
  const diagnostics: Diagnostic[] = [];
  for (const chunk of splitDocuments(text)) {
    const read = readChunk(chunk);
    if ('fault' in read) {
      const { line, column } = lineAndColumn(chunk.text, read.fault.offset);
      diagnostics.push(
        diagnostic(codes[read.fault.kind], {
          message: read.fault.message,
          position: { file, line: line + chunk.line, column },
          ...(read.fault.kind === 'nesting' && {
            hint: 'No field of Kubernetes is nested so deep: write the value flatter.',
          }),
        }),
      );
      continue;
    }
    for (const { value, path } of unfold(read.value)) {
      const fault = faultOf(value);
      if (fault) {
        diagnostics.push(diagnostic('FW1009', { message: fault, position: locate(file, chunk, path) }));
        continue;
      }
      const object = value as Unstructured;
      objects.push({ object, positionOf: (fieldPath) => locate(file, chunk, [...path, ...splitFieldPath(fieldPath)]) });
    }
  }
  return { objects, diagnostics };
}

/** `Kind namespace/name` with its apiVersion: the identity of an object among files. */
export function manifestKey(object: Unstructured): string {
  const ref = refOf(object);
  return `${ref.apiVersion} ${ref.kind} ${ref.namespace ?? ''}/${ref.name}`;
}
