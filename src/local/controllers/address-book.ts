/** Who has which front-door address: one for all Ingresses, one of its own for each Gateway. */
import { parseIp } from '../../base/ip.ts';
import type { StoreReader } from '../../kube/store/store.ts';
import type { AddressBook } from '../../routing/translate.ts';
import { type ClusterConfig, defaultClusterConfig } from '../config.ts';
import { createPool4, type Pool } from './pool.ts';

const gatewaysResource = 'gateways.gateway.networking.k8s.io';

export interface AddressBookOptions {
  config?: ClusterConfig;
  /** Addresses shared with the Services of type LoadBalancer. Default: a pool of its own. */
  pool?: Pool<string>;
  /** Where Gateways are deleted from, which frees their addresses. Without it they keep them. */
  store?: StoreReader;
}

/**
 * Addresses derived from names: a Gateway gets the same one in every run. The first 256 of the load balancer range
 * are never given unasked, so explicit `spec.addresses` are best chosen there.
 */
export function createAddressBook(options: AddressBookOptions = {}): AddressBook {
  const config = options.config ?? defaultClusterConfig;
  const pool = options.pool ?? createPool4(config.loadBalancerPrefix);
  const ownerOf = (namespace: string, name: string) => `Gateway ${namespace}/${name}`;

  options.store?.subscribe(({ type, resource, object }) => {
    if (type === 'DELETED' && resource === gatewaysResource)
      pool.release(ownerOf(object.metadata.namespace ?? '', object.metadata.name));
  });

  return {
    ingress: () => [config.ingressAddress],
    // A range of 65,000 that is used up: the Gateways beyond it share the door of the Ingresses.
    gateway: (namespace, name) => pool.allocate(ownerOf(namespace, name)) ?? config.ingressAddress,
    usable(address) {
      const parsed = parseIp(address);
      return parsed?.version === 4 && parsed.bytes[0] === 127;
    },
  };
}
