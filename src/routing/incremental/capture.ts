/** Findings kept with the result that they belong to, to be told again for as long as it holds. */
import type { Diagnostic } from '../../base/diagnostics/index.ts';

export interface Captured<T> {
  readonly value: T;
  readonly findings: readonly Diagnostic[];
}

const none: readonly Diagnostic[] = [];

/** Runs a step and takes what it finds out of the findings. */
export function capture<T>({ findings }: { readonly findings: Diagnostic[] }, run: () => T): Captured<T> {
  const mark = findings.length;
  const value = run();
  return { value, findings: findings.length === mark ? none : findings.splice(mark) };
}

export function addFindings({ findings }: { readonly findings: Diagnostic[] }, more: readonly Diagnostic[]): void {
  for (const finding of more) findings.push(finding);
}

const once = new WeakSet<Diagnostic>();

/** Marks a finding that several steps come across: `withoutRepeats` keeps one of those about the same field. */
export function markOnce(finding: Diagnostic): Diagnostic {
  once.add(finding);
  return finding;
}

export function withoutRepeats(findings: readonly Diagnostic[]): readonly Diagnostic[] {
  const seen = new Set<string>();
  return findings.filter((finding) => {
    if (!once.has(finding)) return true;
    const { code, object, fieldPath } = finding;
    const key = [code, object?.apiVersion, object?.kind, object?.namespace, object?.name, fieldPath].join(' ');
    return !seen.has(key) && seen.add(key);
  });
}
