/** Paths of a resource and what may be done there, as much as clients look up: operations, kinds, parameters. */
import type { JsonObject } from '../../../kube/patch/json.ts';
import { apiVersionOf, type Resource } from '../../../kube/resources.ts';

interface Action {
  readonly method: 'get' | 'post' | 'put' | 'patch' | 'delete';
  /** `x-kubernetes-action`. */
  readonly action: string;
  readonly parameters: readonly string[];
}

const write = ['dryRun', 'fieldManager', 'fieldValidation'];

const collection: readonly Action[] = [
  {
    method: 'get',
    action: 'list',
    parameters: ['labelSelector', 'fieldSelector', 'limit', 'continue', 'watch', 'resourceVersion'],
  },
  { method: 'post', action: 'post', parameters: write },
  { method: 'delete', action: 'deletecollection', parameters: ['labelSelector', 'fieldSelector', 'dryRun'] },
];

const object: readonly Action[] = [
  { method: 'get', action: 'get', parameters: [] },
  { method: 'put', action: 'put', parameters: write },
  { method: 'patch', action: 'patch', parameters: [...write, 'force'] },
  { method: 'delete', action: 'delete', parameters: ['dryRun', 'gracePeriodSeconds', 'propagationPolicy'] },
];

const parameterTypes: Record<string, string> = {
  limit: 'integer',
  gracePeriodSeconds: 'integer',
  watch: 'boolean',
  force: 'boolean',
};

export const typeOfParameter = (name: string): string => parameterTypes[name] ?? 'string';

export function patchTypesOf(resource: Resource): string[] {
  return [
    'application/json-patch+json',
    'application/merge-patch+json',
    ...(resource.custom ? [] : ['application/strategic-merge-patch+json']),
    'application/apply-patch+yaml',
  ];
}

/** How the two versions of OpenAPI write an operation down. */
export type WriteOperation = (action: Action, common: JsonObject, resource: Resource, version: string) => JsonObject;

/** Path items of one resource in one version. */
export function pathsOf(resource: Resource, version: string, operation: WriteOperation): Record<string, JsonObject> {
  const { group, kind, plural, namespaced } = resource;
  const root = `${group ? '/apis' : '/api'}/${apiVersionOf(resource, version)}`;
  const base = `${root}${namespaced ? '/namespaces/{namespace}' : ''}/${plural}`;
  const item = (path: string, actions: readonly Action[]) =>
    Object.fromEntries(
      actions.map((action) => [
        action.method,
        operation(
          action,
          {
            operationId: `${action.action}${path}`.replace(/[^A-Za-z0-9]+/g, '_'),
            'x-kubernetes-action': action.action,
            'x-kubernetes-group-version-kind': { group, kind, version },
          },
          resource,
          version,
        ),
      ]),
    );
  return {
    ...(namespaced && { [`${root}/${plural}`]: item(`${root}/${plural}`, collection.slice(0, 1)) }),
    [base]: item(base, collection),
    [`${base}/{name}`]: item(`${base}/{name}`, object),
  };
}
