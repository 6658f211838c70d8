/** A bound on the Pods of the local cluster, so that `replicas: 1000000` is a finding and not the end of the process. */
import { diagnostic } from '../../base/diagnostics/index.ts';
import { refOf } from '../../kube/resources.ts';
import type { StoreReader } from '../../kube/store/store.ts';
import type { KubeObject, Pod } from '../../kube/types/index.ts';
import type { ControllerContext } from './context.ts';

export interface PodLimit {
  readonly max: number;
  full(): boolean;
  /** Calls back once when there is room again; one callback per key is kept. */
  whenRoom(key: string, retry: () => void): void;
  close(): void;
}

export function createPodLimit(store: StoreReader, max: number): PodLimit {
  let count = store.list('pods').length;
  const waiting = new Map<string, () => void>();
  const unsubscribe = store.subscribe(({ resource, type }) => {
    if (resource !== 'pods') return;
    if (type === 'ADDED') count++;
    if (type !== 'DELETED') return;
    count--;
    const retries = [...waiting.values()];
    waiting.clear();
    for (const retry of retries) retry();
  });
  return {
    max,
    full: () => count >= max,
    whenRoom: (key, retry) => waiting.set(key, retry),
    close: unsubscribe,
  };
}

/** A workload that has all its Pods is no longer held up. */
export function forgetPodLimit(ctx: ControllerContext, owner: KubeObject): void {
  ctx.findings.set('pod limit', refOf(owner), []);
}

/** Creates a Pod of a workload, unless the cluster is full; then the workload is tried again when there is room. */
export function createPod(ctx: ControllerContext, owner: KubeObject, pod: Pod, retry: () => void): Pod | undefined {
  if (!ctx.podLimit.full()) return ctx.write.create(pod, owner);
  const ref = refOf(owner);
  const message = `Pod ${pod.metadata.name} was not made: the limit is ${ctx.podLimit.max} Pods`;
  ctx.findings.set('pod limit', ref, [diagnostic('FW1508', { message, object: ref, fieldPath: 'spec.replicas' })]);
  ctx.podLimit.whenRoom(`${ref.kind} ${ref.namespace}/${ref.name}`, retry);
  return undefined;
}
