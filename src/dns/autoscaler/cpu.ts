/** CPU quantities of Nodes, added up exactly (apimachinery's resource.Quantity). */

const nano = 1_000_000_000n;
const exponents: Readonly<Record<string, number>> = {
  ...{ n: -9, u: -6, m: -3, '': 0, k: 3, M: 6, G: 9, T: 12, P: 15, E: 18 },
};
const binary: Readonly<Record<string, bigint>> = {
  ...{ Ki: 1n << 10n, Mi: 1n << 20n, Gi: 1n << 30n, Ti: 1n << 40n, Pi: 1n << 50n, Ei: 1n << 60n },
};

/** Rounds away from zero, as Quantity does with what is finer than it keeps. */
function divideUp(value: bigint, by: bigint): bigint {
  const whole = value / by;
  return value % by === 0n ? whole : whole + (value < 0n ? -1n : 1n);
}

/** `4`, `3920m`, `1.5`, `2e3`: billionths of a core; undefined when it is no quantity. */
export function parseCpu(text: string): bigint | undefined {
  const found = /^([+-]?)(\d{1,20})(?:\.(\d{0,20}))?(?:([KMGTPE]i)|([numkMGTPE])|[eE]([+-]?\d{1,2}))?$/.exec(text);
  if (!found) return undefined;
  const [, sign = '', whole = '', fraction = '', power2, suffix = '', exponent] = found;
  const digits = BigInt(whole + fraction) * (sign === '-' ? -1n : 1n);
  if (power2 !== undefined) return divideUp(digits * binary[power2]! * nano, 10n ** BigInt(fraction.length));
  const shift = (exponent === undefined ? exponents[suffix]! : Number(exponent)) + 9 - fraction.length;
  return shift >= 0 ? digits * 10n ** BigInt(shift) : divideUp(digits, 10n ** BigInt(-shift));
}

/** Whole cores of a sum, rounded up (`Quantity.Value`). */
export const wholeCores = (nanos: bigint): number => Number(divideUp(nanos, nano));
