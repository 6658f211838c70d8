/** What a name of the cluster asks for, for logs and templates (the `metadata` plugin). */

import { parseClusterName } from '../../records/cluster-name.ts';
import { labelsInside } from '../../records/external-names.ts';
import { foldCase, parseName } from '../../wire/name.ts';
import { labelsOf } from '../../wire/query.ts';
import type { Plugin } from '../plugin.ts';

/** Publishes `kubernetes/kind`, `namespace`, `service`, `endpoint`, `port-name`, `protocol` and `zone`. */
export function publishNames(zones: readonly string[]): NonNullable<Plugin['metadata']> {
  const known = zones.map((zone) => ({ zone, labels: (parseName(zone) ?? []).map(foldCase) }));
  return ({ query }, publish) => {
    const labels = labelsOf(query);
    const found = known.find((candidate) => labelsInside(labels, candidate.labels));
    if (!found) return;
    const name = parseClusterName(labelsInside(labels, found.labels)!);
    const set = (key: string, value: string | undefined) =>
      value !== undefined && publish(`kubernetes/${key}`, () => value);
    set('zone', found.zone);
    if (name.kind !== 'service' && name.kind !== 'pod') return;
    set('kind', name.kind === 'service' ? 'svc' : 'pod');
    set('namespace', name.namespace);
    if (name.kind !== 'service') return;
    set('service', name.service);
    set('endpoint', name.endpoint);
    set('port-name', name.port);
    set('protocol', name.protocol);
  };
}
