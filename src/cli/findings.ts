/** Findings on stderr: beside what a command answers, never in it. */
import { type Diagnostic, formatDiagnostic } from '../base/diagnostics/index.ts';
import { paintError, printError } from './output.ts';

/** With what mends it. */
export function printFinding(finding: Diagnostic): void {
  const colour = { error: paintError.red, warning: paintError.yellow, info: paintError.dim }[finding.severity];
  printError(colour(formatDiagnostic(finding)));
  if (finding.severity !== 'info') printError(paintError.dim(`  → ${finding.hint}`));
}

/** What a question is answered with must not drown in what is wrong with a large estate. */
const mostOfFiles = 10;

/** What could not be read of files, errors first: an answer without it would pass for one about all that they say. */
export function printUnread(findings: readonly Diagnostic[]): void {
  const rank = { error: 0, warning: 1, info: 2 };
  const told = findings
    .filter(({ severity }) => severity !== 'info')
    .sort((a, b) => rank[a.severity] - rank[b.severity]);
  for (const finding of told.slice(0, mostOfFiles)) printFinding(finding);
  const more = told.length - mostOfFiles;
  if (more > 0) printError(paintError.dim(`… and ${more} more findings: fairway lint shows all`));
}
