import type { Directive } from '../../corefile/types.ts';
import { expectArgs, integer, readBlock, refuse, single } from '../../corefile/values.ts';
import { createExternalServices, type ExternalServices } from '../../records/external-services.ts';
import { createExternalIndex } from '../../records/index-of-external.ts';
import { foldCase, maxLabelLength } from '../../wire/name.ts';
import { clusterOf, type ExposedCluster } from '../kubernetes/cluster.ts';
import type { Plugin } from '../plugin.ts';
import type { Setup } from '../setup.ts';
import { type Fallthrough, fallthroughOf, isInZone, neverFallThrough, zonesOr } from '../zones.ts';
import { createExternal } from './k8s_external.ts';
import { transferOf } from './transfer.ts';
import { createExternalZone } from './zone.ts';

interface Options {
  readonly zones: readonly string[];
  readonly apex: string;
  /** Seconds. */
  readonly ttl: number;
  readonly headless: boolean;
  readonly fallthrough: Fallthrough;
}

function readOptions(directive: Directive, blockZones: readonly string[]): Options {
  const options: { -readonly [K in keyof Options]: Options[K] } = {
    zones: zonesOr(directive, directive.args, blockZones),
    ...{ apex: 'dns', ttl: 5, headless: false, fallthrough: neverFallThrough },
  };
  readBlock(directive, {
    apex(line) {
      const label = foldCase(expectArgs(line, 1)[0]!);
      if (label.length > maxLabelLength || !/^[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?$/.test(label))
        refuse(line, `apex must be one DNS label: ${line.args[0]}`);
      options.apex = label;
    },
    ttl: (line) => (options.ttl = integer(line, expectArgs(line, 1)[0], 0, 3600)),
    headless(line) {
      expectArgs(line, 0);
      options.headless = true;
    },
    fallthrough: (line) => (options.fallthrough = fallthroughOf(line)),
  });
  return options;
}

interface Opened {
  readonly services: ExternalServices;
  readonly synced: () => boolean;
  /** Seconds since the epoch of the last change that these zones can show. */
  readonly serial: () => number;
  refresh(): void;
  close(): void;
}

/** Follows what the kubernetes plugin exposes. `now`: seconds since the epoch. */
function openExternal(cluster: ExposedCluster, headless: boolean, now: () => number): Opened {
  const { store, ownAddresses, synced } = cluster;
  let serial = now();
  const changed = () => {
    serial = Math.max(serial, now());
  };
  const external = createExternalIndex(store, changed);
  const services = cluster.openServices({
    onChange({ form, namespace, name }) {
      if (external.get(namespace, name) || (headless && form === 'headless')) changed();
    },
  });
  const namespaceExists = (name: string) => services.hasNamespace(name) || store.get('namespaces', name) !== undefined;
  return {
    services: createExternalServices({ services, external, namespaceExists, headless, ownAddresses }),
    synced,
    serial: () => serial,
    refresh() {
      services.refresh();
      external.refresh();
    },
    close() {
      services.close();
      external.close();
    },
  };
}

const reverse = ['in-addr.arpa.', 'ip6.arpa.'];

/** `k8s_external [ZONES...] { ... }`; needs the kubernetes plugin in the same block. */
export const setupK8sExternal: Setup = (directives, context): Plugin => {
  const directive = single(directives);
  const { zones: names, apex, ttl, headless, fallthrough } = readOptions(directive, context.zones);
  if (!context.has('kubernetes')) refuse(directive, 'k8s_external: kubernetes plugin not loaded');
  const now = () => Math.floor(context.shared.clock.now() / 1000) >>> 0;
  let opened: Opened | undefined;

  /** Once all plugins are set up: the kubernetes plugin comes after this one. */
  function open(): Opened {
    const cluster = opened ? undefined : clusterOf(context.plugin('kubernetes'));
    if (cluster) opened = openExternal(cluster, headless, now);
    if (!opened) throw new Error('k8s_external: the kubernetes plugin of this block shows no cluster');
    opened.refresh();
    return opened;
  }

  const services = () => open().services;
  const serial = () => open().serial();
  const zones = names.map((name) => createExternalZone({ name, apex, ttl, serial, services }));
  const primary = zones.find(({ name }) => !reverse.some((end) => isInZone(name, end))) ?? zones[0]!;
  return {
    ...createExternal({ zones, primary, apex, ttl, fallthrough, services, serial, synced: () => open().synced() }),
    transferZones: () => names,
    transfer(name) {
      const zone = zones.find((candidate) => candidate.name === name);
      return zone && transferOf(zone, services(), serial());
    },
    async prepare() {
      open();
    },
    close: () => opened?.close(),
  };
};
