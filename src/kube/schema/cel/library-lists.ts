/** Kubernetes' list library and cel-go's sets. */
import type { Environment } from '@marcbachmann/cel-js';
import { Duration } from '@marcbachmann/cel-js/evaluator';
import { equalCel } from './values.ts';

class SetsNamespace {}

export function registerLists(environment: Environment): void {
  environment
    .registerFunction('list.isSorted(): bool', isSorted)
    .registerFunction('list.sum(): dyn', sum)
    .registerFunction('list.min(): dyn', (list: readonly unknown[]) => extreme(list, 'min', -1))
    .registerFunction('list.max(): dyn', (list: readonly unknown[]) => extreme(list, 'max', 1))
    .registerFunction('list.indexOf(dyn): int', (list: readonly unknown[], item: unknown) =>
      BigInt(list.findIndex((candidate) => equalCel(candidate, item))),
    )
    .registerFunction('list.lastIndexOf(dyn): int', (list: readonly unknown[], item: unknown) =>
      BigInt(list.findLastIndex((candidate) => equalCel(candidate, item))),
    )
    .registerType('Sets', SetsNamespace)
    .registerConstant('sets', 'Sets', new SetsNamespace())
    .registerFunction('Sets.contains(list, list): bool', (_: unknown, list: unknown[], sub: unknown[]) =>
      containsAll(list, sub),
    )
    .registerFunction(
      'Sets.equivalent(list, list): bool',
      (_: unknown, a: unknown[], b: unknown[]) => containsAll(a, b) && containsAll(b, a),
    )
    .registerFunction('Sets.intersects(list, list): bool', (_: unknown, a: unknown[], b: unknown[]) =>
      a.some((item) => b.some((other) => equalCel(item, other))),
    );
}

function containsAll(list: readonly unknown[], sub: readonly unknown[]): boolean {
  return sub.every((item) => list.some((candidate) => equalCel(candidate, item)));
}

/** Order of two values of one comparable type: negative, zero or positive. */
function compare(a: unknown, b: unknown): number {
  const comparable =
    ['bigint', 'number', 'string', 'boolean'].includes(typeof a) || a instanceof Date || a instanceof Duration;
  if (!comparable) throw new Error('no such overload: values cannot be ordered');
  const [left, right] = [a, b] as [number, number];
  return left < right ? -1 : left > right ? 1 : 0;
}

function isSorted(list: readonly unknown[]): boolean {
  return list.every((item, i) => i === 0 || compare(list[i - 1], item) <= 0);
}

function extreme(list: readonly unknown[], name: string, sign: 1 | -1): unknown {
  if (list.length === 0) throw new Error(`${name} called on empty list`);
  return list.reduce((best, item) => (compare(item, best) * sign > 0 ? item : best));
}

function sum(list: readonly unknown[]): unknown {
  const [first] = list;
  if (first === undefined) return 0n;
  if (first instanceof Duration) return (list as Duration[]).reduce((total, item) => total.addDuration(item));
  if (typeof first === 'bigint') return (list as bigint[]).reduce((total, item) => total + item);
  if (typeof first === 'number') return (list as number[]).reduce((total, item) => total + item);
  throw new Error('no such overload: sum of values that are not numbers');
}
