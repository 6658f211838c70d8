/** Finds the server block of a query among those that share a listener: the longest zone wins. */
import type { Scope } from '../plugins/scope.ts';
import { keyOfName } from '../wire/name.ts';
import { recordType } from '../wire/numbers.ts';
import type { Route } from './responder.ts';

/**
 * Scopes of one zone are tried in order; the first whose view accepts the query takes it. DS records are the parent's:
 * such a query goes to the zone above when that is served here too (RFC 4035 section 3.1.4.1).
 */
export function createRoute(scopes: readonly Scope[]): Route {
  const byKey = new Map<string, Scope[]>();
  for (const scope of scopes) {
    const key = keyOfName(scope.zone) ?? '\0';
    byKey.set(key, [...(byKey.get(key) ?? []), scope]);
  }
  const only = scopes.length === 1 && scopes[0]!.zone === '.' && !scopes[0]!.accepts ? scopes[0] : undefined;
  if (only) return () => only;

  return (query, client) => {
    const { key } = query;
    let below: Scope | undefined;
    for (let at = 0; ; at += key.charCodeAt(at) + 1) {
      const found = byKey
        .get(at === 0 ? key : key.slice(at))
        ?.find((scope) => !scope.accepts || scope.accepts(query, client));
      if (found && query.type !== recordType.DS) return found;
      if (found && below) return found;
      below ??= found;
      if (key.charCodeAt(at) === 0) return below;
    }
  };
}
