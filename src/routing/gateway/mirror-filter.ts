/** HTTPRequestMirrorFilter → the plan's filter. */
import type { MirrorFilter } from '../plan/plan.ts';
import type { ResolveBackend } from './backends.ts';
import { type FilterFault, unsupported } from './filter-fault.ts';
import type { HttpRule } from './http-match.ts';

type HttpFilter = NonNullable<HttpRule['filters']>[number];

/** Without `filter`: the reference is invalid, and the mirror is left out as the API asks. */
export function mirrorFilter(
  { requestMirror }: HttpFilter,
  fieldPath: string,
  resolve: ResolveBackend,
): { readonly filter?: MirrorFilter } | FilterFault {
  const at = `${fieldPath}.requestMirror`;
  if (!requestMirror)
    return unsupported(at, 'a RequestMirror filter needs requestMirror', 'Add requestMirror with a backendRef.');
  const { backendRef, percent, fraction } = requestMirror;
  if (percent !== undefined && fraction)
    return unsupported(at, 'percent and fraction exclude each other', 'Keep one of them.');
  const [numerator, denominator] = fraction ? [fraction.numerator, fraction.denominator ?? 100] : [percent ?? 100, 100];
  if (!isShare(numerator, denominator))
    return unsupported(
      `${at}.${fraction ? 'fraction' : 'percent'}`,
      `${numerator} of ${denominator} is no fraction`,
      shareHint,
    );
  const backend = resolve(backendRef, `${at}.backendRef`);
  return backend === undefined ? {} : { filter: { type: 'mirror', backend, fraction: { numerator, denominator } } };
}

const shareHint = 'Use a percent from 0 to 100, or a numerator that is at most the denominator.';

function isShare(numerator: number, denominator: number): boolean {
  return (
    Number.isInteger(numerator) &&
    Number.isInteger(denominator) &&
    numerator >= 0 &&
    numerator <= denominator &&
    denominator >= 1
  );
}
