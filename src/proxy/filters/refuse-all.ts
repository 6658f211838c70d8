/** What stands in for a filter that guards a route and cannot be applied. */
import type { CompiledFilter, Denial, FilterComplaint } from './types.ts';

/** Answers every request with 500: passing them on unguarded would be worse. */
export function refuseAll(why: string, complain: FilterComplaint): CompiledFilter {
  complain(why, 'FW5221');
  const denial: Denial = { status: 500, flag: 'invalid_filter', reason: 'a filter of this route cannot be applied' };
  return { gate: () => denial };
}
