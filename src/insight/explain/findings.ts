/** Findings about the objects on a path. */
import { type Diagnostic, formatRef } from '../../base/diagnostics/index.ts';
import type { Ingress } from '../../kube/types/index.ts';
import type { Provenance } from '../../routing/plan/plan.ts';
import type { World } from '../world.ts';
import type { Rejected, Step } from './types.ts';

/** Findings about any object that a step names, or that is beside the path. */
export function findingsOn(
  world: World,
  steps: readonly Step[],
  beside: readonly Pick<Rejected, 'kind' | 'namespace' | 'name'>[],
): Diagnostic[] {
  const names = new Set([
    ...steps.flatMap(({ object }) => (object ? [formatRef(object)] : [])),
    ...beside.map(({ kind, namespace, name }) => `${kind} ${namespace}/${name}`),
  ]);
  return world.diagnostics.filter(({ object }) => object && names.has(formatRef(object)));
}

/** Of claims of Ingresses that others have, of canaries and certificates that are left out. */
const aboutHosts = /^FW20(?:1[0-8]|3[01])$/;

/** Findings about Ingresses that ask for a host, and that nothing on the path comes from. */
export function findingsOfHost({ store, diagnostics }: World, hostname: string): Diagnostic[] {
  return diagnostics.filter(({ code, object }) => {
    if (!aboutHosts.test(code) || object?.kind !== 'Ingress') return false;
    const ingress = store.get<Ingress>('ingresses.networking.k8s.io', `${object.namespace}/${object.name}`);
    return ingress?.spec?.rules?.some(({ host }) => (host?.toLowerCase() || '*') === hostname);
  });
}

/** What would mend the field that an element of the plan comes from. */
export function hintAt(world: World, { object, fieldPath }: Provenance): string | undefined {
  if (fieldPath === undefined) return undefined;
  const name = formatRef(object);
  const found = world.diagnostics.find(
    (one) => one.fieldPath === fieldPath && one.object && formatRef(one.object) === name,
  );
  // What is to be pasted stands below, with the finding.
  return found?.hint.includes('\n')
    ? `${found.hint.split('\n', 1)[0]!.replace(/:$/, '')}, as printed below`
    : found?.hint;
}
