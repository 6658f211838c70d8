/** What Authorization says of Basic authentication (RFC 7617). */

export interface Credentials {
  readonly name: string;
  readonly password: Buffer;
}

/** Characters of Authorization, and bytes of a password: checking takes longer the longer it is. */
const MAX_VALUE = 2_048;
const MAX_PASSWORD = 256;

/** Undefined: none, or none that can be read. */
export function readCredentials(value: string | undefined): Credentials | undefined {
  if (value === undefined || value.length > MAX_VALUE) return undefined;
  const [, encoded] = /^basic +([A-Za-z0-9+/_-]+={0,2})$/i.exec(value) ?? [];
  if (encoded === undefined) return undefined;
  const bytes = Buffer.from(encoded, 'base64');
  const colon = bytes.indexOf(':');
  if (colon < 0 || bytes.length - colon - 1 > MAX_PASSWORD) return undefined;
  return { name: bytes.toString('utf8', 0, colon), password: bytes.subarray(colon + 1) };
}
