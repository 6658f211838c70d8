/** The objects of a cluster computed from manifests, without a socket: what `fairway dns --manifests` serves. */
import type { Diagnostic } from '../base/diagnostics/index.ts';
import { createManifestSource, type ManifestReport } from '../kube/manifests/source.ts';
import type { StoreReader } from '../kube/store/store.ts';
import { createLocalCluster } from './cluster.ts';
import { type ClusterConfig, defaultClusterConfig } from './config.ts';
import { createLocalObjects } from './local-objects.ts';

export interface ManifestStoreOptions {
  /** Manifests: files, folders, `-`. */
  paths: readonly string[];
  stdin?: string;
  config?: ClusterConfig;
  /** An exception out of a controller, which is a bug; the other objects go on. */
  onError(error: unknown, key: string): void;
}

export interface ManifestStore {
  readonly store: StoreReader;
  /** Findings in force now. */
  diagnostics(): Diagnostic[];
  /** Paths that could not be read at all. */
  readonly unread: readonly Diagnostic[];
  /** Follows edits of the files until it is closed. */
  watch(onReport: (report: ManifestReport) => void): Promise<void>;
  close(): Promise<void>;
}

/** Reads the manifests and works out addresses, Pods and EndpointSlices as a cluster's controllers would. */
export async function openManifestStore(options: ManifestStoreOptions): Promise<ManifestStore> {
  const config = options.config ?? defaultClusterConfig;
  const objects = createLocalObjects(config);
  const source = createManifestSource({
    paths: options.paths,
    objects,
    ...(options.stdin !== undefined && { stdin: options.stdin }),
  });
  const loaded = await source.load();
  const cluster = createLocalCluster({ objects, config, onError: options.onError });
  cluster.settle();
  return {
    store: objects.store,
    unread: loaded.diagnostics.filter(({ code }) => code === 'FW1005'),
    diagnostics: () => [...source.diagnostics(), ...cluster.diagnostics()],
    async watch(onReport) {
      cluster.start();
      await source.watch(onReport);
    },
    async close() {
      await source.close();
      cluster.stop();
    },
  };
}
