/** Filters as one object for all locations that have them in common: most Ingresses ask for the same few things. */
import type { Filter } from '../../plan/plan.ts';
import { shared } from '../../plan/shared.ts';

/** Passwords are held on to for no longer than their Secret. */
export function sharedFilters(filters: readonly Filter[]): readonly Filter[] {
  return filters.map((filter) => (filter.type === 'basic-auth' || filter.type === 'any-of' ? filter : shared(filter)));
}
