/** IP addresses as DNS carries them: bytes in A and AAAA, names below in-addr.arpa and ip6.arpa in PTR. */
import { canonicalIp, formatIp, fromReverseName, parseIp, reverseName as relativeReverseName } from '../../base/ip.ts';

/** 4 or 16 bytes of an address; undefined when the text is neither family. Zones (`%eth0`) are refused. */
export function addressBytes(text: string): Uint8Array | undefined {
  const address = parseIp(text);
  return address && Uint8Array.from(address.bytes);
}

/** Text of 4 or 16 bytes; IPv6 in the form of RFC 5952. */
export function addressText(bytes: Uint8Array): string {
  return formatIp({ version: bytes.length === 4 ? 4 : 6, bytes: [...bytes] });
}

/** One spelling per address, for maps; undefined when the text is no address. */
export const canonicalAddress: (text: string) => string | undefined = canonicalIp;

/** The absolute name of an address in the reverse tree; undefined when the text is no address. */
export function reverseName(text: string): string | undefined {
  const address = parseIp(text);
  return address && `${relativeReverseName(address)}.`;
}

/** Address (canonical) that a full reverse name stands for; labels in lower case, without the root. */
export function addressOfReverse(labels: readonly string[]): string | undefined {
  const address = fromReverseName(labels.join('.'));
  return address && formatIp(address);
}
