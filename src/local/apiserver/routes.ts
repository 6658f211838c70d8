/** From a path to a handler. */

import { type Call, type Handler, type Reply, refuse, type ServerContext, type Target, text } from './call.ts';
import { discoverGroup, discoverRoot, discoverVersion } from './discovery.ts';
import { openapiV2 } from './openapi/v2.ts';
import { openapiV3Index, openapiV3Version } from './openapi/v3.ts';
import { answerReview } from './reviews.ts';
import { actionsOf } from './route-table.ts';
import { methodNotAllowed, pathNotFound } from './status.ts';
import { reviewKinds } from './subresources.ts';
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
    rest.length === 0 ? discoverRoot(context, call, true) : version(context, call, '', rest),
  apis(context, call, [group, ...rest]) {
    if (group === undefined) return discoverRoot(context, call, false);
    if (rest.length === 0) return discoverGroup(context, call, group);
    return group === '' ? refuse(pathNotFound) : version(context, call, group, rest);
  },
};

/** Only GET below these: everything else on them is an error. */
const readOnly = new Set(['', 'version', 'healthz', 'livez', 'readyz', 'openapi']);

function openapi(context: ServerContext, call: Call, rest: readonly string[]): Reply {
  const [format, ...path] = rest;
  if (format === 'v2' && path.length === 0) return openapiV2(context, call);
  if (format !== 'v3') return refuse(pathNotFound);
  return path.length === 0 ? openapiV3Index(context, call) : openapiV3Version(context, call, path);
}

function version(
  context: ServerContext,
  call: Call,
  group: string,
  [name, ...rest]: readonly string[],
): Reply | Promise<Reply> {
  const served = context.objects.registry.all().some((r) => r.group === group && r.versions.includes(name!));
  if (rest.length === 0)
    return call.method === 'GET' ? discoverVersion(context, call, group, name!) : refuse(methodNotAllowed);
  const review = reviewKinds.find(
    (kind) =>
      kind.group === group &&
      kind.version === name &&
      kind.plural === rest.at(-1) &&
      rest.length === (kind.namespaced ? 3 : 1),
  );
  if (review) return call.method === 'POST' ? answerReview(context, call, review) : refuse(methodNotAllowed);
  const target = served ? targetOf(context, group, name!, rest) : undefined;
  if (!target) return refuse(pathNotFound);
  const handler = handlerOf(call, target);
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

function handlerOf(call: Call, target: Target): Handler | undefined {
  const actions = actionsOf(target);
  return actions?.[call.method]?.(call, target);
}

export function route(context: ServerContext, call: Call): Reply | Promise<Reply> {
  const [first, ...rest] = call.path;
  const root = Object.hasOwn(roots, first ?? '') ? roots[first ?? '']! : undefined;
  if (!root) return refuse(pathNotFound);
  if (readOnly.has(first ?? '') && call.method !== 'GET') return refuse(methodNotAllowed);
  return root(context, call, rest);
}
