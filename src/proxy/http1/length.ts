/** Content-Length and chunk sizes: digits and nothing else. */

/** 15 digits stay below 2^53, and are a petabyte. */
const DECIMAL = /^[0-9]{1,15}$/;

/**
 * Content-Length as a number of bytes, -1 when invalid. A list is valid when all members are the same (RFC 9112
 * section 6.3), as repeated lines make it.
 */
export function parseContentLength(value: string): number {
  if (DECIMAL.test(value)) return Number(value);
  const members = value.split(',').map((member) => member.trim());
  const first = members[0]!;
  return DECIMAL.test(first) && members.every((member) => member === first) ? Number(first) : -1;
}

/** One value of digits only, not a list. */
export function isPlainLength(value: string): boolean {
  return DECIMAL.test(value);
}
