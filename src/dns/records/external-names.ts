/** Chains of ExternalName Services: followed inside the cluster domain, bounded, and checked for loops. */
import { type Diagnostic, diagnostic } from '../../base/diagnostics/index.ts';
import { foldCase, parseName } from '../wire/name.ts';
import { parseClusterName } from './cluster-name.ts';
import type { ServiceEntry } from './entry.ts';

/** Longest chain of aliases that is followed. */
export const maxAliases = 10;

/** One step: `owner` (labels left of the zone, joined) is an alias of `target` (absolute). */
export interface Alias {
  readonly owner: string;
  readonly target: string;
}

export interface AliasChain {
  readonly aliases: readonly Alias[];
  /** Why the chain leads nowhere: then none of it is answered. */
  readonly broken?: 'loop' | 'length';
  /** The last target: labels in lower case, and the part left of the zone when it lies inside. */
  readonly end: { readonly labels: readonly string[]; readonly inside?: readonly string[] };
}

/** Labels left of the zone; undefined when the name lies outside. All in lower case. */
export function labelsInside(labels: readonly string[], zone: readonly string[]): string[] | undefined {
  const start = labels.length - zone.length;
  if (start < 0 || zone.some((label, i) => labels[start + i] !== label)) return undefined;
  return labels.slice(0, start);
}

/** Follows the aliases from an ExternalName entry while they stay in the zone. */
export function followAliases(
  start: ServiceEntry,
  zone: readonly string[],
  find: (namespace: string, name: string) => ServiceEntry | undefined,
): AliasChain {
  const aliases: Alias[] = [];
  const seen = new Set<ServiceEntry>();
  let entry: ServiceEntry | undefined = start;
  let labels: string[] = [];
  while (entry?.externalName !== undefined) {
    const broken = seen.has(entry) ? 'loop' : aliases.length > maxAliases ? 'length' : undefined;
    if (broken) return { aliases, broken, end: { labels } };
    seen.add(entry);
    aliases.push({ owner: `${entry.name}.${entry.namespace}.svc`, target: entry.externalName });
    labels = (parseName(entry.externalName) ?? []).map(foldCase);
    const inside = labelsInside(labels, zone);
    if (!inside) return { aliases, end: { labels } };
    const name = parseClusterName(inside);
    const plain = name.kind === 'service' && name.endpoint === undefined && name.port === undefined;
    entry = plain ? find(name.namespace, name.service) : undefined;
  }
  return { aliases, end: { labels, inside: labelsInside(labels, zone) ?? [] } };
}

/** A finding when an ExternalName leads into a loop or is too long a chain. */
export function aliasFinding(entry: ServiceEntry, chain: AliasChain): Diagnostic | undefined {
  if (!chain.broken) return undefined;
  const path = [...chain.aliases.map(({ owner }) => owner), chain.aliases.at(-1)!.target].slice(0, maxAliases + 2);
  const what = chain.broken === 'loop' ? 'leads back to where it was' : `has more than ${maxAliases} steps`;
  return diagnostic('FW4001', {
    message: `the chain ${path.join(' -> ')} ${what}; the name has no address`,
    object: entry.ref,
    fieldPath: 'spec.externalName',
  });
}
