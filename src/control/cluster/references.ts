/**
 * Secrets and ConfigMaps that routes, Gateways and policies name, watched one by one: of all that a cluster has, few
 * are ours to read. What a translator asks the store for in vain is what is followed from then on.
 */
import type { ApiError } from '../../kube/client/api-error.ts';
import type { KubeClient } from '../../kube/client/client.ts';
import type { Discovery } from '../../kube/client/discovery.ts';
import { createReflector, type Reflector, type ReflectorOptions } from '../../kube/client/reflector.ts';
import type { ResourceRegistry } from '../../kube/resources.ts';
import type { Store, StoreReader } from '../../kube/store/store.ts';
import type { KubeObject } from '../../kube/types/index.ts';

export interface ReferencesOptions {
  readonly client: KubeClient;
  readonly store: Store;
  readonly registry: ResourceRegistry;
  readonly discovery: Discovery;
  /** Kinds that are followed by reference. */
  readonly resources: ReadonlySet<string>;
  readonly tuning?: Partial<ReflectorOptions>;
  /** Objects followed at once; each is a watch. Default 1,000. Those beyond it count as missing. */
  readonly most?: number;
  /** How long to wait for the first answer about an object, in milliseconds. Default 2,000. */
  readonly waitMs?: number;
  readonly onError?: (error: ApiError, reference: string) => void;
  /** The first answer about an object has come after all, when nobody waited for it any more. */
  readonly onLateAnswer?: () => void;
}

export interface References {
  /** The store, for translators: takes note of what they do not find. */
  readonly reader: StoreReader;
  /** Resolves when the API has answered about everything that was asked for, or not in time; undefined: it has. */
  awaited(): Promise<unknown> | undefined;
  /** Those beyond `most` were asked for. */
  readonly isFull: boolean;
  readonly reflectors: readonly Reflector[];
  /** Begins to note what is asked for, so that `forgetOthers` can tell what is not any more. */
  markAnew(): void;
  /** Follows only what was asked for since `markAnew`; to be called after everything was translated from scratch. */
  forgetOthers(): void;
  stop(): Promise<void>;
}

interface Followed {
  readonly reflector: Reflector;
  isAnswered: boolean;
  readonly first: Promise<unknown>;
  isMarked: boolean;
}

export function createReferences(options: ReferencesOptions): References {
  const { client, store, registry, discovery, resources, most = 1000, waitMs = 2000 } = options;
  const followed = new Map<string, Followed>();
  /** Of those that were asked for first since the last look. */
  let unanswered = new Set<Promise<unknown>>();
  let isFull = false;
  let isMarking = false;
  let isStopped = false;

  function follow(resource: string, key: string): void {
    const id = `${resource} ${key}`;
    const known = followed.get(id);
    if (known) known.isMarked = true;
    if (known || isStopped) return;
    if (followed.size >= most) {
      isFull = true;
      return;
    }
    const slash = key.indexOf('/');
    const reflector = createReflector({
      ...options.tuning,
      ...{ client, store, discovery, resource: registry.byName(resource)!, skipUnchanged: true },
      namespace: key.slice(0, slash),
      fieldSelector: `metadata.name=${key.slice(slash + 1)}`,
      onError: (error) => options.onError?.(error, id),
    });
    reflector.start();
    const stopped = new AbortController();
    const synced = reflector.whenSynced().then((isSynced) => {
      each.isAnswered = isSynced;
      stopped.abort();
      if (isSynced && !unanswered.has(first)) options.onLateAnswer?.();
    });
    // Whoever asks may be busy for longer than that, and the answer waits with everybody else.
    const begun = new Promise((resolve) => setImmediate(resolve));
    const first = Promise.race([synced, begun.then(() => client.timing.sleep(waitMs, stopped.signal))]);
    const each: Followed = { reflector, first, isMarked: true, isAnswered: false };
    followed.set(id, each);
    unanswered.add(first);
    void first.then(() => unanswered.delete(first));
  }

  /** Those that there was no room for are not known either. */
  function isUnanswered(resource: string, key: string): boolean {
    if (!resources.has(resource) || store.get(resource, key)) return false;
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
    else if (!isThere) follow(resource, key);
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
    get reflectors() {
      return [...followed.values()].map(({ reflector }) => reflector);
    },
    markAnew() {
      isMarking = true;
      for (const each of followed.values()) each.isMarked = false;
    },
    forgetOthers() {
      isMarking = false;
      isFull = false;
      for (const [id, { reflector, isMarked }] of followed) {
        if (isMarked) continue;
        followed.delete(id);
        void reflector.stop();
        const [resource, key] = id.split(' ') as [string, string];
        store.remove(resource, key);
      }
    },
    async stop() {
      isStopped = true;
      unanswered = new Set();
      await Promise.all([...followed.values()].map(({ reflector }) => reflector.stop()));
    },
  };
}
