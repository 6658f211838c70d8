/**
 * What the server serves: whether a kind is there, and in which of the versions that we understand. Answers are kept
 * for a short while, so that all reflectors of a group ask once.
 */
import { err, ok, type Result } from '../../base/result.ts';
import type { Resource } from '../resources.ts';
import { type ApiError, isNotFound } from './api-error.ts';
import type { KubeClient } from './client.ts';
import { groupVersionPath } from './paths.ts';

export interface Discovery {
  /**
   * The first version of the resource that the server serves; undefined: it serves none of them, because the CRD is
   * missing or has other versions only.
   */
  servedVersion(resource: Resource): Promise<Result<string | undefined, ApiError>>;
}

export interface DiscoveryOptions {
  readonly client: KubeClient;
  /** Milliseconds that an answer is good for. Default 10,000. */
  readonly keepMs?: number;
  /** Attempts after the first. Default 0: reflectors try again by themselves. */
  readonly retries?: number;
}

/** The fields of an `APIResourceList` that are looked at. */
interface ResourceList {
  readonly resources?: readonly { readonly name?: string }[];
}

type Plurals = Result<ReadonlySet<string>, ApiError>;

export function createDiscovery({ client, keepMs = 10_000, retries = 0 }: DiscoveryOptions): Discovery {
  const { timing } = client;
  const kept = new Map<string, { readonly at: number; readonly plurals: Promise<Plurals> }>();

  async function ask(path: string): Promise<Plurals> {
    const list = await client.request<ResourceList>({ path, retries });
    if (!list.ok) return isNotFound(list.error) ? ok(new Set<string>()) : list;
    const names = Array.isArray(list.value?.resources) ? list.value.resources : [];
    return ok(new Set(names.flatMap(({ name }) => name ?? [])));
  }

  function pluralsOf(path: string): Promise<Plurals> {
    const known = kept.get(path);
    if (known && timing.monotonic() - known.at < keepMs) return known.plurals;
    const plurals = ask(path);
    kept.set(path, { at: timing.monotonic(), plurals });
    // Failures are not kept.
    plurals.then(({ ok: fine }) => fine || kept.delete(path));
    return plurals;
  }

  return {
    async servedVersion({ group, versions, plural }) {
      for (const version of versions) {
        const plurals = await pluralsOf(groupVersionPath(group, version));
        if (!plurals.ok) return err(plurals.error);
        if (plurals.value.has(plural)) return ok(version);
      }
      return ok(undefined);
    },
  };
}
