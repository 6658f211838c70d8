/** get and list. */
import type { ServerResponse } from 'node:http';
import { err, ok, type Result } from '../../base/result.ts';
import { writeYaml } from '../../kube/manifests/yaml.ts';
import { entriesOf, type JsonObject } from '../../kube/patch/json.ts';
import { keyOf, storageName } from '../../kube/resources.ts';
import type { Store } from '../../kube/store/store.ts';
import type { KubeObject } from '../../kube/types/index.ts';
import {
  type Call,
  found,
  type Handler,
  keyOfTarget,
  type Reply,
  refuse,
  type ServerContext,
  subjectOf,
  type Target,
} from './call.ts';
import { type ListOptions, readListOptions, readSelection, type Selection, tooLarge } from './options.ts';
import { presenterFor } from './present.ts';
import { wantsPretty } from './send.ts';
import { badRequest, expired, objectNotFound, type Refusal } from './status.ts';
import { pacedWriter } from './stream.ts';

export const getObject: Handler = (context, call, target) => {
  const { store } = context.objects;
  const wanted = Number(call.query.get('resourceVersion') ?? 0);
  if (wanted > store.revision) return refuse(tooLarge(wanted, store.revision), subjectOf(target));
  const object = store.get(storageName(target.resource), keyOfTarget(target));
  if (!object) return refuse(objectNotFound(target.resource, target.name!), subjectOf(target));
  return found(presenterFor(context, call, target).one(object));
};

/** Objects as they were at a revision: today's, with the changes since then taken back. Undefined: too long ago. */
export function objectsAt(
  store: Store,
  resource: string,
  revision: number,
  namespace?: string,
): KubeObject[] | undefined {
  if (revision === store.revision) return store.list(resource, namespace);
  const changes = store.changesSince(resource, revision);
  if (!changes) return undefined;
  const state = new Map(store.list(resource, namespace).map((object) => [keyOf(object), object]));
  for (const { object, previous } of [...changes].reverse()) {
    if (namespace !== undefined && object.metadata.namespace !== namespace) continue;
    if (previous) state.set(keyOf(object), previous);
    else state.delete(keyOf(object));
  }
  return [...state.values()];
}

interface Place {
  /** Revision of the first page: all pages show the state of that moment. */
  readonly revision: number;
  /** Key of the last object of the page before. */
  readonly after: string;
}

function encodePlace({ revision, after }: Place): string {
  return Buffer.from(JSON.stringify({ v: 'meta.k8s.io/v1', rv: revision, start: `${after}\0` })).toString('base64url');
}

function decodePlace(token: string): Place | undefined {
  try {
    const { v, rv, start } = JSON.parse(Buffer.from(token, 'base64url').toString()) as Record<string, unknown>;
    if (v !== 'meta.k8s.io/v1' || typeof rv !== 'number' || !Number.isInteger(rv) || rv < 0) return undefined;
    return typeof start === 'string' && start.endsWith('\0') ? { revision: rv, after: start.slice(0, -1) } : undefined;
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof TypeError) return undefined;
    throw error;
  }
}

export interface Page {
  readonly revision: number;
  readonly objects: KubeObject[];
  readonly continue?: string;
  /** Known only when no selector hides any. */
  readonly remaining?: number;
}

const byKey = (a: readonly [string, KubeObject], b: readonly [string, KubeObject]) => (a[0] < b[0] ? -1 : 1);

/** The page of a list that the options ask for. */
export function pageOf(
  store: Store,
  target: Target,
  options: ListOptions,
  selection: Selection,
): Result<Page, Refusal> {
  const place = options.continue === undefined ? undefined : decodePlace(options.continue);
  if (options.continue !== undefined && !place)
    return err(badRequest('continue key is not valid: it is no token of this server'));
  const asked = options.resourceVersion ?? 0;
  if (asked > store.revision) return err(tooLarge(asked, store.revision));
  const revision = place?.revision ?? (options.match === 'Exact' ? asked : store.revision);
  if (revision > store.revision)
    return err(expired('The provided continue parameter is not of this life of the server'));
  const state = objectsAt(store, storageName(target.resource), revision, target.namespace);
  if (!state) {
    return err(
      expired(
        place
          ? 'The provided continue parameter is too old to display a consistent list result. You must start a new list without the continue parameter.'
          : `The resourceVersion for the provided list is too old: ${revision}`,
      ),
    );
  }
  const keyed = state.filter(selection.matches).map((object) => [keyOf(object), object] as const);
  keyed.sort(byKey);
  const rest = place ? keyed.filter(([key]) => key > place.after) : keyed;
  const page = options.limit ? rest.slice(0, options.limit) : rest;
  const objects = page.map(([, object]) => object);
  if (page.length === rest.length) return ok({ revision, objects });
  const after = page.at(-1)![0];
  return ok({
    revision,
    objects,
    continue: encodePlace({ revision, after }),
    ...(!selection.filtered && { remaining: rest.length - page.length }),
  });
}

export const listObjects: Handler = (context, call, target) => {
  const options = readListOptions(call, false);
  if (!options.ok) return refuse(options.error, subjectOf(target));
  const selection = readSelection(context, call, target);
  if (!selection.ok) return refuse(selection.error, subjectOf(target));
  const page = pageOf(context.objects.store, target, options.value, selection.value);
  if (!page.ok) return refuse(page.error, subjectOf(target));
  return listReply(context, call, target, page.value);
};

/** A list in pieces, so that a long one is never one long string. */
export function listReply(context: ServerContext, call: Call, target: Target, page: Page): Reply {
  const presenter = presenterFor(context, call, target);
  const { head, entries } = presenter.frame;
  const metadata = {
    resourceVersion: String(page.revision),
    ...(page.continue && { continue: page.continue }),
    ...(page.remaining !== undefined && { remainingItemCount: page.remaining }),
  };
  const frame: JsonObject = { ...head, metadata };
  if (call.accept.format === 'yaml') {
    const body = writeYaml({ ...frame, [entries]: page.objects.map(presenter.entry) });
    return { type: 'bytes', code: 200, contentType: 'application/yaml', body };
  }
  const pretty = wantsPretty(call);
  const encode = (value: unknown) =>
    pretty ? JSON.stringify(value, null, 2).replaceAll('\n', '\n    ') : JSON.stringify(value);
  const [indent, between] = pretty ? ['\n  ', ',\n    '] : ['', ','];
  const opening = entriesOf(frame).map(([name, value]) => `${indent}${JSON.stringify(name)}:${encode(value)},`);
  async function run(response: ServerResponse): Promise<void> {
    response.writeHead(200, { 'content-type': 'application/json' });
    const writer = pacedWriter(response, context.limits);
    writer.write(`{${opening.join('')}${indent}"${entries}":[`);
    for (const [index, object] of page.objects.entries()) {
      writer.write((index > 0 ? between : pretty ? '\n    ' : '') + encode(presenter.entry(object)));
      if (!writer.ready) await writer.drained();
      if (!writer.open) return;
    }
    response.end(pretty ? `${indent}]\n}\n` : ']}\n');
  }
  return { type: 'stream', run };
}
