/** How long a response may be kept by caches that know nothing of DNS, such as those of HTTP (RFC 8484 section 5.1). */
import { skipName } from './name.ts';
import { rcode, recordType } from './numbers.ts';

/** Seconds for responses without records, and for failures; as CoreDNS. */
const shortest = 5;
/** Seconds. */
const longest = 3600;

const read16 = (packet: Uint8Array, at: number): number => (packet[at]! << 8) | packet[at + 1]!;
const read32 = (packet: Uint8Array, at: number): number => ((read16(packet, at) << 16) | read16(packet, at + 2)) >>> 0;

/**
 * Seconds: the smallest TTL of the records of a whole response, for denials also the last field of their SOA record
 * (RFC 2308 section 5). At most an hour; 5 when there is no record or the response is a failure. Bytes that are no
 * response are safe.
 */
export function freshnessOf(response: Uint8Array): number {
  const code = response[3]! & 15;
  if (code !== rcode.NOERROR && code !== rcode.NXDOMAIN) return shortest;
  const answers = read16(response, 6);
  const records = answers + read16(response, 8) + read16(response, 10);
  let at = 12;
  for (let i = read16(response, 4); i > 0 && at < response.length; i--) at = skipName(response, at) + 4;
  let least = Infinity;
  for (let i = 0; i < records; i++) {
    const fixed = skipName(response, at);
    const end = fixed + 10 + read16(response, fixed + 8);
    if (fixed + 10 > response.length || end > response.length) break;
    at = end;
    const type = read16(response, fixed);
    if (type === recordType.OPT) continue;
    least = Math.min(least, read32(response, fixed + 4));
    if (type === recordType.SOA && answers === 0 && end - fixed >= 30)
      least = Math.min(least, read32(response, end - 4));
  }
  return least === Infinity ? shortest : Math.min(least, longest);
}
