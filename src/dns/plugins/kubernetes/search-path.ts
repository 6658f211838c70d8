/** The search list that a Pod's resolver has, by the address from which it asks. */
import { readFileSync } from 'node:fs';
import { searchOf } from '../autopath/setup.ts';
import type { Plugin } from '../plugin.ts';
import type { Clients } from './clients.ts';

function hostSearch(): string[] {
  try {
    return searchOf(readFileSync('/etc/resolv.conf', 'utf8'));
  } catch {
    // A host without the file has no search list.
    return [];
  }
}

/** `ns.svc.zone`, `svc.zone`, `zone` and those of this host; nothing for addresses that no Pod has. */
export function searchPathOf(clients: Clients, zone: string): NonNullable<Plugin['searchPath']> {
  const host = hostSearch();
  return ({ address }) => {
    const pod = clients.podAt(address);
    return pod ? [`${pod.metadata.namespace ?? 'default'}.svc.${zone}`, `svc.${zone}`, zone, ...host] : [];
  };
}
