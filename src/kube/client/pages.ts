/**
 * Lists a resource page by page. Each object is handed over as soon as it has come, and nothing is kept of it: a list
 * costs the memory of one object, however large its pages are.
 */
import { err, ok, type Result } from '../../base/result.ts';
import { apiVersionOf, type Resource } from '../resources.ts';
import type { KubeObject } from '../types/index.ts';
import type { ApiError } from './api-error.ts';
import { type KubeClient, parseJson, type Query } from './client.ts';
import { createItemCutter } from './items.ts';
import { resourcePath } from './paths.ts';

export interface ListRequest {
  readonly client: KubeClient;
  readonly resource: Resource;
  /** Served version. Default the preferred one. */
  readonly version?: string;
  readonly namespace?: string;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
  /** Objects a page. Default 500. Halved when a page is larger than the client's bound on answers. */
  readonly limit?: number;
  /** More query parameters of the first page. */
  readonly query?: Query;
  /** Form of the answer that is asked for: see media.ts. Default whole objects. */
  readonly accept?: string;
  readonly signal?: AbortSignal;
  readonly retries?: number;
  readonly onBytes?: (bytes: number) => void;
  /** Bytes of one object. Default 8 MiB: etcd objects have at most 1.5. */
  readonly maxObjectBytes?: number;
  /** May hear of an object again when an attempt at a page failed and is repeated. */
  readonly onObject: (object: KubeObject) => void;
  readonly onPage?: () => void;
}

export interface Listed {
  /** To watch from. */
  readonly resourceVersion: string;
  readonly pages: number;
}

/** What stands around the items of a list. */
interface Envelope {
  readonly metadata?: { readonly continue?: string; readonly resourceVersion?: string };
}

/** True for what can be stored: an object with a name. */
export function isObject(value: unknown): value is KubeObject {
  const metadata = (value as { metadata?: unknown } | null)?.metadata as { name?: unknown } | null | undefined;
  return typeof metadata === 'object' && metadata !== null && typeof metadata.name === 'string';
}

/**
 * The object under the version that it was asked for in: items of a list carry none on the wire, and those of a watch
 * each have their own copy of the texts.
 */
export function named(object: KubeObject, resource: Resource, version?: string): KubeObject {
  return Object.assign(object, { apiVersion: apiVersionOf(resource, version), kind: resource.kind });
}

/** Reads one page; gives what stands around its items. */
async function readPage(request: ListRequest, query: Query): Promise<Result<Envelope, ApiError>> {
  const { client, resource, version, namespace, accept, signal, onBytes, retries } = request;
  const path = resourcePath(resource, { version, namespace });
  const malformed = (text: string) =>
    err<ApiError>({ kind: 'malformed', message: `GET ${client.server}${path}: ${text}` });
  const maxItemBytes = request.maxObjectBytes ?? 8 * 1024 * 1024;
  let cutter = createItemCutter({ maxItemBytes });

  function take(json: string): void {
    const item = parseJson(json);
    if (isObject(item)) request.onObject(named(item, resource, version));
  }
  const read = await client.read({ path, query, accept, signal, onBytes, retries }, () => {
    cutter = createItemCutter({ maxItemBytes });
    return (chunk) =>
      cutter.push(chunk, take) ? undefined : `the answer is no list, or an object is larger than ${maxItemBytes} bytes`;
  });
  if (!read.ok) return read;
  const envelope = parseJson(cutter.rest()) as Envelope | null | undefined;
  if (typeof envelope !== 'object' || envelope === null) return malformed('the answer is no JSON');
  if (!envelope.metadata?.resourceVersion) return malformed('the list has no resourceVersion');
  return ok(envelope);
}

/**
 * All pages in order. An error in the middle (410: the server no longer has the rest) leaves what was handed over
 * with the caller.
 */
export async function listPages(request: ListRequest): Promise<Result<Listed, ApiError>> {
  const { labelSelector, fieldSelector } = request;
  let limit = request.limit ?? 500;
  let place: string | undefined;
  for (let pages = 0; ; ) {
    const query = { labelSelector, fieldSelector, limit, ...(place ? { continue: place } : request.query) };
    const page = await readPage(request, query);
    if (!page.ok) {
      if (page.error.kind !== 'too-large' || limit <= 1) return page;
      limit = Math.ceil(limit / 2);
      continue;
    }
    pages++;
    request.onPage?.();
    place = page.value.metadata?.continue;
    if (!place) return ok({ resourceVersion: page.value.metadata!.resourceVersion!, pages });
  }
}
