/** Gateway API `ResponseHeaderModifier`: changes what comes from a backend on its way to the client. */
import type { HeaderChange } from '../../../routing/plan/plan.ts';
import { compileHeaderChange } from '../header-change.ts';
import type { CompiledFilter, FilterComplaint } from '../types.ts';

export function compileResponseHeaders(change: HeaderChange, complain: FilterComplaint): CompiledFilter {
  return { response: compileHeaderChange(change, complain) };
}
