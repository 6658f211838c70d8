/**
 * watch: what changes, as one JSON object per line (`metav1.WatchEvent`). The store says what changed; a watcher keeps
 * a bounded queue of changes that its reader has not taken yet, and is closed when that is full: the client lists anew.
 */
import type { ServerResponse } from 'node:http';
import { err, ok, type Result } from '../../base/result.ts';
import type { JsonObject } from '../../kube/patch/json.ts';
import { resourceName, storageName } from '../../kube/resources.ts';
import type { Change, Store } from '../../kube/store/store.ts';
import type { KubeObject } from '../../kube/types/index.ts';
import { type Handler, refuse, type ServerContext, subjectOf, type Target } from './call.ts';
import { type ListOptions, type Predicate, readListOptions, readSelection } from './options.ts';
import { type Presenter, presenterFor } from './present.ts';
import { expired, type Refusal, statusOf, tooManyRequests } from './status.ts';
import { type PacedWriter, pacedWriter } from './stream.ts';

type EventType = 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK' | 'ERROR';

interface Beginning {
  /** Sent as ADDED before anything else. */
  readonly objects: readonly KubeObject[];
  readonly changes: readonly Change[];
  /** Say when the objects of the beginning are all sent. */
  readonly marked: boolean;
}

function concerns(change: Change, { resource, namespace }: Target): boolean {
  if (change.resource !== storageName(resource)) return false;
  return namespace === undefined || change.object.metadata.namespace === namespace;
}

/** The kind itself goes with its CustomResourceDefinition, whose name is that of the resource. */
function endsKind(change: Change, { resource }: Target): boolean {
  if (!resource.custom || change.type !== 'DELETED') return false;
  const isCrd = change.resource === 'customresourcedefinitions.apiextensions.k8s.io';
  return isCrd && change.object.metadata.name === resourceName(resource);
}

/** Where a watch begins, by resourceVersion and sendInitialEvents. */
function beginningOf(store: Store, target: Target, options: ListOptions): Result<Beginning, Refusal> {
  const resource = storageName(target.resource);
  const { resourceVersion: from, sendInitialEvents } = options;
  // Revisions start anew with the process: one from the future is of an earlier life, and the client must list anew.
  if (from !== undefined && from > store.revision)
    return err(expired(`too old resource version: ${from} (${store.revision})`));
  if (sendInitialEvents || (sendInitialEvents === undefined && !from)) {
    const objects = store.list(resource, target.namespace);
    return ok({ objects, changes: [], marked: sendInitialEvents === true && options.bookmarks });
  }
  if (!from) return ok({ objects: [], changes: [], marked: false });
  const changes = store.changesSince(resource, from)?.filter((change) => concerns(change, target));
  if (!changes) return err(expired(`too old resource version: ${from} (${store.revision})`));
  return ok({ objects: [], changes, marked: false });
}

/** What a change is to a client that sees only objects that match. */
export function eventOf(change: Change, matches: Predicate): [EventType, KubeObject] | undefined {
  const before = change.previous !== undefined && matches(change.previous);
  const now = change.type !== 'DELETED' && matches(change.object);
  if (now) return [before ? 'MODIFIED' : 'ADDED', change.object];
  if (!before) return undefined;
  if (change.type === 'DELETED') return ['DELETED', change.object];
  // It left the selection: its last matching state goes, at the revision of the change.
  const previous = change.previous!;
  const { resourceVersion } = change.object.metadata;
  return ['DELETED', { ...previous, metadata: { ...previous.metadata, resourceVersion } }];
}

const line = (type: EventType, object: JsonObject) => `${JSON.stringify({ type, object })}\n`;

interface Watcher {
  readonly context: ServerContext;
  readonly target: Target;
  readonly options: ListOptions;
  readonly matches: Predicate;
  readonly presenter: Presenter;
  readonly beginning: Beginning;
}

interface Feed {
  /** Changes that the reader has not taken yet. */
  readonly waiting: number;
  push(change: Change): void;
  /** Sends what waits, as far as the reader takes it. */
  pump(): Promise<void>;
  /** Says how far the watch has come; only when nothing waits, or the reader would skip it. */
  bookmark(): void;
}

function createFeed({ context, options, matches, presenter, beginning }: Watcher, writer: PacedWriter): Feed {
  const { store } = context.objects;
  const start = String(store.revision);
  const initial = beginning.objects.values();
  let queue: Change[] = [...beginning.changes];
  let marked = !beginning.marked;
  let pumping = false;

  async function sendAll<T>(items: Iterable<T>, encode: (item: T) => string | undefined): Promise<void> {
    for (const item of items) {
      const text = encode(item);
      if (text) writer.write(text);
      if (!writer.ready) await writer.drained();
      if (!writer.open) return;
    }
  }

  const added = (object: KubeObject) => (matches(object) ? line('ADDED', presenter.one(object)) : undefined);

  function changed(change: Change): string | undefined {
    const event = eventOf(change, matches);
    return event && line(event[0], presenter.one(event[1]));
  }

  return {
    get waiting() {
      return queue.length;
    },
    push: (change) => queue.push(change),
    async pump() {
      if (pumping) return;
      pumping = true;
      await sendAll(initial, added);
      if (!marked) writer.write(line('BOOKMARK', presenter.bookmark(start, { 'k8s.io/initial-events-end': 'true' })));
      marked = true;
      while (queue.length > 0 && writer.open) {
        const changes = queue;
        queue = [];
        await sendAll(changes, changed);
      }
      pumping = false;
    },
    bookmark() {
      if (!options.bookmarks || pumping || queue.length > 0) return;
      writer.write(line('BOOKMARK', presenter.bookmark(String(store.revision))));
    },
  };
}

/** Feeds one watcher until the client goes, the time is up, or the server closes. */
async function run(watcher: Watcher, response: ServerResponse): Promise<void> {
  const { context, target, options } = watcher;
  const { limits, log } = context;
  const feed = createFeed(watcher, pacedWriter(response, limits));
  const pump = () => {
    feed.pump().catch((error: unknown) => {
      log.error({ err: error, resource: resourceName(target.resource) }, 'a watch broke');
      response.destroy();
    });
  };
  let scheduled: NodeJS.Immediate | undefined;
  const unsubscribe = context.objects.store.subscribe((change) => {
    if (endsKind(change, target)) setImmediate(close);
    if (!concerns(change, target)) return;
    feed.push(change);
    if (feed.waiting > limits.watchBacklog) {
      unsubscribe();
      log.warn({ resource: change.resource, waiting: feed.waiting }, 'closed a watch whose reader is too slow');
      response.destroy();
      return;
    }
    scheduled ??= setImmediate(() => {
      scheduled = undefined;
      pump();
    });
  });
  const close = () => {
    feed.bookmark();
    response.end();
  };
  const end = setTimeout(close, options.timeoutSeconds ? options.timeoutSeconds * 1000 : limits.watchTimeoutMs);
  const bookmarks = setInterval(feed.bookmark, limits.bookmarkIntervalMs);
  context.streams.add(close);
  const closed = new Promise<void>((resolve) => response.once('close', resolve));
  pump();
  await closed;
  unsubscribe();
  clearTimeout(end);
  clearInterval(bookmarks);
  clearImmediate(scheduled);
  context.streams.delete(close);
}

/** A refusal inside the stream: the response has begun well, so the last event says what is wrong. */
function endWith(refusal: Refusal, target: Target, response: ServerResponse): void {
  response.end(line('ERROR', statusOf(refusal, subjectOf(target))));
}

export const watchObjects: Handler = (context, call, target) => {
  const options = readListOptions(call, true);
  if (!options.ok) return refuse(options.error, subjectOf(target));
  const selection = readSelection(context, call, target);
  if (!selection.ok) return refuse(selection.error, subjectOf(target));
  if (context.streams.size >= context.limits.watchers) return refuse(tooManyRequests('too many watches are open'));
  const presenter = presenterFor(context, call, target);
  return {
    type: 'stream',
    async run(response) {
      response.writeHead(200, { 'content-type': 'application/json', 'cache-control': 'no-cache, private' });
      response.flushHeaders();
      const beginning = beginningOf(context.objects.store, target, options.value);
      if (!beginning.ok) return endWith(beginning.error, target, response);
      const { matches } = selection.value;
      await run({ context, target, options: options.value, matches, presenter, beginning: beginning.value }, response);
    },
  };
};
