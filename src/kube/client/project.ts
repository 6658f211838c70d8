/** What a mirror keeps of an object. Consumers that need few fields bring their own projection. */
import type { KubeObject, ObjectMeta } from '../types/index.ts';
import type { Intern } from './intern.ts';

/** The object to keep, or undefined to keep none. */
export type Project = (object: KubeObject) => KubeObject | undefined;

const lastApplied = 'kubectl.kubernetes.io/last-applied-configuration';

function sharedValues(values: Record<string, string> | undefined, intern: Intern): void {
  for (const key in values) values[key] = intern(values[key]!);
}

/**
 * Everything but what only writers look at (managed fields, the last applied configuration): often more than half of
 * an object. Takes the object over: it must be fresh from the wire.
 */
export function withoutWriterFields(intern: Intern): Project {
  return (object) => {
    const metadata: ObjectMeta = object.metadata;
    delete metadata.managedFields;
    if (metadata.annotations) delete metadata.annotations[lastApplied];
    if (metadata.namespace) metadata.namespace = intern(metadata.namespace);
    sharedValues(metadata.labels, intern);
    return object;
  };
}
