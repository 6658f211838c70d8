/** Content-Length and chunk sizes: digits and nothing else. */
import { trimSpace } from './characters.ts';

/** 15 digits stay below 2^53, and are a petabyte. */
const MAX_DIGITS = 15;

/**
 * Content-Length as a number of bytes, -1 when invalid. A list is valid when all members are the same (RFC 9112
 * section 6.3), as repeated lines make it.
 */
export function parseContentLength(value: string): number {
  const plain = readDigits(value);
  if (plain >= 0) return plain;
  const members = value.split(',').map((member) => trimSpace(member));
  const first = members[0]!;
  return members.every((member) => member === first) ? readDigits(first) : -1;
}

/** One value of digits only, not a list, and none too many: some read a leading zero as octal. */
export function isPlainLength(value: string): boolean {
  return readDigits(value) >= 0 && (value.length === 1 || value.charCodeAt(0) !== 48);
}

/** The number that up to 15 digits write; -1 for anything else. */
function readDigits(value: string): number {
  const { length } = value;
  if (length === 0 || length > MAX_DIGITS) return -1;
  let number = 0;
  for (let i = 0; i < length; i++) {
    const digit = value.charCodeAt(i) - 48;
    if (digit < 0 || digit > 9) return -1;
    number = number * 10 + digit;
  }
  return number;
}
