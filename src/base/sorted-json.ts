/** JSON whose text depends on the value alone. */

/** Names of fields as JSON has them: few, and written again for each of thousands of objects. */
const quoted = new Map<string, string>();

/** Names that are kept, at most. */
const maxQuoted = 4_096;

function quote(name: string): string {
  const known = quoted.get(name);
  if (known !== undefined) return known;
  const text = JSON.stringify(name);
  if (quoted.size < maxQuoted) quoted.set(name, text);
  return text;
}

/** `JSON.stringify` with the keys of every object in order, without a sorted copy of each. */
export function sortedJson(value: unknown): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';
  if (Array.isArray(value)) return `[${value.map(sortedJson).join(',')}]`;
  const fields = value as Record<string, unknown>;
  const names = Object.keys(fields);
  if (names.length > 1) names.sort();
  let text = '';
  for (const name of names) {
    const field = fields[name];
    if (field !== undefined) text += `${text && ','}${quote(name)}:${sortedJson(field)}`;
  }
  return `{${text}}`;
}
