/** Namespaces that a listener takes routes from, or a Gateway ListenerSets (`RouteNamespaces`, `ListenerNamespaces`). */
import { matchesLabelSelector } from '../../kube/selectors.ts';
import type { LabelSelector, Namespace } from '../../kube/types/index.ts';
import type { Context } from './context.ts';

export interface NamespacesSpec {
  readonly from?: 'All' | 'Selector' | 'Same' | 'None';
  /** As the API takes it: an operator may be any text. */
  readonly selector?: Omit<LabelSelector, 'matchExpressions'> & {
    readonly matchExpressions?: { key: string; operator: string; values?: string[] }[];
  };
}

export type NamespaceRule = (namespace: string) => boolean;

const operators: ReadonlySet<string> = new Set(['In', 'NotIn', 'Exists', 'DoesNotExist']);

/** An operator that no label selector has: the selector selects nothing. */
export function unknownOperator({ selector }: NamespacesSpec): string | undefined {
  return selector?.matchExpressions?.find(({ operator }) => !operators.has(operator))?.operator;
}

/** `own` is the namespace of the object that admits. Answers are remembered per namespace. */
export function namespaceRule(context: Context, spec: NamespacesSpec, own: string): NamespaceRule {
  const { from, selector } = spec;
  if (from === 'All') return () => true;
  if (from === 'None') return () => false;
  if (from !== 'Selector') return (namespace) => namespace === own;
  if (unknownOperator(spec) !== undefined) return () => false;
  const known = new Map<string, boolean>();
  return (namespace) => {
    let allowed = known.get(namespace);
    if (allowed === undefined) {
      allowed = matchesLabelSelector(selector as LabelSelector | undefined, namespaceLabels(context, namespace));
      known.set(namespace, allowed);
    }
    return allowed;
  };
}

/** Every Namespace carries its name as a label (well-known label kubernetes.io/metadata.name). */
function namespaceLabels(context: Context, namespace: string): Record<string, string> {
  const object = context.input.store.get<Namespace>('namespaces', namespace);
  return { 'kubernetes.io/metadata.name': namespace, ...object?.metadata.labels };
}
