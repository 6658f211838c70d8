/** What an echo Pod knows of itself: the environment of its containers and the names it puts into its answers. */
import type { Container, Pod } from '../../kube/types/index.ts';

/** Fields of every answer, as the Gateway API conformance echo server names them. */
export interface Identity {
  readonly namespace: string;
  readonly ingress: string;
  readonly service: string;
  readonly pod: string;
}

export type Environment = ReadonlyMap<string, string>;

/** Annotation of a Pod: all its HTTP answers have this status (200–599), its gRPC answers the matching code. */
export const statusAnnotation = 'fairway.dev/echo-status';

/** An array out of a field that is not validated; empty when it is none. */
export function listOf<T>(value: unknown): T[] {
  return Array.isArray(value) ? (value as T[]) : [];
}

const fields: Readonly<Record<string, (pod: Pod) => string | undefined>> = {
  'metadata.name': (pod) => pod.metadata.name,
  'metadata.namespace': (pod) => pod.metadata.namespace,
  'metadata.uid': (pod) => pod.metadata.uid,
  'spec.nodeName': (pod) => pod.spec.nodeName,
  'status.podIP': (pod) => pod.status?.podIP,
  'status.hostIP': (pod) => pod.status?.hostIP,
};

/** Literal values and downward API fields; values from Secrets and ConfigMaps mean nothing to an echo Pod. */
export function environmentOf(container: Container, pod: Pod): Environment {
  const environment = new Map<string, string>();
  for (const { name, value, valueFrom } of listOf<NonNullable<Container['env']>[number]>(container.env)) {
    const resolved = value ?? fieldValue(pod, valueFrom);
    if (resolved !== undefined) environment.set(name, resolved);
  }
  return environment;
}

function fieldValue(pod: Pod, valueFrom: unknown): string | undefined {
  const path = (valueFrom as { fieldRef?: { fieldPath?: string } } | undefined)?.fieldRef?.fieldPath ?? '';
  const keyed = /^metadata\.(labels|annotations)\['(.+)'\]$/.exec(path);
  if (keyed) return pod.metadata[keyed[1] as 'labels' | 'annotations']?.[keyed[2]!];
  return Object.hasOwn(fields, path) ? fields[path]!(pod) : undefined;
}

/** From the variables of the conformance manifests; without them, from the Pod's own name and labels. */
export function identityOf(pod: Pod, environment: Environment): Identity {
  const { labels = {}, namespace = '', name } = pod.metadata;
  return {
    namespace: environment.get('NAMESPACE') ?? namespace,
    ingress: environment.get('INGRESS_NAME') ?? '',
    service: environment.get('SERVICE_NAME') ?? labels['app.kubernetes.io/name'] ?? labels['app'] ?? '',
    pod: environment.get('POD_NAME') ?? name,
  };
}

/** The status that the Pod's annotation asks for; undefined when there is none or it is no usable status. */
export function forcedStatus(pod: Pod): number | undefined {
  const text = pod.metadata.annotations?.[statusAnnotation];
  const status = text && /^[2-5]\d\d$/.test(text) ? Number(text) : undefined;
  return status;
}
