/** Admission as tests use it: objects in, `field: message` out. */
import type { AdmissionResult } from '../../objects.ts';
import { createResourceRegistry } from '../../resources.ts';
import type { Unstructured } from '../../types/index.ts';
import { createAdmission } from '../admission.ts';
import { createSchemas, readGatewayCrds } from '../crd.ts';

export function createTestAdmission() {
  const registry = createResourceRegistry();
  const schemas = createSchemas(registry);
  for (const crd of readGatewayCrds()) schemas.add(crd);
  const admission = createAdmission({ schemas, clock: { now: () => 0 } });

  function admit(object: Unstructured, previous?: Unstructured, subresource?: 'status'): AdmissionResult {
    const resource = registry.ofKind(object.apiVersion, object.kind)!;
    return admission({
      operation: previous ? 'update' : 'create',
      resource,
      object,
      ...(previous && { previous }),
      ...(subresource && { subresource }),
    });
  }

  return {
    registry,
    admit,
    /** Faults of an object, none when it is good. */
    faultsOf: (object: Unstructured, previous?: Unstructured) =>
      admit(object, previous).errors.map(({ field, message }) => `${field}: ${message}`),
    /** The object as it would be stored. */
    stored(object: Unstructured, previous?: Unstructured): Unstructured {
      const { object: result, errors } = admit(object, previous);
      if (errors.length > 0) throw new Error(JSON.stringify(errors));
      return result;
    },
  };
}

/** An object of a kind, with its own fields. */
export function make(apiVersion: string, kind: string, fields: object, metadata: object = {}): Unstructured {
  return { apiVersion, kind, metadata: { name: 'x', namespace: 'default', ...metadata }, ...fields } as Unstructured;
}
