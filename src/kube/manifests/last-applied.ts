/**
 * The annotation in which `kubectl apply` keeps what it last applied. Written for manifests as well, in kubectl's own
 * form, so that a later apply of the same file says "unchanged" and warns of nothing.
 */
import { blank } from '../../base/blank.ts';
import type { Unstructured } from '../types/index.ts';

export const lastAppliedAnnotation = 'kubectl.kubernetes.io/last-applied-configuration';

/** JSON as Go writes it: keys sorted, characters that matter to HTML escaped. */
function goJson(value: unknown): string {
  return sortedJson(value).replace(/[<>&]/g, (c) => `\\u00${c.charCodeAt(0).toString(16)}`);
}

/** `JSON.stringify` with sorted keys, without a sorted copy of every object. */
function sortedJson(value: unknown): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';
  if (Array.isArray(value)) return `[${value.map(sortedJson).join(',')}]`;
  const fields = value as Record<string, unknown>;
  let text = '';
  for (const key of Object.keys(fields).sort()) {
    if (fields[key] === undefined) continue;
    text += `${text && ','}${JSON.stringify(key)}:${sortedJson(fields[key])}`;
  }
  return `{${text}}`;
}

/** The object with the annotation that says what it was made from. */
export function withLastApplied(object: Unstructured): Unstructured {
  const { [lastAppliedAnnotation]: _before, ...annotations } = object.metadata.annotations ?? {};
  const applied = { ...blank, ...object, metadata: { ...blank, ...object.metadata, annotations } };
  const text = `${goJson(applied)}\n`;
  const told = { ...blank, ...annotations, [lastAppliedAnnotation]: text };
  return { ...blank, ...object, metadata: { ...blank, ...object.metadata, annotations: told } };
}
