import { refuse, single } from '../../corefile/values.ts';
import { createImportIndex } from '../../records/index-of-imports.ts';
import { createRecords, type Records, type RecordsOptions } from '../../records/records.ts';
import { createSharedIndex, type SharedIndex } from '../../records/shared-index.ts';
import { createWhy } from '../../trace/why-kubernetes.ts';
import { createWasteObserver } from '../../waste/observe.ts';
import type { Setup } from '../setup.ts';
import { createClients } from './clients.ts';
import type { KubernetesPlugin } from './cluster.ts';
import { exposedView } from './exposed.ts';
import { createKubernetes } from './kubernetes.ts';
import { machineAddresses } from './machine-addresses.ts';
import { createMetadata } from './metadata.ts';
import { type KubernetesOptions, readKubernetes } from './options.ts';
import { watchProgrammingLatency } from './programming-latency.ts';
import { searchPathOf } from './search-path.ts';

type ZoneOptions = Omit<RecordsOptions, 'clusterDomain' | 'reverseZones' | 'grammar' | 'createIndex'>;

/** How often a source is asked whether it is synced, ms. */
const pollMs = 20;

/** The Services of each zone: all plain zones read one index, each clusterset has its own. */
function createZones(options: KubernetesOptions, shared: SharedIndex, common: ZoneOptions): Records[] {
  const { zones, multiclusterZones, zonal } = options;
  const isPlain = (zone: string) => !multiclusterZones.includes(zone);
  // Addresses have names in one zone: the first, where Services are.
  const primary = zones.find(isPlain) ?? zones[0];
  return zones.map((zone) =>
    createRecords({
      ...common,
      clusterDomain: zone,
      reverseZones: zone === primary ? options.reverseZones : [],
      grammar: { multicluster: !isPlain(zone), zonal },
      createIndex: isPlain(zone) ? shared.open : createImportIndex,
    }),
  );
}

/** `kubernetes [ZONES...] { ... }`. */
export const setupKubernetes: Setup = (directives, context): KubernetesPlugin => {
  const directive = single(directives);
  const options = readKubernetes(directive, context.zones);
  for (const warning of options.warnings) context.log('warning', warning);
  const source = context.shared.openObjects(options.access);
  if ('error' in source) refuse(directive, `kubernetes: ${source.error}`);
  const { metrics, clock, ownDoors } = context.shared;
  const { synced } = source;
  const view = exposedView(source.store, options);
  const { ttl, endpointPodNames, ignoreEmptyServices, pods } = options;
  const { store } = view;
  const shared = createSharedIndex({ store, endpointPodNames });
  const ownAddresses = () => machineAddresses(ownDoors());
  const common = { store, ttl, endpointPodNames, ignoreEmptyServices, podMode: pods, ownAddresses, clock };
  const records = createZones(options, shared, common);
  const ledger = context.shared.waste;
  const clients = pods === 'verified' || ledger ? createClients(store) : undefined;
  const verified = pods === 'verified' ? clients : undefined;
  const latency = { store: source.store, exposed: store, synced, clock, metrics, log: context.log };
  const stopWatch = watchProgrammingLatency(latency);
  const grammarOf = (zone: string) => ({
    multicluster: options.multiclusterZones.includes(zone),
    zonal: options.zonal,
  });
  const waste =
    ledger &&
    createWasteObserver({
      ...{ zones: options.zones, ledger, podAt: clients!.podAt },
      names: {
        hasNamespace: (name) => shared.index.hasNamespace(name) || store.get('namespaces', name) !== undefined,
        hasService: (namespace, name) => shared.index.get(namespace, name) !== undefined,
      },
    });
  return {
    ...createKubernetes({ records, fallthrough: options.fallthrough, synced }),
    ready: synced,
    cluster: { store, synced, ownAddresses, openServices: shared.open },
    ...(verified && { searchPath: searchPathOf(verified, options.zones[0]!) }),
    ...waste,
    why: createWhy({
      ...options,
      services: shared.index,
      store,
      everything: source.store,
      podMode: pods,
      grammarOf,
      synced,
    }),
    async prepare() {
      const end = performance.now() + options.startupTimeoutMs;
      while (!synced() && performance.now() < end) await new Promise((resume) => setTimeout(resume, pollMs));
      if (!synced()) context.log('warning', 'starting server with unsynced Kubernetes API');
    },
    metadata: createMetadata({
      zones: [...options.zones, ...options.reverseZones],
      grammarOf,
      ...(verified && { clients: verified }),
    }),
    close() {
      stopWatch();
      for (const zone of records) zone.close();
      shared.close();
      clients?.close();
      view.close();
      source.close();
    },
  };
};
