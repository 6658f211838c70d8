import { single } from '../../corefile/values.ts';
import type { Setup } from '../setup.ts';
import { createCache } from './cache.ts';
import { readCache } from './options.ts';

/** `cache [TTL] [ZONES...] { ... }`. */
export const setupCache: Setup = (directives, context) => {
  const { metrics, clock } = context.shared;
  return createCache(readCache(single(directives), context.zones), { metrics, clock });
};
