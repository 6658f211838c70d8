/** User-supplied patterns: RE2 syntax, linear time, bounded size, and always held against the whole text. */
import { RE2JS } from 're2js';
import { err, ok, type Result } from '../../base/result.ts';

export interface Pattern {
  /** Whether the pattern covers the whole text. */
  readonly matches: (text: string) => boolean;
  /** What its groups are in a text that it covers, the whole text first; undefined when it does not cover it. */
  readonly groups: (text: string) => readonly (string | undefined)[] | undefined;
  /** Instructions of its program: steps that one character of a text takes at most. */
  readonly size: number;
}

export interface PatternOptions {
  readonly ignoreCase?: boolean;
  /** Longest pattern taken, in UTF-16 units. Default 4096, the longest that a Gateway API field holds. */
  readonly maxLength?: number;
  /**
   * Largest compiled program taken, in RE2 instructions: what each character of a request can cost at most. Counted
   * repetitions make large programs out of short patterns. Default 1000.
   */
  readonly maxProgramSize?: number;
}

/** A pattern that is looked for in a text. */
export interface Finder {
  /** What the first match and its groups are, the whole match first; undefined for a group that took no part. */
  readonly find: (text: string) => readonly (string | undefined)[] | undefined;
  readonly found: (text: string) => boolean;
  readonly groups: number;
  /** As of `Pattern`. */
  readonly size: number;
}

/** Compiles a pattern, or says for people why it cannot be used. */
export function compilePattern(source: string, options: PatternOptions = {}): Result<Pattern, string> {
  const compiled = compile(source, options);
  if (!compiled.ok) return compiled;
  const pattern = compiled.value;
  return ok({
    size: pattern.programSize(),
    matches: (text) => pattern.testExact(text),
    groups(text) {
      const matcher = pattern.matcher(text);
      return matcher.matches() ? groupsOf(matcher, pattern.groupCount()) : undefined;
    },
  });
}

/** The same for a pattern that need not cover the whole text. */
export function compileFinder(source: string, options: PatternOptions = {}): Result<Finder, string> {
  const compiled = compile(source, options);
  if (!compiled.ok) return compiled;
  const groups = compiled.value.groupCount();
  return ok({
    groups,
    size: compiled.value.programSize(),
    find(text) {
      const matcher = compiled.value.matcher(text);
      return matcher.find() ? groupsOf(matcher, groups) : undefined;
    },
    found: (text) => compiled.value.test(text),
  });
}

function groupsOf(matcher: ReturnType<RE2JS['matcher']>, groups: number): readonly (string | undefined)[] {
  return Array.from({ length: groups + 1 }, (_, i) => matcher.group(i) ?? undefined);
}

function compile(source: string, options: PatternOptions): Result<RE2JS, string> {
  const { ignoreCase = false, maxLength = 4096, maxProgramSize = 1000 } = options;
  if (source.length > maxLength) return err(`the pattern is longer than ${maxLength} characters`);
  try {
    const compiled = RE2JS.compile(source, ignoreCase ? RE2JS.CASE_INSENSITIVE : 0);
    if (compiled.programSize() > maxProgramSize) return err('the pattern is too costly: use smaller repetition counts');
    return ok(compiled);
  } catch (error) {
    return err(error instanceof Error ? error.message : String(error));
  }
}
