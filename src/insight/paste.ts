/** Hints with something to paste, which is printed once however many findings ask for it. */

/** The lines of a hint, the first of which is complete by itself. */
export function createPaste(): (hint: string) => readonly string[] {
  const known = new Set<string>();
  return (hint) => {
    const [first = '', ...block] = hint.split('\n');
    if (block.length === 0) return [hint];
    if (known.has(hint)) return [`${first.replace(/:$/, '')} (as above)`];
    known.add(hint);
    return [first, ...block];
  };
}
