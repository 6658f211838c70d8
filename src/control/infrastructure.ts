/**
 * Writes the objects that are generated for Gateways: created, brought up to date, deleted; none when nothing is
 * different. What somebody else owns is never touched. Labels and annotations that others add to ours stay.
 */
import { equalJson, type ObjectApi } from '../kube/objects.ts';
import { keyOf } from '../kube/resources.ts';
import type { Change, StoreReader } from '../kube/store/store.ts';
import type { KubeObject, ObjectMeta, Unstructured } from '../kube/types/index.ts';
import {
  gatewayNameLabel,
  generatorLabel,
  generatorName,
  servicesResource,
  slicesResource,
} from '../routing/gateway/infrastructure.ts';
import { listDifference } from '../routing/incremental/sorted.ts';
import type { Generated } from '../routing/translate.ts';
import { createKeyedWork } from './keyed-work.ts';

/** Where whole objects are written. A write that is refused throws or rejects. */
export interface ObjectSink {
  create(resource: string, object: KubeObject): void | Promise<void>;
  /** Replaces the stored object; refused when its `metadata.resourceVersion` is not the stored one. */
  update(resource: string, object: KubeObject): void | Promise<void>;
  /** Deletes the object with this uid. One that is gone already is no error. */
  remove(resource: string, object: KubeObject): void | Promise<void>;
}

export interface InfrastructureOptions {
  store: StoreReader;
  sink: ObjectSink;
  /** Label of what is ours. Default `generatorName`. */
  generator?: string;
  /** Whether this process writes at all; asked before each write. Default: it does. */
  mayWrite?: () => boolean;
  /** First and longest wait before a write that failed is tried again, in milliseconds. Default 500 and 60,000. */
  retryMs?: readonly [number, number];
  onError(message: string): void;
}

export interface Infrastructure {
  /** From now on these are to exist, and no others. */
  apply(wanted: readonly Generated[]): void;
  /** Looks at everything anew: this process may write from now on. */
  refresh(): void;
  stop(): void;
}

/** Keys of labels and annotations that we have set, so that those can go again that are not wanted any more. */
const ownKeysAnnotation = `${generatorName}/generated-keys`;
const resources: readonly string[] = [servicesResource, slicesResource];

export function createInfrastructure(options: InfrastructureOptions): Infrastructure {
  const { store, sink, generator = generatorName } = options;
  let before: readonly Generated[] = [];
  let started = false;
  const wanted = new Map<string, Generated>();
  const due = createKeyedWork({
    bring,
    mayWrite: options.mayWrite ?? (() => true),
    ...(options.retryMs && { retryMs: options.retryMs }),
    onError: (id, message) => options.onError(`${id}, generated for a Gateway: ${message}`),
  });

  const unsubscribe = store.subscribe((change) => {
    if (!resources.includes(change.resource) || due.isWorking || !started) return;
    const id = idOf(change.resource, change.object);
    if (!wanted.has(id) && !isGenerated(change, generator)) return;
    due.add(id);
    due.schedule();
  });

  /** Writes what is needed to bring one object to what is wanted; undefined when that is done, or was nothing. */
  function bring(id: string): Promise<void> | undefined {
    const { resource, key } = partsOf(id);
    const stored = store.get<Unstructured>(resource, key);
    const target = wanted.get(id);
    if (!target) {
      const isOurs = stored && isLabelled(stored, generator) && !stored.metadata.deletionTimestamp;
      return isOurs ? promised(sink.remove(resource, stored)) : undefined;
    }
    if (!stored) return promised(sink.create(resource, created(target.object)));
    // Of another owner, or of a Gateway of that name that is gone: the garbage collector makes room.
    if (!isOwned(stored, target) || stored.metadata.deletionTimestamp) return undefined;
    const next = updated(stored, target.object as unknown as Unstructured);
    return equalJson(next, stored) ? undefined : promised(sink.update(resource, next as KubeObject));
  }

  function refresh(): void {
    for (const id of wanted.keys()) due.add(id);
    for (const resource of resources)
      for (const object of store.list(resource)) if (isLabelled(object, generator)) due.add(idOf(resource, object));
    due.work();
  }

  return {
    apply(generated) {
      const { came, went } = listDifference(before, generated);
      before = generated;
      for (const each of went) {
        const id = idOf(each.resource, each.object);
        if (wanted.get(id) === each) wanted.delete(id);
        due.add(id);
      }
      for (const each of came) {
        wanted.set(idOf(each.resource, each.object), each);
        due.add(idOf(each.resource, each.object));
      }
      if (started) due.work();
      else refresh();
      started = true;
    },
    refresh,
    stop() {
      unsubscribe();
      due.stop();
    },
  };
}

/** Writes into a store of this process. */
export function localSink(objects: ObjectApi): ObjectSink {
  const must = (
    result: { readonly ok: true } | { readonly ok: false; readonly error: { readonly message: string } },
  ) => {
    if (!result.ok) throw new Error(result.error.message);
  };
  return {
    create: (_resource, object) => must(objects.create(object)),
    update: (_resource, object) => must(objects.update(object)),
    remove(resource, object) {
      const { uid } = object.metadata;
      const result = objects.delete(resource, keyOf(object), { ...(uid && { preconditions: { uid } }) });
      if (!result.ok && result.error.code !== 404) throw new Error(result.error.message);
    },
  };
}

function promised(outcome: void | Promise<void>): Promise<void> | undefined {
  return outcome instanceof Promise ? outcome : undefined;
}

function idOf(resource: string, object: KubeObject): string {
  return `${resource} ${keyOf(object)}`;
}

function partsOf(id: string): { resource: string; key: string } {
  const space = id.indexOf(' ');
  return { resource: id.slice(0, space), key: id.slice(space + 1) };
}

const isGenerated = ({ object, previous }: Change, generator: string) =>
  isLabelled(object, generator) || (previous && isLabelled(previous, generator));

/** Generated for a Gateway by whoever is called as we are: labelled so, and owned by a Gateway. */
function isLabelled({ metadata: { labels, ownerReferences } }: KubeObject, generator: string): boolean {
  if (labels?.[generatorLabel] !== generator || labels[gatewayNameLabel] === undefined) return false;
  return ownerReferences?.some(({ kind }) => kind === 'Gateway') ?? false;
}

function isOwned(stored: KubeObject, { object }: Generated): boolean {
  const owner = object.metadata.ownerReferences![0]!;
  return stored.metadata.ownerReferences?.some(({ uid }) => uid === owner.uid) ?? false;
}

interface OwnKeys {
  readonly labels: readonly string[];
  readonly annotations: readonly string[];
}

function keysOf({ labels = {}, annotations = {} }: ObjectMeta): OwnKeys {
  return { labels: Object.keys(labels).sort(), annotations: Object.keys(annotations).sort() };
}

/** What an earlier write says it has set; nothing when somebody has spoilt the note. */
function notedKeys({ annotations }: ObjectMeta): OwnKeys {
  try {
    const { labels = [], annotations: noted = [] } = JSON.parse(
      annotations?.[ownKeysAnnotation] ?? '{}',
    ) as Partial<OwnKeys>;
    return { labels: [...labels], annotations: [...noted] };
  } catch {
    // Then what it said cannot be taken back, which leaves a label too many on an object of ours.
    return { labels: [], annotations: [] };
  }
}

function annotationsOf(metadata: ObjectMeta): Record<string, string> {
  return { ...metadata.annotations, [ownKeysAnnotation]: JSON.stringify(keysOf(metadata)) };
}

function created(object: KubeObject): KubeObject {
  return { ...object, metadata: { ...object.metadata, annotations: annotationsOf(object.metadata) } };
}

function merged(
  stored: Readonly<Record<string, string>> = {},
  noted: readonly string[],
  wanted: Readonly<Record<string, string>> = {},
): Record<string, string> {
  const gone = new Set(noted);
  return { ...Object.fromEntries(Object.entries(stored).filter(([key]) => !gone.has(key))), ...wanted };
}

/** The stored object with what we want of it: of a Service its addresses stay, which the API has given it. */
function updated(stored: Unstructured, wanted: Unstructured): Unstructured {
  const noted = notedKeys(stored.metadata);
  const { metadata, spec, ...fields } = wanted;
  const next: Unstructured = {
    ...stored,
    ...fields,
    metadata: {
      ...stored.metadata,
      labels: merged(stored.metadata.labels, noted.labels, metadata.labels),
      annotations: merged(stored.metadata.annotations, noted.annotations, annotationsOf(metadata)),
      ownerReferences: metadata.ownerReferences!,
    },
  };
  if (!spec) return next;
  const { selector: _never, ...kept } = (stored.spec ?? {}) as Record<string, unknown>;
  return { ...next, spec: { ...kept, ...spec } };
}
