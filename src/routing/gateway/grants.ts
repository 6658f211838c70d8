/** ReferenceGrants: which objects of a namespace may be referred to from others. */
import type { StoreReader } from '../../kube/store/store.ts';
import type { ReferenceGrant } from '../../kube/types/index.ts';
import { gatewayApiVersion, resources } from './kinds.ts';

export interface GrantFrom {
  readonly group: string;
  readonly kind: string;
  readonly namespace: string;
}

export interface GrantTo {
  readonly group: string;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
}

export interface Grants {
  /** References within a namespace need no grant. */
  permits(from: GrantFrom, to: GrantTo): boolean;
}

/** Reads the grants of a namespace when the first reference into it is asked for. */
export function createGrants(store: StoreReader): Grants {
  const byNamespace = new Map<string, readonly ReferenceGrant[]>();
  function grantsOf(namespace: string): readonly ReferenceGrant[] {
    let grants = byNamespace.get(namespace);
    if (!grants) {
      grants = store.list<ReferenceGrant>(resources.referenceGrant, namespace);
      byNamespace.set(namespace, grants);
    }
    return grants;
  }
  return {
    permits(from, to) {
      if (from.namespace === to.namespace) return true;
      return grantsOf(to.namespace).some((grant) => grantPermits(grant, from, to));
    },
  };
}

/** A grant may have no spec (CRDs of bundles before v1.4): it permits nothing. */
function grantPermits({ spec }: { readonly spec?: ReferenceGrant['spec'] }, from: GrantFrom, to: GrantTo): boolean {
  if (!spec) return false;
  return (
    spec.from.some(
      (entry) => entry.group === from.group && entry.kind === from.kind && entry.namespace === from.namespace,
    ) &&
    spec.to.some(
      (entry) => (entry.group ?? '') === to.group && entry.kind === to.kind && (!entry.name || entry.name === to.name),
    )
  );
}

/** What would permit a reference: a ReferenceGrant in one line, then one ready to paste, under a name of its own. */
export function grantHint(from: GrantFrom, to: GrantTo): string {
  return [
    `Apply a ReferenceGrant in ${to.namespace} with from [{group: ${from.group}, kind: ${from.kind}, namespace: ${from.namespace}}], to [{group: ${to.group || '""'}, kind: ${to.kind}, name: ${to.name}}]:`,
    `apiVersion: ${gatewayApiVersion}`,
    'kind: ReferenceGrant',
    'metadata:',
    `  name: ${`${from.kind.toLowerCase()}s-of-${from.namespace}-to-${to.name}`.slice(0, 253)}`,
    `  namespace: ${to.namespace}`,
    'spec:',
    '  from:',
    `  - group: ${from.group}`,
    `    kind: ${from.kind}`,
    `    namespace: ${from.namespace}`,
    '  to:',
    `  - group: ${to.group || '""'}`,
    `    kind: ${to.kind}`,
    `    name: ${to.name}`,
  ].join('\n');
}
