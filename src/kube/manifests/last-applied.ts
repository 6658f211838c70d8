/**
 * The annotation in which `kubectl apply` keeps what it last applied. Written for manifests as well, in kubectl's own
 * form, so that a later apply of the same file says "unchanged" and warns of nothing.
 */
import { blank } from '../../base/blank.ts';
import { sortedJson } from '../../base/sorted-json.ts';
import type { Unstructured } from '../types/index.ts';

export const lastAppliedAnnotation = 'kubectl.kubernetes.io/last-applied-configuration';

/** JSON as Go writes it: keys sorted, characters that matter to HTML escaped. */
function goJson(value: unknown): string {
  const text = sortedJson(value);
  return /[<>&]/.test(text) ? text.replace(/[<>&]/g, escaped) : text;
}

function escaped(c: string): string {
  return `\\u00${c.charCodeAt(0).toString(16)}`;
}

/** The object with the annotation that says what it was made from. */
export function withLastApplied(object: Unstructured): Unstructured {
  const { [lastAppliedAnnotation]: _before, ...annotations } = object.metadata.annotations ?? {};
  const applied = { ...blank, ...object, metadata: { ...blank, ...object.metadata, annotations } };
  const text = `${goJson(applied)}\n`;
  const told = { ...blank, ...annotations, [lastAppliedAnnotation]: text };
  return { ...blank, ...object, metadata: { ...blank, ...object.metadata, annotations: told } };
}
