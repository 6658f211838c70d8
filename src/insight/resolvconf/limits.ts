/** What the kubelet cuts off a resolv.conf that is too long. */
import { type Diagnostic, diagnostic, type ObjectRef } from '../../base/diagnostics/index.ts';

/** Resolvers read no more (MAXNS in resolv.h). */
export const maxNameservers = 3;
/** Since Kubernetes 1.28 (ExpandedDNSConfig). */
export const maxSearches = 32;
export const maxSearchLine = 2048;
/** glibc 2.28 and others abort on a longer search domain. */
const maxSearchDomain = 253;

export interface Limited<T> {
  readonly kept: readonly T[];
  readonly finding?: Diagnostic;
}

export function limitNameservers<T extends { value: string }>(servers: readonly T[], pod: ObjectRef): Limited<T> {
  if (servers.length <= maxNameservers) return { kept: servers };
  const kept = servers.slice(0, maxNameservers);
  const line = kept.map(({ value }) => value).join(' ');
  const message = `Nameserver limits were exceeded, some nameservers have been omitted, the applied nameserver line is: ${line}`;
  return { kept, finding: diagnostic('FW4103', { message, object: pod }) };
}

/** First to 32 domains, then without those longer than 253 characters, then from the end until the line is short enough. */
export function limitSearches<T extends { value: string }>(searches: readonly T[], pod: ObjectRef): Limited<T> {
  const kept = searches.slice(0, maxSearches).filter(({ value }) => value.length <= maxSearchDomain);
  const line = () => kept.map(({ value }) => value).join(' ');
  while (line().length > maxSearchLine) kept.pop();
  if (kept.length === searches.length) return { kept };
  const message = `Search Line limits were exceeded, some search paths have been omitted, the applied search line is: ${line()}`;
  return { kept, finding: diagnostic('FW4104', { message, object: pod }) };
}
