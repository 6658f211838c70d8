/** How many sockets the Services of a store want, kept up to date. */
import { keyOf } from '../../kube/resources.ts';
import type { Change, StoreReader } from '../../kube/store/store.ts';
import type { Service } from '../../kube/types/index.ts';
import { wantedSockets } from './wanted.ts';

export interface SocketDemand {
  count(): number;
  close(): void;
}

/** `nodeAddresses` as of the forwarder. */
export function createSocketDemand(store: StoreReader, nodeAddresses: readonly string[]): SocketDemand {
  const sizes = new Map<string, number>();
  let total = 0;

  function note({ type, object }: Pick<Change, 'type' | 'object'>): void {
    const key = keyOf(object);
    const size = type === 'DELETED' ? 0 : wantedSockets(object as Service, nodeAddresses).sockets.length;
    total += size - (sizes.get(key) ?? 0);
    if (size > 0) sizes.set(key, size);
    else sizes.delete(key);
  }

  for (const object of store.list<Service>('services')) note({ type: 'ADDED', object });
  const close = store.subscribe((change) => {
    if (change.resource === 'services') note(change);
  });
  return { count: () => total, close: () => void close() };
}
