/** Objects of one resource, read and written one at a time. */
import type { Result } from '../../base/result.ts';
import { apiVersionOf, type Resource } from '../resources.ts';
import type { KubeObject } from '../types/index.ts';
import type { ApiError } from './api-error.ts';
import type { ApiRequest, KubeClient, Method } from './client.ts';
import { type PathParts, resourcePath } from './paths.ts';

export interface ObjectName {
  /** Default that of the client, for namespaced resources. */
  readonly namespace?: string;
  readonly name: string;
}

export interface WriteOptions {
  /** Named in `metadata.managedFields`. */
  readonly fieldManager?: string;
  readonly signal?: AbortSignal;
}

export interface PatchOptions extends WriteOptions {
  /** `status`, `scale`. */
  readonly subresource?: string;
}

export interface ApplyOptions extends PatchOptions {
  readonly fieldManager: string;
  /** Take over fields that others manage instead of failing with a conflict. Default false. */
  readonly force?: boolean;
}

export interface DeleteOptions {
  readonly signal?: AbortSignal;
  readonly propagationPolicy?: 'Foreground' | 'Background' | 'Orphan';
  /** Delete only this very object. */
  readonly uid?: string;
}

export type ObjectResult<T> = Promise<Result<T, ApiError>>;

export interface ResourceClient<T extends KubeObject> {
  get(name: ObjectName, signal?: AbortSignal): ObjectResult<T>;
  create(object: T, options?: WriteOptions): ObjectResult<T>;
  /** Fails with Conflict when `metadata.resourceVersion` is not the newest one. */
  update(object: T, options?: PatchOptions): ObjectResult<T>;
  updateStatus(object: T, options?: WriteOptions): ObjectResult<T>;
  /** JSON merge patch (RFC 7386). */
  mergePatch(name: ObjectName, change: object, options?: PatchOptions): ObjectResult<T>;
  /** JSON patch (RFC 6902). */
  jsonPatch(name: ObjectName, operations: readonly object[], options?: PatchOptions): ObjectResult<T>;
  /** Server-side apply: `object` holds the fields that the manager wants, and no others. */
  apply(object: ObjectFields, options: ApplyOptions): ObjectResult<T>;
  /** The object, when finalizers keep it; else a `Status`. */
  delete(name: ObjectName, options?: DeleteOptions): ObjectResult<unknown>;
}

/** An object with any of its fields: what apply takes. */
export interface ObjectFields {
  readonly metadata: ObjectName;
  readonly [field: string]: unknown;
}

/** `version`: the served one to speak (see discovery.ts); default the resource's preferred one. */
export function createResourceClient<T extends KubeObject>(
  client: KubeClient,
  resource: Resource,
  version: string = resource.versions[0]!,
): ResourceClient<T> {
  const pathOf = ({ namespace = client.namespace, ...rest }: PathParts) =>
    resourcePath(resource, { ...rest, version, ...(resource.namespaced && { namespace }) });

  function send<R = T>(method: Method, parts: PathParts, rest: Partial<ApiRequest> = {}): ObjectResult<R> {
    return client.request<R>({ method, path: pathOf(parts), ...rest });
  }

  const writing = ({ fieldManager, signal }: WriteOptions): Partial<ApiRequest> => ({
    query: { fieldManager },
    ...(signal && { signal }),
  });

  function patch(name: ObjectName, body: object, contentType: string, options: PatchOptions): ObjectResult<T> {
    const { subresource } = options;
    return send('PATCH', { ...name, subresource }, { body, contentType, ...writing(options) });
  }

  function update(object: T, { subresource, ...options }: PatchOptions = {}): ObjectResult<T> {
    const { name, namespace } = object.metadata;
    return send('PUT', { name, namespace, subresource }, { body: object, ...writing(options) });
  }

  return {
    get: (name, signal) => send('GET', name, { ...(signal && { signal }) }),
    create: (object, options = {}) =>
      send('POST', { namespace: object.metadata.namespace }, { body: object, ...writing(options) }),
    update,
    updateStatus: (object, options = {}) => update(object, { ...options, subresource: 'status' }),
    mergePatch: (name, change, options = {}) => patch(name, change, 'application/merge-patch+json', options),
    jsonPatch: (name, operations, options = {}) => patch(name, operations, 'application/json-patch+json', options),
    apply(object, { force, subresource, ...options }) {
      const { name, namespace } = object.metadata;
      return send(
        'PATCH',
        { name, namespace, subresource },
        {
          body: { apiVersion: apiVersionOf(resource, version), kind: resource.kind, ...object },
          contentType: 'application/apply-patch+yaml',
          query: { fieldManager: options.fieldManager, force: force || undefined },
          ...(options.signal && { signal: options.signal }),
        },
      );
    },
    delete: (name, { signal, propagationPolicy, uid } = {}) =>
      send<unknown>('DELETE', name, {
        body: { apiVersion: 'v1', kind: 'DeleteOptions', propagationPolicy, ...(uid && { preconditions: { uid } }) },
        ...(signal && { signal }),
      }),
  };
}
