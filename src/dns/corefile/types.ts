/** What a Corefile says, as data: server blocks with their keys and directives, nothing decided yet. */
import type { Position } from '../../base/diagnostics/index.ts';

export type { Position };

/** Why a Corefile cannot be served, and where that stands. */
export interface CorefileError {
  readonly message: string;
  readonly position: Position;
}

/** A line: its first word, the words behind it, and the lines in braces when there are any. */
export interface Line {
  readonly name: string;
  readonly args: readonly string[];
  readonly block?: readonly Line[];
  readonly position: Position;
}

/** A directive of a server block: the name of a plugin and its configuration. */
export type Directive = Line;

export interface Key {
  readonly text: string;
  readonly position: Position;
}

export interface ServerBlock {
  readonly keys: readonly Key[];
  /** In the order of the file. */
  readonly directives: readonly Directive[];
  readonly position: Position;
}

export interface Corefile {
  readonly blocks: readonly ServerBlock[];
  /** What is odd but no error: a glob without files. */
  readonly warnings: readonly CorefileError[];
  /** All files that were read, the Corefile first, with their text: what `reload` compares. */
  readonly sources: ReadonlyMap<string, string>;
}

/** `Corefile:3: message`. */
export function formatCorefileError({ position, message }: CorefileError): string {
  return `${position.file}:${position.line}: ${message}`;
}
