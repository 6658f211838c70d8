/** What is wrong with reading the API now, as findings; nothing of it keeps the last plan from being served. */
import { type Diagnostic, diagnostic } from '../../base/diagnostics/index.ts';
import type { ApiError } from '../../kube/client/api-error.ts';
import type { Reflector } from '../../kube/client/reflector.ts';

/** What asks the API for something, again and again. */
export type ApiReader = Pick<Reflector, 'resource' | 'state' | 'error' | 'hurry'>;

/** Failures that say that nobody answers, rather than that somebody says no. */
const away: ReadonlySet<ApiError['kind']> = new Set(['unreachable', 'timeout']);

export const isAway = ({ kind, code }: ApiError): boolean =>
  away.has(kind) || (kind === 'status' && (code ?? 0) >= 500);

/** Experiments are seldom installed, and seldom missed. */
function absent(resource: string, server: string): Diagnostic {
  const message = `${resource} is not served by ${server}`;
  return diagnostic('FW1601', { message, ...(resource.endsWith('.x-k8s.io') && { severity: 'info' }) });
}

/** One finding for the API when it does not answer; else one for each kind that is absent or refused. */
export function apiFindings(readers: readonly ApiReader[], server: string): Diagnostic[] {
  const gone = readers.find(({ error }) => error && isAway(error));
  if (gone) return [diagnostic('FW1602', { message: `${server}: ${gone.error!.message}` })];
  const findings = new Map<string, Diagnostic>();
  for (const { resource, state, error } of readers) {
    if (findings.has(resource)) continue;
    if (state === 'not served') findings.set(resource, absent(resource, server));
    else if (error) findings.set(resource, diagnostic('FW1603', { message: `${resource}: ${error.message}` }));
  }
  return [...findings.values()];
}
