/** OpenAPI v3: an index, and one document for each group and version. */
import type { JsonObject } from '../../../kube/patch/json.ts';
import { apiVersionOf, type Resource } from '../../../kube/resources.ts';
import { type Call, type Reply, refuse, type ServerContext } from '../call.ts';
import { pathNotFound } from '../status.ts';
import { GIT_VERSION } from '../version.ts';
import { type CachedDocument, cachedDocument } from './cache.ts';
import { type Definitions, definitionsFor } from './definitions.ts';
import { patchTypesOf, pathsOf, typeOfParameter, type WriteOperation } from './paths.ts';

const PREFIX = '#/components/schemas/';

const operationWith =
  (definitions: Definitions): WriteOperation =>
  ({ method, parameters }, common, resource, version) => {
    const name = definitions.nameOf(resource, version);
    const content = { 'application/json': { schema: { $ref: PREFIX + name } } };
    const patches = Object.fromEntries(patchTypesOf(resource).map((type) => [type, { schema: { type: 'object' } }]));
    return {
      ...common,
      parameters: parameters.map((name) => ({ name, in: 'query', schema: { type: typeOfParameter(name) } })),
      ...((method === 'post' || method === 'put') && { requestBody: { content, required: true } }),
      ...(method === 'patch' && { requestBody: { content: patches, required: true } }),
      responses: { 200: { description: 'OK', content } },
    };
  };

function makeDocument(context: ServerContext, resources: readonly Resource[], version: string): Buffer {
  const wanted = resources.map((resource) => ({ resource, version }));
  const definitions = definitionsFor(wanted, context.schemas, PREFIX);
  const operation = operationWith(definitions);
  const document: JsonObject = {
    openapi: '3.0.0',
    info: { title: 'Kubernetes', version: GIT_VERSION },
    paths: Object.assign({}, ...resources.map((resource) => pathsOf(resource, version, operation))),
    components: { schemas: definitions.schemas },
  };
  return Buffer.from(JSON.stringify(document));
}

/** `api/v1`, `apis/apps/v1`: the name of a group and version in the index. */
function documentOf(context: ServerContext, name: string): CachedDocument | undefined {
  const [root, ...rest] = name.split('/');
  const apiVersion = rest.join('/');
  if (root !== 'api' && root !== 'apis') return undefined;
  const version = rest.at(-1)!;
  const members = context.objects.registry
    .all()
    .filter((resource) => (resource.group === '') === (root === 'api'))
    .filter((resource) => resource.versions.includes(version) && apiVersionOf(resource, version) === apiVersion);
  if (members.length === 0) return undefined;
  return cachedDocument(context, name, 'application/json', () => makeDocument(context, members, version));
}

function names(context: ServerContext): string[] {
  const all = context.objects.registry
    .all()
    .flatMap((resource) =>
      resource.versions.map((version) => `${resource.group ? 'apis' : 'api'}/${apiVersionOf(resource, version)}`),
    );
  return [...new Set(all)].sort();
}

/** `/openapi/v3`. The hash in each address changes with the document, so clients may keep it for ever. */
export function openapiV3Index(context: ServerContext, _call: Call): Reply {
  const paths = Object.fromEntries(
    names(context).map((name) => [
      name,
      { serverRelativeURL: `/openapi/v3/${name}?hash=${documentOf(context, name)!.hash}` },
    ]),
  );
  return { type: 'object', code: 200, body: { paths }, contentType: 'application/json' };
}

/** `/openapi/v3/apis/GROUP/VERSION`. */
export function openapiV3Version(context: ServerContext, call: Call, path: readonly string[]): Reply {
  const document = documentOf(context, path.join('/'));
  if (!document) return refuse(pathNotFound);
  const { body, contentType, hash } = document;
  const kept = call.query.get('hash') === hash;
  const headers = { etag: `"${hash}"`, ...(kept && { 'cache-control': 'public, immutable' }) };
  const fresh = call.request.headers['if-none-match'] === headers.etag;
  return { type: 'bytes', code: fresh ? 304 : 200, contentType, body: fresh ? '' : body, headers };
}
