/** What the kubernetes plugin of a Corefile serves of a cluster: its zone, TTL, Pod names and the part it exposes. */
import { readFileSync } from 'node:fs';
import { err, ok, type Result } from '../../base/result.ts';
import { parseKey } from '../../dns/corefile/keys.ts';
import { parseCorefile } from '../../dns/corefile/parse.ts';
import { type Corefile, type Directive, formatCorefileError } from '../../dns/corefile/types.ts';
import { DirectiveError } from '../../dns/corefile/values.ts';
import { exposedView } from '../../dns/plugins/kubernetes/exposed.ts';
import { readKubernetes } from '../../dns/plugins/kubernetes/options.ts';
import { checkDirective } from '../../dns/plugins/order.ts';
import type { StoreReader } from '../../kube/store/store.ts';
import type { ServedOptions } from './records.ts';

/** The first `kubernetes` of a Corefile, and the zones of its block. */
function kubernetesOf({ blocks }: Corefile): { directive: Directive; zones: string[] } | undefined {
  for (const { directives, keys } of blocks) {
    const directive = directives.find(({ name }) => name === 'kubernetes');
    if (!directive) continue;
    const parsed = keys.map(({ text }) => parseKey(text));
    return { directive, zones: parsed.flatMap((key) => (key.ok ? key.value.zones : [])) };
  }
  return undefined;
}

/** Cluster domains and reverse zones that it serves, the primary one first; undefined when it serves none. */
export function kubernetesZones(corefile: Corefile): readonly string[] | undefined {
  const found = kubernetesOf(corefile);
  try {
    return found && readKubernetes(found.directive, found.zones).zones;
  } catch (error) {
    if (error instanceof DirectiveError) return undefined;
    throw error;
  }
}

/** The first `kubernetes` of the Corefile. The error is for people, with file and line. */
export function servedByCorefile(file: string, store: StoreReader): Result<ServedOptions, string> {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    return err(`cannot read the Corefile: ${error instanceof Error ? error.message : String(error)}`);
  }
  const corefile = parseCorefile(text, { file, checkDirective, environment: process.env });
  if (!corefile.ok) return err(formatCorefileError(corefile.error));
  const found = kubernetesOf(corefile.value);
  if (!found) return err(`${file}: no server block has the plugin kubernetes`);
  try {
    const options = readKubernetes(found.directive, found.zones);
    const { zones, ttl, pods: podMode, endpointPodNames, ignoreEmptyServices } = options;
    return ok({
      ...{ store: exposedView(store, options).store, clusterDomain: zones[0]!, ttl, podMode },
      ...{ endpointPodNames, ignoreEmptyServices },
    });
  } catch (error) {
    if (!(error instanceof DirectiveError)) throw error;
    return err(formatCorefileError({ message: error.message, position: error.position }));
  }
}
