/**
 * What a translator is: a pure function from the objects in a store to a part of the plan, statuses and findings.
 * There are two, ingress/ and gateway/. No clock but the one given, no I/O, no exceptions for bad input.
 */
import type { Diagnostic, ObjectRef, Position } from '../base/diagnostics/index.ts';
import type { StoreReader } from '../kube/store/store.ts';
import type { EndpointSlice, Service } from '../kube/types/index.ts';
import type { TranslationCache } from './incremental/cache.ts';
import { changeRecord } from './incremental/records.ts';
import { listDifference, sameItems } from './incremental/sorted.ts';
import type { IngressNginxFlags } from './ingress-nginx/flags.ts';
import type { Backend, Certificate, Listener, Plan, StreamListener } from './plan/plan.ts';

/** Controller names that Fairway answers to. */
export const gatewayControllerName = 'fairway.dev/gateway';
export const ingressControllerName = 'fairway.dev/ingress';

export interface TranslateInput {
  readonly store: StoreReader;
  /** GatewayClasses with this `spec.controllerName` are ours, and so are entries of statuses. Default `gatewayControllerName`. */
  readonly controllerName?: string;
  /** Whether anything is generated for Gateways. Default true. */
  readonly generate?: boolean;
  /**
   * Take on classes that name another controller or that no object defines, as `fairway up` does where nothing else
   * runs. Each gets one finding that says so.
   */
  readonly adopt: boolean;
  readonly addresses: AddressBook;
  /** Where a field of an object stands in its file; undefined for objects that came through the API. */
  readonly position: (object: ObjectRef, fieldPath: string) => Position | undefined;
  /** Absent: positions of an object never change while the object does not. */
  readonly placements?: Placements;
  /** For lastTransitionTime of conditions that change; RFC 3339. */
  readonly now: string;
  /** Of earlier translations with the same store, addresses and positions. Absent: everything is worked out anew. */
  readonly cache?: TranslationCache;
  /** Absent: the defaults of ingress-nginx. The same object for as long as nothing of it changes. */
  readonly ingressNginx?: IngressNginxFlags;
  /**
   * Shown on port 443 for names without a certificate once there are Ingresses of ingress-nginx, which does so too. Absent:
   * such handshakes are refused. Asked for only then; undefined: it is still being made, and the plan is not to be used.
   */
  readonly selfSigned?: () => Certificate | undefined;
}

export function controllerOf({
  controllerName = gatewayControllerName,
}: Pick<TranslateInput, 'controllerName'>): string {
  return controllerName;
}

/** When positions of objects have changed. */
export interface Placements {
  /** Changes whenever that of any object may have. */
  readonly revision: number;
  /** Changes, as an identity, with the positions of the object. */
  of(object: ObjectRef): unknown;
}

/** Who owns which front-door address. Stable: the same name gets the same address in every run. */
export interface AddressBook {
  /** Addresses that Ingresses are served on. */
  ingress(): readonly string[];
  /** A free address for a Gateway that asks for none. */
  gateway(namespace: string, name: string): string;
  /** Whether an address that a Gateway asks for can be used by it. */
  usable(address: string): boolean;
  /** Where listeners are served for an address that a Gateway asks for. Absent: on that address. */
  served?(address: string): string;
  /** What statuses show for an address that listeners are served on; none: there is none yet. Absent: that address. */
  published?(address: string): readonly string[];
  /** Where Pods reach what is served on an address. Absent: where statuses say. */
  reached?(address: string): readonly string[];
  /** What statuses of Ingresses show when they are served. Absent: the addresses that they are served on. */
  ingressPublished?(): readonly string[];
}

/** What statuses show for an address that listeners are served on. */
export function publishedFor(book: AddressBook, address: string): readonly string[] {
  return book.published?.(address) ?? [address];
}

/** What the data plane said of the listeners of a plan. */
export interface DeliveryReport {
  /** By listener id: undefined while it has not answered. `error` when the socket could not be bound. */
  listener(id: string): { readonly bound: boolean; readonly error?: string } | undefined;
}

/** A status to write, if it differs from the stored one. */
export interface StatusUpdate {
  readonly ref: ObjectRef;
  /** Resource name, e.g. `gateways.gateway.networking.k8s.io`. */
  readonly resource: string;
  /** It follows from objects alone: `build` looks at no report. */
  readonly settled?: true;
  /**
   * The whole new `status`. Given the object as now stored, because entries of other controllers must be kept in
   * their order and a condition keeps its lastTransitionTime while its status is the same.
   */
  readonly build: (
    stored: { readonly status?: unknown; readonly metadata: { readonly generation?: number } },
    report: DeliveryReport,
  ) => unknown;
}

export interface TranslateOutput {
  readonly listeners: readonly Listener[];
  readonly streams?: readonly StreamListener[];
  readonly backends: readonly Backend[];
  readonly certificates: readonly Certificate[];
  readonly statuses: readonly StatusUpdate[];
  /** Objects that are to exist because of those translated; the same list for as long as nothing of it changes. */
  readonly generated?: readonly Generated[];
  readonly diagnostics: readonly Diagnostic[];
}

/** An object that is to exist for as long as the Gateway that owns it does. */
export interface Generated {
  readonly gateway: ObjectRef;
  /** Resource name, e.g. `services`. */
  readonly resource: string;
  /** Its labels and annotations are those that we set; others may stand beside them. */
  readonly object: Service | EndpointSlice;
}

export type Translator = (input: TranslateInput) => TranslateOutput;

/** What a merge leaves to the next one. */
interface MergeMemory {
  backends: Merged<Backend>;
  certificates: Merged<Certificate>;
}

interface Merged<T> {
  readonly lists: readonly (readonly T[])[];
  /** What each of the lists has. */
  readonly members: readonly Map<string, T>[];
  readonly byId: Readonly<Record<string, T>>;
}

function createMergeMemory(): MergeMemory {
  return { backends: nothingMerged(), certificates: nothingMerged() };
}

function nothingMerged<T>(): Merged<T> {
  return { lists: [], members: [], byId: {} };
}

/** Members that change, beyond which a record is made anew. */
const maxChanges = 256;

/** The later list has an id that two have. Lists that are the same ones give the same record. */
function mergeById<T extends { readonly id: string }>(before: Merged<T>, lists: readonly (readonly T[])[]): Merged<T> {
  if (sameItems(before.lists, lists)) return before;
  return changeMerged(before, lists) ?? mergeAnew(lists);
}

function mergeAnew<T extends { readonly id: string }>(lists: readonly (readonly T[])[]): Merged<T> {
  const members = lists.map((list) => new Map(list.map((item) => [item.id, item])));
  return { lists, members, byId: Object.fromEntries(members.flatMap((each) => [...each])) };
}

/** Undefined when much has changed. */
function changeMerged<T extends { readonly id: string }>(
  { lists: before, members, byId }: Merged<T>,
  lists: readonly (readonly T[])[],
): Merged<T> | undefined {
  if (before.length !== lists.length) return undefined;
  const differences = lists.map((list, i) => listDifference(before[i]!, list));
  if (differences.some(({ came, went }) => came.length + went.size > maxChanges)) return undefined;
  const touched = new Set<string>();
  differences.forEach(({ came, went }, i) => {
    for (const { id } of went) members[i]!.delete(id);
    for (const item of came) members[i]!.set(item.id, item);
    for (const { id } of [...went, ...came]) touched.add(id);
  });
  const later = members.toReversed();
  const newest = (id: string) => later.find((each) => each.has(id))?.get(id);
  return {
    lists,
    members,
    byId: changeRecord(
      byId,
      [...touched].map((id) => [id, newest(id)] as const),
    ),
  };
}

/**
 * One plan out of the translators' parts; listeners sorted by id. Two parts never share a socket: the first keeps it.
 * What did not change since the last merge with this cache is the same object.
 */
export function mergePlan(parts: readonly TranslateOutput[], cache?: TranslationCache): Plan {
  const memory = cache?.of(createMergeMemory) ?? createMergeMemory();
  memory.backends = mergeById(
    memory.backends,
    parts.map(({ backends }) => backends),
  );
  memory.certificates = mergeById(
    memory.certificates,
    parts.map(({ certificates }) => certificates),
  );
  /** Which part holds a socket. Within a part, HTTPS and TLS may share one. */
  const holders = new Map<string, TranslateOutput>();
  const holds = (part: TranslateOutput, { address, port, protocol }: Listener | StreamListener) => {
    const socket = `${address}:${port}/${protocol === 'UDP' ? 'UDP' : 'TCP'}`;
    const holder = holders.get(socket) ?? part;
    holders.set(socket, holder);
    return holder === part;
  };
  const listeners = new Map<string, Listener>();
  const streams = new Map<string, StreamListener>();
  for (const part of parts) {
    for (const listener of part.listeners) if (holds(part, listener)) listeners.set(listener.id, listener);
    for (const stream of part.streams ?? []) if (holds(part, stream)) streams.set(stream.id, stream);
  }
  return {
    listeners: [...listeners.values()].sort(byId),
    ...(streams.size > 0 && { streams: [...streams.values()].sort(byId) }),
    backends: memory.backends.byId,
    certificates: memory.certificates.byId,
  };
}

function byId(a: { readonly id: string }, b: { readonly id: string }): number {
  return a.id < b.id ? -1 : 1;
}
