/** What admission knows of a built-in kind, and the small schema language in which the kinds describe their fields. */
import type { Unstructured } from '../../types/index.ts';
import type { FaultList } from '../fields.ts';
import type { NameCheck } from '../metadata.ts';
import type { Schema } from '../structural/types.ts';

export interface Change {
  readonly operation: 'create' | 'update';
  /** The stored object, on update. */
  readonly previous: Unstructured | undefined;
}

/**
 * A built-in kind. Admission walks the shape first (types, enums, required fields, constant defaults; fields that the
 * shape does not list are kept, nulls count as absent, both as in a real API server); `defaults` and `validate` run only
 * when that found nothing, so they may trust the types of every field that the shape lists.
 */
export interface CoreKind {
  readonly shape: Schema;
  /** RFC 1123 subdomain unless given. */
  readonly checkName?: NameCheck;
  /** Defaults that depend on other fields or on the stored object. Must not change its argument. */
  readonly defaults?: (object: Unstructured, change: Change) => Unstructured;
  readonly validate?: (object: Unstructured, change: Change, faults: FaultList) => void;
  readonly warnings?: (object: Unstructured, change: Change) => string[];
}

export const text: Schema = { type: 'string' };
export const flag: Schema = { type: 'boolean' };
export const int32: Schema = { type: 'integer', format: 'int32' };
export const int64: Schema = { type: 'integer', format: 'int64' };
export const intOrText: Schema = { 'x-kubernetes-int-or-string': true };
export const textMap: Schema = { type: 'object', additionalProperties: text };
export const texts: Schema = { type: 'array', items: text };

export function object(properties: Record<string, Schema> = {}, required: readonly string[] = []): Schema {
  return { type: 'object', properties, required };
}

export function list(items: Schema): Schema {
  return { type: 'array', items };
}

/** One of some texts. Messages list them in order of the alphabet, as the API server does. */
export function oneOf(...values: readonly string[]): Schema {
  return { type: 'string', enum: [...values].sort() };
}

/** The field is filled with this value when absent. */
export function or(schema: Schema, value: unknown): Schema {
  return { ...schema, default: value };
}

export const protocol: Schema = or(oneOf('TCP', 'UDP', 'SCTP'), 'TCP');

export const labelSelector: Schema = object({
  matchLabels: textMap,
  matchExpressions: list(
    object({ key: text, operator: oneOf('In', 'NotIn', 'Exists', 'DoesNotExist'), values: texts }, ['key', 'operator']),
  ),
});

/** Quantities: `100m`, `1Gi`, 2. */
export const quantities: Schema = {
  type: 'object',
  additionalProperties: { 'x-kubernetes-preserve-unknown-fields': true },
};
