/** What other plugins of the same server block may see of a cluster: the part that the kubernetes plugin exposes. */
import type { StoreReader } from '../../../kube/store/store.ts';
import type { ServiceIndex, ServiceIndexOptions } from '../../records/index-of-services.ts';
import type { Plugin } from '../plugin.ts';

export interface ExposedCluster {
  readonly store: StoreReader;
  /** A view of the plugin's own index; to be refreshed before it is read, and closed. */
  openServices(options: Pick<ServiceIndexOptions, 'onChange'>): ServiceIndex;
  /** All objects have been read. */
  readonly synced: () => boolean;
  /** Addresses at which this server answers. */
  readonly ownAddresses: () => readonly string[];
}

export interface KubernetesPlugin extends Plugin {
  readonly cluster: ExposedCluster;
}

/** The cluster behind a kubernetes plugin; undefined for other plugins. */
export function clusterOf(plugin: Plugin | undefined): ExposedCluster | undefined {
  return plugin && 'cluster' in plugin ? (plugin as KubernetesPlugin).cluster : undefined;
}
