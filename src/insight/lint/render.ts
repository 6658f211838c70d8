/** Findings for people. */
import { type Diagnostic, formatDiagnostic } from '../../base/diagnostics/index.ts';
import type { LintFinding } from './finding.ts';

type Graded = Pick<Diagnostic, 'severity'>;

function count(findings: readonly Graded[], severity: Graded['severity'], one: string): string[] {
  const { length } = findings.filter((found) => found.severity === severity);
  return length > 0 ? [`${length} ${length === 1 ? one : `${one}s`}`] : [];
}

/** `1 error, 2 warnings`; `no findings`. */
export function summaryOf(findings: readonly Graded[]): string {
  const parts = [
    ...count(findings, 'error', 'error'),
    ...count(findings, 'warning', 'warning'),
    ...count(findings, 'info', 'remark'),
  ];
  return parts.join(', ') || 'no findings';
}

/** Three lines for each: what, why, fix; then how many there are. */
export function renderFindings(file: string, findings: readonly LintFinding[]): string {
  const parts = findings.map((found) => `${formatDiagnostic(found)}\n    why: ${found.why}\n    fix: ${found.hint}`);
  return [...parts, `${file}: ${summaryOf(findings)}`].join('\n');
}
