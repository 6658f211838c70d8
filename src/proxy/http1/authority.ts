/** Hosts as clients send them: `uri-host [":" port]` (RFC 9110 section 7.2, RFC 3986 section 3.2). */

/** reg-name or IPv4 address: unreserved, sub-delims, percent-encoded. Not more than 255 characters. */
const NAME = /^(?:[A-Za-z0-9\-._~!$&'()*+,;=]|%[0-9A-Fa-f]{2}){0,255}$/;
const LITERAL = /^\[(?:[0-9A-Fa-f:.]{2,45}|v[0-9A-Fa-f]+\.[A-Za-z0-9\-._~!$&'()*+,;=:]+)\]$/;
const PORT = /^[0-9]{0,5}$/;

/** The usual form, tried first: letters, digits, hyphens and dots, perhaps a port. */
const PLAIN = /^[A-Za-z0-9.-]{1,253}(?::[0-9]{1,5})?$/;

/** An empty authority is fine: it is what Host holds when the target has none. */
export function isAuthority(authority: string): boolean {
  if (PLAIN.test(authority) || authority === '') return true;
  const colon = authority.indexOf(':', authority.lastIndexOf(']') + 1);
  const host = colon < 0 ? authority : authority.slice(0, colon);
  const port = colon < 0 ? '' : authority.slice(colon + 1);
  return (host.startsWith('[') ? LITERAL.test(host) : host !== '' && NAME.test(host)) && PORT.test(port);
}

export interface AbsoluteTarget {
  readonly authority: string;
  /** In origin-form. */
  readonly target: string;
  /** Neither path nor query was given. */
  readonly bare: boolean;
}

/** Takes `http://host/path?query` apart; undefined when it is of another shape. User information makes a host invalid. */
export function splitAbsoluteTarget(target: string): AbsoluteTarget | undefined {
  const parts = /^https?:\/\/([^/?]*)(.*)$/i.exec(target);
  if (!parts) return undefined;
  const rest = parts[2]!;
  return { authority: parts[1]!, target: rest.startsWith('/') ? rest : `/${rest}`, bare: rest === '' };
}
