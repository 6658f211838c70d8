import { type Clock, systemClock } from '../../../base/clock.ts';
import { single } from '../../corefile/values.ts';
import type { Setup } from '../setup.ts';
import { createCache } from './cache.ts';
import { readCache } from './options.ts';

/** Goes on evenly when somebody sets the host's clock, which would make what is kept hold for too long. */
const steadyClock: Clock = { now: () => performance.timeOrigin + performance.now() };

/** `cache [TTL] [ZONES...] { ... }`. */
export const setupCache: Setup = (directives, context) => {
  const { metrics, clock } = context.shared;
  const options = readCache(single(directives), context.zones);
  return createCache(options, { metrics, clock: clock === systemClock ? steadyClock : clock });
};
