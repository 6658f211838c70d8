/** Static types: what is certain about a value before any query came, so that mistakes show when the Corefile loads. */

export type Type =
  | { readonly kind: 'any' | 'nil' | 'bool' | 'int' | 'float' | 'string' | 'map' }
  | { readonly kind: 'array'; readonly of: Type };

export const any: Type = { kind: 'any' };
export const nil: Type = { kind: 'nil' };
export const bool: Type = { kind: 'bool' };
export const int: Type = { kind: 'int' };
export const float: Type = { kind: 'float' };
export const string: Type = { kind: 'string' };
export const map: Type = { kind: 'map' };
export const arrayOf = (of: Type): Type => ({ kind: 'array', of });

/** A demand on a type; `any` satisfies every demand, since it is checked again at query time. */
export type Demand = 'bool' | 'int' | 'number' | 'string' | 'array' | 'map' | 'any';

export function satisfies(type: Type, demand: Demand): boolean {
  if (demand === 'any' || type.kind === 'any') return true;
  return demand === 'number' ? type.kind === 'int' || type.kind === 'float' : type.kind === demand;
}

export const isNumber = ({ kind }: Type): boolean => kind === 'int' || kind === 'float';

/** Whether values of the two may be compared with `==`. */
export function comparable(a: Type, b: Type): boolean {
  if (a.kind === 'any' || b.kind === 'any' || a.kind === 'nil' || b.kind === 'nil') return true;
  return a.kind === b.kind || (isNumber(a) && isNumber(b));
}

/** The type of either. */
export function join(a: Type, b: Type): Type {
  if (a.kind === 'array' && b.kind === 'array') return arrayOf(join(a.of, b.of));
  return a.kind === b.kind ? a : any;
}

export function typeText(type: Type): string {
  return type.kind === 'array' ? `[]${typeText(type.of)}` : type.kind;
}
