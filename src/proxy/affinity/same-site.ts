/**
 * Clients that take `SameSite=None` for Strict, or refuse cookies with it, by what they say of themselves:
 * https://www.chromium.org/updates/same-site/incompatible-clients, as coarse as ingress-nginx has it.
 */
const known = /Chrome\/[456]|CPU iPhone OS 12|iPad; CPU OS 12/;

export function takesNoSameSiteNone(userAgent: string | undefined): boolean {
  if (userAgent === undefined) return false;
  return known.test(userAgent) || isSafariOfMojave(userAgent);
}

const isSafariOfMojave = (userAgent: string): boolean =>
  ['Macintosh', 'Intel Mac OS X 10_14', 'Safari'].every((part) => userAgent.includes(part)) &&
  !userAgent.includes('Chrome');
