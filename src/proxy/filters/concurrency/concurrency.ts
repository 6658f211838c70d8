/** Requests under way at once kept to a number. */
import type { ConcurrencyFilter } from '../../../routing/plan/plan.ts';
import { attachmentsOf } from '../../exchange/attachments.ts';
import { compileExempt } from '../exempt.ts';
import { refuseAll } from '../refuse-all.ts';
import type { CompiledFilter, Denial, FilterComplaint } from '../types.ts';
import { limitKeyOf, type Zones } from '../zones.ts';

export function compileConcurrency(filter: ConcurrencyFilter, complain: FilterComplaint): CompiledFilter {
  const { zone, key, max, status } = filter;
  if (!Number.isSafeInteger(max) || max < 0) return refuseAll(`${max} is not a number of requests`, complain);
  const { isExempt, fault } = compileExempt(filter.exempt);
  if (fault !== undefined) return refuseAll(fault, complain);
  const denial: Denial = {
    status,
    flag: 'concurrency_limited',
    reason: 'more requests are under way than this route allows at once',
  };
  return {
    gate(exchange, head) {
      if (isExempt?.(exchange, head)) return undefined;
      const { zones } = exchange.client.runtime;
      const owner = limitKeyOf(key, exchange, head);
      const table = zones.underWay(zone);
      const count = table.get(owner) ?? 0;
      if (count >= max) return denial;
      table.set(owner, count + 1);
      attachmentsOf(exchange).whenOver.push(() => release(zones, zone, owner));
      return undefined;
    },
  };
}

function release(zones: Zones, zone: string, owner: string): void {
  const table = zones.underWay(zone);
  const left = (table.get(owner) ?? 1) - 1;
  if (left > 0) table.set(owner, left);
  else table.delete(owner);
}
