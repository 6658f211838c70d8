/** Which changes call for a new plan. A status that we wrote ourselves, or a Service that got an address, does not. */
import { equalJson } from '../kube/objects.ts';
import type { Change } from '../kube/store/store.ts';
import type { Unstructured } from '../kube/types/index.ts';
import { compiledResources } from './compile.ts';

const withStatus = new Set(['services']);

/** True when something that a translator reads is different: spec, data, labels, annotations, generation, or existence. */
export function callsForPlan(change: Change): boolean {
  if (!compiledResources.has(change.resource)) return false;
  if (change.type !== 'MODIFIED' || !change.previous) return true;
  const [now, before] = [change.object as Unstructured, change.previous as Unstructured];
  if (now.metadata.generation !== before.metadata.generation || now.metadata.uid !== before.metadata.uid) return true;
  if (now.metadata.deletionTimestamp !== before.metadata.deletionTimestamp) return true;
  if (
    !equalJson(now.metadata.labels, before.metadata.labels) ||
    !equalJson(now.metadata.annotations, before.metadata.annotations)
  )
    return true;
  // Addresses of a Service decide nothing in the plan, but its ports do, and those are in the generation.
  if (withStatus.has(change.resource)) return false;
  // Somebody else's write to a status that we share: ours must be put right.
  return !equalJson(now.status, before.status);
}
