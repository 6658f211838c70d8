/**
 * Keeps a store equal to one resource of a Kubernetes API: a paged list, then watches without end. Any watch that ends
 * is taken up where it ended; only what a watch cannot bridge (410, a line that is no event) leads to a new list, and
 * that is compared with what is there, so that deletions are noticed. While the API is away the last state stays.
 *
 * A kind that is not served counts as empty and is looked for now and then: it may come with a CRD.
 */
import { err, type Result } from '../../base/result.ts';
import { type Resource, resourceName } from '../resources.ts';
import { type ApiError, isExpired } from './api-error.ts';
import type { KubeClient, Query } from './client.ts';
import { createDiscovery, type Discovery } from './discovery.ts';
import { createInterner } from './intern.ts';
import { metadataOnly } from './media.ts';
import { createMirrored, type Mirror } from './mirrored.ts';
import { listPages, named } from './pages.ts';
import { resourcePath } from './paths.ts';
import { type Project, withoutWriterFields } from './project.ts';
import { createReflectorMetrics, type ReflectorMetrics } from './reflector-metrics.ts';
import { type BackoffOptions, createBackoff } from './timing.ts';
import { runWatch, type WatchEnd, type WatchEvent } from './watch.ts';

export type ReflectorState = 'new' | 'listing' | 'watching' | 'waiting' | 'not served' | 'stopped';

export interface ReflectorOptions {
  readonly client: KubeClient;
  readonly resource: Resource;
  readonly store: Mirror;
  /** All namespaces when absent. */
  readonly namespace?: string;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
  /** Only the metadata of objects is asked for, and sent. Default false. */
  readonly metadataOnly?: boolean;
  /** What is kept of each object. Default: all but what only writers look at. */
  readonly project?: Project;
  /** Changes in fields that are not kept are nobody's business: see mirrored.ts. Default false. */
  readonly skipUnchanged?: boolean;
  /** Shared by the reflectors of one client. Default: one of its own. */
  readonly discovery?: Discovery;
  /** Objects a page. Default 500. */
  readonly pageSize?: number;
  /**
   * `latest`: the first list is a consistent read. `any`: the server may answer from its cache, which is cheaper for
   * it, a little older, and on older servers not paged. Default latest. Later lists are always consistent.
   */
  readonly firstList?: 'latest' | 'any';
  /** Shortest and longest time of one watch in seconds; each watch takes a random one between. Default 300 and 600. */
  readonly watchSeconds?: readonly [number, number];
  /**
   * Milliseconds without a byte after which a watch is given up. Default 150,000: servers send a bookmark a minute.
   * Peers that vanish are noticed earlier, by TCP.
   */
  readonly idleMs?: number;
  /** Bytes of one watch event, and of one object of a list. Default 8 MiB: etcd objects have at most 1.5. */
  readonly maxLineBytes?: number;
  /** Milliseconds after which a watch that brought nothing counts as a good one. Default 1,000. */
  readonly healthyMs?: number;
  /** Milliseconds between looks for a kind that is not served. Default 30,000. */
  readonly absentMs?: number;
  readonly backoff?: BackoffOptions;
  readonly metrics?: ReflectorMetrics;
  /** Hears every failure; the reflector goes on by itself. */
  readonly onError?: (error: ApiError) => void;
  /** Hears that a list is whole and in the store. */
  readonly onListed?: () => void;
  /** Hears that the kind is not served, once until it comes. */
  readonly onAbsent?: () => void;
}

export interface Reflector {
  readonly resource: string;
  readonly metrics: ReflectorMetrics;
  readonly state: ReflectorState;
  /** The last failure since things last went well. */
  readonly error: ApiError | undefined;
  start(): void;
  /** The store has held a whole list at some time; true for a kind that is not served. */
  hasSynced(): boolean;
  /** Resolves with true once synced, with false when stopped before. */
  whenSynced(): Promise<boolean>;
  /** Ends the pause after a failure, if there is one now: others have seen the API answer. */
  hurry(): void;
  /** Leaves the store as it is. Resolves when nothing is under way any more. */
  stop(): Promise<void>;
}

/** Refusals after which the version that we watch from is of no use. */
const unusable: ReadonlySet<number> = new Set([400, 404, 405, 410]);

function needsList({ ending, error }: WatchEnd): boolean {
  if (ending === 'garbage' || ending === 'line too long') return true;
  if (ending !== 'refused' || !error) return false;
  return isExpired(error) || unusable.has(error.code ?? 0);
}

/** Work that others may still want: it goes on, but whoever gives up does not wait for it. */
function orGivenUp<T>(work: Promise<Result<T, ApiError>>, signal: AbortSignal): Promise<Result<T, ApiError>> {
  return new Promise((resolve) => {
    const giveUp = () => resolve(err({ kind: 'aborted', message: 'given up' }));
    signal.addEventListener('abort', giveUp);
    void work.then((result) => {
      signal.removeEventListener('abort', giveUp);
      resolve(result);
    });
  });
}

export function createReflector(options: ReflectorOptions): Reflector {
  const { client, resource, namespace, labelSelector, fieldSelector } = options;
  const { timing } = client;
  const metrics = options.metrics ?? createReflectorMetrics();
  const discovery = options.discovery ?? createDiscovery({ client });
  const project = options.project ?? withoutWriterFields(createInterner());
  const { store, skipUnchanged } = options;
  const accept = options.metadataOnly ? metadataOnly : undefined;
  const mirrored = createMirrored({ store, resource, project, metrics, ...(skipUnchanged && { skipUnchanged }) });
  const maxPauseMs = options.backoff?.maxMs ?? 30_000;
  const backoff = createBackoff({ ...options.backoff, maxMs: maxPauseMs }, timing.random);
  const stopping = new AbortController();
  const { signal } = stopping;
  let wake = () => {};
  signal.addEventListener('abort', () => wake());
  let tellSynced: (synced: boolean) => void = () => undefined;
  const whenSynced = new Promise<boolean>((resolve) => {
    tellSynced = resolve;
  });

  let state: ReflectorState = 'new';
  let error: ApiError | undefined;
  let synced = false;
  let absences = 0;
  let running: Promise<void> | undefined;
  /** To watch from; undefined: list first. */
  let resourceVersion: string | undefined;
  let servedVersion = resource.versions[0]!;

  function touch(bytes: number): void {
    metrics.bytes += bytes;
    metrics.lastContact = timing.now();
  }

  function markSynced(): void {
    synced = true;
    tellSynced(true);
  }

  /** Notes a failure; gives the pause that it calls for in milliseconds. */
  function failed(failure: ApiError | undefined): number {
    state = 'waiting';
    if (failure && failure.kind !== 'aborted') {
      error = failure;
      options.onError?.(failure);
    }
    return Math.max(backoff.next(), Math.min(failure?.retryAfterMs ?? 0, maxPauseMs));
  }

  function absent(): number {
    state = 'not served';
    error = undefined;
    if (absences === 0) options.onAbsent?.();
    // Once may be a server that is starting; twice means that the kind is gone, and its objects with it.
    if (++absences >= 2) mirrored.clear();
    markSynced();
    return (options.absentMs ?? 30_000) * (0.75 + timing.random() / 2);
  }

  function firstQuery(): Query {
    const cached = options.firstList === 'any' && metrics.lists === 0;
    return cached ? { resourceVersion: '0', resourceVersionMatch: 'NotOlderThan' } : {};
  }

  async function list(): Promise<number> {
    // A kind that was not there stays so until the server says otherwise.
    if (absences === 0) state = 'listing';
    const served = await orGivenUp(discovery.servedVersion(resource), signal);
    if (!served.ok) return failed(served.error);
    if (served.value === undefined) return absent();
    absences = 0;
    state = 'listing';
    servedVersion = served.value;
    mirrored.beginList();
    const listed = await listPages({
      ...{ client, resource, version: servedVersion, namespace, labelSelector, fieldSelector, signal },
      accept: accept?.list,
      limit: options.pageSize,
      query: firstQuery(),
      retries: 0,
      onBytes: touch,
      maxObjectBytes: options.maxLineBytes,
      onObject(object) {
        metrics.peakObjects = Math.max(metrics.peakObjects, mirrored.size + 1);
        mirrored.keep(object);
      },
      onPage() {
        metrics.pages++;
      },
    });
    if (!listed.ok) {
      mirrored.abandonList();
      metrics.listFailures++;
      return failed(listed.error);
    }
    mirrored.completeList();
    if (metrics.lists++ > 0) metrics.relists++;
    resourceVersion = listed.value.resourceVersion;
    error = undefined;
    options.onListed?.();
    markSynced();
    return 0;
  }

  function apply({ type, object }: WatchEvent): void {
    metrics.events[type]++;
    resourceVersion = object.metadata.resourceVersion;
    if (type === 'DELETED') mirrored.drop(object);
    else if (type !== 'BOOKMARK') mirrored.keep(named(object, resource, servedVersion));
    // Progress: the next failure is a first one.
    backoff.reset();
  }

  async function watch(from: string): Promise<number> {
    const [shortest, longest] = options.watchSeconds ?? [300, 600];
    const seconds = Math.ceil(shortest + timing.random() * (longest - shortest));
    const started = timing.monotonic();
    const end = await runWatch({
      client,
      path: resourcePath(resource, { version: servedVersion, namespace }),
      query: {
        ...{ labelSelector, fieldSelector, watch: true, allowWatchBookmarks: true },
        resourceVersion: from,
        timeoutSeconds: seconds,
      },
      accept: accept?.watch,
      maxLineBytes: options.maxLineBytes ?? 8 * 1024 * 1024,
      idleMs: options.idleMs ?? 150_000,
      // The server ends the watch; this is for one that does not.
      longestMs: (seconds + 30) * 1000,
      signal,
      onOpen() {
        metrics.watches++;
        state = 'watching';
        error = undefined;
        touch(0);
      },
      onBytes: touch,
      onEvent: apply,
    });
    return afterWatch(end, timing.monotonic() - started);
  }

  /** Counts what happened; gives the pause before the next attempt. */
  function afterWatch(end: WatchEnd, livedMs: number): number {
    if (end.ending === 'stopped') return 0;
    if (end.halfLine) metrics.halfLines++;
    if (end.ending === 'garbage') metrics.garbageLines++;
    if (end.ending === 'line too long') metrics.longLines++;
    if (needsList(end)) resourceVersion = undefined;
    const healthy = livedMs >= (options.healthyMs ?? 1000);
    if (healthy) backoff.reset();
    if (end.ending === 'ended' || end.ending === 'overdue') return healthy ? 0 : failed(end.error);
    metrics.watchFailures++;
    return failed(end.error);
  }

  function rest(pause: number): Promise<void> {
    const waking = new AbortController();
    wake = () => waking.abort();
    return timing.sleep(pause, waking.signal);
  }

  async function run(): Promise<void> {
    while (!signal.aborted) {
      const pause = await (resourceVersion === undefined ? list() : watch(resourceVersion));
      if (pause > 0 && !signal.aborted) await rest(pause);
    }
    state = 'stopped';
    tellSynced(false);
  }

  return {
    resource: resourceName(resource),
    metrics,
    get state() {
      return state;
    },
    get error() {
      return error;
    },
    start() {
      running ??= run();
    },
    hasSynced: () => synced,
    whenSynced: () => whenSynced,
    hurry() {
      if (state === 'waiting') wake();
    },
    async stop() {
      stopping.abort();
      await running;
      state = 'stopped';
      tellSynced(false);
    },
  };
}
