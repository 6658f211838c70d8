/** Replacements of regex rewrites, taken apart. */

/** Text, or the number of a group. */
export type Part = string | number;

/** `$1` to `$9` and `${10}` are groups, `$0` is all of the match, `$$` a dollar sign. */
export function partsOf(replacement: string): readonly Part[] {
  return replacement.split(/(\$[$0-9]|\$\{[0-9]{1,3}\})/).map((part, i) => {
    if (i % 2 === 0) return part;
    return part === '$$' ? '$' : Number(part.replace(/[${}]/g, ''));
  });
}
