/** Corefile text to tokens, with the quirks of the Caddyfile lexer that Corefiles in the field lean on (corefile(5)). */
import type { Position } from '../../base/diagnostics/index.ts';

export interface Token {
  readonly text: string;
  readonly position: Position;
  /** Was written in quotes: a `"{"` is text. */
  readonly quoted: boolean;
}

/** Whether `b` stands behind `a` in the line in which `a` ends. Strings may span lines; what is imported twice starts anew. */
export function onSameLine(a: Token, b: Token): boolean {
  const lines = a.quoted ? a.text.split('\n').length - 1 : 0;
  if (a.position.file !== b.position.file || a.position.line + lines !== b.position.line) return false;
  return lines > 0 || b.position.column > a.position.column;
}

const isSpace = (char: string): boolean => /\s/.test(char) || char === '\u0085';

/**
 * Splits on white space. `"` at the start of a token opens a string that may span lines and knows only the escape `\"`.
 * `#` hides the rest of the line, also in the middle of a token; but when a token stands before it, the comment ends at
 * the next space: `foo#bar baz` are the tokens `foo` and `baz`. An open string ends with the text. Never fails.
 */
export function tokenize(text: string, file: string): Token[] {
  const tokens: Token[] = [];
  let line = 1;
  let column = 0;
  let start: Position = { file, line: 1, column: 1 };
  let value = '';
  let inToken = false;
  let comment = false;
  let quoted = false;
  let escaped = false;

  function finish(wasQuoted: boolean): void {
    tokens.push({ text: value, position: start, quoted: wasQuoted });
    value = '';
    inToken = false;
    comment = false;
  }

  for (const char of text.startsWith('\uFEFF') ? text.slice(1) : text) {
    column++;
    if (quoted) {
      if (!escaped && char === '\\') escaped = true;
      else if (!escaped && char === '"') {
        quoted = false;
        finish(true);
      } else {
        value += escaped && char !== '"' ? `\\${char}` : char;
        escaped = false;
      }
    } else if (isSpace(char)) {
      if (char !== '\r') {
        if (inToken) finish(false);
        else if (char === '\n') comment = false;
      }
    } else {
      if (char === '#') comment = true;
      if (!comment) {
        if (!inToken) {
          start = { file, line, column };
          inToken = true;
          quoted = char === '"';
        }
        if (!quoted) value += char;
      }
    }
    if (char === '\n') {
      line++;
      column = 0;
    }
  }
  if (inToken && (value !== '' || quoted)) finish(quoted);
  return tokens;
}

/** Environment variables are looked up once for each reference; a value is not expanded again. */
const reference = /\{%([^%}]+)%\}|\{\$([^}]+)\}/g;

/** Replaces `{$NAME}` and `{%NAME%}`; variables that are not set become nothing, `{$}` stays. */
export function expandEnvironment(text: string, environment: Readonly<Record<string, string | undefined>>): string {
  if (!text.includes('{')) return text;
  return text.replace(reference, (_, percent?: string, dollar?: string) => environment[percent ?? dollar ?? ''] ?? '');
}
