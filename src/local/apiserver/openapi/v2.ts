/** OpenAPI v2: one document, in JSON or in the protobuf that older kubectl insists on. */
import { entriesOf, fieldOf, isObject, type Json, type JsonObject } from '../../../kube/patch/json.ts';
import type { Call, Reply, ServerContext } from '../call.ts';
import { GIT_VERSION } from '../version.ts';
import { cachedDocument } from './cache.ts';
import { definitionsFor } from './definitions.ts';
import { patchTypesOf, pathsOf, typeOfParameter, type WriteOperation } from './paths.ts';
import { encodeDocument } from './v2-protobuf.ts';

const PREFIX = '#/definitions/';
/** Older clients ask for it with an `@`, which no reader of media types takes: it is answered without. */
const PROTOBUF_TYPE = 'application/com.github.proto-openapi.spec.v2.v1.0+protobuf';
const PROTOBUF = /^application\/com\.github\.proto-openapi\.spec\.v2[@.]v1\.0\+protobuf$/;

/** What version 2 can say of a schema; the rest of version 3 (oneOf, nullable…) is left out. */
const kept = new Set(['type', 'format', 'description', 'required', '$ref', 'enum', 'pattern', 'default']);

function downgrade(schema: JsonObject): JsonObject {
  // A field that takes numbers and strings has no type in version 2.
  if (fieldOf(schema, 'x-kubernetes-int-or-string') === true) return { description: schema.description };
  const out: JsonObject = {};
  for (const [name, value] of entriesOf(schema)) {
    if (kept.has(name) || name.startsWith('x-kubernetes-')) out[name] = value;
    else if (name === 'properties' && isObject(value)) out.properties = downgradeAll(value);
    else if ((name === 'items' || name === 'additionalProperties') && isObject(value)) out[name] = downgrade(value);
  }
  // Open objects: declared fields would make others an error.
  if (fieldOf(schema, 'x-kubernetes-preserve-unknown-fields') === true) delete out.properties;
  return out;
}

function downgradeAll(schemas: JsonObject): JsonObject {
  return Object.fromEntries(
    entriesOf(schemas).map(([name, schema]) => [name, isObject(schema) ? downgrade(schema) : {}]),
  );
}

const operation: WriteOperation = ({ method, parameters }, common, resource) => ({
  ...common,
  ...(method === 'patch' && { consumes: patchTypesOf(resource) }),
  parameters: parameters.map((name) => ({ name, in: 'query', type: typeOfParameter(name) })),
  responses: { 200: { description: 'OK' } },
});

export function documentV2(context: ServerContext): JsonObject {
  const wanted = context.objects.registry
    .all()
    .flatMap((resource) => resource.versions.map((version) => ({ resource, version })));
  const { schemas } = definitionsFor(wanted, context.schemas, PREFIX);
  const paths: Record<string, Json> = {};
  for (const { resource, version } of wanted) Object.assign(paths, pathsOf(resource, version, operation));
  return {
    swagger: '2.0',
    info: { title: 'Kubernetes', version: GIT_VERSION },
    paths,
    definitions: downgradeAll(schemas),
  };
}

export function openapiV2(context: ServerContext, call: Call): Reply {
  const wanted = call.accept.clauses.find(
    ({ type }) => PROTOBUF.test(type) || type.endsWith('/json') || type === '*/*',
  );
  const json = () => Buffer.from(JSON.stringify(documentV2(context)));
  const document =
    wanted && PROTOBUF.test(wanted.type)
      ? cachedDocument(context, 'v2.pb', PROTOBUF_TYPE, () => encodeDocument(documentV2(context)))
      : cachedDocument(context, 'v2.json', 'application/json', json);
  const etag = `"${document.hash}"`;
  const fresh = call.request.headers['if-none-match'] === etag;
  const { body, contentType } = document;
  return { type: 'bytes', code: fresh ? 304 : 200, contentType, body: fresh ? '' : body, headers: { etag } };
}
