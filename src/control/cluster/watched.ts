/**
 * What is watched of a cluster, and no more: whole kinds where any object may be named by a route, single objects by
 * name where few of many are (references.ts): of Secrets and ConfigMaps only those are read that something refers to. docs/gateway.md has the list for people; Pods are never watched.
 */
import type { MirrorEntry } from '../../kube/client/mirror.ts';
import { createResourceRegistry, type ResourceRegistry, resourceName } from '../../kube/resources.ts';
import { readGatewayCrds, resourceOfCrd } from '../../kube/schema/crd.ts';
import { serviceNameLabel, type Unstructured } from '../../kube/types/index.ts';
import { endpointSliceResource } from '../../service/endpoints.ts';
import { compiledResources } from '../compile.ts';

/** Kinds of which only the objects that something refers to are watched. */
export const referencedResources: ReadonlySet<string> = new Set(['secrets', 'configmaps']);

export const crdResource = 'customresourcedefinitions.apiextensions.k8s.io';

/** Every kind that is watched, with the versions that are understood, best first. */
export function createWatchedRegistry(): ResourceRegistry {
  const registry = createResourceRegistry();
  for (const crd of readGatewayCrds()) registry.add(resourceOfCrd(crd));
  return registry;
}

export function watchedResources(): MirrorEntry[] {
  const special = new Set([...referencedResources, 'namespaces', crdResource]);
  const whole = [...compiledResources].filter((resource) => !special.has(resource));
  return [
    ...whole.map((resource) => ({ resource })),
    { resource: endpointSliceResource, labelSelector: serviceNameLabel },
    { resource: 'namespaces', project: labelsOnly },
    ...crdNames().map((name) => ({
      resource: crdResource,
      fieldSelector: `metadata.name=${name}`,
      project: withoutSchemas,
    })),
  ];
}

/** Names of the CustomResourceDefinitions of the kinds that are watched. */
function crdNames(): string[] {
  return readGatewayCrds()
    .map((crd) => resourceName(resourceOfCrd(crd)))
    .filter((name) => compiledResources.has(name));
}

/** What `allowedRoutes` looks at. */
const labelsOnly: MirrorEntry['project'] = ({ apiVersion, kind, metadata }) => {
  const { name, uid, labels, creationTimestamp } = metadata;
  return { apiVersion, kind, metadata: { name, uid, creationTimestamp, ...(labels && { labels }) } };
};

/** The group and the bundle's version: schemas are hundreds of kilobytes. */
const withoutSchemas: MirrorEntry['project'] = (object) => {
  const { apiVersion, kind, metadata, spec } = object as Unstructured & { spec?: { group?: string } };
  const { name, uid, annotations, creationTimestamp } = metadata;
  return {
    ...{ apiVersion, kind, spec: { group: spec?.group } },
    metadata: { name, uid, creationTimestamp, ...(annotations && { annotations }) },
  } as Unstructured;
};
