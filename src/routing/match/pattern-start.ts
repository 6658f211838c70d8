/**
 * What a pattern says by itself, without being run: the text that everything it matches begins with. Most paths that are
 * patterns begin with letters, so that a trie tells which of many can match, and few are run.
 */

export interface PatternStart {
  /** Every text that the pattern matches begins with this, in the pattern's own case; '' where nothing is certain. */
  readonly text: string;
  /** It matches everything that begins with it. */
  readonly isAll: boolean;
}

const unknown: PatternStart = { text: '', isAll: false };

/** Of a pattern that is held against whole texts. */
export function patternStart(source: string): PatternStart {
  // A path with whatever follows it, as the dialect of ingress-nginx writes them.
  const open = /^\(\?:\^(.*)\)\(\?s:\.\*\)$/s.exec(source);
  const body = open ? open[1]! : source;
  if (hasAlternatives(body)) return unknown;
  const { text, length } = literalRun(body);
  return { text, isAll: open !== null && length === body.length };
}

/**
 * Whether a pattern is one of several alternatives as a whole. True as well for what cannot be said so simply: brackets
 * that do not pair, quoted text.
 */
export function hasAlternatives(source: string): boolean {
  let depth = 0;
  for (let at = 0; at < source.length; at++) {
    const character = source[at]!;
    if (character === '\\') {
      if (source[at + 1] === 'Q') return true;
      at++;
    } else if (character === '[') at = endOfClass(source, at);
    else if (character === '(') depth++;
    else if (character === ')') depth--;
    else if (character === '|' && depth === 0) return true;
    if (depth < 0) return true;
  }
  return depth !== 0;
}

/** Place of the bracket that closes a class; the end of the text where none does. */
export function endOfClass(source: string, start: number): number {
  let at = start + 1;
  if (source[at] === '^') at++;
  // A bracket that comes first stands for itself.
  if (source[at] === ']') at++;
  for (; at < source.length && source[at] !== ']'; at++) {
    if (source[at] === '\\') at++;
    else if (source.startsWith('[:', at)) at = Math.max(at, source.indexOf(':]', at) + 1);
  }
  return at;
}

const meta = /[.[\](){}*+?|^$]/;

/** Text at the start of a pattern that stands for itself, and how much of the pattern it is. */
function literalRun(source: string): { text: string; length: number } {
  let text = '';
  let at = source.startsWith('^/') ? 1 : 0;
  while (at < source.length) {
    const isEscaped = source[at] === '\\';
    const character = source[isEscaped ? at + 1 : at];
    if (character === undefined || !isPlain(character, isEscaped)) break;
    const next = at + (isEscaped ? 2 : 1);
    // One that may be missing is not certain.
    if ('*?{'.includes(source[next] ?? ' ')) break;
    text += character;
    at = next;
  }
  return { text, length: at };
}

/** Only ASCII: what another letter is in the other case is for the engine to say. */
function isPlain(character: string, isEscaped: boolean): boolean {
  if (character < ' ' || character > '~') return false;
  return isEscaped ? !/[A-Za-z0-9]/.test(character) : !meta.test(character);
}
