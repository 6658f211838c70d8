/**
 * What a name below the cluster domain asks for, read from the right (Kubernetes DNS specification 1.1.0, with the
 * liberties that CoreDNS takes: underscores may be missing).
 */

export type ClusterName =
  /** The zone itself, `svc` or `pod` below it. */
  | { readonly kind: 'structure' }
  | { readonly kind: 'namespace'; readonly namespace: string }
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
    }
  | { readonly kind: 'version' }
  | { readonly kind: 'nameserver' }
  | { readonly kind: 'unknown' };

const unknown: ClusterName = { kind: 'unknown' };

/** `labels`: those left of the zone, in lower case. */
export function parseClusterName(labels: readonly string[]): ClusterName {
  const [kind, namespace, name, ...rest] = labels.toReversed();
  if (kind === undefined) return { kind: 'structure' };
  if (kind === 'dns-version' && labels.length === 1) return { kind: 'version' };
  if (kind === 'dns' && namespace === 'ns' && labels.length === 2) return { kind: 'nameserver' };
  if (kind !== 'svc' && kind !== 'pod') return unknown;
  if (namespace === undefined) return { kind: 'structure' };
  if (name === undefined) return { kind: 'namespace', namespace };
  if (kind === 'pod') return rest.length === 0 ? { kind: 'pod', namespace, pod: name } : unknown;
  return serviceName(namespace, name, rest);
}

/** `rest`: what stands left of the Service, nearest label first. */
function serviceName(namespace: string, service: string, rest: readonly string[]): ClusterName {
  const [nearest, next] = rest;
  if (nearest === undefined) return { kind: 'service', namespace, service };
  if (next === undefined) return { kind: 'service', namespace, service, endpoint: nearest };
  if (rest.length > 2) return unknown;
  return { kind: 'service', namespace, service, port: withoutUnderscore(next), protocol: withoutUnderscore(nearest) };
}

function withoutUnderscore(label: string): string {
  return label.startsWith('_') ? label.slice(1) : label;
}

/** The address that a Pod's name spells: `1-2-3-4`, or IPv6 groups with dashes. May be no address at all. */
export function podAddress(label: string): string {
  const v4 = label.split('-').length === 4 && !label.includes('--');
  return label.replaceAll('-', v4 ? '.' : ':');
}
