/**
 * Names inside data that stays bytes. A sender may have compressed them (RFC 3597 section 4), and a pointer means
 * nothing in another message: they are written out when a message is read.
 */
import { maxLabelLength, readName } from './name.ts';
import { recordType } from './numbers.ts';

/** A name, a character string, so many bytes, or all that is left. */
type Part = 'name' | 'string' | 'rest' | number;

/** Types of RFC 1035, 1183, 2163, 2230, 2535, 3403, 4034, 6672 and 9460 that have no shape of their own here. */
const layouts: ReadonlyMap<number, readonly Part[]> = new Map<number, readonly Part[]>([
  ...[3, 4, 7, 8, 9].map((type) => [type, ['name']] as [number, Part[]]),
  [14, ['name', 'name']],
  [17, ['name', 'name']],
  [18, [2, 'name']],
  [21, [2, 'name']],
  [24, [18, 'name', 'rest']],
  [26, [2, 'name', 'name']],
  [30, ['name', 'rest']],
  [36, [2, 'name']],
  [recordType.NAPTR, [4, 'string', 'string', 'string', 'name']],
  [recordType.DNAME, ['name']],
  [recordType.RRSIG, [18, 'name', 'rest']],
  [recordType.NSEC, ['name', 'rest']],
  [recordType.SVCB, [2, 'name', 'rest']],
  [recordType.HTTPS, [2, 'name', 'rest']],
]);

export const hasInnerNames = (type: number): boolean => layouts.has(type);

/** Where a part that is no name ends. */
function endOf(part: Exclude<Part, 'name'>, packet: Uint8Array, at: number, end: number): number {
  if (part === 'rest') return end;
  return at + (part === 'string' ? packet[at]! + 1 : part);
}

/** A name on the wire, uncompressed; `at` is where one starts that could be read. */
function plainName(packet: Uint8Array, start: number): Uint8Array {
  const parts: Uint8Array[] = [];
  let at = start;
  for (;;) {
    const length = packet[at]!;
    if (length > maxLabelLength) {
      at = ((length & 0x3f) << 8) | packet[at + 1]!;
      continue;
    }
    parts.push(packet.subarray(at, at + 1 + length));
    if (length === 0) return Buffer.concat(parts);
    at += 1 + length;
  }
}

/** The data with its names written out; undefined when it is not data of that type. */
export function expandNames(packet: Uint8Array, type: number, start: number, end: number): Uint8Array | undefined {
  const parts: Uint8Array[] = [];
  let at = start;
  for (const part of layouts.get(type) ?? (['rest'] as const)) {
    if (part === 'name') {
      const found = readName(packet, at);
      if (!found) return undefined;
      parts.push(plainName(packet, at));
      at = found.end;
    } else {
      const next = endOf(part, packet, at, end);
      parts.push(packet.subarray(at, next));
      at = next;
    }
    if (!(at <= end)) return undefined;
  }
  return at === end ? Buffer.concat(parts) : undefined;
}
