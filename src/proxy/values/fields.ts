/** Single values out of the parts of a request, as nginx finds them for its variables. */

import { type Fields, valueAt } from '../http1/fields.ts';
import { equalsIgnoreCase } from '../http1/known-fields.ts';

/** Value of the first field of a name in lower case, as it came; '' without one. */
export function firstField(fields: Fields, lowerName: string): string {
  for (let i = 0; i < fields.count; i++) if (isNamed(fields, i, lowerName)) return valueAt(fields, i);
  return '';
}

/** Values of all fields of a name in lower case, as they came, with a comma and a blank between them; '' without one. */
export function everyField(fields: Fields, lowerName: string): string {
  let values = '';
  for (let i = 0; i < fields.count; i++) {
    if (isNamed(fields, i, lowerName)) values += values === '' ? valueAt(fields, i) : `, ${valueAt(fields, i)}`;
  }
  return values;
}

function isNamed({ at, text }: Fields, index: number, lowerName: string): boolean {
  const start = at[4 * index]!;
  return at[4 * index + 1]! - start === lowerName.length && equalsIgnoreCase(text, start, lowerName);
}

/**
 * Value of the first cookie of a name, in any case of its letters; '' without one. A value goes on to the next
 * semicolon, whatever is in it: what is kept by it must not fall together with another one.
 */
export function cookieValue(fields: Fields, name: string): string {
  const lowerName = name.toLowerCase();
  for (let i = 0; i < fields.count; i++) {
    if (!isNamed(fields, i, 'cookie')) continue;
    const value = pairValue(valueAt(fields, i), ';', lowerName);
    if (value !== undefined) return value.trim();
  }
  return '';
}

/** Value of the first parameter of a name, in any case of its letters, as it stands in a query; '' without one. */
export function queryValue(query: string, name: string): string {
  return query === '' ? '' : (pairValue(query, '&', name.toLowerCase()) ?? '');
}

/** Undefined without a pair of that name. */
function pairValue(text: string, separator: string, lowerName: string): string | undefined {
  for (let from = 0; from <= text.length; ) {
    const found = text.indexOf(separator, from);
    const end = found < 0 ? text.length : found;
    const equals = text.indexOf('=', from);
    if (equals >= 0 && equals < end && text.slice(from, equals).trim().toLowerCase() === lowerName)
      return text.slice(equals + 1, end);
    from = end + 1;
  }
  return undefined;
}
