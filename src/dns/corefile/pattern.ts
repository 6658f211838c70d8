/** Regular expressions of a Corefile: RE2, as CoreDNS has them, in linear time whatever name a client sends. */
import { RE2JS } from 're2js';
import { err, ok, type Result } from '../../base/result.ts';

export interface Pattern {
  test(text: string): boolean;
  /** The match and its groups, by number and by name; undefined when there is none. */
  exec(text: string): PatternMatch | undefined;
}

export interface PatternMatch extends ReadonlyArray<string | undefined> {
  readonly groups: Readonly<Record<string, string>>;
}

export function compilePattern(source: string): Result<Pattern, string> {
  let compiled: RE2JS;
  try {
    compiled = RE2JS.compile(source);
  } catch (error) {
    return err(error instanceof Error ? error.message : String(error));
  }
  const names = Object.entries(compiled.namedGroups());
  return ok({
    test: (text) => compiled.matcher(text).find(),
    exec(text) {
      const matcher = compiled.matcher(text);
      if (!matcher.find()) return undefined;
      const found = Array.from({ length: matcher.groupCount() + 1 }, (_, i) => matcher.group(i) ?? undefined);
      const groups = Object.fromEntries(names.map(([name, number]) => [name, found[Number(number)] ?? '']));
      return Object.assign(found, { groups });
    },
  });
}
