/** Which requests a mirror gets a copy of. */
import type { MirrorFilter } from '../../../routing/plan/plan.ts';
import type { CompiledFilter, FilterComplaint } from '../types.ts';
import { compileChanges } from './changes.ts';

export function compileMirror(filter: MirrorFilter, complain: FilterComplaint): CompiledFilter {
  const { backend, fraction } = filter;
  const { numerator, denominator } = fraction;
  if (!isShare(numerator, denominator)) {
    complain(`the mirror ${backend} is to get ${numerator} of ${denominator} requests, which is no fraction`);
    return {};
  }
  const changes = compileChanges(filter);
  if (!changes.ok) complain(`the mirror ${backend} gets nothing: ${changes.error}`);
  if (numerator === 0 || !changes.ok) return {};
  const chosen = createChoice(numerator, denominator);
  return { mirrors: [{ backend, chosen, changes: changes.value, unsent: filter.unsent === true }] };
}

function isShare(numerator: number, denominator: number): boolean {
  return (
    [numerator, denominator].every(Number.isSafeInteger) && numerator >= 0 && denominator >= Math.max(1, numerator)
  );
}

/**
 * Says yes to exactly `numerator` of any `denominator` calls in a row, spread evenly. The cycle begins at a random place,
 * so that plans that change often do not favour one answer; `random` is from 0 up to and without 1.
 */
export function createChoice(
  numerator: number,
  denominator: number,
  random: () => number = Math.random,
): () => boolean {
  if (numerator === denominator) return () => true;
  let sum = Math.floor(random() * denominator);
  return () => {
    sum += numerator;
    if (sum < denominator) return false;
    sum -= denominator;
    return true;
  };
}
