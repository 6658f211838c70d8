/** What a resolver library makes of a resolv.conf: each reads its own part of it, with its own limits. */
import { isIP } from 'node:net';

export type Libc = 'glibc' | 'musl';

export interface ResolverConfig {
  /** At most 3; the resolver's own machine when none is named. */
  readonly nameservers: readonly string[];
  readonly search: readonly string[];
  readonly ndots: number;
  /** Rounds over the nameservers before giving up. */
  readonly attempts: number;
  /** Names without any dot are not tried as they are (glibc `no-tld-query`). */
  readonly noTldQuery: boolean;
}

/** musl reads lines into a buffer of this size and ignores longer ones. */
const muslLineLimit = 255;
const maxNameservers = 3;

interface Limits {
  readonly ndots: number;
  readonly attempts: number;
}

const limitsOf: Record<Libc, Limits> = {
  glibc: { ndots: 15, attempts: 5 },
  musl: { ndots: 15, attempts: 10 },
};

function linesOf(text: string, libc: Libc): string[][] {
  return text
    .split('\n')
    .filter((line) => libc === 'glibc' || line.length < muslLineLimit)
    .map((line) => line.trimEnd())
    .filter((line) => /^[a-z]/.test(line))
    .map((line) => line.split(/\s+/));
}

function numberOption(options: readonly string[], name: string, limit: number): number | undefined {
  const value = options.findLast((option) => option.startsWith(`${name}:`))?.slice(name.length + 1);
  return value !== undefined && /^\d/.test(value) ? Math.min(Number.parseInt(value, 10), limit) : undefined;
}

export function readResolverConfig(text: string, libc: Libc): ResolverConfig {
  const lines = linesOf(text, libc);
  const values = (keyword: string) => lines.filter(([first]) => first === keyword).map(([, ...rest]) => rest);
  const nameservers = values('nameserver').flatMap(([address]) => (address && isIP(address) ? address : []));
  const options = values('options').flat();
  const searches = lines.filter(([first]) => first === 'search' || first === 'domain');
  const [keyword, ...domains] = searches.at(-1) ?? [];
  const limits = limitsOf[libc];
  return {
    nameservers: nameservers.length > 0 ? nameservers.slice(0, maxNameservers) : ['127.0.0.1'],
    search: keyword === 'domain' ? domains.slice(0, 1) : domains,
    ndots: numberOption(options, 'ndots', limits.ndots) ?? 1,
    attempts: Math.max(1, numberOption(options, 'attempts', limits.attempts) ?? 2),
    noTldQuery: libc === 'glibc' && options.includes('no-tld-query'),
  };
}
