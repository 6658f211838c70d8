/**
 * Whether a name that does not exist is one of a search list: a name that was whole already (`www.example.com`), with a
 * domain of the client's search list behind it (`www.example.com.shop.svc.cluster.local.`).
 */
import { labelsInside } from '../records/external-names.ts';

/** What is in the cluster, by names in lower case. */
export interface ClusterNames {
  hasNamespace(namespace: string): boolean;
  hasService(namespace: string, name: string): boolean;
}

export interface SearchMiss {
  /** Labels of the name as the program wrote it. */
  readonly labels: number;
  /** Which domain stood behind it: 0 `NS.svc.ZONE`, 1 `svc.ZONE`, 2 `ZONE`. */
  readonly stage: 0 | 1 | 2;
  readonly kind: 'external' | 'cluster';
  /** Of the client, as its search list tells; '' from the other domains. */
  readonly namespace: string;
}

interface Searched {
  readonly base: readonly string[];
  readonly stage: 0 | 1 | 2;
  readonly namespace: string;
}

/** Takes the search domain off. `inside`: labels left of the zone; `own`: the client's namespace when it is known. */
function withoutDomain(inside: readonly string[], own: string | undefined, names: ClusterNames): Searched | undefined {
  const kind = inside.at(-1);
  if (kind === 'pod') return undefined;
  if (kind !== 'svc') return { base: inside, stage: 2, namespace: '' };
  const rest = inside.slice(0, -1);
  const namespace = rest.at(-1) ?? '';
  if (own === undefined ? names.hasNamespace(namespace) : namespace === own)
    return { base: rest.slice(0, -1), stage: 0, namespace };
  // A name of another namespace is no search list's.
  return names.hasNamespace(namespace) ? undefined : { base: rest, stage: 1, namespace: '' };
}

/**
 * A short name of the cluster, which needs the search list: `web`, `web.shop`, `web.shop.svc`, `mysql-0.mysql`,
 * `_http._tcp.web`. Two labels with a namespace at the end are taken for one even when there is no such Service.
 */
function isShort({ base, stage, namespace }: Searched, own: string | undefined, names: ClusterNames): boolean {
  const last = base.at(-1)!;
  const before = base.at(-2);
  if (before === undefined || last === 'svc') return true;
  if (base.length === 3 && base[0]!.startsWith('_') && base[1]!.startsWith('_')) return true;
  const client = own ?? namespace;
  if (stage === 0 && names.hasService(client, last)) return true;
  return names.hasNamespace(last) && (base.length === 2 || names.hasService(last, before));
}

/** `labels`: of the name asked for, in lower case; `zone`: of the cluster domain. */
export function searchMissOf(
  labels: readonly string[],
  zone: readonly string[],
  own: string | undefined,
  names: ClusterNames,
): SearchMiss | undefined {
  const inside = labelsInside(labels, zone);
  const searched = inside && withoutDomain(inside, own, names);
  if (!searched || searched.base.length < 2) return undefined;
  const { base, stage, namespace } = searched;
  if (labelsInside(base, zone)) return { labels: base.length, stage, namespace, kind: 'cluster' };
  if (isShort(searched, own, names)) return undefined;
  return { labels: base.length, stage, namespace, kind: 'external' };
}
