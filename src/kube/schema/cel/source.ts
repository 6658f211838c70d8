/** Reads the text of a CEL expression, just enough to find identifiers outside of strings and comments. */

/** Strings (raw, bytes, triple-quoted), comments, identifiers; anything else is passed over. */
const token =
  /([rRbB]{0,2})("""[\s\S]*?"""|'''[\s\S]*?''')|([rR][bB]?|[bB][rR])("[^"\n]*"|'[^'\n]*')|[bB]?(?:"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*')|\/\/[^\n]*|[_a-zA-Z][_a-zA-Z0-9]*/g;
const identifier = /^[_a-zA-Z][_a-zA-Z0-9]*$/;

/**
 * Functions of the CEL library that our evaluator has in a form that Kubernetes does not share: `has` that refuses
 * `has(list[0].field)`, `matches` with backtracking regular expressions. Calls go to our own functions instead.
 */
const renamed: Record<string, string> = { has: 'hasField', matches: 'matchesPattern' };

/** The expression with calls of renamed functions directed to ours. */
export function redirectCalls(expression: string): string {
  return expression.replace(token, (found: string, ...rest: unknown[]) => {
    const offset = rest.at(-2) as number;
    if (!Object.hasOwn(renamed, found)) return found;
    const isMember = /\.\s*$/.test(expression.slice(Math.max(0, offset - 20), offset));
    const isCall = /^\s*\(/.test(expression.slice(offset + found.length, offset + found.length + 20));
    return isCall && isMember === (found === 'matches') ? renamed[found]! : found;
  });
}

/** True when the expression names this variable. */
export function usesIdentifier(expression: string, name: string): boolean {
  for (const [found] of expression.matchAll(token)) if (found === name && identifier.test(found)) return true;
  return false;
}
