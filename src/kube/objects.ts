/**
 * Writing objects the way an API server does: admission (defaults, pruning, validation), metadata, optimistic
 * concurrency, generations, finalizers. The API server, the manifest loader and the controllers of the local cluster
 * all write through this, so an object is held to the same rules whatever its way in.
 */

import { randomUUID } from 'node:crypto';
import { blank } from '../base/blank.ts';
import type { Clock } from '../base/clock.ts';
import { systemClock, toKubeTime } from '../base/clock.ts';
import { err, ok, type Result } from '../base/result.ts';
import { toStoredForm } from './events.ts';
import type { JsonObject } from './patch/json.ts';
import {
  apiVersionOf,
  keyOf,
  type Resource,
  type ResourceName,
  type ResourceRegistry,
  resourceName,
} from './resources.ts';
import type { Store } from './store/store.ts';
import type { KubeObject, Unstructured } from './types/index.ts';

/** One fault of one field, as `field.Error` of apimachinery. */
export interface FieldError {
  /** `spec.ports[0].port`; '' for the object itself. */
  field: string;
  reason:
    | 'FieldValueInvalid'
    | 'FieldValueRequired'
    | 'FieldValueForbidden'
    | 'FieldValueDuplicate'
    | 'FieldValueNotSupported'
    | 'FieldValueTooLong'
    | 'FieldValueTypeInvalid';
  message: string;
}

export interface ApiError {
  /** HTTP status: 400, 404, 409, 422… */
  code: number;
  /** metav1.StatusReason: NotFound, AlreadyExists, Conflict, Invalid, BadRequest, Forbidden… */
  reason: string;
  message: string;
  causes?: FieldError[];
}

export interface AdmissionRequest {
  operation: 'create' | 'update';
  resource: Resource;
  object: Unstructured;
  /** The stored object, on update. */
  previous?: Unstructured;
  /** Set when only status is written. */
  subresource?: 'status';
}

export interface AdmissionResult {
  /** Defaulted and pruned. */
  object: Unstructured;
  errors: FieldError[];
  /** Sent to clients as Warning headers. */
  warnings: string[];
}

export type Admission = (request: AdmissionRequest) => AdmissionResult;

export interface WriteOptions {
  subresource?: 'status';
  /** Check everything, write nothing. */
  dryRun?: boolean;
}

export interface Written<T> {
  object: T;
  warnings: string[];
}

export interface ObjectApi {
  readonly store: Store;
  readonly registry: ResourceRegistry;
  /** Refuses with AlreadyExists, Invalid, NotFound (no such namespace). `metadata.generateName` is honoured. */
  create<T extends KubeObject>(object: T, options?: WriteOptions): Result<Written<T>, ApiError>;
  /**
   * Replaces an object. With `metadata.resourceVersion` set, refuses with Conflict when it is not the stored one.
   * A write that changes nothing writes nothing. With `subresource: 'status'` only `status` is taken over; without,
   * `status` stays as stored where the resource has a status subresource.
   */
  update<T extends KubeObject>(object: T, options?: WriteOptions): Result<Written<T>, ApiError>;
  /**
   * Deletes, or sets `deletionTimestamp` while finalizers remain. Pods get `deletionTimestamp` first when
   * `graceSeconds` is above zero; whoever runs them removes them.
   */
  delete(
    resource: ResourceName,
    key: string,
    options?: { graceSeconds?: number; dryRun?: boolean; preconditions?: { uid?: string; resourceVersion?: string } },
  ): Result<KubeObject, ApiError>;
}

export interface ObjectApiOptions {
  store: Store;
  registry: ResourceRegistry;
  admit: Admission;
  clock?: Clock;
  /** Refuse objects of namespaces that do not exist (as a cluster does) or let a controller create them. Default false. */
  requireNamespace?: boolean;
}

const alphabet = 'bcdfghjklmnpqrstvwxz2456789';

/** Suffix of `generateName`, in the alphabet of apimachinery's `rand.String`. */
export function randomSuffix(length = 5): string {
  let out = '';
  for (let i = 0; i < length; i++) out += alphabet[Math.floor(Math.random() * alphabet.length)];
  return out;
}

/** In one piece: that of `randomUUID` is put together of twenty, which an object would hold on to. */
function newUid(): string {
  return Buffer.from(randomUUID(), 'latin1').toString('latin1');
}

function invalid(resource: Resource, name: string, causes: FieldError[]): ApiError {
  const details = causes.map((cause) => (cause.field ? `${cause.field}: ${cause.message}` : cause.message)).join(', ');
  const kind = resource.group ? `${resource.kind}.${resource.group}` : resource.kind;
  return {
    code: 422,
    reason: 'Invalid',
    message: `${kind} "${name}" is invalid: ${causes.length > 1 ? `[${details}]` : details}`,
    causes,
  };
}

export function notFound(resource: ResourceName, name: string): ApiError {
  return { code: 404, reason: 'NotFound', message: `${resource} "${name}" not found` };
}

/** Deep equality of JSON values; key order does not count, and a field that is undefined counts as absent. */
export function equalJson(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (Array.isArray(a)) return Array.isArray(b) && a.length === b.length && a.every((item, i) => equalJson(item, b[i]));
  if (Array.isArray(b)) return false;
  const left = a as Record<string, unknown>;
  const right = b as Record<string, unknown>;
  // Loops that allocate nothing: every write compares whole objects.
  let fields = 0;
  for (const key in left) {
    if (left[key] === undefined) continue;
    if (!equalJson(left[key], right[key])) return false;
    fields++;
  }
  for (const key in right) if (right[key] !== undefined) fields--;
  return fields === 0;
}

/** managedFields without their times: a manager that comes to own a field is a change, the hour alone is not. */
function owners(object: Unstructured): unknown[] | undefined {
  return object.metadata.managedFields?.map((entry) => ({ ...(entry as object), time: undefined }));
}

/** Equality of two objects' fields but for some of them. */
function equalBut(skipped: ReadonlySet<string>, a: object, b: object): boolean {
  const left = a as Record<string, unknown>;
  const right = b as Record<string, unknown>;
  for (const key in left) if (!skipped.has(key) && !equalJson(left[key], right[key])) return false;
  for (const key in right) if (!skipped.has(key) && right[key] !== undefined && !Object.hasOwn(left, key)) return false;
  return true;
}

const metadataOnly = new Set(['metadata']);
const versionAndOwners = new Set(['resourceVersion', 'managedFields']);
const metadataAndStatus = new Set(['metadata', 'status']);

const sameOwners = (a: Unstructured, b: Unstructured) =>
  a.metadata.managedFields === b.metadata.managedFields || equalJson(owners(a), owners(b));

/** Equality but for what every write changes. */
function sameContent(a: Unstructured, b: Unstructured): boolean {
  return equalBut(metadataOnly, a, b) && equalBut(versionAndOwners, a.metadata, b.metadata) && sameOwners(a, b);
}

/** True when something outside metadata and status changed: what counts as a new generation. */
function specChanged(a: Unstructured, b: Unstructured): boolean {
  return !equalBut(metadataAndStatus, a, b);
}

/** Of kinds with two forms, the one that is kept. */
function storedForm<T extends KubeObject>(object: T): T {
  return toStoredForm(object as unknown as JsonObject) as unknown as T;
}

export function createObjectApi(options: ObjectApiOptions): ObjectApi {
  const { store, registry, admit } = options;
  const clock = options.clock ?? systemClock;

  function resourceOf(object: KubeObject): Resource | ApiError {
    return (
      registry.ofKind(object.apiVersion, object.kind) ?? {
        code: 404,
        reason: 'NotFound',
        message: `no matches for kind "${object.kind}" in version "${object.apiVersion}"`,
      }
    );
  }

  return {
    store,
    registry,
    create<T extends KubeObject>(sent: T, write: WriteOptions = {}) {
      const given = storedForm(sent);
      const resource = resourceOf(given);
      if ('code' in resource) return err(resource);
      // Admission may write the uid into other fields: the selector of a Job.
      const metadata = { ...blank, ...given.metadata, uid: given.metadata.uid ?? newUid() };
      if (!metadata.name && metadata.generateName) metadata.name = metadata.generateName + randomSuffix();
      if (resource.namespaced) metadata.namespace ??= 'default';
      else delete metadata.namespace;
      if (metadata.resourceVersion)
        return err<ApiError>({
          code: 400,
          reason: 'BadRequest',
          message: 'resourceVersion should not be set on objects to be created',
        });
      // Admitted by the schema of the version it came in, stored under the preferred one.
      const object = { ...blank, ...given, metadata } as unknown as Unstructured;
      if (options.requireNamespace && resource.namespaced && !store.get('namespaces', metadata.namespace!))
        return err(notFound('namespaces', metadata.namespace!));
      const name = resourceName(resource);
      if (metadata.name && store.get(name, keyOf(object))) {
        return err<ApiError>({
          code: 409,
          reason: 'AlreadyExists',
          message: `${name} "${metadata.name}" already exists`,
        });
      }
      const admitted = admit({ operation: 'create', resource, object });
      if (admitted.errors.length > 0) return err(invalid(resource, metadata.name, admitted.errors));
      const stamped: Unstructured = {
        ...blank,
        ...admitted.object,
        apiVersion: apiVersionOf(resource),
        metadata: {
          ...blank,
          ...admitted.object.metadata,
          uid: metadata.uid,
          creationTimestamp: metadata.creationTimestamp ?? toKubeTime(clock.now()),
        },
      };
      if (resource.generation === false) delete stamped.metadata.generation;
      else stamped.metadata.generation = 1;
      delete stamped.metadata.deletionTimestamp;
      const stored = write.dryRun ? stamped : store.put(name, stamped);
      return ok({ object: stored as unknown as T, warnings: admitted.warnings });
    },

    update<T extends KubeObject>(sent: T, write: WriteOptions = {}) {
      const given = storedForm(sent);
      const resource = resourceOf(given);
      if ('code' in resource) return err(resource);
      const name = resourceName(resource);
      const { generation: _counted, ...metadata } = given.metadata;
      if (resource.namespaced) metadata.namespace ??= 'default';
      else delete metadata.namespace;
      const previous = store.get<Unstructured>(name, keyOf({ metadata }));
      if (!previous) return err(notFound(name, metadata.name));
      if (metadata.resourceVersion && metadata.resourceVersion !== previous.metadata.resourceVersion) {
        return err<ApiError>({
          code: 409,
          reason: 'Conflict',
          message: `Operation cannot be fulfilled on ${name} "${metadata.name}": the object has been modified; please apply your changes to the latest version and try again`,
        });
      }
      if (metadata.uid && metadata.uid !== previous.metadata.uid) {
        return err<ApiError>({
          code: 409,
          reason: 'Conflict',
          message: `Precondition failed: UID in precondition: ${metadata.uid}, UID in object meta: ${previous.metadata.uid}`,
        });
      }
      const { uid, creationTimestamp, deletionTimestamp, deletionGracePeriodSeconds, generation } = previous.metadata;
      const kept = {
        uid,
        creationTimestamp,
        ...(generation !== undefined && { generation }),
        ...(deletionTimestamp && { deletionTimestamp }),
        ...(deletionGracePeriodSeconds !== undefined && { deletionGracePeriodSeconds }),
      };
      // A writer that says nothing of managedFields (a manifest, a controller) leaves them as they are.
      const { managedFields } = previous.metadata;
      const keptOwners = metadata.managedFields === undefined && managedFields ? { managedFields } : {};
      const source = given as unknown as Unstructured;
      const next: Unstructured =
        write.subresource === 'status'
          ? {
              ...blank,
              ...previous,
              status: source.status,
              metadata: metadata.managedFields
                ? { ...previous.metadata, managedFields: metadata.managedFields }
                : previous.metadata,
            }
          : {
              ...blank,
              ...source,
              metadata: { ...blank, ...metadata, ...kept, ...keptOwners },
              ...(resource.status && { status: previous.status }),
            };
      if (next.status === undefined) delete next.status;
      const admitted = admit({
        operation: 'update',
        resource,
        object: next,
        previous,
        ...(write.subresource && { subresource: write.subresource }),
      });
      if (admitted.errors.length > 0) return err(invalid(resource, metadata.name, admitted.errors));
      const result: Unstructured = { ...admitted.object, apiVersion: apiVersionOf(resource) };
      const unchanged =
        write.subresource === 'status'
          ? equalJson(result.status, previous.status) && sameOwners(result, previous)
          : sameContent(result, previous);
      if (unchanged) return ok({ object: previous as unknown as T, warnings: admitted.warnings });
      const stamped: Unstructured = { ...blank, ...result, metadata: { ...blank, ...result.metadata } };
      if (write.subresource !== 'status' && resource.generation !== false && specChanged(result, previous))
        stamped.metadata.generation = (generation ?? 0) + 1;
      if (write.dryRun) return ok({ object: stamped as unknown as T, warnings: admitted.warnings });
      if (
        deletionTimestamp &&
        !stamped.metadata.finalizers?.length &&
        resource.kind !== 'Pod' &&
        resource.kind !== 'Namespace'
      ) {
        const removed = store.remove(name, keyOf(stamped)) ?? stamped;
        return ok({ object: removed as unknown as T, warnings: admitted.warnings });
      }
      return ok({ object: store.put(name, stamped) as unknown as T, warnings: admitted.warnings });
    },

    delete(name, key, deletion = {}) {
      const object = store.get<Unstructured>(name, key);
      if (!object) return err(notFound(name, key.slice(key.indexOf('/') + 1)));
      const wanted = deletion.preconditions;
      if (
        (wanted?.uid && wanted.uid !== object.metadata.uid) ||
        (wanted?.resourceVersion && wanted.resourceVersion !== object.metadata.resourceVersion)
      ) {
        return err<ApiError>({
          code: 409,
          reason: 'Conflict',
          message: `Operation cannot be fulfilled on ${name} "${object.metadata.name}": precondition failed`,
        });
      }
      if (deletion.dryRun) return ok<KubeObject>(object);
      const grace = deletion.graceSeconds ?? 0;
      const lingers =
        (object.metadata.finalizers?.length ?? 0) > 0 || name === 'namespaces' || (name === 'pods' && grace > 0);
      if (!lingers) return ok(store.remove(name, key)!);
      if (object.metadata.deletionTimestamp) return ok<KubeObject>(object);
      const marked: Unstructured = {
        ...blank,
        ...object,
        metadata: {
          ...blank,
          ...object.metadata,
          deletionTimestamp: toKubeTime(clock.now() + grace * 1000),
          deletionGracePeriodSeconds: grace,
        },
        ...(name === 'namespaces' && { status: { phase: 'Terminating' } }),
      };
      return ok<KubeObject>(store.put(name, marked));
    },
  };
}
