/** What the kubernetes plugin of a Corefile serves of a cluster: its zone, TTL, Pod names and the part it exposes. */
import { readFileSync } from 'node:fs';
import { err, ok, type Result } from '../../base/result.ts';
import { parseKey } from '../../dns/corefile/keys.ts';
import { parseCorefile } from '../../dns/corefile/parse.ts';
import { formatCorefileError } from '../../dns/corefile/types.ts';
import { DirectiveError } from '../../dns/corefile/values.ts';
import { exposedView } from '../../dns/plugins/kubernetes/exposed.ts';
import { readKubernetes } from '../../dns/plugins/kubernetes/options.ts';
import { checkDirective } from '../../dns/plugins/order.ts';
import type { StoreReader } from '../../kube/store/store.ts';
import type { ServedOptions } from './records.ts';

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
  const block = corefile.value.blocks.find(({ directives }) => directives.some(({ name }) => name === 'kubernetes'));
  if (!block) return err(`${file}: no server block has the plugin kubernetes`);
  const keys = block.keys.flatMap(({ text: key }) => {
    const parsed = parseKey(key);
    return parsed.ok ? parsed.value.zones : [];
  });
  try {
    const options = readKubernetes(block.directives.find(({ name }) => name === 'kubernetes')!, keys);
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
