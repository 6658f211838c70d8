/**
 * Domain names (RFC 1035 sections 3.1 and 4.1.4). In code a name is text in presentation form: absolute, with its
 * trailing dot, case as it came, and `\.`, `\\`, `\DDD` for bytes that text cannot show. On the wire it is labels.
 */

/** Longest name on the wire, root label included. */
export const maxNameLength = 255;
export const maxLabelLength = 63;
/** Pointers that one name may need: it has no more labels than this. */
const maxPointers = 126;

export interface NameAt {
  readonly name: string;
  /** Offset behind the name where it was read, not where a pointer led. */
  readonly end: number;
}

/**
 * Reads a name that may be compressed. Pointers must lead strictly backwards and be no more than a name can need, so
 * that any packet is read in bounded work; undefined when the name is cut, too long or uses another label type.
 */
export function readName(packet: Uint8Array, start: number): NameAt | undefined {
  let offset = start;
  let lowest = start;
  let end = -1;
  let length = 0;
  let pointers = 0;
  let name = '';
  for (;;) {
    const octet = packet[offset];
    if (octet === undefined) return undefined;
    if (octet === 0) return { name: name || '.', end: end < 0 ? offset + 1 : end };
    if (octet >= 0xc0) {
      const low = packet[offset + 1];
      if (low === undefined) return undefined;
      if (end < 0) end = offset + 2;
      offset = ((octet & 0x3f) << 8) | low;
      if (offset >= lowest || ++pointers > maxPointers) return undefined;
      lowest = offset;
      continue;
    }
    length += octet + 1;
    if (octet > maxLabelLength || length >= maxNameLength || offset + 1 + octet > packet.length) return undefined;
    name += `${labelText(packet, offset + 1, offset + 1 + octet)}.`;
    offset += 1 + octet;
  }
}

/** Offset behind a name in a message that is known to be well formed. */
export function skipName(packet: Uint8Array, start: number): number {
  let at = start;
  while (at < packet.length) {
    const octet = packet[at]!;
    if (octet >= 0xc0) return at + 2;
    at += octet + 1;
    if (octet === 0) return at;
  }
  return at;
}

/** A label in presentation form. */
export function labelText(packet: Uint8Array, start: number, end: number): string {
  let text = '';
  for (let i = start; i < end; i++) {
    const byte = packet[i]!;
    if (byte === 0x2e || byte === 0x5c) text += `\\${String.fromCharCode(byte)}`;
    else if (byte > 0x20 && byte < 0x7f) text += String.fromCharCode(byte);
    else text += `\\${String(byte).padStart(3, '0')}`;
  }
  return text;
}

/**
 * Labels of a name in presentation form, each as a string of bytes (one character per byte), without the root.
 * Relative and absolute spelling mean the same. Undefined when no such name can exist.
 */
export function parseName(text: string): string[] | undefined {
  if (text === '.') return [];
  const labels: string[] = [];
  let label = '';
  let length = 1;
  const finish = (): boolean => {
    if (label === '' || label.length > maxLabelLength) return false;
    length += label.length + 1;
    labels.push(label);
    label = '';
    return length <= maxNameLength;
  };
  for (let i = 0; i < text.length; i++) {
    const char = text[i]!;
    if (char === '.') {
      if (!finish()) return undefined;
      continue;
    }
    const byte = char === '\\' ? escapedByte(text, i + 1) : { value: text.charCodeAt(i), length: 0 };
    if (!byte || byte.value > 0xff) return undefined;
    label += String.fromCharCode(byte.value);
    i += byte.length;
  }
  if (label !== '' && !finish()) return undefined;
  return labels.length > 0 ? labels : undefined;
}

function escapedByte(text: string, at: number): { value: number; length: number } | undefined {
  const digits = /^\d{3}/.exec(text.slice(at, at + 3));
  if (digits) return { value: Number(digits[0]), length: 3 };
  return at < text.length ? { value: text.charCodeAt(at), length: 1 } : undefined;
}

/** Lower case for ASCII letters only: DNS compares other bytes as they are (RFC 4343). */
export function foldCase(text: string): string {
  return text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
}

/** The name in lower case and absolute, for comparisons. */
export function canonicalName(text: string): string {
  const folded = foldCase(text);
  return folded.endsWith('.') && !folded.endsWith('\\.') ? folded : `${folded}.`;
}

/** Labels of a name on the wire without compression, as `Query.key` has it: bytes in a string, root included. */
export function labelsOfKey(key: string): string[] {
  const labels: string[] = [];
  for (let i = 0; i < key.length; ) {
    const length = key.charCodeAt(i);
    if (length === 0) break;
    labels.push(key.slice(i + 1, i + 1 + length));
    i += 1 + length;
  }
  return labels;
}

/** Key of a name as `Query.key` has it; undefined when no such name can exist. */
export function keyOfName(text: string): string | undefined {
  const labels = parseName(text);
  return labels && `${labels.map((label) => String.fromCharCode(label.length) + foldCase(label)).join('')}\0`;
}
