/** Requests kept to a rate. */
import type { RateLimitFilter } from '../../../routing/plan/plan.ts';
import { compileExempt } from '../exempt.ts';
import { refuseAll } from '../refuse-all.ts';
import type { CompiledFilter, FilterComplaint } from '../types.ts';
import { limitKeyOf } from '../zones.ts';
import { admit, type Rate } from './bucket.ts';

export function compileRateLimit(filter: RateLimitFilter, complain: FilterComplaint): CompiledFilter {
  const { zone, key, requests, perMs, burst, status } = filter;
  if (!(requests > 0 && perMs > 0 && burst >= 0 && Number.isFinite(perMs / requests)))
    return refuseAll(`${requests} requests in ${perMs} ms with a burst of ${burst} is no rate`, complain);
  const { isExempt, fault } = compileExempt(filter.exempt);
  if (fault !== undefined) return refuseAll(fault, complain);
  const rate: Rate = { intervalMs: perMs / requests, burst };
  return {
    gate(exchange, head) {
      if (isExempt?.(exchange, head)) return undefined;
      const { zones } = exchange.client.runtime;
      const waitMs = admit(
        zones.rate(zone),
        limitKeyOf(key, exchange, head),
        performance.now(),
        rate,
        zones.limits.maxRateLimitKeys,
      );
      if (waitMs === 0) return undefined;
      return {
        status,
        flag: 'rate_limited',
        reason: 'more requests than the rate limit of this route allows',
        lines: `Retry-After: ${Math.ceil(waitMs / 1000)}\r\n`,
      };
    },
  };
}
