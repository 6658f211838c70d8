/**
 * Faults of fields, worded as `k8s.io/apimachinery/pkg/util/validation/field` words them: `FieldError.field` is the path,
 * `FieldError.message` what follows it.
 */
import type { FieldError } from '../objects.ts';

/** Text in quotes with control characters escaped, as Go's `%q`. */
function quote(text: string): string {
  return JSON.stringify(text);
}

/** A value as the API server prints it: text in quotes, everything else as JSON. Long values are cut. */
function show(value: unknown): string {
  if (typeof value === 'string') return quote(value.length > 512 ? `${value.slice(0, 512)}…` : value);
  if (value === undefined) return 'null';
  const text = JSON.stringify(value);
  return text.length > 512 ? `${text.slice(0, 512)}…` : text;
}

const withDetail = (head: string, detail: string) => (detail ? `${head}: ${detail}` : head);

export function invalid(field: string, value: unknown, detail: string): FieldError {
  return { field, reason: 'FieldValueInvalid', message: withDetail(`Invalid value: ${show(value)}`, detail) };
}

/** The value has the wrong JSON type or format. `value` is the type's name where it has one. */
export function typeInvalid(field: string, value: unknown, detail: string): FieldError {
  return { field, reason: 'FieldValueTypeInvalid', message: withDetail(`Invalid value: ${show(value)}`, detail) };
}

export function required(field: string, detail = ''): FieldError {
  return { field, reason: 'FieldValueRequired', message: withDetail('Required value', detail) };
}

export function forbidden(field: string, detail: string): FieldError {
  return { field, reason: 'FieldValueForbidden', message: withDetail('Forbidden', detail) };
}

/** A name that nothing bears, where it should be one of the object's own. */
export function notFound(field: string, value: unknown): FieldError {
  return { field, reason: 'FieldValueInvalid', message: `Not found: ${show(value)}` };
}

export function duplicate(field: string, value: unknown): FieldError {
  return { field, reason: 'FieldValueDuplicate', message: `Duplicate value: ${show(value)}` };
}

export function notSupported(field: string, value: unknown, supported: readonly unknown[]): FieldError {
  const list = supported.map((item) => (typeof item === 'string' ? quote(item) : JSON.stringify(item))).join(', ');
  return {
    field,
    reason: 'FieldValueNotSupported',
    message: withDetail(`Unsupported value: ${show(value)}`, list && `supported values: ${list}`),
  };
}

/** `limit` counts bytes. */
export function tooLong(field: string, limit: number): FieldError {
  return { field, reason: 'FieldValueTooLong', message: `Too long: may not be more than ${limit} bytes` };
}

export function tooMany(field: string, actual: number, limit: number): FieldError {
  return { field, reason: 'FieldValueInvalid', message: `Too many: ${actual}: must have at most ${limit} items` };
}

/** Where faults are put, with the most that are kept: an object with a million faults must not become a million messages. */
export interface FaultList {
  readonly errors: FieldError[];
  /** Faults that make further rules meaningless: wrong types, missing or overlong values (CEL rules are then not run). */
  blocked: boolean;
}

/** Most faults kept of one object. */
export const faultLimit = 100;

export function createFaultList(): FaultList {
  return { errors: [], blocked: false };
}

export function report(list: FaultList, error: FieldError): void {
  if (list.errors.length < faultLimit) list.errors.push(error);
}

/** Reports a fault after which rules that look at the object are not run. */
export function reportBlocking(list: FaultList, error: FieldError): void {
  list.blocked = true;
  report(list, error);
}

/** `spec` + `ports` → `spec.ports`; a path of '' is the object itself. */
export function child(path: string, name: string): string {
  return path ? `${path}.${name}` : name;
}
