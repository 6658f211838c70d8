/** User-supplied patterns: RE2 syntax, linear time, bounded size, and always held against the whole text. */
import { RE2JS } from 're2js';
import { err, ok, type Result } from '../../base/result.ts';

export interface Pattern {
  /** Whether the pattern covers the whole text. */
  readonly matches: (text: string) => boolean;
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

/** Compiles a pattern, or says for people why it cannot be used. */
export function compilePattern(source: string, options: PatternOptions = {}): Result<Pattern, string> {
  const { ignoreCase = false, maxLength = 4096, maxProgramSize = 1000 } = options;
  if (source.length > maxLength) return err(`the pattern is longer than ${maxLength} characters`);
  try {
    const compiled = RE2JS.compile(source, ignoreCase ? RE2JS.CASE_INSENSITIVE : 0);
    if (compiled.programSize() > maxProgramSize) return err('the pattern is too costly: use smaller repetition counts');
    return ok({ matches: (text) => compiled.testExact(text) });
  } catch (error) {
    return err(error instanceof Error ? error.message : String(error));
  }
}
