/**
 * Hostnames of listeners and routes (`Hostname` of the Gateway API): an exact name, `*.` and a suffix that stands for
 * one label and more, or `*` for «no hostname given».
 */

/** The hostname of a listener or route in the plan's spelling. */
export function normalizeHostname(hostname: string | undefined): string {
  return hostname ? hostname.toLowerCase() : '*';
}

export function isWildcard(hostname: string): boolean {
  return hostname.startsWith('*');
}

/** Whether every name that `inner` stands for is one of those that `outer` stands for. */
export function covers(outer: string, inner: string): boolean {
  if (outer === '*' || outer === inner) return true;
  if (!isWildcard(outer) || inner === '*') return false;
  return inner.endsWith(outer.slice(1)) && inner.length > outer.length - 1;
}

/** The names that both stand for; undefined when there are none. Two hostnames always nest or are disjoint. */
export function intersect(a: string, b: string): string | undefined {
  if (covers(a, b)) return b;
  return covers(b, a) ? a : undefined;
}

/** Hostnames that cover a hostname and are less specific, nearest first: `*.b.c`, `*.c`, `*` for `a.b.c`. */
export function widerHostnames(hostname: string): string[] {
  if (hostname === '*') return [];
  const wider: string[] = [];
  const name = isWildcard(hostname) ? hostname.slice(2) : hostname;
  for (let dot = name.indexOf('.'); dot >= 0; dot = name.indexOf('.', dot + 1)) wider.push(`*${name.slice(dot)}`);
  wider.push('*');
  return wider;
}

/**
 * Order of precedence: exact names first, then wildcards, longest first, then `*` (HTTPRoute spec.hostnames: most
 * characters in a matching non-wildcard hostname, then in a matching hostname). Negative when `a` comes first.
 */
export function compareSpecificity(a: string, b: string): number {
  return specificityClass(a) - specificityClass(b) || b.length - a.length;
}

function specificityClass(hostname: string): number {
  if (hostname === '*') return 2;
  return isWildcard(hostname) ? 1 : 0;
}

/** Order of virtual hosts in a plan: by specificity, then by name; exact names by name alone. */
export function compareHostnames(a: string, b: string): number {
  const classes = specificityClass(a) - specificityClass(b);
  if (classes !== 0) return classes;
  if (isWildcard(a) && a.length !== b.length) return b.length - a.length;
  return a < b ? -1 : a > b ? 1 : 0;
}
