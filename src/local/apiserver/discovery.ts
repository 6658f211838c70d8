/** What the server serves: the old documents (one per group and version) and the aggregated ones. */
import { createHash } from 'node:crypto';
import type { JsonObject } from '../../kube/patch/json.ts';
import { apiVersionOf, type Resource } from '../../kube/resources.ts';
import { compareVersions } from '../../kube/schema/crd.ts';
import { type Call, type Reply, refuse, type ServerContext } from './call.ts';
import { pathNotFound } from './status.ts';
import { type ReviewKind, reviewKinds, subresourcesOf } from './subresources.ts';

const resourceVerbs = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch'];

interface GroupVersion {
  readonly version: string;
  readonly resources: readonly Resource[];
  readonly reviews: readonly ReviewKind[];
}

export interface ApiGroup {
  readonly name: string;
  /** Preferred first. */
  readonly versions: readonly GroupVersion[];
}

const byName =
  <T>(name: (item: T) => string) =>
  (a: T, b: T) =>
    name(a) < name(b) ? -1 : 1;

/** Groups in a fixed order: core, then by name. */
export function apiGroups(context: ServerContext): ApiGroup[] {
  const resources = context.objects.registry.all();
  const names = new Set([...resources.map(({ group }) => group), ...reviewKinds.map(({ group }) => group)]);
  return [...names].sort().map((name) => {
    const members = resources.filter(({ group }) => group === name).sort(byName(({ plural }) => plural));
    const reviews = reviewKinds.filter(({ group }) => group === name);
    const versions = new Set([
      ...members.flatMap(({ versions }) => versions),
      ...reviews.map(({ version }) => version),
    ]);
    return {
      name,
      versions: [...versions].sort(compareVersions).map((version) => ({
        version,
        resources: members.filter((resource) => resource.versions.includes(version)),
        reviews: reviews.filter((review) => review.version === version),
      })),
    };
  });
}

function legacyResources({ version, resources, reviews }: GroupVersion): JsonObject[] {
  const stored = resources.flatMap((resource): JsonObject[] => {
    const { plural, singular, namespaced, kind, shortNames, categories } = resource;
    return [
      {
        name: plural,
        singularName: singular,
        namespaced,
        kind,
        verbs: [...resourceVerbs],
        ...(shortNames.length > 0 && { shortNames: [...shortNames] }),
        ...(categories.length > 0 && { categories: [...categories] }),
      },
      ...subresourcesOf(resource).map((sub) => ({
        name: `${plural}/${sub.name}`,
        singularName: '',
        namespaced,
        ...(sub.group && { group: sub.group, version: sub.version ?? version }),
        kind: sub.kind ?? kind,
        verbs: [...sub.verbs],
      })),
    ];
  });
  const questions = reviews.map(({ plural, kind, namespaced }) => ({
    name: plural,
    singularName: kind.toLowerCase(),
    namespaced,
    kind,
    verbs: ['create'],
  }));
  return [...stored, ...questions];
}

function aggregatedResource(resource: Resource, version: string): JsonObject {
  const { group, plural, singular, namespaced, kind, shortNames, categories } = resource;
  const subresources = subresourcesOf(resource).map((sub) => ({
    subresource: sub.name,
    responseKind: { group: sub.group ?? group, version: sub.version ?? version, kind: sub.kind ?? kind },
    verbs: [...sub.verbs],
  }));
  return {
    resource: plural,
    responseKind: { group, version, kind },
    scope: namespaced ? 'Namespaced' : 'Cluster',
    singularResource: singular,
    verbs: [...resourceVerbs],
    ...(shortNames.length > 0 && { shortNames: [...shortNames] }),
    ...(categories.length > 0 && { categories: [...categories] }),
    ...(subresources.length > 0 && { subresources }),
  };
}

function aggregatedReview({ group, version, plural, kind, namespaced }: ReviewKind): JsonObject {
  return {
    resource: plural,
    responseKind: { group, version, kind },
    scope: namespaced ? 'Namespaced' : 'Cluster',
    singularResource: kind.toLowerCase(),
    verbs: ['create'],
  };
}

function aggregated(groups: readonly ApiGroup[], version: string): JsonObject {
  return {
    kind: 'APIGroupDiscoveryList',
    apiVersion: `apidiscovery.k8s.io/${version}`,
    metadata: {},
    items: groups.map(({ name, versions }) => ({
      metadata: { ...(name && { name }), creationTimestamp: null },
      versions: versions.map((item) => ({
        version: item.version,
        resources: [
          ...item.resources.map((resource) => aggregatedResource(resource, item.version)),
          ...item.reviews.map(aggregatedReview),
        ],
        freshness: 'Current',
      })),
    })),
  };
}

/** Version of the aggregated form that the client prefers to the old documents, if any. */
function aggregatedVersion(call: Call): string | undefined {
  for (const { type, params } of call.accept.clauses) {
    if (type !== 'application/json' && type !== '*/*') continue;
    if (params.as === undefined) return undefined;
    if (
      params.as === 'APIGroupDiscoveryList' &&
      params.g === 'apidiscovery.k8s.io' &&
      /^v2(beta1)?$/.test(params.v ?? '')
    )
      return params.v;
  }
  return undefined;
}

/** Clients keep discovery documents and ask whether they are still right. */
function cacheable(call: Call, body: JsonObject, contentType = 'application/json'): Reply {
  const text = JSON.stringify(body);
  const etag = `"${createHash('sha256').update(text).digest('hex').slice(0, 32).toUpperCase()}"`;
  const headers = { etag, vary: 'Accept', 'cache-control': 'public' };
  const fresh = call.request.headers['if-none-match'] === etag;
  return { type: 'bytes', code: fresh ? 304 : 200, contentType, body: fresh ? '' : `${text}\n`, headers };
}

function groupInfo({ name, versions }: ApiGroup): JsonObject {
  const list = versions.map(({ version }) => ({ groupVersion: `${name}/${version}`, version }));
  return { name, versions: list, preferredVersion: list[0]! };
}

/** `/api` and `/apis`. */
export function discoverRoot(context: ServerContext, call: Call, core: boolean): Reply {
  const groups = apiGroups(context).filter(({ name }) => (name === '') === core);
  const version = aggregatedVersion(call);
  if (version) {
    const type = `application/json;g=apidiscovery.k8s.io;v=${version};as=APIGroupDiscoveryList`;
    return cacheable(call, aggregated(groups, version), type);
  }
  if (!core) return cacheable(call, { kind: 'APIGroupList', apiVersion: 'v1', groups: groups.map(groupInfo) });
  const { localAddress, localPort } = call.request.socket;
  return cacheable(call, {
    kind: 'APIVersions',
    versions: ['v1'],
    serverAddressByClientCIDRs: [{ clientCIDR: '0.0.0.0/0', serverAddress: `${localAddress}:${localPort}` }],
  });
}

/** `/apis/GROUP`. */
export function discoverGroup(context: ServerContext, call: Call, name: string): Reply {
  const group = apiGroups(context).find((item) => item.name === name && name !== '');
  if (!group) return refuse(pathNotFound);
  return cacheable(call, { kind: 'APIGroup', apiVersion: 'v1', ...groupInfo(group) });
}

/** `/api/v1` and `/apis/GROUP/VERSION`. */
export function discoverVersion(context: ServerContext, call: Call, name: string, version: string): Reply {
  const group = apiGroups(context).find((item) => item.name === name);
  const found = group?.versions.find((item) => item.version === version);
  if (!found) return refuse(pathNotFound);
  return cacheable(call, {
    kind: 'APIResourceList',
    apiVersion: 'v1',
    groupVersion: apiVersionOf({ group: name, versions: [version] }),
    resources: legacyResources(found),
  });
}
