/** HTTPRequestMirrorFilter → the plan's filter. */
import type { BackendId, MirrorFilter } from '../plan/plan.ts';
import type { BackendRef } from './backends.ts';
import { type FilterFault, unsupported } from './filter-fault.ts';
import type { HttpRule } from './http-match.ts';

type HttpFilter = NonNullable<HttpRule['filters']>[number];

/** The backend of a mirror; undefined when the reference is invalid, which is told to the route's status then. */
export type ResolveMirror = (ref: BackendRef, fieldPath: string) => BackendId | undefined;

/** Without `filter`: the reference is invalid, and the mirror is left out as the API asks. */
export function mirrorFilter(
  { requestMirror }: HttpFilter,
  fieldPath: string,
  resolve: ResolveMirror,
): { readonly filter?: MirrorFilter } | FilterFault {
  const at = `${fieldPath}.requestMirror`;
  if (!requestMirror) return unsupported(at, 'a RequestMirror filter needs requestMirror');
  const { backendRef, percent, fraction } = requestMirror;
  if (percent !== undefined && fraction) return unsupported(at, 'percent and fraction exclude each other');
  const [numerator, denominator] = fraction ? [fraction.numerator, fraction.denominator ?? 100] : [percent ?? 100, 100];
  if (!isShare(numerator, denominator))
    return unsupported(`${at}.${fraction ? 'fraction' : 'percent'}`, `${numerator} of ${denominator} is no fraction`);
  const backend = resolve(backendRef, `${at}.backendRef`);
  return backend === undefined ? {} : { filter: { type: 'mirror', backend, fraction: { numerator, denominator } } };
}

function isShare(numerator: number, denominator: number): boolean {
  return (
    Number.isInteger(numerator) &&
    Number.isInteger(denominator) &&
    numerator >= 0 &&
    numerator <= denominator &&
    denominator >= 1
  );
}
