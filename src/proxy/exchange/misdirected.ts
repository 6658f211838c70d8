/** Requests on a connection that was made for somebody else (RFC 9110 section 15.5.20, Gateway spec.listeners.hostname). */
import { normalizeHost } from '../../routing/match/matcher.ts';
import type { Client } from './wire.ts';

/** The authority that a name belongs to; undefined when it belongs to none. */
export type AuthorityOf = (name: string) => string | undefined;

/** `authorities` are exact names, `*.example.com` for names of any depth, and `*`; the most specific one has a name. */
export function compileAuthorities(authorities: readonly string[] | undefined): AuthorityOf | undefined {
  if (!authorities || authorities.length < 2) return undefined;
  const known = new Set(authorities);
  const catchAll = known.has('*') ? '*' : undefined;
  return (name) => {
    if (known.has(name)) return name;
    for (let dot = name.indexOf('.'); dot >= 0; dot = name.indexOf('.', dot + 1)) {
      const wildcard = `*${name.slice(dot)}`;
      if (known.has(wildcard)) return wildcard;
    }
    return catchAll;
  };
}

/**
 * Whether the host belongs to another authority than the server name that the client gave when it connected. A client
 * that gave none was shown the certificate for everybody. A host of nobody is not misdirected: it is not found.
 */
export function isMisdirected({ serverName }: Client, host: string, authorityOf: AuthorityOf): boolean {
  const owner = authorityOf(normalizeHost(host));
  if (owner === undefined) return false;
  return owner !== (serverName ? authorityOf(normalizeHost(serverName)) : authorityOf('*'));
}
