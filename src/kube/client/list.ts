/**
 * Reads a cluster's objects once, page by page, into a store: what `explain --server` and its sisters ask. Resources
 * that the server does not serve are left out.
 */
import type { Resource, ResourceRegistry } from '../resources.ts';
import { apiVersionOf, resourceName } from '../resources.ts';
import type { Store } from '../store/store.ts';
import type { KubeObject } from '../types/index.ts';

export interface ListOptions {
  /** `http://127.0.0.1:8001`, without a path. */
  server: string;
  store: Store;
  registry: ResourceRegistry;
  /** Names of the resources to read. */
  resources: readonly string[];
  /** Objects a page. Default 500. */
  limit?: number;
  /** Milliseconds for one page. Default 10,000. */
  timeoutMs?: number;
}

interface Page {
  metadata?: { continue?: string };
  items?: KubeObject[];
}

/** The API could not be asked: unreachable, or it refused. */
export class ListError extends Error {}

function pathOf(resource: Resource): string {
  const version = apiVersionOf(resource);
  return `${resource.group ? '/apis/' : '/api/'}${version}/${resource.plural}`;
}

async function readPage(url: URL, timeoutMs: number): Promise<Page | undefined> {
  let response: Response;
  try {
    response = await fetch(url, { headers: { accept: 'application/json' }, signal: AbortSignal.timeout(timeoutMs) });
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause.message : String(error);
    throw new ListError(`cannot reach the Kubernetes API at ${url.origin}: ${cause}`);
  }
  if (response.status === 404) return undefined;
  if (!response.ok)
    throw new ListError(`${url.origin}${url.pathname}: ${response.status} ${(await response.text()).slice(0, 300)}`);
  return (await response.json()) as Page;
}

async function listResource(options: ListOptions, resource: Resource): Promise<void> {
  const url = new URL(pathOf(resource), options.server);
  url.searchParams.set('limit', String(options.limit ?? 500));
  for (;;) {
    const page = await readPage(url, options.timeoutMs ?? 10_000);
    // Items of a list carry no kind of their own on the wire.
    for (const item of page?.items ?? [])
      options.store.put(resourceName(resource), { ...item, apiVersion: apiVersionOf(resource), kind: resource.kind });
    const next = page?.metadata?.continue;
    if (!next) return;
    url.searchParams.set('continue', next);
  }
}

export async function listInto(options: ListOptions): Promise<void> {
  const known = options.resources.flatMap((name) => options.registry.byName(name) ?? []);
  await Promise.all(known.map((resource) => listResource(options, resource)));
}
