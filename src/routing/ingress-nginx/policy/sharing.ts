/** Filters as one object for all locations that have them in common: most Ingresses ask for the same few things. */
import type { Filter } from '../../plan/plan.ts';
import { shared } from '../../plan/shared.ts';
import type { NginxConfig } from '../config/config.ts';

/** Passwords are held on to for no longer than their Secret. */
export function sharedFilters(filters: readonly Filter[]): readonly Filter[] {
  return filters.map((filter) => (filter.type === 'basic-auth' || filter.type === 'any-of' ? filter : shared(filter)));
}

/** What the ConfigMap alone decides is made once, and not for each of thousands of locations. */
export function ofConfig(make: (config: NginxConfig) => readonly Filter[]): typeof make {
  const made = new WeakMap<NginxConfig, readonly Filter[]>();
  return (config) => {
    const known = made.get(config);
    if (known) return known;
    const filters = sharedFilters(make(config));
    made.set(config, filters);
    return filters;
  };
}
