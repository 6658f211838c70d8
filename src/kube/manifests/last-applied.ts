/**
 * The annotation in which `kubectl apply` keeps what it last applied. Written for manifests as well, in kubectl's own
 * form, so that a later apply of the same file says "unchanged" and warns of nothing.
 */
import type { Unstructured } from '../types/index.ts';

export const lastAppliedAnnotation = 'kubectl.kubernetes.io/last-applied-configuration';

/** JSON as Go writes it: keys sorted, characters that matter to HTML escaped. */
function goJson(value: unknown): string {
  const sorted = (_key: string, part: unknown) =>
    typeof part === 'object' && part !== null && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
      : part;
  return JSON.stringify(value, sorted).replace(/[<>&]/g, (c) => `\\u00${c.charCodeAt(0).toString(16)}`);
}

/** The object with the annotation that says what it was made from. */
export function withLastApplied(object: Unstructured): Unstructured {
  const { [lastAppliedAnnotation]: _before, ...annotations } = object.metadata.annotations ?? {};
  const applied = { ...object, metadata: { ...object.metadata, annotations } };
  const text = `${goJson(applied)}\n`;
  return {
    ...object,
    metadata: { ...object.metadata, annotations: { ...annotations, [lastAppliedAnnotation]: text } },
  };
}
