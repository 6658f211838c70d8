/** The query parameters of the meta API (`ListOptions`, `CreateOptions`…): read once, refused when they make no sense. */
import { err, ok, type Result } from '../../base/result.ts';
import type { FieldError } from '../../kube/objects.ts';
import type { KubeObject } from '../../kube/types/index.ts';
import { type Call, flag, type ServerContext, type Target } from './call.ts';
import { parseFieldSelector } from './field-selector.ts';
import { parseLabelSelector } from './label-selector.ts';
import { badRequest, invalid, type Refusal } from './status.ts';

export type Predicate = (object: KubeObject) => boolean;

export interface Selection {
  readonly matches: Predicate;
  /** Some selector was given. */
  readonly filtered: boolean;
}

/** labelSelector and fieldSelector; a name in the path narrows too. */
export function readSelection(context: ServerContext, call: Call, target: Target): Result<Selection, Refusal> {
  const labelText = call.query.get('labelSelector') ?? '';
  const fieldText = call.query.get('fieldSelector') ?? '';
  const labels = parseLabelSelector(labelText);
  if (!labels.ok) return err(badRequest(labels.error));
  const extra = context.schemas.selectableFieldsOf(target.resource, target.version);
  const fields = parseFieldSelector(fieldText, target.resource, extra);
  if (!fields.ok) return err(badRequest(fields.error));
  return ok({
    matches: (object) => labels.value(object.metadata.labels) && fields.value(object),
    filtered: labelText.trim() !== '' || fieldText.trim() !== '',
  });
}

export interface ListOptions {
  readonly limit?: number;
  readonly continue?: string;
  /** Undefined when none was asked for. '0' means: any. */
  readonly resourceVersion?: number;
  readonly match?: 'Exact' | 'NotOlderThan';
  readonly sendInitialEvents?: boolean;
  readonly bookmarks: boolean;
  readonly timeoutSeconds?: number;
}

const listOptions = (field: string, reason: FieldError['reason'], message: string): Refusal =>
  invalid('ListOptions.meta.k8s.io', '', { field, reason, message });

function readNumber(query: URLSearchParams, name: string): Result<number | undefined, Refusal> {
  const text = query.get(name);
  if (text === null || text === '') return ok(undefined);
  return /^\d{1,15}$/.test(text)
    ? ok(Number(text))
    : err(badRequest(`${name}: Invalid value: ${JSON.stringify(text)}: must be a whole number of zero or more`));
}

function matchFault(query: URLSearchParams, watch: boolean): Refusal | undefined {
  const match = query.get('resourceVersionMatch') ?? '';
  const initial = query.get('sendInitialEvents') !== null;
  const field = 'resourceVersionMatch';
  const forbidden = (message: string) => listOptions(field, 'FieldValueForbidden', `Forbidden: ${message}`);
  if (match !== '' && match !== 'Exact' && match !== 'NotOlderThan')
    return listOptions(
      field,
      'FieldValueNotSupported',
      `Unsupported value: ${JSON.stringify(match)}: supported values: "Exact", "NotOlderThan"`,
    );
  if (watch && initial && match !== 'NotOlderThan')
    return forbidden('sendInitialEvents requires setting resourceVersionMatch to NotOlderThan');
  if (watch && !initial && match !== '')
    return forbidden('resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided');
  if (watch) return undefined;
  if (initial)
    return listOptions(
      'sendInitialEvents',
      'FieldValueForbidden',
      'Forbidden: sendInitialEvents is forbidden for list',
    );
  if (match === '') return undefined;
  const version = query.get('resourceVersion') ?? '';
  if (version === '') return forbidden('resourceVersionMatch is forbidden unless resourceVersion is provided');
  if (query.get('continue')) return forbidden('resourceVersionMatch is forbidden when continue is provided');
  if (match === 'Exact' && version === '0')
    return forbidden('resourceVersionMatch "Exact" is forbidden for resourceVersion "0"');
  return undefined;
}

export function readListOptions(call: Call, watch: boolean): Result<ListOptions, Refusal> {
  const fault = matchFault(call.query, watch);
  if (fault) return err(fault);
  const numbers = ['limit', 'resourceVersion', 'timeoutSeconds'].map((name) => readNumber(call.query, name));
  const wrong = numbers.find((number) => !number.ok);
  if (wrong && !wrong.ok) return wrong;
  const [limit, resourceVersion, timeoutSeconds] = numbers.map((number) => (number.ok ? number.value : undefined));
  const token = call.query.get('continue');
  if (token && resourceVersion !== undefined && resourceVersion !== 0)
    return err(badRequest('specifying resource version is not allowed when using continue'));
  const match = call.query.get('resourceVersionMatch');
  return ok({
    bookmarks: flag(call.query, 'allowWatchBookmarks'),
    ...(limit && { limit }),
    ...(token && { continue: token }),
    ...(resourceVersion !== undefined && { resourceVersion }),
    ...(match && { match: match as 'Exact' | 'NotOlderThan' }),
    ...(call.query.get('sendInitialEvents') !== null && { sendInitialEvents: flag(call.query, 'sendInitialEvents') }),
    ...(timeoutSeconds !== undefined && { timeoutSeconds }),
  });
}

/** A revision that this store has not reached: it belongs to another life of the server. */
export function tooLarge(wanted: number, current: number): Refusal {
  return {
    code: 504,
    reason: 'Timeout',
    message: `Timeout: Too large resource version: ${wanted}, current: ${current}`,
    causes: [{ reason: 'ResourceVersionTooLarge', message: 'Too large resource version' }],
    retryAfterSeconds: 1,
  };
}

export interface MutationOptions {
  readonly dryRun: boolean;
  readonly fieldValidation: 'Ignore' | 'Warn' | 'Strict';
  /** Who owns the fields that are written: the parameter, or the program's name from the User-Agent. */
  readonly fieldManager: string;
  readonly managerGiven: boolean;
  readonly force: boolean;
}

/** `kind` is the name of the options: CreateOptions, UpdateOptions, PatchOptions, DeleteOptions. */
export function dryRunFault(values: readonly unknown[], kind: string): Refusal | undefined {
  const wrong = values.find((value) => value !== 'All' && value !== '');
  if (wrong === undefined) return undefined;
  return invalid(`${kind}.meta.k8s.io`, '', {
    field: 'dryRun',
    reason: 'FieldValueNotSupported',
    message: `Unsupported value: ${JSON.stringify(wrong)}: supported values: "All"`,
  });
}

export function readMutationOptions(call: Call, kind: string): Result<MutationOptions, Refusal> {
  const fault = dryRunFault(call.query.getAll('dryRun'), kind);
  if (fault) return err(fault);
  const validation = call.query.get('fieldValidation') || 'Warn';
  if (validation !== 'Ignore' && validation !== 'Warn' && validation !== 'Strict') {
    return err(
      invalid(`${kind}.meta.k8s.io`, '', {
        field: 'fieldValidation',
        reason: 'FieldValueNotSupported',
        message: `Unsupported value: ${JSON.stringify(validation)}: supported values: "Ignore", "Strict", "Warn"`,
      }),
    );
  }
  const given = call.query.get('fieldManager') ?? '';
  if (given.length > 128 || !/^[\P{C}]*$/u.test(given)) {
    return err(
      invalid(`${kind}.meta.k8s.io`, '', {
        field: 'fieldManager',
        reason: 'FieldValueInvalid',
        message: 'Invalid value: must be at most 128 printable characters',
      }),
    );
  }
  const agent = (call.request.headers['user-agent'] ?? 'unknown').split('/')[0]!.slice(0, 128);
  return ok({
    dryRun: call.query.getAll('dryRun').includes('All'),
    fieldValidation: validation,
    fieldManager: given || agent,
    managerGiven: given !== '',
    force: flag(call.query, 'force'),
  });
}
