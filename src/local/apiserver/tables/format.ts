/** Cells as kubectl shows them: ages, lists, selectors, and safe ways into objects of which nothing is sure. */
import { fieldOf, isObject, type Json, type JsonObject } from '../../../kube/patch/json.ts';

export const NONE = '<none>';

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const YEAR = 365 * DAY;

function two(whole: number, unit: string, rest: number, restUnit: string): string {
  return rest === 0 ? `${whole}${unit}` : `${whole}${unit}${rest}${restUnit}`;
}

/** apimachinery `duration.HumanDuration`: one or two units, finer for short times. */
export function humanDuration(milliseconds: number): string {
  const at = (unit: number) => Math.floor(milliseconds / unit);
  if (milliseconds < -2 * SECOND) return '<invalid>';
  if (milliseconds < 0) return '0s';
  if (milliseconds < 2 * MINUTE) return `${at(SECOND)}s`;
  if (milliseconds < 10 * MINUTE) return two(at(MINUTE), 'm', at(SECOND) % 60, 's');
  if (milliseconds < 3 * HOUR) return `${at(MINUTE)}m`;
  if (milliseconds < 8 * HOUR) return two(at(HOUR), 'h', at(MINUTE) % 60, 'm');
  if (milliseconds < 2 * DAY) return `${at(HOUR)}h`;
  if (milliseconds < 8 * DAY) return two(at(DAY), 'd', at(HOUR) % 24, 'h');
  if (milliseconds < 2 * YEAR) return `${at(DAY)}d`;
  if (milliseconds < 8 * YEAR) return two(at(YEAR), 'y', at(DAY) % 365, 'd');
  return `${at(YEAR)}y`;
}

/** Age of a timestamp, `<unknown>` when there is none. */
export function ageOf(timestamp: unknown, now: number): string {
  const time = typeof timestamp === 'string' ? Date.parse(timestamp) : Number.NaN;
  return Number.isNaN(time) ? '<unknown>' : humanDuration(now - time);
}

/** Value at a path of field names; undefined when something on the way is missing. */
export function at(value: unknown, ...path: readonly string[]): Json | undefined {
  let current = value as Json | undefined;
  for (const name of path) current = isObject(current) ? fieldOf(current, name) : undefined;
  return current ?? undefined;
}

export function textAt(value: unknown, ...path: readonly string[]): string {
  const found = at(value, ...path);
  return found === undefined || typeof found === 'object' ? '' : String(found);
}

export function numberAt(value: unknown, ...path: readonly string[]): number {
  const found = at(value, ...path);
  return typeof found === 'number' ? found : 0;
}

/** The objects of a list; nothing when there is no list. */
export function objectsAt(value: unknown, ...path: readonly string[]): JsonObject[] {
  const found = at(value, ...path);
  return Array.isArray(found) ? found.filter(isObject) : [];
}

export function textsAt(value: unknown, ...path: readonly string[]): string[] {
  const found = at(value, ...path);
  return Array.isArray(found) ? found.filter((item) => typeof item !== 'object').map(String) : [];
}

export function sizeAt(value: unknown, ...path: readonly string[]): number {
  const found = at(value, ...path);
  return typeof found === 'object' && found !== null ? Object.keys(found).length : 0;
}

export const orNone = (value: string): string => value || NONE;

/** At most three, then how many more. */
export function some(items: readonly string[], empty: string): string {
  if (items.length === 0) return empty;
  const shown = items.slice(0, 3).join(',');
  return items.length > 3 ? `${shown} + ${items.length - 3} more...` : shown;
}

export function formatLabels(labels: Json | undefined): string {
  if (!isObject(labels)) return NONE;
  const pairs = Object.entries(labels).map(([key, value]) => `${key}=${String(value)}`);
  return orNone(pairs.sort().join(','));
}

const operators: Record<string, (key: string, values: string[]) => string> = {
  In: (key, values) => `${key} in (${values.join(',')})`,
  NotIn: (key, values) => `${key} notin (${values.join(',')})`,
  Exists: (key) => key,
  DoesNotExist: (key) => `!${key}`,
};

/** metav1.LabelSelector in the form of a query. */
export function formatSelector(selector: Json | undefined): string {
  const labels = at(selector, 'matchLabels');
  const equal = isObject(labels) ? Object.entries(labels).map(([key, value]) => `${key}=${String(value)}`) : [];
  const expressions = objectsAt(selector, 'matchExpressions').map((expression) => {
    const format = operators[textAt(expression, 'operator')];
    return format?.(textAt(expression, 'key'), textsAt(expression, 'values').sort()) ?? '<error>';
  });
  return orNone([...equal.sort(), ...expressions].join(','));
}

/** Status of a condition by its type; '' when it is not there. */
export function conditionOf(object: unknown, type: string): string {
  const condition = objectsAt(object, 'status', 'conditions').find((item) => item.type === type);
  return textAt(condition, 'status');
}
