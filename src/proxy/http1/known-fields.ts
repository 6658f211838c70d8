/** Fields that the proxy itself looks at, recognised while a head is scanned, without making strings of their names. */

/** Numbers of the known fields; 0 stands for every other one. */
export const known = {
  other: 0,
  host: 1,
  contentLength: 2,
  transferEncoding: 3,
  connection: 4,
  upgrade: 5,
  expect: 6,
  te: 7,
  trailer: 8,
  date: 9,
  keepAlive: 10,
  proxyConnection: 11,
  http2Settings: 12,
  maxForwards: 13,
  /**
   * X-Forwarded-*, Forwarded and X-Real-IP: what a client says of itself. Also with underscores in place of hyphens, which
   * many backends cannot tell from them (RFC 3875 section 4.1.18).
   */
  forwarded: 14,
  /** W3C Trace Context. */
  traceparent: 15,
  tracestate: 16,
} as const;

const names: ReadonlyMap<string, number> = new Map(
  Object.entries({
    host: known.host,
    'content-length': known.contentLength,
    'transfer-encoding': known.transferEncoding,
    connection: known.connection,
    upgrade: known.upgrade,
    expect: known.expect,
    te: known.te,
    trailer: known.trailer,
    date: known.date,
    'keep-alive': known.keepAlive,
    'proxy-connection': known.proxyConnection,
    'http2-settings': known.http2Settings,
    'max-forwards': known.maxForwards,
    forwarded: known.forwarded,
    traceparent: known.traceparent,
    tracestate: known.tracestate,
    'x-real-ip': known.forwarded,
    'x-forwarded-for': known.forwarded,
    'x-forwarded-proto': known.forwarded,
    'x-forwarded-host': known.forwarded,
    'x-forwarded-port': known.forwarded,
  }),
);

interface Candidate {
  readonly name: string;
  readonly id: number;
}

const longest = Math.max(...[...names.keys()].map((name) => name.length));
const byLength: readonly (readonly Candidate[])[] = Array.from({ length: longest + 1 }, (_, length) =>
  [...names].flatMap(([name, id]) => (name.length === length ? [{ name, id }] : [])),
);

/** Number of the field named by `bytes[start, end)`, which must be a token, whatever its case. */
export function knownField(bytes: Uint8Array, start: number, end: number): number {
  const length = end - start;
  if (length > longest) return known.other;
  const candidates = byLength[length]!;
  for (let i = 0; i < candidates.length; i++) {
    const candidate = candidates[i]!;
    if (isNamedAt(bytes, start, candidate.name, candidate.id === known.forwarded)) return candidate.id;
  }
  return known.other;
}

/** The names hold letters, digits and hyphens: of the bytes of tokens, setting bit 5 makes nothing else equal to one. */
function isNamedAt(bytes: Uint8Array, start: number, lowerName: string, orUnderscores: boolean): boolean {
  for (let i = 0; i < lowerName.length; i++) {
    const byte = bytes[start + i]!;
    const wanted = lowerName.charCodeAt(i);
    if ((byte | 32) !== wanted && !(orUnderscores && byte === UNDERSCORE && wanted === HYPHEN)) return false;
  }
  return true;
}

const UNDERSCORE = 95;
const HYPHEN = 45;

/** Number of a field by its lower-case name. */
export function knownName(lowerName: string): number {
  const id = names.get(lowerName);
  if (id !== undefined) return id;
  return lowerName.includes('_') && names.get(lowerName.replaceAll('_', '-')) === known.forwarded
    ? known.forwarded
    : known.other;
}

/** True when the text at `start` is `lowerName`, in any case of ASCII letters. */
export function equalsIgnoreCase(text: string, start: number, lowerName: string): boolean {
  for (let i = 0; i < lowerName.length; i++) {
    const code = text.charCodeAt(start + i);
    const wanted = lowerName.charCodeAt(i);
    if (code !== wanted && ((code | 32) !== wanted || wanted < 97 || wanted > 122)) return false;
  }
  return true;
}
