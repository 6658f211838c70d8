/** Subresources by resource, and the resources that exist as requests only: discovery shows them, routes serve them. */
import { type Resource, type ResourceName, resourceName } from '../../kube/resources.ts';

export interface Subresource {
  readonly name: string;
  /** Group, version and kind of what it takes and gives, where that is not the resource's own. */
  readonly group?: string;
  readonly version?: string;
  readonly kind?: string;
  readonly verbs: readonly string[];
}

const readWrite = ['get', 'patch', 'update'];
const own: Record<ResourceName, readonly Subresource[]> = {
  pods: [
    { name: 'attach', kind: 'PodAttachOptions', verbs: ['create', 'get'] },
    { name: 'eviction', group: 'policy', version: 'v1', kind: 'Eviction', verbs: ['create'] },
    { name: 'exec', kind: 'PodExecOptions', verbs: ['create', 'get'] },
    { name: 'log', verbs: ['get'] },
    { name: 'portforward', kind: 'PodPortForwardOptions', verbs: ['create', 'get'] },
  ],
  namespaces: [{ name: 'finalize', verbs: ['update'] }],
};

export function subresourcesOf(resource: Resource): Subresource[] {
  return [
    ...(own[resourceName(resource)] ?? []),
    ...(resource.scale
      ? [{ name: 'scale', group: 'autoscaling', version: 'v1', kind: 'Scale', verbs: readWrite }]
      : []),
    ...(resource.status ? [{ name: 'status', verbs: readWrite }] : []),
  ];
}

/** A question in the form of an object: created, answered, never stored. */
export interface ReviewKind {
  readonly group: string;
  readonly version: string;
  readonly plural: string;
  readonly kind: string;
  readonly namespaced: boolean;
}

const review = (group: string, kind: string, namespaced = false): ReviewKind => ({
  group,
  version: 'v1',
  plural: `${kind.toLowerCase()}s`,
  kind,
  namespaced,
});

export const reviewKinds: readonly ReviewKind[] = [
  review('authentication.k8s.io', 'TokenReview'),
  review('authentication.k8s.io', 'SelfSubjectReview'),
  review('authorization.k8s.io', 'LocalSubjectAccessReview', true),
  review('authorization.k8s.io', 'SelfSubjectAccessReview'),
  review('authorization.k8s.io', 'SelfSubjectRulesReview'),
  review('authorization.k8s.io', 'SubjectAccessReview'),
];
