/**
 * Custom resources: what a CustomResourceDefinition makes known, and the compiled schemas of its versions. Everything
 * costly (compiling schemas, patterns, rules) waits until an object of that kind comes, so that a start with the
 * Gateway API installed costs next to nothing.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../../base/package-root.ts';
import { type Resource, type ResourceName, type ResourceRegistry, resourceName } from '../resources.ts';
import type { Store } from '../store/store.ts';
import type { Unstructured } from '../types/index.ts';
import { compileRules, type RuleSet } from './cel/rules.ts';
import { compileSchema, type SchemaNode } from './structural/compile.ts';
import type { Schema } from './structural/types.ts';

/** The parts of a valid CustomResourceDefinition that are read here. */
export interface CrdSpec {
  group: string;
  scope: 'Namespaced' | 'Cluster';
  names: CrdNames;
  versions: CrdVersion[];
}

export interface CrdNames {
  plural: string;
  kind: string;
  singular?: string;
  listKind?: string;
  shortNames?: string[];
  categories?: string[];
}

export interface CrdVersion {
  name: string;
  served: boolean;
  storage: boolean;
  deprecated?: boolean;
  deprecationWarning?: string;
  schema?: { openAPIV3Schema?: Schema };
  subresources?: { status?: object; scale?: object };
}

export function crdSpec(crd: Unstructured): CrdSpec {
  return crd.spec as CrdSpec;
}

/** Specs that came with the package: known to be good, so their rules need no check at every start. */
const bundled = new WeakSet<object>();

export function isBundled(crd: Unstructured): boolean {
  return typeof crd.spec === 'object' && crd.spec !== null && bundled.has(crd.spec);
}

/** The CustomResourceDefinitions of Gateway API v1.6.1, experimental channel. */
export function readGatewayCrds(): Unstructured[] {
  const file = join(packageRoot, 'data/gateway-api/v1.6.1-experimental.json');
  const crds = JSON.parse(readFileSync(file, 'utf8')) as Unstructured[];
  for (const crd of crds) bundled.add(crd.spec as object);
  return crds;
}

const VERSION = /^v(\d+)(?:(alpha|beta)(\d+))?$/;
const stages: Record<string, number> = { alpha: 0, beta: 1 };

/** Order of Kubernetes versions, best first: v2, v1, v1beta2, v1beta1, v1alpha1, anything else by name. */
export function compareVersions(a: string, b: string): number {
  const [left, right] = [VERSION.exec(a), VERSION.exec(b)];
  if (!left || !right) return left ? -1 : right ? 1 : a < b ? -1 : Number(a > b);
  const rank = (match: RegExpExecArray) => [match[2] ? stages[match[2]]! : 2, Number(match[1]), Number(match[3] ?? 0)];
  const [ranksA, ranksB] = [rank(left), rank(right)];
  for (let i = 0; i < 3; i++) if (ranksA[i] !== ranksB[i]) return ranksB[i]! - ranksA[i]!;
  return 0;
}

/**
 * The resource that a valid CustomResourceDefinition defines. Its versions are the served ones, in the order of
 * preference that discovery shows; objects are stored under the first (conversion None: versions differ in name only).
 */
export function resourceOfCrd(crd: Unstructured): Resource {
  const { group, names, scope, versions } = crdSpec(crd);
  const served = versions.filter((version) => version.served);
  return {
    group,
    versions: served.map((version) => version.name).sort(compareVersions),
    plural: names.plural,
    singular: names.singular || names.kind.toLowerCase(),
    kind: names.kind,
    shortNames: names.shortNames ?? [],
    categories: names.categories ?? [],
    namespaced: scope === 'Namespaced',
    status: served.some((version) => version.subresources?.status !== undefined),
    scale: served.some((version) => version.subresources?.scale !== undefined),
    custom: true,
  };
}

export interface CompiledSchema {
  /** Prunes, defaults and validates a whole object. */
  readonly walk: SchemaNode;
  /** CEL rules, to be run on what `walk` gave when it found nothing blocking. */
  readonly rules: RuleSet | undefined;
  /** Sent as a warning with each write of a deprecated version. */
  readonly deprecation: string | undefined;
}

/** The schemas of the custom resources of a registry. */
export interface Schemas {
  readonly registry: ResourceRegistry;
  /** Makes the kind of a valid CustomResourceDefinition usable at once, or takes over its change. */
  add(crd: Unstructured): void;
  /** Forgets a kind, by the name of its CustomResourceDefinition (`plural.group`). */
  remove(name: string): void;
  /** The schema of one version as OpenAPI, for /openapi and `kubectl explain`. */
  source(resource: Resource, version: string): Schema | undefined;
  /** The compiled schema of one version; undefined when the CustomResourceDefinition is gone. */
  compiled(resource: Resource, version: string): CompiledSchema | undefined;
}

export function createSchemas(registry: ResourceRegistry): Schemas {
  const specs = new Map<ResourceName, CrdSpec>();
  const compiled = new Map<string, CompiledSchema>();

  function forget(name: ResourceName): void {
    for (const version of specs.get(name)?.versions ?? []) compiled.delete(`${version.name} ${name}`);
    specs.delete(name);
  }

  function versionOf(resource: Resource, name: string): CrdVersion | undefined {
    return specs.get(resourceName(resource))?.versions.find((version) => version.name === name);
  }

  return {
    registry,
    add(crd) {
      const resource = resourceOfCrd(crd);
      const name = resourceName(resource);
      forget(name);
      specs.set(name, crdSpec(crd));
      if (resource.versions.length === 0) registry.remove(name);
      else registry.add(resource);
    },
    remove(name) {
      if (!specs.has(name)) return;
      forget(name);
      registry.remove(name);
    },
    source: (resource, version) => versionOf(resource, version)?.schema?.openAPIV3Schema,
    compiled(resource, version) {
      const key = `${version} ${resourceName(resource)}`;
      const known = compiled.get(key);
      if (known) return known;
      const source = versionOf(resource, version);
      if (!source) return undefined;
      const made = compileVersion(source, resource);
      compiled.set(key, made);
      return made;
    },
  };
}

function compileVersion(version: CrdVersion, resource: Resource): CompiledSchema {
  const schema = version.schema?.openAPIV3Schema ?? { type: 'object', 'x-kubernetes-preserve-unknown-fields': true };
  return {
    walk: compileSchema(schema, { wholeObject: true, nulls: 'drop' }),
    rules: compileRules(schema),
    deprecation: version.deprecated
      ? version.deprecationWarning || `${resource.group}/${version.name} ${resource.kind} is deprecated`
      : undefined,
  };
}

const crdResource = 'customresourcedefinitions.apiextensions.k8s.io';

/** True when the API server found the names free: what `Established` says in the status. */
function isEstablished(crd: Unstructured): boolean {
  const { conditions = [] } = (crd.status ?? {}) as { conditions?: { type: string; status: string }[] };
  return conditions.some(({ type, status }) => type === 'Established' && status === 'True');
}

/**
 * Keeps schemas in step with the CustomResourceDefinitions of a store: writing one makes its kind usable before the
 * write returns; deleting one deletes its objects, as the finalizer of a real API server does. Gives the way to stop.
 */
export function followCrds(store: Store, schemas: Schemas): () => void {
  for (const crd of store.list<Unstructured>(crdResource)) if (isEstablished(crd)) schemas.add(crd);
  return store.subscribe(({ type, resource, object }) => {
    if (resource !== crdResource) return;
    if (type !== 'DELETED') {
      if (isEstablished(object as Unstructured)) schemas.add(object as Unstructured);
      return;
    }
    schemas.remove(object.metadata.name);
    // After the other subscribers have heard of this change: writes must not overtake each other.
    queueMicrotask(() => removeObjects(store, object.metadata.name));
  });
}

function removeObjects(store: Store, resource: ResourceName): void {
  if (store.get(crdResource, resource)) return;
  for (const { metadata } of store.list(resource))
    store.remove(resource, metadata.namespace ? `${metadata.namespace}/${metadata.name}` : metadata.name);
}
