/**
 * The resources that this process knows: names, versions and traits of each kind. Built-in kinds stand in a table
 * (builtin-resources.ts); CustomResourceDefinitions add theirs at run time.
 */

import type { ObjectRef } from '../base/diagnostics/index.ts';
import { intern } from '../base/intern.ts';
import { builtinResources } from './builtin-resources.ts';
import type { KubeObject } from './types/index.ts';

/** `services`, `deployments.apps`, `httproutes.gateway.networking.k8s.io`: plural, then the group unless it is the core one. */
export type ResourceName = string;

export interface Resource {
  /** '' for the core group. */
  readonly group: string;
  /** Every served version, preferred first. Objects are stored under the first one. */
  readonly versions: readonly string[];
  readonly plural: string;
  readonly singular: string;
  readonly kind: string;
  readonly shortNames: readonly string[];
  readonly categories: readonly string[];
  readonly namespaced: boolean;
  /** Status is a subresource: a plain update leaves it alone, and only spec changes count as a new generation. */
  readonly status: boolean;
  readonly scale: boolean;
  /** False for kinds without `metadata.generation` (ConfigMaps, Secrets, Services…); all others count their changes. */
  readonly generation?: false;
  /** Defined by a CustomResourceDefinition. */
  readonly custom: boolean;
  /** Its objects are those of another resource, in other words (events.ts). */
  readonly storedAs?: ResourceName;
}

export function resourceName(resource: Pick<Resource, 'group' | 'plural'>): ResourceName {
  return resource.group ? `${resource.plural}.${resource.group}` : resource.plural;
}

/** The resource that objects are kept under in a store. */
export function storageName(resource: Pick<Resource, 'group' | 'plural' | 'storedAs'>): ResourceName {
  return resource.storedAs ?? resourceName(resource);
}

export function groupOf(apiVersion: string): string {
  const slash = apiVersion.indexOf('/');
  return slash < 0 ? '' : apiVersion.slice(0, slash);
}

export function versionOf(apiVersion: string): string {
  return apiVersion.slice(apiVersion.indexOf('/') + 1);
}

export function apiVersionOf(
  resource: Pick<Resource, 'group' | 'versions'>,
  version: string = resource.versions[0]!,
): string {
  return resource.group ? intern(`${resource.group}/${version}`) : version;
}

export interface ResourceRegistry {
  /** Resource of an object's apiVersion and kind, if that version is served. */
  ofKind(apiVersion: string, kind: string): Resource | undefined;
  /** Resource by group and plural. */
  ofPlural(group: string, plural: string): Resource | undefined;
  byName(name: ResourceName): Resource | undefined;
  all(): readonly Resource[];
  /** Adds or replaces a resource (a CRD was written). */
  add(resource: Resource): void;
  remove(name: ResourceName): void;
}

/** A registry that starts with the built-in kinds. */
export function createResourceRegistry(): ResourceRegistry {
  const byName = new Map<ResourceName, Resource>();
  const byKind = new Map<string, Resource>();
  const registry: ResourceRegistry = {
    ofKind: (apiVersion, kind) => byKind.get(`${apiVersion}/${kind}`),
    ofPlural: (group, plural) => byName.get(resourceName({ group, plural })),
    byName: (name) => byName.get(name),
    all: () => [...byName.values()],
    add(resource) {
      registry.remove(resourceName(resource));
      byName.set(resourceName(resource), resource);
      for (const version of resource.versions)
        byKind.set(`${apiVersionOf(resource, version)}/${resource.kind}`, resource);
    },
    remove(name) {
      const old = byName.get(name);
      if (!old) return;
      byName.delete(name);
      for (const version of old.versions) byKind.delete(`${apiVersionOf(old, version)}/${old.kind}`);
    },
  };
  for (const resource of builtinResources) registry.add(resource);
  return registry;
}

/** The reference that names an object in findings and statuses. */
export function refOf(object: KubeObject): ObjectRef {
  const { apiVersion, kind } = object;
  const { namespace, name } = object.metadata;
  return namespace ? { apiVersion, kind, namespace, name } : { apiVersion, kind, name };
}

/** Key within one resource: `namespace/name`, or `name` for cluster-scoped objects. One copy for all that keep it. */
export function keyOf(object: { metadata: { namespace?: string; name: string } }): string {
  const { namespace, name } = object.metadata;
  return namespace ? intern(`${namespace}/${name}`) : name;
}
