/** Field selectors (apimachinery `fields.ParseSelector`): `metadata.name=a,status.phase!=Running`. */
import { err, ok, type Result } from '../../base/result.ts';
import { fieldOf, isObject, type Json, type JsonObject } from '../../kube/patch/json.ts';
import { type Resource, type ResourceName, resourceName } from '../../kube/resources.ts';
import type { KubeObject } from '../../kube/types/index.ts';

export type ObjectPredicate = (object: KubeObject) => boolean;

/** Fields that each built-in resource can be selected by, besides metadata.name and metadata.namespace. */
const selectable: Record<ResourceName, readonly string[]> = {
  pods: [
    'spec.nodeName',
    'spec.restartPolicy',
    'spec.schedulerName',
    'spec.serviceAccountName',
    'spec.hostNetwork',
    'status.phase',
    'status.podIP',
    'status.nominatedNodeName',
  ],
  events: [
    'involvedObject.kind',
    'involvedObject.namespace',
    'involvedObject.name',
    'involvedObject.uid',
    'involvedObject.apiVersion',
    'involvedObject.resourceVersion',
    'involvedObject.fieldPath',
    'reason',
    'reportingComponent',
    'source',
    'type',
  ],
  'events.events.k8s.io': [
    'regarding.kind',
    'regarding.namespace',
    'regarding.name',
    'regarding.uid',
    'reason',
    'reportingController',
    'type',
  ],
  nodes: ['spec.unschedulable'],
  namespaces: ['status.phase'],
  secrets: ['type'],
  services: ['spec.clusterIP', 'spec.type'],
  replicationcontrollers: ['status.replicas'],
  'replicasets.apps': ['status.replicas'],
  'jobs.batch': ['status.successful'],
};

/** Fields whose name is not their path. */
const paths: Record<string, string> = {
  source: 'source.component',
  // Events of events.k8s.io are stored in the words of core/v1.
  'regarding.kind': 'involvedObject.kind',
  'regarding.namespace': 'involvedObject.namespace',
  'regarding.name': 'involvedObject.name',
  'regarding.uid': 'involvedObject.uid',
  reportingController: 'reportingComponent',
  'status.successful': 'status.succeeded',
};
/** What a missing field counts as, where it is not the empty string. */
const absent: Record<string, string> = {
  'spec.unschedulable': 'false',
  'spec.hostNetwork': 'false',
  'status.replicas': '0',
  'status.successful': '0',
};

function valueAt(object: KubeObject, field: string): string {
  let value: Json | undefined = object as unknown as JsonObject;
  for (const name of (paths[field] ?? field).split('.')) value = isObject(value) ? fieldOf(value, name) : undefined;
  return value === undefined || value === null ? (absent[field] ?? '') : String(value);
}

interface Term {
  field: string;
  value: string;
  equal: boolean;
}

const unescaped = (value: string) => value.replace(/\\([\\,=])/g, '$1');

function parseTerm(text: string): Term | undefined {
  const match = /^([^=!]+?)(!=|==|=)(.*)$/s.exec(text);
  return match ? { field: match[1]!.trim(), value: unescaped(match[3]!), equal: match[2] !== '!=' } : undefined;
}

/** `extra`: fields of a custom resource that its CRD declares as selectable. */
export function parseFieldSelector(
  selector: string,
  resource: Resource,
  extra: readonly string[] = [],
): Result<ObjectPredicate, string> {
  const known = [
    'metadata.name',
    ...(resource.namespaced ? ['metadata.namespace'] : []),
    ...(selectable[resourceName(resource)] ?? []),
    ...extra,
  ];
  const terms: Term[] = [];
  for (const text of selector.split(/(?<!\\),/)) {
    if (text.trim() === '') continue;
    const term = parseTerm(text);
    if (!term) return err(`invalid selector: ${JSON.stringify(text)}; can't understand it`);
    if (!known.includes(term.field)) return err(`field label not supported: ${term.field}`);
    terms.push(term);
  }
  return ok((object) => terms.every(({ field, value, equal }) => (valueAt(object, field) === value) === equal));
}
