/**
 * Patterns of nginx (PCRE) that RE2 does not take, as patterns that match at least the same: what such a location would
 * take answers 503, and requests for other locations pass it by.
 */
import { endOfClass, hasAlternatives } from '../match/pattern-start.ts';

export interface RelaxedPath {
  /** Takes whatever the path would take, and may take more. */
  readonly path: string;
  /** Paths that it does not take for certain, although `path` does. */
  readonly except?: string;
}

/** What may come before: text, each character for itself. */
const aheadAfterText = /^(\^?(?:\\[^A-Za-z0-9]|[^\\^$.|?*+()[\]{}])*)\(\?!/;

/** Means the same to either engine, letter by letter; what is more is not let pass by on its word. */
const plainPattern =
  /^(?!.*\(\?[^:])(?:[A-Za-z0-9_\-/~%!@&=:;, ]|\\[^A-Za-z0-9]|[.*+?|()$]|\[\^?[A-Za-z0-9_\-/.]+\])*$/;

export function relaxed(path: string): RelaxedPath {
  if (path.includes('\\Q')) return { path };
  const except = excepted(path);
  return { path: withoutAssertions(path), ...(except !== undefined && { except }) };
}

/** `/(?!api)…` takes nothing that begins with `/api`, whatever follows. */
function excepted(path: string): string | undefined {
  const [whole, text] = aheadAfterText.exec(path) ?? [];
  if (whole === undefined || hasAlternatives(path)) return undefined;
  const start = whole.length - '(?!'.length;
  const end = endOfGroup(path, start);
  const isRepeated = '*+?{'.includes(path[end + 1] ?? ' ');
  if (end < 0 || isRepeated) return undefined;
  const taken = `${text}(?:${path.slice(whole.length, end)})`;
  return plainPattern.test(taken) ? taken : undefined;
}

/** Place of the bracket that closes a group; -1 where none does. */
function endOfGroup(path: string, start: number): number {
  let depth = 0;
  for (let at = start; at < path.length; at++) {
    if (path[at] === '\\') at++;
    else if (path[at] === '[') at = endOfClass(path, at);
    else if (path[at] === '(') depth++;
    else if (path[at] === ')' && --depth === 0) return at;
  }
  return -1;
}

/** Without what only narrows a pattern: look-arounds, atomic groups, possessive repetitions, references to groups. */
function withoutAssertions(path: string): string {
  let made = '';
  for (let at = 0; at < path.length; at++) {
    const rest = path.slice(at);
    const [reference] = /^\\(?:[1-9][0-9]*|k[<{'][^>}']*[>}']|g\{?-?\w+\}?)/.exec(rest) ?? [];
    if (reference !== undefined) {
      made += '(?s:.*)';
      at += reference.length - 1;
    } else if (path[at] === '\\') made += path[at] + (path[++at] ?? '');
    else if (path[at] === '[') {
      const end = endOfClass(path, at);
      made += path.slice(at, end + 1);
      at = end;
    } else if (/^\(\?(?:=|!|<=|<!)/.test(rest)) {
      const end = endOfGroup(path, at);
      if (end < 0) return path;
      made += '(?:)';
      at = end;
    } else if (rest.startsWith('(?>')) {
      made += '(?:';
      at += 2;
    } else if (rest.startsWith('+') && /[*+?}]$/.test(made) && !/\\[*+?}]$/.test(made)) continue;
    else made += path[at];
  }
  return made;
}
