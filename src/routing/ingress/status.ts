/** status.loadBalancer of Ingresses: where they are served, and no trace of us on those that are not ours (any more). */
import { isIP } from 'node:net';
import { refOf } from '../../kube/resources.ts';
import type { Ingress } from '../../kube/types/index.ts';
import type { StatusUpdate } from '../translate.ts';

type Entries = NonNullable<NonNullable<Ingress['status']>['loadBalancer']>['ingress'];

const resource = 'ingresses.networking.k8s.io';

/** Writes the addresses, in their order, as the only entries; with `error` (shut.ts), it stands with the ports of each. */
export function servedStatus(ingress: Ingress, addresses: readonly string[], error?: string): StatusUpdate {
  const entries = entriesOf(addresses);
  if (error === undefined) return statusUpdate(ingress, { ingress: entries });
  const ports = [80, 443].map((port) => ({ port, protocol: 'TCP', error }));
  return statusUpdate(ingress, { ingress: entries.map((entry) => ({ ...entry, ports })) });
}

/** Clears the status of an Ingress that shows exactly our addresses though we do not serve it. */
export function abandonedStatus(ingress: Ingress, addresses: readonly string[]): StatusUpdate | undefined {
  const shown = ingress.status?.loadBalancer?.ingress;
  if (!Array.isArray(shown) || shown.length === 0 || shown.length !== addresses.length) return undefined;
  return shown.every((entry, i) => isEntryOf(entry, addresses[i]!)) ? statusUpdate(ingress, {}) : undefined;
}

function statusUpdate(ingress: Ingress, loadBalancer: { ingress?: Entries }): StatusUpdate {
  return {
    ref: refOf(ingress),
    resource,
    settled: true,
    build: (stored) => ({ ...(stored.status as Ingress['status']), loadBalancer }),
  };
}

function entriesOf(addresses: readonly string[]): NonNullable<Entries> {
  return addresses.map((address) => (isIP(address) ? { ip: address } : { hostname: address }));
}

function isEntryOf(entry: { ip?: string; hostname?: string }, address: string): boolean {
  return (entry.ip ?? entry.hostname) === address;
}
