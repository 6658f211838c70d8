/** Origins that a CORS filter allows. */

/** True for the value of an Origin field (RFC 6454 section 7) that is allowed. */
export type OriginTest = (origin: string) => boolean;

/** A host name may have 253 characters; scheme and port are short. */
const MAX_ORIGIN = 280;
const shape = /^(https?):\/\/(\[[0-9a-f:.]+\]|[a-z0-9*._-]+)(?::([0-9]{1,5}))?$/;
const defaultPorts: Readonly<Record<string, string>> = { http: '80', https: '443' };

interface Origin {
  readonly scheme: string;
  readonly host: string;
  readonly port: string;
}

/** Scheme, host and port of an origin, the scheme's own port filled in; undefined for anything else, `null` included. */
export function parseOrigin(text: string): Origin | undefined {
  if (text.length > MAX_ORIGIN) return undefined;
  const [, scheme, host, port = defaultPorts[scheme!]] = shape.exec(text.toLowerCase()) ?? [];
  if (scheme === undefined || host === undefined || Number(port) < 1 || Number(port) > 65_535) return undefined;
  return { scheme, host, port: String(Number(port)) };
}

/**
 * Gateway API HTTPCORSFilter.allowOrigins: a star as the first label stands for one label or more, alone for any host;
 * `*` as the whole entry for any origin. Entries that are none match nothing.
 */
export function createOriginTest(entries: readonly string[]): OriginTest {
  if (entries.includes('*')) return () => true;
  const exact = new Set<string>();
  const suffixes: Origin[] = [];
  for (const entry of entries) {
    const origin = parseOrigin(entry);
    if (!origin) continue;
    if (origin.host.startsWith('*')) suffixes.push({ ...origin, host: origin.host.slice(1) });
    else exact.add(keyOf(origin));
  }
  return (text) => {
    const origin = parseOrigin(text);
    if (!origin) return false;
    return exact.has(keyOf(origin)) || suffixes.some((suffix) => isUnder(origin, suffix));
  };
}

function keyOf({ scheme, host, port }: Origin): string {
  return `${scheme}://${host}:${port}`;
}

function isUnder(origin: Origin, suffix: Origin): boolean {
  return (
    origin.scheme === suffix.scheme &&
    origin.port === suffix.port &&
    origin.host.length > suffix.host.length &&
    origin.host.endsWith(suffix.host)
  );
}
