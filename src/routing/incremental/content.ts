/** Whether two versions of an object say the same to a translator. */
import { equalJson } from '../../kube/objects.ts';
import type { KubeObject, Unstructured } from '../../kube/types/index.ts';

/** True when at most the status and what a server keeps books with differ. Both are versions of one name. */
export function sameContent(now: KubeObject, before: KubeObject): boolean {
  if (now === before) return true;
  const [a, b] = [now.metadata, before.metadata];
  return (
    a.uid === b.uid &&
    a.generation === b.generation &&
    a.creationTimestamp === b.creationTimestamp &&
    equalJson(a.labels, b.labels) &&
    equalJson(a.annotations, b.annotations) &&
    (isCounted(now) || sameFields(now, before))
  );
}

/** A generation counts the changes of a spec, for the kinds that have one, as long as it is one object. */
function isCounted({ metadata }: KubeObject): boolean {
  return metadata.generation !== undefined && metadata.uid !== undefined;
}

/** All but metadata and status. */
function sameFields(now: KubeObject, before: KubeObject): boolean {
  const [a, b] = [now as Unstructured, before as Unstructured];
  for (const field in a) if (isContent(field) && !equalJson(a[field], b[field])) return false;
  for (const field in b) if (isContent(field) && b[field] !== undefined && a[field] === undefined) return false;
  return true;
}

function isContent(field: string): boolean {
  return field !== 'metadata' && field !== 'status';
}
