/** What CustomResourceDefinitions say about their kinds: schema, columns, selectable fields, where replicas stand. */

import { builtinTypeOf } from '../../kube/patch/builtin-types.ts';
import { fieldOf, isObject, type Json, type JsonObject } from '../../kube/patch/json.ts';
import { builtinShape, type Shape, schemaShape, unknownShape } from '../../kube/patch/shape.ts';
import { apiVersionOf, type Resource } from '../../kube/resources.ts';
import type { StoreReader } from '../../kube/store/store.ts';

export interface PrinterColumn {
  readonly name: string;
  readonly type: string;
  readonly format?: string;
  readonly description?: string;
  readonly priority?: number;
  readonly jsonPath: string;
}

/** JSON paths of `subresources.scale`. */
export interface ScalePaths {
  readonly specReplicasPath: string;
  readonly statusReplicasPath: string;
  readonly labelSelectorPath?: string;
}

export interface SchemaSource {
  /** Structural OpenAPI v3 schema of one version of a custom resource. */
  schemaOf(resource: Resource, version: string): JsonObject | undefined;
  columnsOf(resource: Resource, version: string): readonly PrinterColumn[] | undefined;
  selectableFieldsOf(resource: Resource, version: string): readonly string[];
  scaleOf(resource: Resource, version: string): ScalePaths | undefined;
  /** Changes whenever any answer may have changed. */
  revision(): string;
}

const CRDS = 'customresourcedefinitions.apiextensions.k8s.io';

function objectAt(value: Json | undefined, name: string): JsonObject | undefined {
  const child = isObject(value) ? fieldOf(value, name) : undefined;
  return isObject(child) ? child : undefined;
}

function listAt(value: JsonObject | undefined, name: string): JsonObject[] {
  const list = fieldOf(value, name);
  return Array.isArray(list) ? list.filter(isObject) : [];
}

/** Reads the CRD objects in the store. */
export function crdSchemaSource(store: StoreReader): SchemaSource {
  function versionOfCrd(resource: Resource, version: string): JsonObject | undefined {
    if (!resource.custom) return undefined;
    const crd = store.get(CRDS, `${resource.plural}.${resource.group}`) as unknown as JsonObject | undefined;
    return listAt(objectAt(crd, 'spec'), 'versions').find((item) => item.name === version);
  }
  return {
    schemaOf: (resource, version) => objectAt(objectAt(versionOfCrd(resource, version), 'schema'), 'openAPIV3Schema'),
    columnsOf(resource, version) {
      const found = versionOfCrd(resource, version);
      if (!found || fieldOf(found, 'additionalPrinterColumns') === undefined) return undefined;
      return listAt(found, 'additionalPrinterColumns') as unknown as PrinterColumn[];
    },
    selectableFieldsOf: (resource, version) =>
      listAt(versionOfCrd(resource, version), 'selectableFields').map((item) => String(item.jsonPath).slice(1)),
    scaleOf: (resource, version) =>
      objectAt(objectAt(versionOfCrd(resource, version), 'subresources'), 'scale') as ScalePaths | undefined,
    revision: () =>
      store
        .list(CRDS)
        .map((crd) => `${crd.metadata.name}@${crd.metadata.resourceVersion}`)
        .sort()
        .join(),
  };
}

/** How the fields of a kind merge. */
export function shapeOf(schemas: SchemaSource, resource: Resource, version: string): Shape {
  const builtin = resource.custom ? undefined : builtinTypeOf(apiVersionOf(resource, version), resource.kind);
  if (builtin) return builtinShape(builtin);
  const schema = schemas.schemaOf(resource, version);
  return schema ? schemaShape(schema) : unknownShape;
}
