/** A finding of `fairway lint`: a diagnostic at a place of the Corefile, and why it matters. */
import {
  type Diagnostic,
  type DiagnosticCode,
  type DiagnosticDetails,
  diagnostic,
} from '../../base/diagnostics/index.ts';
import type { Position } from '../../dns/corefile/types.ts';

export interface LintFinding extends Diagnostic {
  readonly position: Position;
  /** What happens when it stays as it is. */
  readonly why: string;
}

export interface FindingDetails extends Pick<DiagnosticDetails, 'hint' | 'severity'> {
  readonly why: string;
}

export function finding(
  code: DiagnosticCode,
  { position }: { readonly position: Position },
  message: string,
  { why, ...details }: FindingDetails,
): LintFinding {
  return { ...diagnostic(code, { message, position, ...details }), position, why };
}

const ranks = { error: 0, warning: 1, info: 2 } as const;

/** By place; at one place the gravest first. The file that was asked about comes before those that it imports. */
export function sortFindings(findings: readonly LintFinding[], file: string): LintFinding[] {
  const rank = (one: LintFinding) => (one.position.file === file ? '' : one.position.file);
  return [...findings].sort(
    (a, b) =>
      rank(a).localeCompare(rank(b)) ||
      a.position.line - b.position.line ||
      ranks[a.severity] - ranks[b.severity] ||
      a.code.localeCompare(b.code) ||
      a.position.column - b.position.column,
  );
}
