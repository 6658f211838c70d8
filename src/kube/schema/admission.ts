/**
 * Admission: what stands between a request and the store. Every object is pruned, defaulted and validated as an API
 * server would, whatever its way in; faults name the field and say what would be right.
 */
import { type Clock, systemClock } from '../../base/clock.ts';
import { checkDns1123Subdomain } from '../../base/names.ts';
import { isNestedTooDeep, maxNesting } from '../../base/nesting.ts';
import type { Admission, AdmissionRequest, AdmissionResult } from '../objects.ts';
import { type Resource, resourceName, versionOf } from '../resources.ts';
import type { ObjectMeta, Unstructured } from '../types/index.ts';
import { coreKind } from './core/index.ts';
import type { CoreKind } from './core/kind.ts';
import { podSpec } from './core/pod-shape.ts';
import { isBundled, type Schemas } from './crd.ts';
import { admitCrd, ruleWarnings, withCrdStatus } from './crd-validation.ts';
import { createFaultList, type FaultList, invalid, report } from './fields.ts';
import { type NameCheck, validateMetadata, validateMetadataUpdate, walkMetadata } from './metadata.ts';
import { compileSchema, type SchemaNode } from './structural/compile.ts';
import type { Schema } from './structural/types.ts';

export interface AdmissionOptions {
  /** Schemas of custom resources, and the registry that their names are checked against. */
  schemas: Schemas;
  clock?: Clock;
  /** Deepest nesting of an object that is taken, so that nothing that walks it later runs out of stack. Default 500. */
  maxDepth?: number;
}

/** As `isDeeper` of an object; parts that are those of the stored one were measured when it was written. */
function isDeeperThan(stored: Unstructured | undefined, object: Unstructured, limit: number): boolean {
  if (!stored) return isNestedTooDeep(object, limit);
  for (const key in object) if (object[key] !== stored[key] && isNestedTooDeep(object[key], limit - 1)) return true;
  return false;
}

/** One kind's part of admission. Metadata is dealt with already. */
type KindAdmission = (request: AdmissionRequest, object: Unstructured, faults: FaultList) => Admitted;

interface Admitted {
  object: Unstructured;
  warnings: string[];
}

export function createAdmission({ schemas, clock = systemClock, maxDepth = maxNesting }: AdmissionOptions): Admission {
  const core = new Map<string, KindAdmission>();
  const custom = createCustomAdmission(schemas);
  core.set('customresourcedefinitions.apiextensions.k8s.io', createCrdAdmission(schemas, clock));

  function admissionOf(resource: Resource): KindAdmission {
    if (resource.custom) return custom;
    const name = resourceName(resource);
    let admission = core.get(name);
    if (!admission) {
      admission = createCoreAdmission(coreKind(name));
      core.set(name, admission);
    }
    return admission;
  }

  return (request): AdmissionResult => {
    const faults = createFaultList();
    const tooDeep =
      request.subresource === 'status'
        ? isNestedTooDeep(request.object.status, maxDepth)
        : isDeeperThan(request.previous, request.object, maxDepth);
    if (tooDeep) {
      report(faults, invalid('', 'object', `must not be nested more than ${maxDepth} levels`));
      return { object: request.object, errors: faults.errors, warnings: [] };
    }
    const object = admitMetadata(withoutForeignStatus(request), request, faults);
    // Wrong types in metadata: nothing that reads it can go on.
    if (faults.blocked) return { object, errors: faults.errors, warnings: [] };
    const admitted = admissionOf(request.resource)(request, object, faults);
    return { object: admitted.object, errors: faults.errors, warnings: admitted.warnings };
  };
}

/** Resources whose creator may bring a status although it is a subresource: kubelets register nodes with theirs. */
const keepStatus = new Set(['Node']);

/** Status is written by controllers, later: one that comes with a new object is dropped, as an API server does. */
function withoutForeignStatus({ operation, resource, object }: AdmissionRequest): Unstructured {
  if (operation !== 'create' || !resource.status || object.status === undefined) return object;
  if (keepStatus.has(resource.kind) && !resource.custom) return object;
  const { status: _, ...rest } = object;
  return rest as Unstructured;
}

function nameCheckOf(resource: Resource): NameCheck {
  return (!resource.custom && coreKind(resourceName(resource)).checkName) || checkDns1123Subdomain;
}

function admitMetadata(object: Unstructured, request: AdmissionRequest, faults: FaultList): Unstructured {
  const { resource, previous } = request;
  const before = previous?.metadata;
  const metadata = walkMetadata(object.metadata ?? {}, before, 'metadata', faults) as ObjectMeta;
  if (faults.blocked) return object;
  const result = metadata === object.metadata ? object : { ...object, metadata };
  if (request.subresource === 'status') return result;
  validateMetadata(result, previous, nameCheckOf(resource), faults);
  if (previous) validateMetadataUpdate(result, previous, faults);
  return result;
}

const shared: ReadonlySet<Schema> = new Set([podSpec]);

function createCoreAdmission(kind: CoreKind): KindAdmission {
  const walk = compileSchema(kind.shape, {
    unknownFields: 'keep',
    nulls: 'drop',
    wholeObject: true,
    remember: shared,
  });
  return (request, object, faults) => {
    // Status has no rules of its own here; spec is the stored one.
    if (request.subresource === 'status') return { object, warnings: [] };
    const before = faults.errors.length;
    const shaped = walk(object, undefined, '', faults) as Unstructured;
    if (faults.errors.length > before) return { object: shaped, warnings: [] };
    const change = { operation: request.operation, previous: request.previous };
    const filled = kind.defaults?.(shaped, change) ?? shaped;
    kind.validate?.(filled, change, faults);
    return { object: filled, warnings: kind.warnings?.(filled, change) ?? [] };
  };
}

function createCrdAdmission(schemas: Schemas, clock: Clock): KindAdmission {
  return (request, object, faults) => {
    if (request.subresource === 'status') return { object, warnings: [] };
    const before = faults.errors.length;
    const crd = admitCrd(object, request.previous, faults);
    if (faults.errors.length > before) return { object: crd, warnings: [] };
    const warnings = isBundled(object) || crd.spec === request.previous?.spec ? [] : ruleWarnings(crd);
    return { object: withCrdStatus(crd, schemas.registry, clock), warnings };
  };
}

const blockedRules =
  'some validation rules were not checked because the object was invalid; correct the existing errors to complete validation';

function createCustomAdmission(schemas: Schemas): KindAdmission {
  return ({ resource, previous }, object, faults) => {
    const schema =
      schemas.compiled(resource, versionOf(object.apiVersion)) ?? schemas.compiled(resource, resource.versions[0]!);
    if (!schema) return { object, warnings: [] };
    const walk: SchemaNode = schema.walk;
    const shaped = walk(object, previous, '', faults) as Unstructured;
    if (faults.blocked && schema.rules) report(faults, invalid('<nil>', 'null', blockedRules));
    else schema.rules?.(shaped, previous, faults);
    return { object: shaped, warnings: schema.deprecation ? [schema.deprecation] : [] };
  };
}
