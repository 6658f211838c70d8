/** Public names and the addresses they lead to, from the plan: what a public DNS zone would hold, so that `dig` works on a laptop. */
import type { Plan } from '../routing/plan/plan.ts';

/** Host names (exact or `*.` wildcards) to listener addresses. The catch-all `*` names nothing. */
export function frontDoorNames(plan: Plan): Map<string, string[]> {
  const names = new Map<string, string[]>();
  const add = (name: string, address: string) => {
    if (name === '*') return;
    const addresses = names.get(name) ?? [];
    if (!addresses.includes(address)) addresses.push(address);
    names.set(name, addresses);
  };
  for (const { address, hosts } of plan.listeners) for (const { hostname } of hosts) add(hostname, address);
  for (const { address, routes } of plan.streams ?? [])
    for (const { serverName, tls } of routes) if (tls !== 'handover') add(serverName, address);
  return names;
}
