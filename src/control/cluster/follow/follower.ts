/** Following single objects of a resource by their names: what both ways of doing it have in common. */
import type { ApiError } from '../../../kube/client/api-error.ts';
import type { KubeClient } from '../../../kube/client/client.ts';
import type { Discovery } from '../../../kube/client/discovery.ts';
import type { ReflectorOptions } from '../../../kube/client/reflector.ts';
import type { Exposed } from '../../../kube/client/reflector-exposition.ts';
import type { Resource } from '../../../kube/resources.ts';
import type { Store } from '../../../kube/store/store.ts';
import type { ApiReader } from '../api-watch.ts';

/** An object that is followed. What there is of it is in the store. */
export interface Followed {
  /** True once the API has said what it is, or that there is none; false when it was let go before. */
  readonly answered: Promise<boolean>;
  /** Lets it go; it leaves the store. */
  release(): void;
}

export interface Follower {
  /** `namespace/name` of an object that is not followed yet. */
  follow(key: string): Followed;
  /** Objects that are followed. */
  readonly size: number;
  /** What asks the API now, for findings. */
  readonly readers: readonly ApiReader[];
  /** Leaves the store as it is. */
  stop(): Promise<void>;
}

export interface FollowerOptions {
  readonly client: KubeClient;
  readonly store: Store;
  readonly discovery: Discovery;
  readonly resource: Resource;
  readonly tuning?: Partial<ReflectorOptions>;
  /** Shows figures; what it gives takes them out again. */
  readonly expose?: (shown: readonly Exposed[]) => () => void;
  readonly onError?: (error: ApiError) => void;
}

export function partsOf(key: string): { namespace: string; name: string } {
  const slash = key.indexOf('/');
  return { namespace: key.slice(0, slash), name: key.slice(slash + 1) };
}
