/** Words of an expression (expr-lang: strings in ', " and `, numbers in four bases, comments). */
import { ExpressionFailure } from './value.ts';

export type TokenKind = 'number' | 'string' | 'operator' | 'bracket' | 'identifier' | 'end';

export interface Token {
  readonly kind: TokenKind;
  /** The text; of a string what it stands for. */
  readonly text: string;
  /** Offset in the source. */
  readonly at: number;
}

const operatorWords = new Set([
  ...['not', 'in', 'or', 'and', 'matches', 'contains', 'startsWith', 'endsWith', 'let', 'if', 'else'],
]);
const blank = /(?:\s|\/\/[^\n]*|\/\*[\s\S]*?\*\/)+/y;
const word = /[\p{L}_$][\p{L}\p{N}_$]*/uy;
const number =
  /0[xX][0-9a-fA-F_]+|0[oO][0-7_]+|0[bB][01_]+|(?:\d[\d_]*(?:\.(?!\.)[\d_]*)?|\.\d[\d_]*)(?:[eE][+-]?\d+)?/y;
const raw = /`(?:[^`]|``)*`/y;
const quoted = /'(?:[^'\\\n]|\\[\s\S])*'|"(?:[^"\\\n]|\\[\s\S])*"/y;
const symbol = /\?\.|\?\?|\*\*|&&|\|\||==|!=|<=|>=|\.\.|[|:?,;%+\-^*/!<>=.#]/y;
const escapes =
  /\\(?:([abfnrtv\\'"])|([0-7]{3})|x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|u\{([0-9a-fA-F]{1,6})\}|U([0-9a-fA-F]{8})|[\s\S])/g;
const plain: Readonly<Record<string, string>> = { a: '\x07', b: '\b', f: '\f', n: '\n', r: '\r', t: '\t', v: '\v' };

function unescaped(text: string, quote: string, at: number): string {
  return text.replace(escapes, (whole, simple?: string, octal?: string, ...hex: (string | undefined)[]) => {
    if (simple !== undefined && (!/['"]/.test(simple) || simple === quote)) return plain[simple] ?? simple;
    const digits = hex.slice(0, 4).find((found) => found !== undefined);
    const code = octal !== undefined ? Number.parseInt(octal, 8) : Number.parseInt(digits ?? '', 16);
    if (Number.isNaN(code) || code > 0x10ffff) throw new ExpressionFailure(`invalid char escape ${whole}`, at);
    return String.fromCodePoint(code);
  });
}

/** The text that a pattern has at an offset; undefined when it has none there. */
function match(pattern: RegExp, source: string, at: number): string | undefined {
  pattern.lastIndex = at;
  return pattern.exec(source)?.[0];
}

function stringAt(source: string, at: number): { text: string; length: number } | undefined {
  const literal = match(raw, source, at);
  if (literal !== undefined) return { text: literal.slice(1, -1).replaceAll('``', '`'), length: literal.length };
  const found = match(quoted, source, at);
  if (found !== undefined) return { text: unescaped(found.slice(1, -1), found[0]!, at), length: found.length };
  if (/['"`]/.test(source[at]!)) throw new ExpressionFailure('literal not terminated', at);
  return undefined;
}

function tokenAt(source: string, at: number): { token: Token; length: number } {
  const make = (kind: TokenKind, text: string, length = text.length) => ({ token: { kind, text, at }, length });
  const literal = stringAt(source, at);
  if (literal) return make('string', literal.text, literal.length);
  const digits = match(number, source, at);
  if (digits !== undefined) {
    const behind = match(word, source, at + digits.length);
    if (behind !== undefined) throw new ExpressionFailure(`bad number syntax: "${digits}${behind[0]}"`, at);
    return make('number', digits);
  }
  const name = match(word, source, at);
  if (name !== undefined) return make(operatorWords.has(name) ? 'operator' : 'identifier', name);
  if ('()[]{}'.includes(source[at]!)) return make('bracket', source[at]!);
  const found = match(symbol, source, at);
  if (found !== undefined) return make('operator', found);
  throw new ExpressionFailure(`unrecognized character: ${String.fromCodePoint(source.codePointAt(at)!)}`, at);
}

/** All tokens, `end` last. Throws ExpressionFailure. */
export function tokenize(source: string): Token[] {
  const tokens: Token[] = [];
  let at = 0;
  for (;;) {
    at += match(blank, source, at)?.length ?? 0;
    if (at >= source.length) break;
    // A slash that opens a comment without an end is no division.
    if (source.startsWith('/*', at)) throw new ExpressionFailure('unclosed comment', at);
    const { token, length } = tokenAt(source, at);
    tokens.push(token);
    at += length;
  }
  return [...tokens, { kind: 'end', text: '', at: source.length }];
}
