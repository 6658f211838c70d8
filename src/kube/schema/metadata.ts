/** ObjectMeta: what every object is held to (apimachinery `api/validation`). */
import { checkDns1123Label } from '../../base/names.ts';
import type { Unstructured } from '../types/index.ts';
import { type FaultList, forbidden, invalid, report, required, tooLong } from './fields.ts';
import { checkLabelValue, checkQualifiedName } from './names.ts';
import { compileSchema } from './structural/compile.ts';
import type { JsonObject, Schema } from './structural/types.ts';

const text: Schema = { type: 'string' };
const textMap: Schema = { type: 'object', additionalProperties: text };

const ownerReference: Schema = {
  type: 'object',
  properties: {
    apiVersion: text,
    kind: text,
    name: text,
    uid: text,
    controller: { type: 'boolean' },
    blockOwnerDeletion: { type: 'boolean' },
  },
};

/** Types of the fields of metadata. */
export const metadataShape: Schema = {
  type: 'object',
  properties: {
    name: text,
    generateName: text,
    namespace: text,
    uid: text,
    resourceVersion: text,
    generation: { type: 'integer' },
    creationTimestamp: { type: 'string', format: 'date-time' },
    deletionTimestamp: { type: 'string', format: 'date-time' },
    deletionGracePeriodSeconds: { type: 'integer' },
    labels: textMap,
    annotations: textMap,
    finalizers: { type: 'array', items: text },
    ownerReferences: { type: 'array', items: ownerReference },
    managedFields: { type: 'array', items: { type: 'object' } },
  },
};

/** Checks the types of metadata and drops nulls, as Go decodes them. Unknown fields stay. */
export const walkMetadata = compileSchema(metadataShape, { unknownFields: 'keep', nulls: 'drop' });

export type NameCheck = (name: string) => string | undefined;

/** Most bytes of all annotations together (256 KiB). */
const annotationLimit = 256 * 1024;

/** Judges metadata of the right types. Names that did not change are not judged again. */
export function validateMetadata(
  object: Unstructured,
  previous: Unstructured | undefined,
  checkName: NameCheck,
  faults: FaultList,
): void {
  const { name, namespace, labels, annotations, finalizers } = object.metadata;
  if (!name) report(faults, required('metadata.name', 'name or generateName is required'));
  else if (name !== previous?.metadata.name) reportName('metadata.name', name, checkName, faults);
  if (namespace && namespace !== previous?.metadata.namespace)
    reportName('metadata.namespace', namespace, checkDns1123Label, faults);
  validateLabels(labels, 'metadata.labels', faults);
  if (annotations) validateAnnotations(annotations, faults);
  for (const finalizer of finalizers ?? []) reportName('metadata.finalizers', finalizer, checkQualifiedName, faults);
  if (object.metadata.ownerReferences)
    validateOwners(object.metadata.ownerReferences as unknown as JsonObject[], faults);
}

function reportName(field: string, value: string, check: NameCheck, faults: FaultList): void {
  const fault = check(value);
  if (fault) report(faults, invalid(field, value, fault));
}

/** Syntax of label keys and values; also used for selectors. */
export function validateLabels(labels: Record<string, string> | undefined, field: string, faults: FaultList): void {
  for (const key in labels) {
    if (!Object.hasOwn(labels, key)) continue;
    reportName(field, key, checkQualifiedName, faults);
    reportName(field, labels[key]!, checkLabelValue, faults);
  }
}

function validateAnnotations(annotations: Record<string, string>, faults: FaultList): void {
  let size = 0;
  for (const [key, value] of Object.entries(annotations)) {
    // The API server compares keys without regard to case here.
    const fault = checkQualifiedName(key.toLowerCase());
    if (fault) report(faults, invalid('metadata.annotations', key, fault));
    size += Buffer.byteLength(key) + Buffer.byteLength(value);
  }
  if (size > annotationLimit) report(faults, tooLong('metadata.annotations', annotationLimit));
}

function validateOwners(owners: readonly JsonObject[], faults: FaultList): void {
  owners.forEach((owner, i) => {
    for (const field of ['apiVersion', 'kind', 'name', 'uid'])
      if (!owner[field]) report(faults, required(`metadata.ownerReferences[${i}].${field}`));
  });
  const controllers = owners.filter((owner) => owner.controller === true);
  if (controllers.length > 1)
    report(
      faults,
      invalid(
        'metadata.ownerReferences',
        controllers.map((owner) => owner.name).join(', '),
        'Only one reference can have Controller set to true',
      ),
    );
}

/** Finalizers may only go while an object is being deleted. */
export function validateMetadataUpdate(object: Unstructured, previous: Unstructured, faults: FaultList): void {
  if (!previous.metadata.deletionTimestamp) return;
  const before = new Set(previous.metadata.finalizers ?? []);
  const added = (object.metadata.finalizers ?? []).filter((finalizer) => !before.has(finalizer));
  if (added.length > 0)
    report(
      faults,
      forbidden(
        'metadata.finalizers',
        `no new finalizers can be added if the object is being deleted, found new finalizers ${JSON.stringify(added)}`,
      ),
    );
}
