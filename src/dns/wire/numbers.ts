/** Numbers of the protocol and their names (IANA "Domain Name System (DNS) Parameters"). */

export const recordType = {
  A: 1,
  NS: 2,
  CNAME: 5,
  SOA: 6,
  PTR: 12,
  HINFO: 13,
  MX: 15,
  TXT: 16,
  AAAA: 28,
  SRV: 33,
  NAPTR: 35,
  DNAME: 39,
  OPT: 41,
  DS: 43,
  SSHFP: 44,
  RRSIG: 46,
  NSEC: 47,
  DNSKEY: 48,
  NSEC3: 50,
  NSEC3PARAM: 51,
  TLSA: 52,
  CDS: 59,
  CDNSKEY: 60,
  SVCB: 64,
  HTTPS: 65,
  IXFR: 251,
  AXFR: 252,
  ANY: 255,
  CAA: 257,
} as const;

export const recordClass = { IN: 1, CH: 3, HS: 4, NONE: 254, ANY: 255 } as const;

export const opcode = { QUERY: 0, NOTIFY: 4, UPDATE: 5 } as const;

/** Codes above 15 need EDNS (RFC 6891 section 6.1.3). */
export const rcode = {
  NOERROR: 0,
  FORMERR: 1,
  SERVFAIL: 2,
  NXDOMAIN: 3,
  NOTIMP: 4,
  REFUSED: 5,
  YXDOMAIN: 6,
  YXRRSET: 7,
  NXRRSET: 8,
  NOTAUTH: 9,
  NOTZONE: 10,
  BADVERS: 16,
} as const;

export const ednsOption = { NSID: 3, CLIENT_SUBNET: 8, COOKIE: 10, KEEPALIVE: 11, PADDING: 12, ERROR: 15 } as const;

const typeNames = new Map<number, string>(Object.entries(recordType).map(([name, number]) => [number, name]));
const rcodeNames = new Map<number, string>(Object.entries(rcode).map(([name, number]) => [number, name]));

/** `A`, or `TYPE65280` for a type without a name here (RFC 3597 section 5). */
export function typeName(type: number): string {
  return typeNames.get(type) ?? `TYPE${type}`;
}

/** Number of `A`, `aaaa` or `TYPE65280`; undefined when it is neither a known name nor a 16-bit number. */
export function typeNumber(name: string): number | undefined {
  const upper = name.toUpperCase();
  if (Object.hasOwn(recordType, upper)) return recordType[upper as keyof typeof recordType];
  const generic = /^TYPE(\d{1,5})$/.exec(upper);
  const number = generic ? Number(generic[1]) : Number.NaN;
  return number <= 0xffff ? number : undefined;
}

/** Number of `NXDOMAIN` in any case; undefined for names not known here. */
export function rcodeNumber(name: string): number | undefined {
  const upper = name.toUpperCase();
  return Object.hasOwn(rcode, upper) ? rcode[upper as keyof typeof rcode] : undefined;
}

export function rcodeName(code: number): string {
  return rcodeNames.get(code) ?? `RCODE${code}`;
}
