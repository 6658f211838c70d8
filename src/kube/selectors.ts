/** Label selectors (apimachinery `labels`, `metav1.LabelSelector`). */
import type { LabelSelector } from './types/index.ts';

type Labels = Record<string, string> | undefined;

/** Equality selector of a Service: an empty or missing one selects nothing. */
export function matchesServiceSelector(selector: Record<string, string> | undefined, labels: Labels): boolean {
  if (!selector) return false;
  const wanted = Object.entries(selector);
  return wanted.length > 0 && wanted.every(([key, value]) => labels?.[key] === value);
}

/** metav1.LabelSelector: an empty one selects everything, a missing one nothing. */
export function matchesLabelSelector(selector: LabelSelector | undefined, labels: Labels): boolean {
  if (!selector) return false;
  const has = (key: string) => labels !== undefined && Object.hasOwn(labels, key);
  for (const [key, value] of Object.entries(selector.matchLabels ?? {})) if (labels?.[key] !== value) return false;
  for (const { key, operator, values = [] } of selector.matchExpressions ?? []) {
    const tests: Partial<Record<string, () => boolean>> = {
      In: () => has(key) && values.includes(labels![key]!),
      NotIn: () => !has(key) || !values.includes(labels![key]!),
      Exists: () => has(key),
      DoesNotExist: () => !has(key),
    };
    // An operator that nobody knows selects nothing: the API server refuses it, a file may hold it.
    if (!tests[operator]?.()) return false;
  }
  return true;
}
