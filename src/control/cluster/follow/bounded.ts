/** Few objects are followed by a watch each, which asks for the least rights; those beyond a bound by names, in one watch. */
import { createByNames } from './by-names.ts';
import type { Follower, FollowerOptions } from './follower.ts';
import { createOwnWatches } from './own-watches.ts';

export interface BoundedOptions extends FollowerOptions {
  /** Objects of the resource with a watch of their own; more where names may not be listed. Default 100. */
  readonly ownWatches?: number;
  /** Reads by name under way at once. Default 16. */
  readonly readsAtOnce?: number;
}

export function createBoundedFollower({ ownWatches = 100, ...options }: BoundedOptions): Follower {
  const own = createOwnWatches(options);
  const byNames = createByNames({ ...options, instead: own.follow });
  return {
    follow: (key) => (own.size < ownWatches ? own.follow(key) : byNames.follow(key)),
    get size() {
      return own.size + byNames.size;
    },
    get readers() {
      return [...own.readers, ...byNames.readers];
    },
    async stop() {
      await Promise.all([byNames.stop(), own.stop()]);
    },
  };
}
