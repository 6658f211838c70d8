import { refuse, single } from '../../corefile/values.ts';
import { createRecords } from '../../records/records.ts';
import type { Plugin } from '../plugin.ts';
import type { Setup } from '../setup.ts';
import { exposedView } from './exposed.ts';
import { createKubernetes } from './kubernetes.ts';
import { machineAddresses } from './machine-addresses.ts';
import { publishNames } from './metadata.ts';
import { readKubernetes } from './options.ts';
import { createSearchPath } from './search-path.ts';

/** How often a source is asked whether it is synced, ms. */
const pollMs = 20;

/** `kubernetes [ZONES...] { ... }`. */
export const setupKubernetes: Setup = (directives, context): Plugin => {
  const directive = single(directives);
  const options = readKubernetes(directive, context.zones);
  const source = context.shared.openObjects(options.access);
  if ('error' in source) refuse(directive, `kubernetes: ${source.error}`);
  const view = exposedView(source.store, options);
  const { ttl, endpointPodNames, ignoreEmptyServices } = options;
  const records = options.zones.map((zone, i) =>
    createRecords({
      ...{ store: view.store, clusterDomain: zone, ttl, endpointPodNames, ignoreEmptyServices },
      podMode: options.pods,
      // The first zone answers for addresses, with names of its own.
      reverseZones: i === 0 ? options.reverseZones : [],
      ownAddresses: () => machineAddresses(context.shared.ownDoors()),
      clock: context.shared.clock,
    }),
  );
  const searchPaths = options.pods === 'verified' ? createSearchPath(view.store, options.zones[0]!) : undefined;
  return {
    ...createKubernetes({ records, fallthrough: options.fallthrough, synced: source.synced }),
    ready: source.synced,
    ...(searchPaths && { searchPath: searchPaths.of }),
    async prepare() {
      const end = performance.now() + options.startupTimeoutMs;
      while (!source.synced() && performance.now() < end) await new Promise((resume) => setTimeout(resume, pollMs));
      if (!source.synced()) context.log('warning', 'starting server with unsynced Kubernetes API');
    },
    metadata: publishNames(options.zones),
    close() {
      for (const zone of records) zone.close();
      searchPaths?.close();
      view.close();
      source.close();
    },
  };
};
