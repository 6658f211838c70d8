/** Pods of a workload: claiming them by selector, making them from a template, judging them. */
import { blank } from '../../base/blank.ts';
import { diagnostic } from '../../base/diagnostics/index.ts';
import { refOf } from '../../kube/resources.ts';
import { matchesLabelSelector } from '../../kube/selectors.ts';
import type {
  KubeObject,
  LabelSelector,
  OwnerReference,
  Pod,
  PodSpec,
  PodTemplateSpec,
} from '../../kube/types/index.ts';
import type { ControllerContext } from './context.ts';
import { controlledBy, orphansIn } from './indexes.ts';

export function controllerReference(owner: KubeObject): OwnerReference {
  return {
    apiVersion: owner.apiVersion,
    kind: owner.kind,
    name: owner.metadata.name,
    uid: owner.metadata.uid!,
    controller: true,
    blockOwnerDeletion: true,
  };
}

/** Neither finished nor going: counts as one of the replicas. */
export function isActive(pod: Pod): boolean {
  return !pod.metadata.deletionTimestamp && pod.status?.phase !== 'Succeeded' && pod.status?.phase !== 'Failed';
}

export function isReady(pod: Pod): boolean {
  return pod.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') ?? false;
}

/**
 * Whether the kubelet has written its first status. Until then nothing is known of a Pod, for a moment: who waits for
 * that writes once what would else be written twice.
 */
export function isTakenUp(pod: Pod): boolean {
  return pod.status?.hostIP !== undefined;
}

/** Takes over matching objects that have no controller, lets go of those that no longer match; returns what it controls. */
export function claim<T extends KubeObject>(
  ctx: ControllerContext,
  resource: string,
  owner: KubeObject,
  selector: LabelSelector,
): T[] {
  const owned = controlledBy<T>(ctx.store, resource, owner).flatMap((object): T[] => {
    if (object.metadata.deletionTimestamp || matchesLabelSelector(selector, object.metadata.labels)) return [object];
    const ownerReferences = object.metadata.ownerReferences?.filter(({ uid }) => uid !== owner.metadata.uid);
    ctx.write.update<T>({ ...object, metadata: { ...object.metadata, ownerReferences } });
    return [];
  });
  if (owner.metadata.deletionTimestamp) return owned;
  const adopted = orphansIn<T>(ctx.store, resource, owner.metadata.namespace!).flatMap((object): T[] => {
    const { metadata } = object;
    if (metadata.deletionTimestamp || !matchesLabelSelector(selector, metadata.labels)) return [];
    const ownerReferences = [...(metadata.ownerReferences ?? []), controllerReference(owner)];
    return [ctx.write.update<T>({ ...object, metadata: { ...metadata, ownerReferences } }) ?? object];
  });
  return [...owned, ...adopted];
}

/**
 * Whether Pods of the template would belong to the workload; a finding says so if not. Without the check, a workload
 * whose Pods it does not select would make them without end.
 */
export function canMakePods(
  ctx: ControllerContext,
  owner: KubeObject,
  selector: LabelSelector | undefined,
  template: PodTemplateSpec | undefined,
): boolean {
  const fits = template?.spec !== undefined && matchesLabelSelector(selector, template.metadata?.labels);
  const message = template?.spec ? 'the labels of the Pod template do not match the selector' : 'has no Pod template';
  const fieldPath = template?.spec ? 'spec.template.metadata.labels' : 'spec.template';
  const found = fits ? [] : [diagnostic('FW1507', { message, object: refOf(owner), fieldPath })];
  ctx.findings.set('template', refOf(owner), found);
  return fits;
}

export interface NewPod {
  name: string;
  generateName?: string;
  labels?: Record<string, string>;
  nodeName: string;
  spec?: Partial<PodSpec>;
}

/** By the spec of a template: the one that all its Pods share, which saves admission and memory. */
const scheduled = new WeakMap<PodSpec, PodSpec>();

function specOn(nodeName: string, spec: PodSpec): PodSpec {
  const known = scheduled.get(spec);
  if (known?.nodeName === nodeName) return known;
  const made = { ...blank, ...spec, nodeName };
  scheduled.set(spec, made);
  return made;
}

/** A Pod of a template, scheduled to a node from the start: there is no choice to make here. */
export function podFrom(owner: KubeObject, template: PodTemplateSpec, given: NewPod): Pod {
  const { labels, annotations, finalizers } = template.metadata ?? {};
  const spec = specOn(template.spec.nodeName ?? given.nodeName, template.spec);
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: given.name,
      ...(given.generateName && { generateName: given.generateName }),
      namespace: owner.metadata.namespace!,
      labels: given.labels ? { ...blank, ...labels, ...given.labels } : (labels ?? {}),
      ...(annotations && { annotations }),
      ...(finalizers && { finalizers }),
      ownerReferences: [controllerReference(owner)],
    },
    spec: given.spec ? { ...blank, ...spec, ...given.spec } : spec,
  };
}
