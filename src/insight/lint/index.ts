/** What `fairway lint` needs. */
export type { LintFinding } from './finding.ts';
export { type EstateSummary, estateSummary, renderEstate } from './ingress-nginx.ts';
export { type LintOptions, lintCorefile } from './lint.ts';
export { objectFindings, renderObjectFindings } from './objects.ts';
export { renderFindings } from './render.ts';
