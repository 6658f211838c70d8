/** Pod, and the Pod templates of workloads. */
import { blank } from '../../../base/blank.ts';
import { equalJson } from '../../objects.ts';
import type { Container, Pod, PodSpec, PodTemplateSpec, Unstructured } from '../../types/index.ts';
import { type FaultList, forbidden, report } from '../fields.ts';
import { validateLabels } from '../metadata.ts';
import type { Schema } from '../structural/types.ts';
import { type Change, type CoreKind, object, text, textMap } from './kind.ts';
import { podSpec } from './pod-shape.ts';
import { validatePodSpec, withPodDefaults } from './pod-spec.ts';

/** Metadata of a template. Clients written in Go send a `creationTimestamp` of null, which must not tell two apart. */
export const templateMetadata: Schema = object({ labels: textMap, annotations: textMap, creationTimestamp: text });

export const podTemplate: Schema = object({ metadata: templateMetadata, spec: podSpec }, ['spec']);

export function withTemplateDefaults(template: PodTemplateSpec): PodTemplateSpec {
  const spec = withPodDefaults(template.spec);
  return spec === template.spec ? template : { ...template, spec };
}

export function validateTemplate(template: PodTemplateSpec, path: string, faults: FaultList): void {
  validateLabels(template.metadata?.labels, `${path}.metadata.labels`, faults);
  validatePodSpec(template.spec, `${path}.spec`, faults);
}

/** Best effort, Burstable or Guaranteed, from the resources of containers. */
function qosClass({ containers, initContainers = [] }: PodSpec): string {
  const resources = [...containers, ...initContainers].map(
    (container) =>
      (container.resources ?? {}) as { limits?: Record<string, unknown>; requests?: Record<string, unknown> },
  );
  const given = resources.some(({ limits = {}, requests = {} }) =>
    ['cpu', 'memory'].some((name) => limits[name] !== undefined || requests[name] !== undefined),
  );
  if (!given) return 'BestEffort';
  const guaranteed = resources.every(({ limits = {}, requests = limits }) =>
    ['cpu', 'memory'].every(
      (name) => limits[name] !== undefined && String(requests[name] ?? limits[name]) === String(limits[name]),
    ),
  );
  return guaranteed ? 'Guaranteed' : 'Burstable';
}

function defaults(pod: Unstructured, { operation }: Change): Unstructured {
  const spec = withPodDefaults((pod as unknown as Pod).spec);
  if (operation === 'update') return { ...pod, spec };
  return { ...blank, ...pod, spec, status: { phase: 'Pending', qosClass: qosClass(spec) } };
}

function validate(object: Unstructured, { previous }: Change, faults: FaultList): void {
  const { spec } = object as unknown as Pod;
  validatePodSpec(spec, 'spec', faults);
  if (previous) validateUpdate(spec, (previous as unknown as Pod).spec, faults);
}

const withoutImages = (containers: readonly Container[] | undefined) =>
  containers?.map(({ image: _, imagePullPolicy: __, ...rest }) => rest);

/** What is left of a spec when everything that may change is taken out. */
function fixedPart(spec: PodSpec) {
  const {
    activeDeadlineSeconds: _,
    tolerations: __,
    schedulingGates: ___,
    terminationGracePeriodSeconds: ____,
    ...rest
  } = spec;
  return {
    ...rest,
    containers: withoutImages(spec.containers),
    initContainers: withoutImages(spec.initContainers),
    ephemeralContainers: undefined,
    // Binding a Pod to a node, which a scheduler does through a subresource.
    nodeName: undefined,
  };
}

function validateUpdate(spec: PodSpec, before: PodSpec, faults: FaultList): void {
  if (spec === before) return;
  const moved = before.nodeName && spec.nodeName !== before.nodeName;
  if (moved || !equalJson(fixedPart(spec), fixedPart(before)))
    report(
      faults,
      forbidden(
        'spec',
        'pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)',
      ),
    );
}

/** Trap of hostNetwork: dnsPolicy ClusterFirst silently becomes the node's own resolver. */
function warnings(pod: Unstructured, { operation }: Change): string[] {
  const { spec } = pod as unknown as Pod;
  return operation === 'create' ? dnsWarnings(spec, 'spec') : [];
}

export function dnsWarnings(spec: PodSpec, path: string): string[] {
  if (spec.hostNetwork !== true || spec.dnsPolicy !== 'ClusterFirst') return [];
  return [
    `${path}.dnsPolicy: "ClusterFirst" has no effect with hostNetwork: the Pod uses the node's resolv.conf; set "ClusterFirstWithHostNet" to resolve cluster names`,
  ];
}

export const pod: CoreKind = { shape: object({ spec: podSpec }, ['spec']), defaults, validate, warnings };
