/** Lists a resource page by page; each page is handed over and forgotten before the next one is asked for. */
import { err, ok, type Result } from '../../base/result.ts';
import { apiVersionOf, type Resource } from '../resources.ts';
import type { KubeObject } from '../types/index.ts';
import type { ApiError } from './api-error.ts';
import type { KubeClient, Query } from './client.ts';
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
  readonly signal?: AbortSignal;
  readonly retries?: number;
  readonly onBytes?: (bytes: number) => void;
  readonly onPage: (objects: readonly KubeObject[], page: number) => void;
}

export interface Listed {
  /** To watch from. */
  readonly resourceVersion: string;
  readonly pages: number;
}

interface Page {
  readonly metadata?: { readonly continue?: string; readonly resourceVersion?: string };
  readonly items?: unknown;
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

function readItems(page: Page, { resource, version }: ListRequest): KubeObject[] {
  const items = Array.isArray(page?.items) ? page.items : [];
  return items.filter(isObject).map((item) => named(item, resource, version));
}

/**
 * All pages in order. An error in the middle (410: the server no longer has the rest) leaves what was handed over
 * with the caller.
 */
export async function listPages(request: ListRequest): Promise<Result<Listed, ApiError>> {
  const { client, resource, version, namespace, labelSelector, fieldSelector, signal, onBytes } = request;
  const path = resourcePath(resource, { version, namespace });
  let limit = request.limit ?? 500;
  let place: string | undefined;
  for (let pages = 0; ; ) {
    const query = { labelSelector, fieldSelector, limit, ...(place ? { continue: place } : request.query) };
    const page = await client.request<Page>({ path, query, signal, onBytes, retries: request.retries });
    if (!page.ok) {
      if (page.error.kind !== 'too-large' || limit <= 1) return page;
      limit = Math.ceil(limit / 2);
      continue;
    }
    request.onPage(readItems(page.value, request), pages++);
    place = page.value?.metadata?.continue;
    if (place) continue;
    const resourceVersion = page.value?.metadata?.resourceVersion;
    if (resourceVersion) return ok({ resourceVersion, pages });
    return err({ kind: 'malformed', message: `GET ${client.server}${path}: the list has no resourceVersion` });
  }
}
