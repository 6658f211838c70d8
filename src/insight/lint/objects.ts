/** Findings about objects, for people: one line each that says where, what is wrong, and the change that mends it. */
import { type Diagnostic, formatDiagnostic } from '../../base/diagnostics/index.ts';
import { createPaste } from '../paste.ts';
import type { World } from '../world.ts';
import { differenceFindings } from './ingress-nginx.ts';
import { summaryOf } from './render.ts';

const ranks = { error: 0, warning: 1, info: 2 } as const;

/** By place, those without one last; at one place the gravest first. */
export function objectFindings(world: World): Diagnostic[] {
  const rank = ({ position }: Diagnostic) => position?.file ?? '\uffff';
  return [...world.diagnostics, ...differenceFindings(world)].sort(
    (a, b) =>
      rank(a).localeCompare(rank(b)) ||
      (a.position?.line ?? 0) - (b.position?.line ?? 0) ||
      (a.position?.column ?? 0) - (b.position?.column ?? 0) ||
      ranks[a.severity] - ranks[b.severity] ||
      a.code.localeCompare(b.code),
  );
}

export function renderObjectFindings(source: string, findings: readonly Diagnostic[]): string {
  const paste = createPaste();
  const lines = findings.flatMap((finding) => {
    const [fix, ...block] = paste(finding.hint);
    return [`${formatDiagnostic(finding)}; fix: ${fix}`, ...block.map((line) => `    ${line}`)];
  });
  return [...lines, `${source}: ${summaryOf(findings)}`].join('\n');
}
