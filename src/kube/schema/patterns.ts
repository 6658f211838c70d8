/**
 * Regular expressions that come with objects (schema `pattern`, CEL `matches`): RE2 syntax as in Go, and linear time
 * whatever the pattern and the text, because both may come from somebody who wishes us ill.
 */
import { RE2JS } from 're2js';

export interface Pattern {
  /** True when the pattern is found anywhere in the text, as Go's `MatchString`. */
  test(text: string): boolean;
  readonly compiled: RE2JS;
}

/** Most compiled patterns kept; beyond it the oldest is dropped. */
const cacheLimit = 1000;
const cache = new Map<string, Pattern | Error>();

/** Compiles a pattern, or gives the error that RE2 has with it. Results are kept by the pattern's text. */
export function compilePattern(source: string): Pattern | Error {
  const known = cache.get(source);
  if (known) return known;
  const made = compile(source);
  if (cache.size >= cacheLimit) cache.delete(cache.keys().next().value!);
  cache.set(source, made);
  return made;
}

function compile(source: string): Pattern | Error {
  try {
    const compiled = RE2JS.compile(source);
    return { compiled, test: (text) => compiled.test(text) };
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}
