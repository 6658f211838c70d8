/** Refusals as `metav1.Status`, in the words of the API server: clients read reason and details, people the message. */
import type { ApiError, FieldError } from '../../kube/objects.ts';
import type { JsonObject } from '../../kube/patch/json.ts';
import { type Resource, resourceName } from '../../kube/resources.ts';

export interface StatusCause {
  reason: string;
  message: string;
  field?: string;
}

/** A refusal before it knows which object it is about. */
export interface Refusal {
  /** HTTP status. */
  readonly code: number;
  /** metav1.StatusReason. */
  readonly reason: string;
  readonly message: string;
  readonly causes?: readonly StatusCause[];
  readonly retryAfterSeconds?: number;
}

/** What a refusal is about. */
export interface Subject {
  readonly resource?: Resource;
  readonly name?: string;
}

export function statusOf(refusal: Refusal, subject: Subject = {}): JsonObject {
  const { resource, name } = subject;
  // Clients take the kind from Invalid and the resource from everything else.
  const kind = resource && (refusal.reason === 'Invalid' ? resource.kind : resource.plural);
  const details = {
    ...(name && { name }),
    ...(resource?.group && { group: resource.group }),
    ...(kind && { kind }),
    ...(refusal.causes?.length && { causes: refusal.causes.map((cause) => ({ ...cause })) }),
    ...(refusal.retryAfterSeconds !== undefined && { retryAfterSeconds: refusal.retryAfterSeconds }),
  };
  return {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    message: refusal.message,
    reason: refusal.reason,
    ...(Object.keys(details).length > 0 && { details }),
    code: refusal.code,
  };
}

export function refusalOf(error: ApiError): Refusal {
  const { causes, ...rest } = error;
  return {
    ...rest,
    ...(causes && { causes: causes.map(({ reason, message, field }) => ({ reason, message, field })) }),
  };
}

export const badRequest = (message: string): Refusal => ({ code: 400, reason: 'BadRequest', message });

export const pathNotFound: Refusal = {
  code: 404,
  reason: 'NotFound',
  message: 'the server could not find the requested resource',
};

export const methodNotAllowed: Refusal = {
  code: 405,
  reason: 'MethodNotAllowed',
  message: 'the server does not allow this method on the requested resource',
};

export const objectNotFound = (resource: Resource, name: string): Refusal => ({
  code: 404,
  reason: 'NotFound',
  message: `${resourceName(resource)} ${JSON.stringify(name)} not found`,
});

export const unsupportedMediaType = (accepted: readonly string[], given: string): Refusal => ({
  code: 415,
  reason: 'UnsupportedMediaType',
  message: `the body of the request was in an unknown format (${given}) - accepted media types include: ${accepted.join(', ')}`,
});

/** The revision asked for is no longer, or not yet, in the history: the client has to list anew. */
export const expired = (message: string): Refusal => ({ code: 410, reason: 'Expired', message });

export const tooManyRequests = (message: string): Refusal => ({
  code: 429,
  reason: 'TooManyRequests',
  message,
  retryAfterSeconds: 1,
});

/** `kind` names the object or the options that the field belongs to: `Deployment.apps`, `ListOptions.meta.k8s.io`. */
export function invalid(kind: string, name: string, cause: FieldError): Refusal {
  return {
    code: 422,
    reason: 'Invalid',
    message: `${kind} ${JSON.stringify(name)} is invalid: ${cause.field}: ${cause.message}`,
    causes: [cause],
  };
}

/** metav1.Status of a success that has no object to show. */
export function successStatus(details: JsonObject): JsonObject {
  return { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', details };
}
