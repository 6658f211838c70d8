/** Follows the endpoints of chosen Service ports through the change feed, and reports only sets that really changed. */
import { keyOf } from '../kube/resources.ts';
import type { Change, StoreReader } from '../kube/store/store.ts';
import type { EndpointSlice, IPFamily, Service } from '../kube/types/index.ts';
import {
  collectEndpoints,
  type Endpoint,
  type EndpointOptions,
  endpointSliceResource,
  findServicePort,
  ipv4Only,
  type ServicePortRef,
  sameEndpoints,
  serviceOfSlice,
} from './endpoints.ts';

/** Name that the watcher's user gives to a backend, for example a BackendId of the plan. */
export type BackendKey = string;

export interface TrackedBackend extends ServicePortRef {
  readonly id: BackendKey;
}

export interface WatchEndpointsOptions {
  /**
   * Default IPv4 only, see EndpointOptions. `primary`: of each Service its first family, in which a Pod of a Service of
   * both counts once.
   */
  readonly families?: EndpointOptions['families'] | 'primary';
  /**
   * Called at most once per macrotask with the sets that changed since the last call; null: no longer tracked.
   * A newly tracked backend is always reported, also when it has no endpoints.
   */
  onChange(changed: Map<BackendKey, readonly Endpoint[] | null>): void;
}

export interface EndpointWatcher {
  /** Replaces the set of tracked backends. */
  track(backends: Iterable<TrackedBackend>): void;
  add(backend: TrackedBackend): void;
  forget(id: BackendKey): void;
  /** Last reported endpoints. */
  get(id: BackendKey): readonly Endpoint[] | undefined;
  /** Reports what is waiting now instead of in the next macrotask. */
  flush(): void;
  stop(): void;
}

interface Tracked {
  backend: TrackedBackend;
  /** Undefined until the first report. */
  endpoints: readonly Endpoint[] | undefined;
}

export function watchEndpoints(store: StoreReader, options: WatchEndpointsOptions): EndpointWatcher {
  const { families = ipv4Only } = options;
  const familiesOf = ({ spec }: Service) => (families === 'primary' ? primaryOf(spec.ipFamilies) : families);
  const slices = createSliceShelf(store);
  const tracked = new Map<BackendKey, Tracked>();
  const byService = new Map<string, Set<BackendKey>>();
  const waiting = new Set<BackendKey>();
  let scheduled: NodeJS.Immediate | undefined;

  function mark(id: BackendKey): void {
    waiting.add(id);
    scheduled ??= setImmediate(flush);
  }

  function markService(service: string | undefined): void {
    if (service) for (const id of byService.get(service) ?? []) mark(id);
  }

  function note(change: Change): void {
    if (change.resource === 'services') markService(keyOf(change.object));
    else if (change.resource === endpointSliceResource) for (const service of slices.note(change)) markService(service);
  }

  function resolve(backend: TrackedBackend): readonly Endpoint[] {
    const key = serviceKey(backend);
    const service = store.get<Service>('services', key);
    if (!service || service.spec.type === 'ExternalName') return [];
    const port = findServicePort(service, backend.port, backend.protocol);
    return port ? collectEndpoints(slices.of(key), port, familiesOf(service)) : [];
  }

  /** What to report of one backend; undefined when nothing changed. */
  function refresh(id: BackendKey): readonly Endpoint[] | null | undefined {
    const entry = tracked.get(id);
    if (!entry) return null;
    const endpoints = resolve(entry.backend);
    if (entry.endpoints && sameEndpoints(entry.endpoints, endpoints)) return undefined;
    entry.endpoints = endpoints;
    return endpoints;
  }

  function flush(): void {
    if (scheduled) clearImmediate(scheduled);
    scheduled = undefined;
    const changed = new Map<BackendKey, readonly Endpoint[] | null>();
    for (const id of waiting) {
      const result = refresh(id);
      if (result !== undefined) changed.set(id, result);
    }
    waiting.clear();
    if (changed.size > 0) options.onChange(changed);
  }

  function add(backend: TrackedBackend): void {
    const known = tracked.get(backend.id);
    if (known && sameRef(known.backend, backend)) return;
    if (known) unlink(known.backend);
    tracked.set(backend.id, { backend, endpoints: known?.endpoints });
    const key = serviceKey(backend);
    const ids = byService.get(key);
    if (ids) ids.add(backend.id);
    else byService.set(key, new Set([backend.id]));
    mark(backend.id);
  }

  function unlink(backend: TrackedBackend): void {
    const key = serviceKey(backend);
    const ids = byService.get(key);
    if (ids?.delete(backend.id) && ids.size === 0) byService.delete(key);
  }

  function forget(id: BackendKey): void {
    const entry = tracked.get(id);
    if (!entry) return;
    tracked.delete(id);
    unlink(entry.backend);
    if (entry.endpoints) mark(id);
    else waiting.delete(id);
  }

  const unsubscribe = store.subscribe(note);

  return {
    track(backends) {
      const wanted = new Map<BackendKey, TrackedBackend>();
      for (const backend of backends) wanted.set(backend.id, backend);
      for (const id of [...tracked.keys()]) if (!wanted.has(id)) forget(id);
      for (const backend of wanted.values()) add(backend);
    },
    add,
    forget,
    get: (id) => tracked.get(id)?.endpoints,
    flush,
    stop() {
      unsubscribe();
      if (scheduled) clearImmediate(scheduled);
      waiting.clear();
    },
  };
}

/** API servers fill it in; IPv4 where none did. */
const primaryOf = (families: readonly IPFamily[] = []) => (families[0] ? [families[0]] : ipv4Only);

function serviceKey(ref: ServicePortRef): string {
  return `${ref.namespace}/${ref.service}`;
}

function sameRef(a: ServicePortRef, b: ServicePortRef): boolean {
  return a.namespace === b.namespace && a.service === b.service && a.port === b.port && a.protocol === b.protocol;
}

/** All slices filed by Service, kept current by the changes it is told of. */
function createSliceShelf(store: StoreReader) {
  const byService = new Map<string, Map<string, EndpointSlice>>();

  function put(slice: EndpointSlice): string | undefined {
    const service = serviceOfSlice(slice);
    if (!service) return undefined;
    const members = byService.get(service) ?? new Map<string, EndpointSlice>();
    byService.set(service, members.set(keyOf(slice), slice));
    return service;
  }

  function drop(slice: EndpointSlice): string | undefined {
    const service = serviceOfSlice(slice);
    const members = service ? byService.get(service) : undefined;
    if (service && members?.delete(keyOf(slice)) && members.size === 0) byService.delete(service);
    return service;
  }

  for (const slice of store.list<EndpointSlice>(endpointSliceResource)) put(slice);

  return {
    of: (service: string): Iterable<EndpointSlice> => byService.get(service)?.values() ?? [],
    /** Returns the Services whose slices changed: two when a slice moved from one to another. */
    note(change: Change): Set<string> {
      const { type, object, previous } = change as Change<EndpointSlice>;
      const touched = new Set<string | undefined>();
      if (previous) touched.add(drop(previous));
      touched.add(type === 'DELETED' ? drop(object) : put(object));
      touched.delete(undefined);
      return touched as Set<string>;
    },
  };
}
