/** What a client says of content codings (RFC 9110 section 12.5.3). */
import type { ContentCoding } from '../../../routing/plan/plan.ts';

/** More members than anyone sends in earnest. */
const MAX_MEMBERS = 32;

/** The coding that the client likes best, of several the first in `codings`; undefined for none of them. */
export function chooseCoding(
  accepted: string | undefined,
  codings: readonly ContentCoding[],
): ContentCoding | undefined {
  if (accepted === undefined) return undefined;
  const weights = weightsOf(accepted);
  let best: ContentCoding | undefined;
  let most = 0;
  for (const coding of codings) {
    const weight =
      weights.get(coding) ?? (coding === 'gzip' ? weights.get('x-gzip') : undefined) ?? weights.get('*') ?? 0;
    if (weight > most) {
      best = coding;
      most = weight;
    }
  }
  // Who would rather have it as it is gets it as it is.
  return (weights.get('identity') ?? 0) > most ? undefined : best;
}

function weightsOf(accepted: string): Map<string, number> {
  const weights = new Map<string, number>();
  for (const member of accepted.toLowerCase().split(',', MAX_MEMBERS)) {
    const [, coding, weight] = /^\s*([^\s;]+)\s*(?:;\s*q\s*=\s*([01](?:\.[0-9]{0,3})?)\s*)?$/.exec(member) ?? [];
    if (coding !== undefined) weights.set(coding, Math.min(1, Number(weight ?? 1)));
  }
  return weights;
}
