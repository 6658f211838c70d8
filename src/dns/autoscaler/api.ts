/** What the autoscaler reads from and writes to a Kubernetes API. */
import { err, ok, type Result } from '../../base/result.ts';
import { type ApiError, isAlreadyExists, isConflict, isNotFound } from '../../kube/client/api-error.ts';
import type { KubeClient } from '../../kube/client/client.ts';
import { resourcePath } from '../../kube/client/paths.ts';
import { createResourceClient } from '../../kube/client/resource-client.ts';
import { createResourceRegistry, resourceName } from '../../kube/resources.ts';
import type { KubeObject } from '../../kube/types/index.ts';
import type { ScaleTarget } from './targets.ts';

interface ConfigMap extends KubeObject {
  readonly data?: Readonly<Record<string, string>>;
}

/** `autoscaling/v1`. */
interface Scale extends KubeObject {
  /** Left out when it is 0. */
  readonly spec?: { readonly replicas?: number };
}

export interface ParamsRead {
  readonly data: Readonly<Record<string, string>>;
  readonly version: string;
  readonly created: boolean;
}

export interface AutoscalerApi {
  /** The ConfigMap's data; makes it from `defaults` when it is not there. */
  params(signal: AbortSignal): Promise<Result<ParamsRead, ApiError>>;
  /** Sets a target's replicas; tells how many it wanted before. */
  scale(target: ScaleTarget, replicas: number, signal: AbortSignal): Promise<Result<number, ApiError>>;
}

export interface AutoscalerApiOptions {
  readonly client: KubeClient;
  readonly namespace: string;
  readonly configMap: string;
  /** Data of a ConfigMap that is to be made; none is made without it. */
  readonly defaults?: Readonly<Record<string, string>>;
}

const fieldManager = 'fairway-dns-autoscaler';

export function createAutoscalerApi({
  client,
  namespace,
  configMap: name,
  defaults,
}: AutoscalerApiOptions): AutoscalerApi {
  const registry = createResourceRegistry();
  const configMaps = createResourceClient<ConfigMap>(client, registry.byName('configmaps')!);

  const paramsOf = ({ data = {}, metadata }: ConfigMap, created: boolean): ParamsRead => ({
    ...{ data, created },
    version: `${metadata.uid ?? ''}/${metadata.resourceVersion ?? ''}`,
  });

  async function create(signal: AbortSignal): Promise<Result<ParamsRead, ApiError>> {
    const made = await configMaps.create(
      { apiVersion: 'v1', kind: 'ConfigMap', metadata: { namespace, name }, data: { ...defaults } },
      { fieldManager, signal },
    );
    if (made.ok) return ok(paramsOf(made.value, true));
    // Another replica was faster: its ConfigMap is as good.
    const found = isAlreadyExists(made.error) ? await configMaps.get({ namespace, name }, signal) : made;
    return found.ok ? ok(paramsOf(found.value, false)) : found;
  }

  function scaleRequest(target: ScaleTarget, signal: AbortSignal, body?: Scale) {
    const { resource: plural, group, namespace: place, name: named } = target;
    const path = resourcePath(registry.byName(resourceName({ group, plural }))!, {
      ...{ namespace: place, name: named, subresource: 'scale' },
    });
    const write = body && { method: 'PUT' as const, body, query: { fieldManager } };
    return client.request<Scale>({ path, signal, ...write });
  }

  /** One attempt; a conflict says that somebody changed the target in between. */
  async function scaleOnce(
    target: ScaleTarget,
    replicas: number,
    signal: AbortSignal,
  ): Promise<Result<number, ApiError>> {
    const found = await scaleRequest(target, signal);
    if (!found.ok) return found;
    const before = found.value.spec?.replicas ?? 0;
    if (before === replicas) return ok(before);
    const written = await scaleRequest(target, signal, { ...found.value, spec: { replicas } });
    return written.ok ? ok(before) : err(written.error);
  }

  return {
    async params(signal) {
      const found = await configMaps.get({ namespace, name }, signal);
      if (found.ok) return ok(paramsOf(found.value, false));
      return defaults && isNotFound(found.error) ? create(signal) : found;
    },
    async scale(target, replicas, signal) {
      const first = await scaleOnce(target, replicas, signal);
      return first.ok || !isConflict(first.error) ? first : scaleOnce(target, replicas, signal);
    },
  };
}
