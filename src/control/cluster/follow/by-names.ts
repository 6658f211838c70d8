/**
 * Many objects by one watch of the metadata of all: it tells when one that is followed has changed, come or gone, and that
 * one is read by its name. Of the others only metadata is asked for, and nothing is kept but names and versions.
 */
import type { ApiError } from '../../../kube/client/api-error.ts';
import { createInterner } from '../../../kube/client/intern.ts';
import { createMirrored, type Mirror } from '../../../kube/client/mirrored.ts';
import { type Project, withoutWriterFields } from '../../../kube/client/project.ts';
import { createReflector, type Reflector } from '../../../kube/client/reflector.ts';
import { createReflectorMetrics } from '../../../kube/client/reflector-metrics.ts';
import { keyOf, resourceName } from '../../../kube/resources.ts';
import type { KubeObject } from '../../../kube/types/index.ts';
import { type Followed, type Follower, type FollowerOptions, partsOf } from './follower.ts';
import { createObjectReads, type Verdict } from './object-reads.ts';
import { isOlderVersion } from './versions.ts';

export interface ByNamesOptions extends FollowerOptions {
  /** Reads under way at once. Default 16. */
  readonly readsAtOnce?: number;
  /** How an object is followed where names may not be listed. */
  readonly instead: (key: string) => Followed;
}

interface Entry {
  /** Version that the watch told of last; undefined: of none, or that the object is gone. */
  told: string | undefined;
  /** Version that is in the store; undefined: none is. */
  version: string | undefined;
  /** Where names may not be listed. */
  moved?: Followed;
  answer(isKnown: boolean): void;
}

/** Annotations may hold what an object holds: kubectl keeps the last applied configuration there. */
const nameAndVersion: Project = ({ apiVersion, kind, metadata: { namespace, name, resourceVersion } }) =>
  ({ apiVersion, kind, metadata: { namespace, name, resourceVersion } }) as KubeObject;

/** The form or the right is lacking; nothing else would come of another attempt. */
const isRefusal = ({ kind, code }: ApiError) => kind === 'status' && (code === 403 || code === 406);

export function createByNames(options: ByNamesOptions): Follower {
  const { client, store, discovery, resource, tuning, expose, onError, instead } = options;
  const entries = new Map<string, Entry>();
  const metrics = createReflectorMetrics();
  const project = withoutWriterFields(createInterner());
  const mirrored = createMirrored({ store, resource, project, metrics, skipUnchanged: true });
  const label = resourceName(resource);
  let names: Reflector | undefined;
  /** Names have been listed, or some of them: the role allows it. */
  let isAllowed = false;
  let isRefused = false;
  const hidden: (() => void)[] = [];

  const reads = createObjectReads({
    ...{ client, resource, onRead, isOpen: () => isAllowed },
    ...(options.readsAtOnce !== undefined && { atOnce: options.readsAtOnce }),
    ...(tuning?.backoff && { backoff: tuning.backoff }),
    ...(onError && { onError }),
    onBytes(bytes) {
      metrics.bytes += bytes;
      metrics.lastContact = client.timing.now();
    },
  });

  function begin(): void {
    const watched: Mirror = {
      put(_resource, object) {
        tell(keyOf(object), object.metadata.resourceVersion);
        return object;
      },
      remove(_resource, key) {
        tell(key, undefined);
        return undefined;
      },
    };
    names = createReflector({
      ...tuning,
      ...{ client, discovery, resource, store: watched, project: nameAndVersion, metadataOnly: true },
      onListed: listed,
      onError: refusedOrFailed,
    });
    if (expose) {
      hidden.push(expose([{ resource: `${label}/names`, metrics: names.metrics, hasSynced: names.hasSynced }]));
      hidden.push(expose([{ resource: label, metrics, hasSynced: () => true }]));
    }
    names.start();
  }

  function allow(): void {
    if (isAllowed) return;
    isAllowed = true;
    reads.pump();
  }

  function tell(key: string, version: string | undefined): void {
    allow();
    const entry = entries.get(key);
    if (!entry) return;
    entry.told = version;
    const isKnown = version !== undefined && (version === entry.version || isOlderVersion(version, entry.version));
    if (!isKnown) reads.want(key);
  }

  /** What was read before, and is not in a list that is whole, may have gone while nobody watched. */
  function listed(): void {
    allow();
    for (const [key, { told, version }] of entries) if (told === undefined && version !== undefined) reads.want(key);
  }

  /** A read that began after the news is the newer of the two, unless versions say otherwise. */
  function onRead(key: string, object: KubeObject | undefined, isWanted: boolean): Verdict {
    const entry = entries.get(key);
    if (!entry) return 'good';
    const { told } = entry;
    const version = object?.metadata.resourceVersion;
    const isNewest = version === told || (told !== undefined && isOlderVersion(told, version));
    if (isWanted && !isNewest) return 'again';
    const isBehind = isOlderVersion(version, told);
    if (!isBehind || entry.version === undefined) keep(key, entry, object);
    // One that is missing though the watch told of it: what tells that it has gone is to come.
    return isBehind || (told !== undefined && !object) ? 'later' : 'good';
  }

  function keep(key: string, entry: Entry, object: KubeObject | undefined): void {
    entry.version = object?.metadata.resourceVersion;
    if (object) mirrored.keep(object);
    else mirrored.drop({ metadata: partsOf(key) } as KubeObject);
    entry.answer(true);
  }

  function refusedOrFailed(error: ApiError): void {
    if (isAllowed || !isRefusal(error)) {
      onError?.(error);
      return;
    }
    isRefused = true;
    void names?.stop();
    reads.stop();
    for (const [key, entry] of entries) {
      entry.moved = instead(key);
      void entry.moved.answered.then(entry.answer);
    }
    for (const hide of hidden.splice(0)) hide();
  }

  function release(key: string, entry: Entry): void {
    entries.delete(key);
    entry.answer(false);
    if (entry.moved) {
      entry.moved.release();
      return;
    }
    reads.forget(key);
    mirrored.drop({ metadata: partsOf(key) } as KubeObject);
  }

  return {
    follow(key) {
      if (isRefused) return instead(key);
      let answer: Entry['answer'] = () => undefined;
      const answered = new Promise<boolean>((resolve) => {
        answer = resolve;
      });
      const entry: Entry = { told: undefined, version: undefined, answer };
      entries.set(key, entry);
      if (!names) begin();
      reads.want(key);
      return { answered, release: () => release(key, entry) };
    },
    get size() {
      return isRefused ? 0 : entries.size;
    },
    get readers() {
      return isRefused || !names ? [] : [names, reads];
    },
    async stop() {
      reads.stop();
      for (const { answer } of entries.values()) answer(false);
      await names?.stop();
    },
  };
}
