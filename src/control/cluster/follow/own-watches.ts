/**
 * A list and a watch for each object: all that a role needs to allow is that one name (`resourceNames`). Each watch is a
 * connection, and a request that the API server keeps open.
 */
import { createReflector, type Reflector } from '../../../kube/client/reflector.ts';
import { resourceName } from '../../../kube/resources.ts';
import { type Follower, type FollowerOptions, partsOf } from './follower.ts';

export function createOwnWatches(options: FollowerOptions): Follower {
  const { client, store, discovery, resource, tuning, expose } = options;
  const open = new Set<Reflector>();

  function watch(key: string): Reflector {
    const { namespace, name } = partsOf(key);
    const reflector = createReflector({
      ...tuning,
      ...{ client, store, discovery, resource, namespace, skipUnchanged: true },
      fieldSelector: `metadata.name=${name}`,
      ...(options.onError && { onError: options.onError }),
    });
    reflector.start();
    return reflector;
  }

  return {
    follow(key) {
      const reflector = watch(key);
      const hide = expose?.([reflector]);
      open.add(reflector);
      return {
        answered: reflector.whenSynced(),
        release() {
          open.delete(reflector);
          void reflector.stop();
          store.remove(resourceName(resource), key);
          hide?.();
        },
      };
    },
    get size() {
      return open.size;
    },
    get readers() {
      return [...open];
    },
    async stop() {
      await Promise.all([...open].map((reflector) => reflector.stop()));
    },
  };
}
