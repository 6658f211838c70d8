/** One copy of strings that many objects hold: namespaces, node names, label values. */

export type Intern = (text: string) => string;

/** Forgets all it knows after `maxEntries` different strings (default 100,000): what objects hold stays theirs. */
export function createInterner(maxEntries = 100_000): Intern {
  const known = new Map<string, string>();
  return (text) => {
    const found = known.get(text);
    if (found !== undefined) return found;
    if (known.size >= maxEntries) known.clear();
    known.set(text, text);
    return text;
  };
}
