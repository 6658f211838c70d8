/**
 * What a name below the cluster domain asks for, read from the right (Kubernetes DNS specification 1.1.0, with the
 * liberties that CoreDNS takes: underscores may be missing).
 */

/** Names beyond those of the specification. */
export interface Grammar {
  /** `endpoint.cluster.service` as a clusterset has it (Multi-Cluster Services API), which knows no zonal names. */
  readonly multicluster?: boolean;
  /** Headless Services by topology zone: `zone.pin._zone.service`, `zone.prefer._zone.service`. */
  readonly zonal?: boolean;
}

/** Endpoints of one topology zone. */
export interface ZoneWish {
  /** In lower case; may have dots. */
  readonly name: string;
  /** All endpoints when the zone has none (`prefer`), instead of no record (`pin`). */
  readonly orAll: boolean;
}

export type ClusterName =
  /** The zone itself, `svc` or `pod` below it. */
  | { readonly kind: 'structure' }
  | { readonly kind: 'namespace'; readonly namespace: string; readonly of: 'svc' | 'pod' }
  | { readonly kind: 'pod'; readonly namespace: string; readonly pod: string }
  | {
      readonly kind: 'service';
      readonly namespace: string;
      readonly service: string;
      /** Set for `endpoint.service`. */
      readonly endpoint?: string;
      /** Set for `_port._protocol.service`, without underscores. */
      readonly port?: string;
      readonly protocol?: string;
      /** Set for `endpoint.cluster.service`. */
      readonly cluster?: string;
      /** Set for `zone.pin._zone.service` and `zone.prefer._zone.service`. */
      readonly zone?: ZoneWish;
    }
  | { readonly kind: 'version' }
  | { readonly kind: 'nameserver' }
  | { readonly kind: 'unknown' };

const unknown: ClusterName = { kind: 'unknown' };

/** `labels`: those left of the zone, in lower case. */
export function parseClusterName(labels: readonly string[], grammar: Grammar = {}): ClusterName {
  const [kind, namespace, name, ...rest] = labels.toReversed();
  if (kind === undefined) return { kind: 'structure' };
  if (kind === 'dns-version' && labels.length === 1) return { kind: 'version' };
  if (kind === 'dns' && namespace === 'ns' && labels.length === 2) return { kind: 'nameserver' };
  if (kind !== 'svc' && kind !== 'pod') return unknown;
  if (namespace === undefined) return { kind: 'structure' };
  if (name === undefined) return { kind: 'namespace', namespace, of: kind };
  if (kind === 'pod') return rest.length === 0 ? { kind: 'pod', namespace, pod: name } : unknown;
  return serviceName({ kind: 'service', namespace, service: name }, rest, grammar);
}

type ServiceName = Extract<ClusterName, { kind: 'service' }>;

/** `rest`: what stands left of the Service, nearest label first. */
function serviceName(service: ServiceName, rest: readonly string[], grammar: Grammar): ClusterName {
  const [nearest, next] = rest;
  if (nearest === undefined) return service;
  if (next === undefined) return { ...service, endpoint: nearest };
  if (rest.length > 2) return zonalName(service, rest, grammar);
  if (grammar.multicluster && !nearest.startsWith('_') && !next.startsWith('_'))
    return { ...service, endpoint: next, cluster: nearest };
  return { ...service, port: withoutUnderscore(next), protocol: withoutUnderscore(nearest) };
}

/** The topology zone is all that stands left of the directive: values of zone labels may have dots. */
function zonalName(service: ServiceName, rest: readonly string[], grammar: Grammar): ClusterName {
  const [anchor, directive, ...zone] = rest;
  if (!grammar.zonal || grammar.multicluster || anchor !== '_zone') return unknown;
  if (directive !== 'pin' && directive !== 'prefer') return unknown;
  return { ...service, zone: { name: zone.toReversed().join('.'), orAll: directive === 'prefer' } };
}

function withoutUnderscore(label: string): string {
  return label.startsWith('_') ? label.slice(1) : label;
}

/** The address that a Pod's name spells: `1-2-3-4`, or IPv6 groups with dashes. May be no address at all. */
export function podAddress(label: string): string {
  const v4 = label.split('-').length === 4 && !label.includes('--');
  return label.replaceAll('-', v4 ? '.' : ':');
}

/** The absolute name of labels (joined with dots) below a zone, which may be the root. */
export function nameBelow(labels: string, zone: string): string {
  return zone === '.' ? `${labels}.` : `${labels}.${zone}`;
}
