/**
 * The syntax of nginx's configuration, as far as snippets use it: directives of words that end with `;` or open a block,
 * quotes, escapes and comments. Nothing is understood here yet, and nothing ever run.
 */
import { err, ok, type Result } from '../../../base/result.ts';

export interface Directive {
  readonly name: string;
  readonly words: readonly string[];
  /** Undefined where the directive ends with `;`. */
  readonly block: readonly Directive[] | undefined;
  /** Of the snippet, from 1. */
  readonly line: number;
}

/** What could not be understood, and where. */
export interface SnippetFault {
  readonly line: number;
  readonly message: string;
}

/** Characters of a snippet; annotations of an object have 256 KiB together. */
export const maxSnippetLength = 16_384;
const maxDepth = 4;

interface Token {
  /** `word`, or the character itself. */
  readonly kind: 'word' | ';' | '{' | '}';
  readonly text: string;
  readonly line: number;
}

export function parseSnippet(
  text: string,
  maxLength: number = maxSnippetLength,
): Result<readonly Directive[], SnippetFault> {
  if (text.length > maxLength) return err({ line: 1, message: `it is longer than ${maxLength} characters` });
  const tokens = tokensOf(text);
  if (!tokens.ok) return tokens;
  const reader = { tokens: tokens.value, at: 0 };
  const directives = readBlock(reader, 0);
  if (!directives.ok) return directives;
  const left = reader.tokens[reader.at];
  return left ? err({ line: left.line, message: 'a } closes nothing' }) : directives;
}

/** One token: blanks and comments before it are skipped. Quoted words keep what is in the quotes, escapes of these apart. */
const tokenPattern =
  /(?<blank>[ \t\r\n]+|#[^\n]*)|(?<mark>[;{}])|"(?<double>(?:[^"\\]|\\[\s\S])*)"|'(?<single>(?:[^'\\]|\\[\s\S])*)'|(?<word>(?:\$\{|[^\s;{}"'\\]|\\[\s\S])(?:\$\{[A-Za-z0-9_]*\}|[^\s;{}\\]|\\[\s\S])*)/y;

function tokensOf(text: string): Result<readonly Token[], SnippetFault> {
  const tokens: Token[] = [];
  let line = 1;
  tokenPattern.lastIndex = 0;
  while (tokenPattern.lastIndex < text.length) {
    const at = tokenPattern.lastIndex;
    const match = tokenPattern.exec(text);
    if (!match)
      return err({ line, message: `${JSON.stringify(text.slice(at, at + 20))} is no word of nginx's syntax` });
    const token = tokenOf(match, line);
    if (token) tokens.push(token);
    line += match[0].split('\n').length - 1;
  }
  return ok(tokens);
}

function tokenOf({ groups = {} }: RegExpExecArray, line: number): Token | undefined {
  const { mark, double, single, word } = groups;
  if (mark !== undefined) return { kind: mark as ';' | '{' | '}', text: mark, line };
  if (double !== undefined) return { kind: 'word', text: double.replace(/\\(["\\])/g, '$1'), line };
  if (single !== undefined) return { kind: 'word', text: single.replace(/\\(['\\])/g, '$1'), line };
  return word === undefined ? undefined : { kind: 'word', text: word.replace(/\\([;{} "'])/g, '$1'), line };
}

interface Reader {
  readonly tokens: readonly Token[];
  at: number;
}

function readBlock(reader: Reader, depth: number): Result<readonly Directive[], SnippetFault> {
  const directives: Directive[] = [];
  for (let first = reader.tokens[reader.at]; first && first.kind !== '}'; first = reader.tokens[reader.at]) {
    if (depth > maxDepth) return err({ line: first.line, message: 'blocks are nested too deep' });
    const directive = readDirective(reader, first, depth);
    if (!directive.ok) return directive;
    directives.push(directive.value);
  }
  return ok(directives);
}

function readDirective(reader: Reader, first: Token, depth: number): Result<Directive, SnippetFault> {
  const { line } = first;
  const words: string[] = [];
  let token: Token | undefined = first;
  for (; token?.kind === 'word'; token = reader.tokens[++reader.at]) words.push(token.text);
  const [name] = words;
  if (name === undefined) return err({ line, message: `a ${first.text} stands where a directive should begin` });
  if (token?.kind === '{' && /_by_lua/.test(name)) return err({ line, message: `${name}: Lua is not run` });
  if (!token || token.kind === '}') return err({ line, message: `${name} is not ended by a ;` });
  reader.at++;
  if (token.kind === ';') return ok({ name, words: words.slice(1), block: undefined, line });
  const block = readBlock(reader, depth + 1);
  if (!block.ok) return block;
  if (reader.tokens[reader.at]?.kind !== '}') return err({ line, message: `the block of ${name} is not closed` });
  reader.at++;
  return ok({ name, words: words.slice(1), block: block.value, line });
}
