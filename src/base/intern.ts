/** One copy of texts that are made over and over: paths of fields, keys of objects. */

/** Different texts that are kept, at most: with the longest ones, about 10 MB. */
const capacity = 65_536;

/** Characters; longer texts are given back as they are. */
const longest = 128;

const known = new Map<string, string>();

/**
 * The copy of a text that was handed out before. For texts of which many equal ones are held on to: each that is put
 * together anew is otherwise a string of its own, in as many pieces as it was made of. When too many are known, all are
 * forgotten and begin anew.
 */
export function intern(text: string): string {
  if (text.length > longest) return text;
  const copy = known.get(text);
  if (copy !== undefined) return copy;
  if (known.size >= capacity) known.clear();
  known.set(text, text);
  return text;
}
