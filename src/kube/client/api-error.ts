/** What can go wrong between us and a Kubernetes API, as a value. */

export type ApiErrorKind =
  /** No connection, or it broke before the answer was whole. */
  | 'unreachable'
  | 'timeout'
  /** The caller gave up. */
  | 'aborted'
  /** Token, certificate or plugin could not be had; nothing was sent. */
  | 'credentials'
  /** The answer is larger than the caller allows. */
  | 'too-large'
  /** The answer is not what the API promises. */
  | 'malformed'
  /** The server said no: `code` and `reason` tell. */
  | 'status';

export interface ApiErrorCause {
  readonly field?: string;
  readonly reason?: string;
  readonly message?: string;
}

export interface ApiError {
  readonly kind: ApiErrorKind;
  /** For people: what was asked of whom, and what came of it. Holds no credentials. */
  readonly message: string;
  /** HTTP status, or the code of an ERROR event of a watch. */
  readonly code?: number;
  /** `metav1.StatusReason`: NotFound, AlreadyExists, Conflict, Expired, Forbidden… */
  readonly reason?: string;
  readonly causes?: readonly ApiErrorCause[];
  readonly retryAfterMs?: number;
  /** The server's `Audit-Id`, under which its audit log has the request. */
  readonly requestId?: string;
  /** The connection was one kept from before and broke before any answer: most likely nothing was done. */
  readonly staleConnection?: boolean;
}

/** The fields of a `metav1.Status` that are used; whatever is not of the right type is left out. */
interface Status {
  code?: number;
  reason?: string;
  message?: string;
  causes: ApiErrorCause[];
  retryAfterSeconds?: number;
}

const record = (value: unknown): Record<string, unknown> =>
  typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
const text = (value: unknown) => (typeof value === 'string' && value !== '' ? value : undefined);
const number = (value: unknown) => (typeof value === 'number' ? value : undefined);

function causeOf(value: unknown): ApiErrorCause {
  const { field, reason, message } = record(value);
  return { field: text(field), reason: text(reason), message: text(message) };
}

function readStatus(value: unknown): Status {
  const { code, reason, message, details } = record(value);
  const { causes, retryAfterSeconds } = record(details);
  return {
    code: number(code),
    reason: text(reason),
    message: text(message),
    causes: Array.isArray(causes) ? causes.slice(0, 100).map(causeOf) : [],
    retryAfterSeconds: number(retryAfterSeconds),
  };
}

export interface StatusContext {
  /** `GET https://10.0.0.1/api/v1/pods`. */
  readonly asked: string;
  readonly code?: number;
  readonly requestId?: string;
  readonly retryAfterMs?: number;
}

/** Error of a `metav1.Status` body or watch event; `value` may be anything. */
export function errorOfStatus(value: unknown, { asked, requestId, ...context }: StatusContext): ApiError {
  const status = readStatus(value);
  const code = context.code ?? status.code;
  const retryAfterMs =
    context.retryAfterMs ?? (status.retryAfterSeconds === undefined ? undefined : status.retryAfterSeconds * 1000);
  const said = status.message ?? text(value)?.trim().slice(0, 300) ?? 'no reason given';
  return {
    kind: 'status',
    message: `${asked}: ${code ?? 'error'} ${said}${requestId ? ` (audit id ${requestId})` : ''}`,
    ...(code !== undefined && { code }),
    ...(status.reason && { reason: status.reason }),
    ...(status.causes.length > 0 && { causes: status.causes }),
    ...(retryAfterMs !== undefined && { retryAfterMs }),
    ...(requestId && { requestId }),
  };
}

/** The resource version, or the place in a list, is no longer kept: list anew. */
export function isExpired({ code, reason, causes }: ApiError): boolean {
  if (code === 410 || reason === 'Expired' || reason === 'Gone') return true;
  // A version that the server has not reached: it was restored from a backup, or is another server.
  return causes?.some((cause) => cause.reason === 'ResourceVersionTooLarge') ?? false;
}

export const isNotFound = ({ kind, code }: ApiError) => kind === 'status' && code === 404;
export const isConflict = ({ kind, code, reason }: ApiError) =>
  kind === 'status' && code === 409 && reason !== 'AlreadyExists';
export const isAlreadyExists = ({ kind, reason }: ApiError) => kind === 'status' && reason === 'AlreadyExists';
