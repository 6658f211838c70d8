/** Routes by the server name of a ClientHello. */

/** `*` takes the names that nothing else does, and clients that name none; a star before a dot stands for one label and more. */
export interface Named {
  readonly serverName: string;
}

/** Finds the route for a server name in lower case: exact, then the nearest wildcard, then `*`. */
export function indexByName<T>(
  all: readonly T[],
  named: (one: T) => Named,
): (name: string | undefined) => T | undefined {
  const byName = new Map(all.map((one) => [named(one).serverName.toLowerCase(), one]));
  const any = byName.get('*');
  return (name) => (name === undefined ? any : (findNamed(byName, name) ?? any));
}

function findNamed<T>(byName: ReadonlyMap<string, T>, name: string): T | undefined {
  const exact = byName.get(name);
  if (exact) return exact;
  for (let dot = name.indexOf('.'); dot > 0; dot = name.indexOf('.', dot + 1)) {
    const found = byName.get(`*${name.slice(dot)}`);
    if (found) return found;
  }
  return undefined;
}
