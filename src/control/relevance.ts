/** Which changes call for a new plan. A status that we wrote ourselves, or a Service that got an address, does not. */
import { equalJson } from '../kube/objects.ts';
import type { Change } from '../kube/store/store.ts';
import type { Unstructured } from '../kube/types/index.ts';
import { compiledResources } from './compile.ts';

const withStatus = new Set(['services']);

/** What a generation counts, for the kinds that have none (Services, Secrets, ConfigMaps): all but metadata and status. */
function contentChanged(now: Unstructured, before: Unstructured): boolean {
  if (now.metadata.generation !== undefined) return now.metadata.generation !== before.metadata.generation;
  const content = ({ metadata: _metadata, status: _status, ...rest }: Unstructured) => rest;
  return !equalJson(content(now), content(before));
}

/** `plan`: something that a translator reads is different. `status`: nothing but a status that others share with us. */
export type Relevance = 'none' | 'status' | 'plan';

export function relevanceOf(change: Change): Relevance {
  if (!compiledResources.has(change.resource)) return 'none';
  if (contentDiffers(change)) return 'plan';
  // Addresses of a Service decide nothing in the plan, but its ports do, and those are in its spec.
  if (withStatus.has(change.resource)) return 'none';
  const [now, before] = [change.object as Unstructured, change.previous as Unstructured];
  // Somebody else's write to a status that we share: ours must be put right.
  return equalJson(now.status, before.status) ? 'none' : 'status';
}

/** Spec, data, labels, annotations, generation, or existence. */
function contentDiffers(change: Change): boolean {
  if (change.type !== 'MODIFIED' || !change.previous) return true;
  const [now, before] = [change.object as Unstructured, change.previous as Unstructured];
  if (now.metadata.uid !== before.metadata.uid || contentChanged(now, before)) return true;
  if (now.metadata.deletionTimestamp !== before.metadata.deletionTimestamp) return true;
  return (
    !equalJson(now.metadata.labels, before.metadata.labels) ||
    !equalJson(now.metadata.annotations, before.metadata.annotations)
  );
}
