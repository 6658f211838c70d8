/** Public names and the addresses they lead to, from the plan: what a public DNS zone would hold, so that `dig` works on a laptop. */
import type { Plan } from '../routing/plan/plan.ts';

/** Host names (exact or `*.` wildcards) to listener addresses. The catch-all `*` names nothing. */
export function frontDoorNames(plan: Plan): Map<string, string[]> {
  const names = new Map<string, string[]>();
  for (const listener of plan.listeners) {
    for (const { hostname } of listener.hosts) {
      if (hostname === '*') continue;
      const addresses = names.get(hostname) ?? [];
      if (!addresses.includes(listener.address)) addresses.push(listener.address);
      names.set(hostname, addresses);
    }
  }
  return names;
}
