/** CustomResourceDefinition objects themselves: what an API server refuses, defaults, and reports in their status. */
import { type Clock, toKubeTime } from '../../base/clock.ts';
import { checkDns1035Label, checkDns1123Label, checkDns1123Subdomain } from '../../base/names.ts';
import { type ResourceRegistry, resourceName } from '../resources.ts';
import type { Condition, Unstructured } from '../types/index.ts';
import { ruleProblems } from './cel/rules.ts';
import { type CrdSpec, type CrdVersion, crdSpec, isBundled } from './crd.ts';
import { duplicate, type FaultList, invalid, report, required } from './fields.ts';
import { checkSchema } from './schema-validation.ts';
import { compileSchema } from './structural/compile.ts';
import type { JsonObject, Schema } from './structural/types.ts';

const text: Schema = { type: 'string' };
const texts: Schema = { type: 'array', items: text };
const flag: Schema = { type: 'boolean' };
const any: Schema = { 'x-kubernetes-preserve-unknown-fields': true };

const version: Schema = {
  type: 'object',
  required: ['name', 'served', 'storage'],
  properties: {
    name: text,
    served: flag,
    storage: flag,
    deprecated: flag,
    deprecationWarning: text,
    schema: { type: 'object', properties: { openAPIV3Schema: { type: 'object' } } },
    subresources: { type: 'object', properties: { status: { type: 'object' }, scale: { type: 'object' } } },
    additionalPrinterColumns: {
      type: 'array',
      items: {
        type: 'object',
        required: ['name', 'type', 'jsonPath'],
        properties: { name: text, type: text, jsonPath: text },
      },
    },
  },
};

const walkCrd = compileSchema(
  {
    type: 'object',
    required: ['spec'],
    properties: {
      metadata: any,
      status: any,
      spec: {
        type: 'object',
        required: ['group', 'names', 'scope', 'versions'],
        properties: {
          group: text,
          scope: { type: 'string', enum: ['Cluster', 'Namespaced'] },
          names: {
            type: 'object',
            required: ['plural', 'kind'],
            properties: {
              plural: text,
              singular: text,
              kind: text,
              listKind: text,
              shortNames: texts,
              categories: texts,
            },
          },
          versions: { type: 'array', items: version, minItems: 1 },
          conversion: { type: 'object', properties: { strategy: { type: 'string', default: 'None' } }, default: {} },
          preserveUnknownFields: flag,
        },
      },
    },
  },
  { unknownFields: 'keep', nulls: 'drop' },
);

/** Names left out are derived from the kind. */
function withNames(crd: Unstructured): Unstructured {
  const spec = crdSpec(crd);
  const { kind, singular, listKind } = spec.names;
  if (singular && listKind) return crd;
  const names = { ...spec.names, singular: singular || kind.toLowerCase(), listKind: listKind || `${kind}List` };
  return { ...crd, spec: { ...spec, names } };
}

/** Checks and defaults a CustomResourceDefinition. Bad ones come back as far as they were understood. */
export function admitCrd(crd: Unstructured, previous: Unstructured | undefined, faults: FaultList): Unstructured {
  const walked = walkCrd(crd, undefined, '', faults) as Unstructured;
  if (faults.errors.length > 0) return walked;
  if (walked.spec === previous?.spec) return walked;
  const spec = crdSpec(walked);
  validateNames(walked, spec, faults);
  validateVersions(spec.versions, isBundled(crd), faults);
  return withNames(walked);
}

function validateNames(crd: Unstructured, { group, names, scope: _ }: CrdSpec, faults: FaultList): void {
  const name = `${names.plural}.${group}`;
  if (crd.metadata.name !== name)
    report(faults, invalid('metadata.name', crd.metadata.name, 'must be spec.names.plural+"."+spec.group'));
  const check = (field: string, value: string | undefined, fault: string | undefined) => {
    if (value !== undefined && fault) report(faults, invalid(`spec.${field}`, value, fault));
  };
  check(
    'group',
    group,
    group.includes('.') ? checkDns1123Subdomain(group) : 'should be a domain with at least one dot',
  );
  check('names.plural', names.plural, checkDns1035Label(names.plural));
  check('names.kind', names.kind, checkDns1035Label(names.kind.toLowerCase()));
  if (names.singular) check('names.singular', names.singular, checkDns1035Label(names.singular));
  if (names.listKind) check('names.listKind', names.listKind, checkDns1035Label(names.listKind.toLowerCase()));
  for (const [i, short] of (names.shortNames ?? []).entries())
    check(`names.shortNames[${i}]`, short, checkDns1035Label(short));
}

function validateVersions(versions: readonly CrdVersion[], trusted: boolean, faults: FaultList): void {
  const seen = new Set<string>();
  versions.forEach(({ name, schema }, i) => {
    const path = `spec.versions[${i}]`;
    const fault = checkDns1123Label(name);
    if (fault) report(faults, invalid(`${path}.name`, name, fault));
    if (seen.has(name)) report(faults, duplicate(`${path}.name`, name));
    seen.add(name);
    const root = schema?.openAPIV3Schema;
    if (!root) report(faults, required(`${path}.schema.openAPIV3Schema`, 'schemas are required'));
    else if (!trusted) checkSchema(root as JsonObject, `${path}.schema.openAPIV3Schema`, faults);
  });
  if (versions.filter(({ storage }) => storage).length !== 1)
    report(
      faults,
      invalid(
        'spec.versions',
        versions.map(({ name }) => name),
        'must have exactly one version marked as storage version',
      ),
    );
}

/** Rules that do not compile, one warning each. The kind works without them. */
export function ruleWarnings(crd: Unstructured): string[] {
  return crdSpec(crd).versions.flatMap(({ name, schema }) =>
    ruleProblems(schema?.openAPIV3Schema ?? {}).map(
      (problem) => `version ${name}: ${problem}; the rule is not enforced`,
    ),
  );
}

/** Another kind that has the names already, as the condition says it. */
function nameConflict(crd: Unstructured, registry: ResourceRegistry): { reason: string; message: string } | undefined {
  const { group, names } = crdSpec(crd);
  const own = resourceName({ group, plural: names.plural });
  for (const other of registry.all()) {
    if (other.group !== group) continue;
    if (resourceName(other) === own) {
      if (!other.custom) return { reason: 'PluralConflict', message: `"${names.plural}" is a built-in resource` };
    } else if (other.kind === names.kind) {
      return { reason: 'KindConflict', message: `"${names.kind}" is already in use` };
    } else if (other.plural === names.singular || other.singular === names.plural) {
      return { reason: 'PluralConflict', message: `"${names.plural}" is already in use` };
    }
  }
  return undefined;
}

/** The status that a cluster's naming and establishing controllers write, worked out with the write itself. */
export function withCrdStatus(crd: Unstructured, registry: ResourceRegistry, clock: Clock): Unstructured {
  const { names, versions } = crdSpec(crd);
  const old = (crd.status ?? {}) as { conditions?: Condition[]; storedVersions?: string[]; acceptedNames?: object };
  const conflict = nameConflict(crd, registry);
  const storage = versions.find((version) => version.storage)!.name;
  const accepted = conflict
    ? { type: 'NamesAccepted', status: 'False' as const, ...conflict }
    : { type: 'NamesAccepted', status: 'True' as const, reason: 'NoConflicts', message: 'no conflicts found' };
  const established = conflict
    ? { type: 'Established', status: 'False' as const, reason: 'NotAccepted', message: 'not all names are accepted' }
    : {
        type: 'Established',
        status: 'True' as const,
        reason: 'InitialNamesAccepted',
        message: 'the initial names have been accepted',
      };
  const time = toKubeTime(clock.now());
  const conditions = [accepted, established].map((condition) => {
    const before = old.conditions?.find(({ type }) => type === condition.type);
    return { ...condition, lastTransitionTime: before?.status === condition.status ? before.lastTransitionTime : time };
  });
  const status = {
    ...old,
    conditions,
    acceptedNames: conflict ? (old.acceptedNames ?? { plural: '', kind: '' }) : names,
    storedVersions: [...new Set([...(old.storedVersions ?? []), storage])],
  };
  return { ...crd, status };
}
