/**
 * Secrets and ConfigMaps that routes, Gateways and policies name: of all that a cluster has, few are ours to read. What a
 * translator asks the store for in vain is what is followed from then on (follow/).
 */
import { checkDns1123Label, checkDns1123Subdomain } from '../../base/names.ts';
import type { ApiError } from '../../kube/client/api-error.ts';
import type { KubeClient } from '../../kube/client/client.ts';
import type { Discovery } from '../../kube/client/discovery.ts';
import type { ReflectorOptions } from '../../kube/client/reflector.ts';
import type { ResourceRegistry } from '../../kube/resources.ts';
import type { Store, StoreReader } from '../../kube/store/store.ts';
import type { KubeObject } from '../../kube/types/index.ts';
import type { ApiReader } from './api-watch.ts';
import { type BoundedOptions, createBoundedFollower } from './follow/bounded.ts';
import { type Followed, type Follower, partsOf } from './follow/follower.ts';
import { createPatience } from './follow/patience.ts';

export interface FollowBounds extends Pick<BoundedOptions, 'ownWatches' | 'readsAtOnce'> {
  /** Objects followed at once. Default 10,000. Those beyond it count as missing. */
  readonly most?: number;
}

export interface ReferencesOptions extends FollowBounds {
  readonly client: KubeClient;
  readonly store: Store;
  readonly registry: ResourceRegistry;
  readonly discovery: Discovery;
  /** Kinds that are followed by reference. */
  readonly resources: ReadonlySet<string>;
  readonly tuning?: Partial<ReflectorOptions>;
  /**
   * How long to wait for the first answer about an object, in milliseconds, while no other answer comes. Default 2,000.
   * Where there are many and answers do come, it is ten times as long.
   */
  readonly waitMs?: number;
  readonly expose?: BoundedOptions['expose'];
  readonly onError?: (error: ApiError, resource: string) => void;
  /** The first answer about an object has come after all, when nobody waited for it any more: there is none. */
  readonly onLateAnswer?: () => void;
}

export interface References {
  /** The store, for translators: takes note of what they do not find. */
  readonly reader: StoreReader;
  /** Resolves when the API has answered about everything that was asked for, or not in time; undefined: it has. */
  awaited(): Promise<unknown> | undefined;
  /** Those beyond `most` were asked for. */
  readonly isFull: boolean;
  /** Objects that are followed. */
  readonly size: number;
  /** What asks the API now. */
  readonly readers: readonly ApiReader[];
  /** Begins to note what is asked for, so that `forgetOthers` can tell what is not any more. */
  markAnew(): void;
  /** Follows only what was asked for since `markAnew`; to be called after everything was translated from scratch. */
  forgetOthers(): void;
  stop(): Promise<void>;
}

export const mostFollowed = 10_000;

interface Entry extends Pick<Followed, 'release'> {
  isAnswered: boolean;
  isMarked: boolean;
}

/** There is no object of another name, and none is asked for: names become paths and selectors. */
function canExist(key: string): boolean {
  const { namespace, name } = partsOf(key);
  return checkDns1123Label(namespace) === undefined && checkDns1123Subdomain(name) === undefined;
}

export function createReferences(options: ReferencesOptions): References {
  const { client, store, resources, most = mostFollowed, waitMs = 2000 } = options;
  const patience = createPatience({ timing: client.timing, waitMs });
  const followers = new Map([...resources].map((resource) => [resource, followerOf(options, resource)]));
  const followed = new Map<string, Entry>();
  /** Of those that were asked for first since the last look. */
  let unanswered = new Set<Promise<unknown>>();
  let isFull = false;
  let isMarking = false;
  let isStopped = false;

  function follow(resource: string, key: string): void {
    if (isStopped) return;
    if (followed.size >= most) {
      isFull = true;
      return;
    }
    const { answered, release } = followers.get(resource)!.follow(key);
    const entry: Entry = { release, isMarked: true, isAnswered: false };
    followed.set(`${resource} ${key}`, entry);
    const known = answered.then((isKnown) => {
      entry.isAnswered = isKnown;
      // An object that there is changes the store, of which everybody hears.
      if (isKnown && !unanswered.has(first) && !store.get(resource, key)) options.onLateAnswer?.();
    });
    const first = patience.wait(known);
    unanswered.add(first);
    void first.then(() => unanswered.delete(first));
  }

  /** Those that there was no room for are not known either. */
  function isUnanswered(resource: string, key: string): boolean {
    if (!resources.has(resource) || store.get(resource, key) || !canExist(key)) return false;
    return followed.get(`${resource} ${key}`)?.isAnswered !== true;
  }

  function get<T extends KubeObject>(resource: string, key: string): T | undefined {
    const found = store.get<T>(resource, key);
    // What is there by another way, and is not followed, needs no watch of its own.
    if (resources.has(resource) && (!found || isMarking)) note(resource, key, found !== undefined);
    return found;
  }

  function note(resource: string, key: string, isThere: boolean): void {
    const known = followed.get(`${resource} ${key}`);
    if (known) known.isMarked = true;
    else if (!isThere && canExist(key)) follow(resource, key);
  }

  return {
    reader: {
      get revision() {
        return store.revision;
      },
      changedAt: store.changedAt,
      get,
      list: store.list,
      indexed: store.indexed,
      subscribe: store.subscribe,
      isUnanswered,
    },
    awaited: () => (unanswered.size === 0 ? undefined : Promise.all(unanswered)),
    get isFull() {
      return isFull;
    },
    get size() {
      return followed.size;
    },
    get readers() {
      return [...followers.values()].flatMap(({ readers }) => readers);
    },
    markAnew() {
      isMarking = true;
      for (const each of followed.values()) each.isMarked = false;
    },
    forgetOthers() {
      isMarking = false;
      isFull = false;
      for (const [id, { release, isMarked }] of followed) {
        if (isMarked) continue;
        followed.delete(id);
        release();
      }
    },
    async stop() {
      isStopped = true;
      unanswered = new Set();
      patience.stop();
      await Promise.all([...followers.values()].map((follower) => follower.stop()));
    },
  };
}

function followerOf(options: ReferencesOptions, name: string): Follower {
  const { client, store, discovery, registry, tuning, ownWatches, readsAtOnce, expose, onError } = options;
  return createBoundedFollower({
    ...{ client, store, discovery, resource: registry.byName(name)! },
    ...(tuning && { tuning }),
    ...(ownWatches !== undefined && { ownWatches }),
    ...(readsAtOnce !== undefined && { readsAtOnce }),
    ...(expose && { expose }),
    ...(onError && { onError: (error: ApiError) => onError(error, name) }),
  });
}
