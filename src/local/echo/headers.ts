/** Header names and values in the form in which a Go server shows them. */

export type HeaderPair = readonly [name: string, value: string];

const token = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;

/** `x-forwarded-for` → `X-Forwarded-For`; names that are no tokens stay as they are (Go `CanonicalMIMEHeaderKey`). */
export function canonicalHeader(name: string): string {
  if (!token.test(name)) return name;
  return name.toLowerCase().replace(/(^|-)[a-z]/g, (start) => start.toUpperCase());
}

/** Node reads head bytes as Latin-1; people and JSON want the UTF-8 that was sent. */
export function decodeHeadText(text: string): string {
  return /[\x80-\xff]/.test(text) ? Buffer.from(text, 'latin1').toString('utf8') : text;
}

/** Pairs out of Node's flat `rawHeaders`, without HTTP/2 pseudo-headers. */
export function headerPairs(rawHeaders: readonly string[]): HeaderPair[] {
  const pairs: HeaderPair[] = [];
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    const name = rawHeaders[i]!;
    if (!name.startsWith(':')) pairs.push([name, decodeHeadText(rawHeaders[i + 1]!)]);
  }
  return pairs;
}

/** Fields that Go's server takes out of the header map because it acts on them. */
const consumed = new Set(['Host', 'Transfer-Encoding', 'Trailer']);

/** Values by canonical name, each repeated header its own value, names sorted. */
export function headerMap(pairs: readonly HeaderPair[]): Record<string, string[]> {
  const map = new Map<string, string[]>();
  for (const [name, value] of pairs) {
    const canonical = canonicalHeader(name);
    if (consumed.has(canonical)) continue;
    const values = map.get(canonical);
    if (values) values.push(value);
    else map.set(canonical, [value]);
  }
  return Object.fromEntries([...map].sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** Whether a name and value can be written into a response as they are. */
export function isWritable([name, value]: HeaderPair): boolean {
  return token.test(name) && /^[\t\x20-\x7e\x80-\xff]*$/.test(value);
}
