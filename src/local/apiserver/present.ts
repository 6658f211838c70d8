/** An object of the store in the form that a client asked for: version, table, metadata only. */
import { eventIn, eventResource } from '../../kube/events.ts';
import type { JsonObject } from '../../kube/patch/json.ts';
import { apiVersionOf } from '../../kube/resources.ts';
import type { KubeObject } from '../../kube/types/index.ts';
import type { Call, ServerContext, Target } from './call.ts';
import { tableFor } from './tables/index.ts';
import type { TableDefinition } from './tables/table.ts';

export interface Presenter {
  /** One object: the whole answer to a get, or the object of a watch event. */
  one(object: KubeObject): JsonObject;
  /** One entry of a list: an item, or a row. */
  entry(object: KubeObject): JsonObject;
  /** What surrounds the entries of a list. */
  readonly frame: { readonly head: JsonObject; readonly entries: 'items' | 'rows' };
  /** An object that says nothing but how far a watch has come. */
  bookmark(resourceVersion: string, annotations?: Record<string, string>): JsonObject;
}

/**
 * Objects are stored under the preferred version; every other served version is the same with another name. Events of
 * events.k8s.io are stored in the words of core/v1.
 */
export function inVersion(object: KubeObject, { resource, version }: Target): JsonObject {
  const apiVersion = apiVersionOf(resource, version);
  const json = object as unknown as JsonObject;
  if (resource.storedAs === eventResource) return eventIn(apiVersion, json);
  return object.apiVersion === apiVersion ? json : { ...json, apiVersion };
}

function objects(target: Target): Presenter {
  const apiVersion = apiVersionOf(target.resource, target.version);
  const { kind } = target.resource;
  return {
    one: (object) => inVersion(object, target),
    entry: (object) => inVersion(object, target),
    frame: { head: { kind: `${kind}List`, apiVersion }, entries: 'items' },
    bookmark: (resourceVersion, annotations) => ({
      kind,
      apiVersion,
      metadata: { resourceVersion, creationTimestamp: null, ...(annotations && { annotations }) },
    }),
  };
}

function metadata(call: Call): Presenter {
  const apiVersion = `meta.k8s.io/${call.accept.metaVersion}`;
  const partial = (object: KubeObject) => ({
    kind: 'PartialObjectMetadata',
    apiVersion,
    metadata: object.metadata as unknown as JsonObject,
  });
  return {
    one: partial,
    entry: partial,
    frame: { head: { kind: 'PartialObjectMetadataList', apiVersion }, entries: 'items' },
    bookmark: (resourceVersion, annotations) => ({
      kind: 'PartialObjectMetadata',
      apiVersion,
      metadata: { resourceVersion, creationTimestamp: null, ...(annotations && { annotations }) },
    }),
  };
}

function rowObject(call: Call, target: Target, object: KubeObject): JsonObject | null {
  const included = call.query.get('includeObject');
  if (included === 'None') return null;
  return included === 'Object' ? inVersion(object, target) : metadata(call).one(object);
}

function tables(context: ServerContext, call: Call, target: Target, definition: TableDefinition): Presenter {
  const head = { kind: 'Table', apiVersion: `meta.k8s.io/${call.accept.metaVersion}` };
  const columnDefinitions = definition.columns.map((column) => ({ ...column }));
  const row = (object: KubeObject): JsonObject => ({
    cells: definition.cells(object, context.clock.now()),
    object: rowObject(call, target, object),
  });
  let shown = false;
  return {
    one(object) {
      // A watch sends many tables: only the first one says what the columns are.
      const columns = shown ? [] : columnDefinitions;
      shown = true;
      const { resourceVersion } = object.metadata;
      return { ...head, metadata: { resourceVersion }, columnDefinitions: columns, rows: [row(object)] };
    },
    entry: row,
    frame: { head: { ...head, columnDefinitions }, entries: 'rows' },
    bookmark: (resourceVersion, annotations) => ({
      ...head,
      metadata: { resourceVersion },
      columnDefinitions: shown ? [] : columnDefinitions,
      rows: [
        { cells: columnDefinitions.map(() => null), object: metadata(call).bookmark(resourceVersion, annotations) },
      ],
    }),
  };
}

export function presenterFor(context: ServerContext, call: Call, target: Target): Presenter {
  if (call.accept.view === 'object') return objects(target);
  if (call.accept.view === 'metadata') return metadata(call);
  return tables(context, call, target, tableFor(target.resource, target.version, context.schemas));
}
