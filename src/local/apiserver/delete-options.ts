/** metav1.DeleteOptions, from the query and from a body in JSON, YAML or protobuf (as typed Go clients send it). */
import { err, ok, type Result } from '../../base/result.ts';
import { fieldOf, isObject, type Json, type JsonObject } from '../../kube/patch/json.ts';
import { contentTypeOf, JSON_TYPE, PROTOBUF_TYPE, parseValue, readBody, YAML_TYPE } from './body.ts';
import { type Call, flag } from './call.ts';
import type { ApiLimits } from './limits.ts';
import { dryRunFault } from './options.ts';
import { decodeProtobuf } from './protobuf-objects.ts';
import { badRequest, invalid, type Refusal, unsupportedMediaType } from './status.ts';

export interface DeleteOptions {
  readonly gracePeriodSeconds?: number;
  readonly propagationPolicy?: 'Orphan' | 'Background' | 'Foreground';
  readonly preconditions?: { uid?: string; resourceVersion?: string };
  readonly dryRun: boolean;
}

async function readBodyOptions(call: Call, limits: ApiLimits): Promise<Result<JsonObject, Refusal>> {
  const body = await readBody(call.request, limits.bodyBytes);
  if (!body.ok) return body;
  if (body.value.length === 0) return ok({});
  const type = contentTypeOf(call.request) || JSON_TYPE;
  if (type === PROTOBUF_TYPE) {
    const options = decodeProtobuf(body.value, limits.bodyDepth, 'meta.DeleteOptions');
    return options.ok ? options : err(badRequest(options.error));
  }
  if (type !== JSON_TYPE && type !== YAML_TYPE)
    return err(unsupportedMediaType([JSON_TYPE, YAML_TYPE, PROTOBUF_TYPE], type));
  const value = parseValue(body.value, type, limits);
  if (!value.ok) return value;
  return isObject(value.value) ? ok(value.value) : err(badRequest('DeleteOptions must be an object'));
}

const fault = (field: string, value: Json | undefined, expected: string) =>
  err(
    invalid('DeleteOptions.meta.k8s.io', '', {
      field,
      reason: 'FieldValueInvalid',
      message: `Invalid value: ${JSON.stringify(value)}: ${expected}`,
    }),
  );

function check(given: JsonObject): Result<DeleteOptions, Refusal> {
  const { gracePeriodSeconds: grace, propagationPolicy: policy, orphanDependents: orphan, preconditions } = given;
  const dryRun = fieldOf(given, 'dryRun') ?? [];
  if (!Array.isArray(dryRun)) return fault('dryRun', dryRun, 'must be a list');
  const unsupported = dryRunFault(dryRun, 'DeleteOptions');
  if (unsupported) return err(unsupported);
  if (grace !== undefined && grace !== null && (!Number.isSafeInteger(grace) || (grace as number) < 0))
    return fault('gracePeriodSeconds', grace, 'must be a whole number of zero or more');
  if (policy && policy !== 'Orphan' && policy !== 'Background' && policy !== 'Foreground')
    return fault('propagationPolicy', policy, 'must be Orphan, Background or Foreground');
  if (policy && orphan !== undefined && orphan !== null)
    return fault('propagationPolicy', policy, 'orphanDependents and propagationPolicy cannot be both set');
  return ok({
    dryRun: dryRun.includes('All'),
    ...(typeof grace === 'number' && { gracePeriodSeconds: grace }),
    ...(policy
      ? { propagationPolicy: policy as DeleteOptions['propagationPolicy'] }
      : orphan === true && { propagationPolicy: 'Orphan' }),
    ...(isObject(preconditions) && { preconditions: preconditions as { uid?: string; resourceVersion?: string } }),
  });
}

/** The body wins where body and query both speak. */
export async function readDeleteOptions(call: Call, limits: ApiLimits): Promise<Result<DeleteOptions, Refusal>> {
  const body = await readBodyOptions(call, limits);
  if (!body.ok) return body;
  const { query } = call;
  const grace = query.get('gracePeriodSeconds');
  const policy = query.get('propagationPolicy');
  return check({
    ...(grace !== null && { gracePeriodSeconds: Number(grace) }),
    ...(policy !== null && { propagationPolicy: policy }),
    ...(query.has('orphanDependents') && { orphanDependents: flag(query, 'orphanDependents') }),
    ...(query.has('dryRun') && { dryRun: query.getAll('dryRun') }),
    ...body.value,
  });
}
