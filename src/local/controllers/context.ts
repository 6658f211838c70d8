/** What every controller of the local cluster works with. */
import { type Clock, toKubeTime } from '../../base/clock.ts';
import { diagnostic } from '../../base/diagnostics/index.ts';
import type { Result } from '../../base/result.ts';
import { type ApiError, equalJson, type ObjectApi, type Written } from '../../kube/objects.ts';
import { keyOf, refOf, resourceName } from '../../kube/resources.ts';
import type { Store } from '../../kube/store/store.ts';
import type { KubeObject } from '../../kube/types/index.ts';
import type { ClusterConfig } from '../config.ts';
import type { Findings } from './findings.ts';
import type { PodLimit } from './pod-limit.ts';

export interface ControllerContext {
  readonly objects: ObjectApi;
  readonly store: Store;
  readonly config: ClusterConfig;
  /** Now, as `metav1.Time`. */
  readonly now: () => string;
  readonly findings: Findings;
  readonly write: Writer;
  readonly podLimit: PodLimit;
  readonly onError: (error: unknown, key: string) => void;
}

/** `metav1.Time` of now. */
export function kubeTimeOf(clock: Clock): () => string {
  return () => toKubeTime(clock.now());
}

/** Writes that turn a refusal into a finding about the object that wanted the write. */
export interface Writer {
  /** `on` is the object that wants the new one; default: the new one itself. */
  create<T extends KubeObject>(object: T, on?: KubeObject): T | undefined;
  update<T extends KubeObject>(object: T): T | undefined;
  updateStatus<T extends KubeObject>(object: T): T | undefined;
  /** Pods go after their grace period (0 when `graceSeconds` says so), all else at once. */
  remove(resource: string, object: KubeObject, graceSeconds?: number): void;
}

interface WithStatus {
  status?: unknown;
}

export function createWriter(objects: ObjectApi, findings: Findings): Writer {
  function outcome<T extends KubeObject>(
    verb: string,
    written: Result<Written<T>, ApiError>,
    object: KubeObject,
    on: KubeObject,
  ): T | undefined {
    const what = `${verb} ${object.kind}`;
    if (written.ok) {
      findings.set(what, refOf(on), []);
      return written.value.object;
    }
    const message = `could not ${verb} ${object.kind} ${object.metadata.name}: ${written.error.message}`;
    findings.set(what, refOf(on), [diagnostic('FW1509', { message, object: refOf(on) })]);
    return undefined;
  }

  // Most reconciling finds nothing to change: that is seen here, before admission looks at the whole object.
  function storedOf<T extends KubeObject>(object: T): T | undefined {
    const resource = objects.registry.ofKind(object.apiVersion, object.kind);
    return resource && objects.store.get<T>(resourceName(resource), keyOf(object));
  }

  return {
    create: (object, on = object) => outcome('create', objects.create(object), object, on),
    update(object) {
      const stored = storedOf(object);
      if (stored && equalJson(stored, object)) return stored;
      return outcome('update', objects.update(object), object, object);
    },
    updateStatus(object) {
      const stored = storedOf(object);
      if (stored && equalJson((stored as WithStatus).status, (object as WithStatus).status)) return stored;
      return outcome('update the status of', objects.update(object, { subresource: 'status' }), object, object);
    },
    remove(resource, object, graceSeconds) {
      const { namespace, name, uid } = object.metadata;
      const spec = (object as { spec?: { terminationGracePeriodSeconds?: number } }).spec;
      const grace = resource === 'pods' ? (graceSeconds ?? spec?.terminationGracePeriodSeconds ?? 30) : 0;
      // Gone already, or another object of that name now: both leave nothing to delete.
      objects.delete(resource, namespace ? `${namespace}/${name}` : name, {
        graceSeconds: grace,
        ...(uid && { preconditions: { uid } }),
      });
    },
  };
}
