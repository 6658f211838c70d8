/**
 * Reads a cluster's objects once into a store: what `explain --server` and its sisters ask. Resources that the server
 * does not serve are left out.
 */
import { ok, type Result } from '../../base/result.ts';
import { type Resource, type ResourceRegistry, resourceName } from '../resources.ts';
import type { Store } from '../store/store.ts';
import { type ApiError, isNotFound } from './api-error.ts';
import type { KubeClient } from './client.ts';
import { createDiscovery, type Discovery } from './discovery.ts';
import { listPages } from './pages.ts';

export interface ListOptions {
  readonly client: KubeClient;
  readonly store: Pick<Store, 'put'>;
  readonly registry: ResourceRegistry;
  /** Names of the resources to read. */
  readonly resources: readonly string[];
}

async function listResource(
  { client, store }: ListOptions,
  discovery: Discovery,
  resource: Resource,
): Promise<Result<unknown, ApiError>> {
  const version = await discovery.servedVersion(resource);
  if (!version.ok) return version;
  if (version.value === undefined) return ok(undefined);
  const listed = await listPages({
    client,
    resource,
    version: version.value,
    retries: 1,
    onObject: (object) => store.put(resourceName(resource), object),
  });
  return !listed.ok && isNotFound(listed.error) ? ok(undefined) : listed;
}

/** The first error of any resource, if there is one; what could be read is in the store all the same. */
export async function listInto(options: ListOptions): Promise<Result<void, ApiError>> {
  const known = options.resources.flatMap((name) => options.registry.byName(name) ?? []);
  const discovery = createDiscovery({ client: options.client, retries: 1 });
  const results = await Promise.all(known.map((resource) => listResource(options, discovery, resource)));
  const failed = results.find((result) => !result.ok);
  return failed && !failed.ok ? failed : ok(undefined);
}
