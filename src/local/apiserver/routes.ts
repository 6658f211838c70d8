/** From a path to a handler. */
import { type Call, type Reply, refuse, type ServerContext, type Target, text } from './call.ts';
import { discoverGroup, discoverRoot, discoverVersion } from './discovery.ts';
import { openapiV2 } from './openapi/v2.ts';
import { openapiV3Index, openapiV3Version } from './openapi/v3.ts';
import { answerReview } from './reviews.ts';
import { actionsOf } from './route-table.ts';
import { methodNotAllowed, pathNotFound } from './status.ts';
import { type ReviewKind, reviewKinds } from './subresources.ts';
import { versionInfo } from './version.ts';

type Route = (context: ServerContext, call: Call, rest: readonly string[]) => Reply | Promise<Reply>;

const health: Route = (_context, call) =>
  call.query.has('verbose') ? text('[+]ping ok\nhealthz check passed\n') : text('ok');

const roots: Record<string, Route> = {
  '': () => ({
    type: 'object',
    code: 200,
    body: {
      paths: ['/api', '/api/v1', '/apis', '/healthz', '/livez', '/openapi/v2', '/openapi/v3', '/readyz', '/version'],
    },
  }),
  version: () => ({ type: 'object', code: 200, body: versionInfo }),
  healthz: health,
  livez: health,
  readyz: health,
  openapi: (context, call, rest) => openapi(context, call, rest),
  api: (context, call, rest) =>
    rest.length < 2 ? discoverCore(context, call, rest) : resources(context, call, '', rest),
  apis(context, call, [group = '', ...rest]) {
    if (rest.length >= 2) return group === '' ? refuse(pathNotFound) : resources(context, call, group, rest);
    if (rest.length === 1) return discoverVersion(context, call, group, rest[0]!);
    return group === '' ? discoverRoot(context, call, false) : discoverGroup(context, call, group);
  },
};

/** Paths with this many segments at most can only be read, and so can all below the roots that are not of resources. */
const readOnlyDepth: Record<string, number> = { api: 2, apis: 3 };

function isReadOnly([root = '', ...rest]: readonly string[]): boolean {
  return rest.length < (readOnlyDepth[root] ?? Number.POSITIVE_INFINITY);
}

function discoverCore(context: ServerContext, call: Call, [version]: readonly string[]): Reply {
  return version === undefined ? discoverRoot(context, call, true) : discoverVersion(context, call, '', version);
}

function openapi(context: ServerContext, call: Call, rest: readonly string[]): Reply {
  const [format, ...path] = rest;
  if (format === 'v2' && path.length === 0) return openapiV2(context, call);
  if (format !== 'v3') return refuse(pathNotFound);
  return path.length === 0 ? openapiV3Index(context, call) : openapiV3Version(context, call, path);
}

function reviewAt(group: string, version: string, path: readonly string[]): ReviewKind | undefined {
  const [plural, length] = [path.at(-1), path.length];
  const named = reviewKinds.find((kind) => kind.group === group && kind.version === version && kind.plural === plural);
  return named && length === (named.namespaced ? 3 : 1) ? named : undefined;
}

/** What is below a group and version: objects, or questions about access. */
function resources(
  context: ServerContext,
  call: Call,
  group: string,
  [version = '', ...path]: readonly string[],
): Reply | Promise<Reply> {
  const review = reviewAt(group, version, path);
  if (review) return call.method === 'POST' ? answerReview(context, call, review) : refuse(methodNotAllowed);
  const target = targetOf(context, group, version, path);
  const actions = target && actionsOf(target);
  if (!actions) return refuse(pathNotFound);
  const handler = actions[call.method]?.(call, target);
  return handler ? handler(context, call, target) : refuse(methodNotAllowed, { resource: target.resource });
}

/** `PLURAL[/NAME[/SUB]]`, or the same below `namespaces/NS/`. `namespaces/NS/status` is of the namespace itself. */
function targetOf(context: ServerContext, group: string, version: string, path: readonly string[]): Target | undefined {
  if (path.includes('')) return undefined;
  const below = path[0] === 'namespaces' && path.length > 2 && !(group === '' && /^(status|finalize)$/.test(path[2]!));
  const namespace = below ? path[1]! : undefined;
  const [plural, name, subresource, ...more] = below ? path.slice(2) : path;
  const resource = context.objects.registry.ofPlural(group, plural!);
  if (!resource?.versions.includes(version) || more.length > 0) return undefined;
  if (resource.namespaced ? namespace === undefined && name !== undefined : namespace !== undefined) return undefined;
  return {
    resource,
    version,
    ...(namespace !== undefined && { namespace }),
    ...(name !== undefined && { name }),
    ...(subresource !== undefined && { subresource }),
  };
}

export function route(context: ServerContext, call: Call): Reply | Promise<Reply> {
  const [first, ...rest] = call.path;
  const root = Object.hasOwn(roots, first ?? '') ? roots[first ?? '']! : undefined;
  if (!root) return refuse(pathNotFound);
  if (call.method !== 'GET' && isReadOnly(call.path)) return refuse(methodNotAllowed);
  return root(context, call, rest);
}
