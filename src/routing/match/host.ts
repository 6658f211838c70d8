/** Which virtual hosts a Host header may mean, found without looking at the others. */
import type { VirtualHost } from '../plan/plan.ts';

const colon = 58;
const dot = 46;
const upperA = 65;
const upperZ = 90;

/**
 * Host header or `:authority` as a name to look up: lower case, without port, without one trailing dot.
 * An IPv6 literal keeps its brackets. Returns the same string when there is nothing to change.
 */
export function normalizeHost(host: string): string {
  let plain = true;
  for (let i = 0; i < host.length && plain; i++) {
    const code = host.charCodeAt(i);
    plain = code !== colon && !(code >= upperA && code <= upperZ);
  }
  if (plain && host.charCodeAt(host.length - 1) !== dot) return host;
  const name = stripPort(host).toLowerCase();
  return name.endsWith('.') ? name.slice(0, -1) : name;
}

/** The host without its port; an IPv6 literal keeps its brackets. */
export function stripPort(host: string): string {
  if (host.startsWith('[')) {
    const end = host.indexOf(']');
    return end < 0 ? host : host.slice(0, end + 1);
  }
  const at = host.indexOf(':');
  // More than one colon without brackets is no host and port: left alone, it names nothing.
  return at < 0 || host.indexOf(':', at + 1) >= 0 ? host : host.slice(0, at);
}

export interface HostIndex<T> {
  /** The most specific entry for a normalised host: exact name, longest wildcard, `*`. */
  find(host: string): T | undefined;
  /** Every entry whose hostname covers the host, most specific first. */
  covering(host: string): readonly T[];
  /** Wildcards that share the host's suffix yet do not cover it, and why, for explanations. */
  nearMisses(host: string): readonly { readonly entry: T; readonly detail: string }[];
  /** The entry to try when no route of this one matches. */
  fallbackOf(entry: T): T | undefined;
  /**
   * The index with some exact names taken out and others put in, which costs what they are; undefined where an index is
   * better made anew: for wildcards, for a name that there is already, and after many changes.
   */
  changed(removed: readonly T[], added: readonly T[]): HostIndex<T> | undefined;
}

interface HostEntry {
  readonly host: VirtualHost;
}

/** Names that differ from those of a map that indexes have in common, at most. */
const maxDifferences = 512;

/** Exact names: a map that is never changed, and what is different now. */
interface ExactNames<T> {
  readonly common: ReadonlyMap<string, T>;
  /** Undefined: taken out. */
  readonly different: ReadonlyMap<string, T | undefined>;
}

/** Indexes virtual hosts; the first of two with one hostname counts. */
export function createHostIndex<T extends HostEntry>(entries: readonly T[]): HostIndex<T> {
  const exact = new Map<string, T>();
  /** By what follows the star: `.example.com`. */
  const wildcards = new Map<string, T>();
  let catchAll: T | undefined;
  for (const entry of entries) {
    const { hostname } = entry.host;
    if (hostname === '*') catchAll ??= entry;
    else if (!hostname.startsWith('*.')) setFirst(exact, hostname, entry);
    else setFirst(wildcards, hostname.slice(1), entry);
  }
  return indexOf({ common: exact, different: new Map() }, wildcards, catchAll);
}

function indexOf<T extends HostEntry>(
  names: ExactNames<T>,
  wildcards: ReadonlyMap<string, T>,
  catchAll: T | undefined,
): HostIndex<T> {
  const { common, different } = names;

  function exactly(host: string): T | undefined {
    if (different.size === 0) return common.get(host);
    return different.get(host) ?? (different.has(host) ? undefined : common.get(host));
  }

  function byHostname(hostname: string): T | undefined {
    if (hostname === '*') return catchAll;
    return hostname.startsWith('*.') ? wildcards.get(hostname.slice(1)) : exactly(hostname);
  }

  function wildcardAt(host: string, at: number, first: boolean): T | undefined {
    const entry = wildcards.get(host.slice(at));
    return entry && (first || entry.host.wildcard === 'any-depth') ? entry : undefined;
  }

  /** Position of the next suffix that begins with a dot and leaves something for the star; -1 when there is none. */
  const nextSuffix = (host: string, after: number) => host.indexOf('.', Math.max(after, 1));

  function find(host: string): T | undefined {
    const found = exactly(host);
    if (found) return found;
    if (wildcards.size > 0) {
      const start = nextSuffix(host, 0);
      for (let at = start; at > 0; at = nextSuffix(host, at + 1)) {
        const entry = wildcardAt(host, at, at === start);
        if (entry) return entry;
      }
    }
    return catchAll;
  }

  return {
    find,
    covering(host) {
      const found: T[] = [];
      const precise = exactly(host);
      if (precise) found.push(precise);
      const start = nextSuffix(host, 0);
      for (let at = start; at > 0; at = nextSuffix(host, at + 1)) {
        const entry = wildcardAt(host, at, at === start);
        if (entry) found.push(entry);
      }
      if (catchAll) found.push(catchAll);
      return found;
    },
    nearMisses(host) {
      const missed: { entry: T; detail: string }[] = [];
      const bare = wildcards.get(`.${host}`);
      if (bare) missed.push({ entry: bare, detail: 'the star stands for at least one label' });
      const start = nextSuffix(host, 0);
      for (let at = nextSuffix(host, start + 1); start > 0 && at > 0; at = nextSuffix(host, at + 1)) {
        const entry = wildcards.get(host.slice(at));
        if (entry?.host.wildcard === 'one-label')
          missed.push({ entry, detail: 'the star stands for exactly one label' });
      }
      return missed;
    },
    fallbackOf: ({ host: { fallback } }) => (fallback === undefined ? undefined : byHostname(fallback)),
    changed(removed, added) {
      if (different.size + removed.length + added.length > maxDifferences) return undefined;
      const next = new Map(different);
      for (const entry of removed) {
        if (exactly(entry.host.hostname) !== entry) return undefined;
        next.set(entry.host.hostname, undefined);
      }
      const now = indexOf({ common, different: next }, wildcards, catchAll);
      for (const entry of added) {
        const { hostname } = entry.host;
        if (hostname.startsWith('*') || next.get(hostname) || (!next.has(hostname) && common.has(hostname)))
          return undefined;
        next.set(hostname, entry);
      }
      return now;
    },
  };
}

function setFirst<T>(map: Map<string, T>, key: string, value: T): void {
  if (!map.has(key)) map.set(key, value);
}
