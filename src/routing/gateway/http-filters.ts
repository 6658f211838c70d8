/** HTTPRouteFilters → filters and redirects of the plan. A filter that cannot be honoured is never skipped. */
import type { Filter, HeaderPair, PathRewrite, RedirectAction } from '../plan/plan.ts';
import { corsFilter } from './cors-filter.ts';
import { type FilterFault, headerName, incompatible, unsupported } from './filter-fault.ts';
import type { GrpcRule } from './grpc-match.ts';
import type { HttpRule } from './http-match.ts';
import { mirrorFilter, type ResolveMirror } from './mirror-filter.ts';

type HttpFilter = NonNullable<HttpRule['filters']>[number];
type HeaderModifier = NonNullable<HttpFilter['requestHeaderModifier']>;
type PathModifier = NonNullable<HttpFilter['urlRewrite']>['path'];

export interface CompiledFilters {
  readonly filters: readonly Filter[];
  readonly redirect?: RedirectAction;
}

type Compiled = { readonly filter?: Filter } | { readonly redirect: RedirectAction } | FilterFault;
type Compiler = (filter: HttpFilter, fieldPath: string, resolveMirror: ResolveMirror) => Compiled;

/** Filters of a rule, by type. */
const ruleFilters: ReadonlyMap<string, Compiler> = new Map<string, Compiler>([
  [
    'RequestHeaderModifier',
    (filter, fieldPath) =>
      headerFilter('request-headers', filter.requestHeaderModifier, `${fieldPath}.requestHeaderModifier`),
  ],
  [
    'ResponseHeaderModifier',
    (filter, fieldPath) =>
      headerFilter('response-headers', filter.responseHeaderModifier, `${fieldPath}.responseHeaderModifier`),
  ],
  ['RequestRedirect', redirectFilter],
  ['URLRewrite', rewriteFilter],
  ['RequestMirror', mirrorFilter],
  ['CORS', corsFilter],
]);

/** All others may stand in a rule once. */
const repeatable: ReadonlySet<string> = new Set(['RequestMirror']);

/** Of a GRPCRoute: what changes the path, or answers, is not for calls. */
const grpcFilters: ReadonlyMap<string, Compiler> = new Map(
  [...ruleFilters].filter(([type]) => type.endsWith('HeaderModifier') || type === 'RequestMirror'),
);

/** Filters that a backendRef can have of its own. */
const backendFilters: ReadonlyMap<string, Compiler> = new Map(
  [...ruleFilters].filter(([type]) => type.endsWith('HeaderModifier')),
);

export function compileRuleFilters(
  given: HttpRule['filters'],
  fieldPath: string,
  resolveMirror: ResolveMirror,
): CompiledFilters | FilterFault {
  return compileFilters(given, fieldPath, ruleFilters, 'a rule', resolveMirror);
}

export function compileGrpcFilters(
  given: GrpcRule['filters'],
  fieldPath: string,
  resolveMirror: ResolveMirror,
): CompiledFilters | FilterFault {
  return compileFilters(given, fieldPath, grpcFilters, 'a rule of a GRPCRoute', resolveMirror);
}

export function compileBackendFilters(given: HttpRule['filters'], fieldPath: string): CompiledFilters | FilterFault {
  return compileFilters(given, fieldPath, backendFilters, 'a backendRef', () => undefined);
}

function compileFilters(
  given: HttpRule['filters'],
  fieldPath: string,
  compilers: ReadonlyMap<string, Compiler>,
  place: string,
  resolveMirror: ResolveMirror,
): CompiledFilters | FilterFault {
  const filters: Filter[] = [];
  const seen = new Set<string>();
  let redirect: RedirectAction | undefined;
  for (const [i, filter] of (given ?? []).entries()) {
    const at = `${fieldPath}[${i}]`;
    const compile = compilers.get(filter.type);
    if (!compile) return unserved(filter, at, place);
    if (seen.has(filter.type) && !repeatable.has(filter.type))
      return incompatible(at, `the filter ${filter.type} stands twice in ${place}`);
    seen.add(filter.type);
    const compiled = compile(filter, at, resolveMirror);
    if ('code' in compiled) return compiled;
    if ('redirect' in compiled) redirect = compiled.redirect;
    else if (compiled.filter) filters.push(compiled.filter);
  }
  if (seen.has('RequestRedirect') && seen.has('URLRewrite'))
    return incompatible(fieldPath, 'RequestRedirect and URLRewrite exclude each other');
  if (seen.has('RequestRedirect') && seen.has('RequestMirror'))
    return incompatible(fieldPath, 'RequestMirror copies what is forwarded, and RequestRedirect forwards nothing');
  return { filters, ...(redirect && { redirect }) };
}

function unserved({ type, extensionRef }: HttpFilter, fieldPath: string, place: string): FilterFault {
  const what = extensionRef ? `${type} to ${extensionRef.kind} ${extensionRef.name}` : type;
  return {
    code: 'FW3302',
    reason: 'UnsupportedValue',
    fieldPath,
    message: `the filter ${what} is not served in ${place}`,
  };
}

/** What RFC 9110 section 5.5 lets a field value hold; anything else could end the header section. */
const headerValue = /^[\t\x20-\x7e\x80-\xff]*$/;

function headerFilter(
  type: 'request-headers' | 'response-headers',
  given: HeaderModifier | undefined,
  fieldPath: string,
): Compiled {
  const set = headerPairs(given?.set);
  const add = headerPairs(given?.add);
  const remove = distinct(given?.remove ?? [], (name) => name.toLowerCase());
  for (const [list, pairs] of [
    ['set', set],
    ['add', add],
  ] as const) {
    const bad = pairs.find(([name, value]) => !headerName.test(name) || !headerValue.test(value));
    if (bad) return unsupported(`${fieldPath}.${list}`, `${JSON.stringify(bad.join(': '))} is not a valid header`);
  }
  const badName = remove.find((name) => !headerName.test(name));
  if (badName !== undefined)
    return unsupported(`${fieldPath}.remove`, `${JSON.stringify(badName)} is not the name of a header`);
  return { filter: { type, set, add, remove } };
}

/** Of entries with one name only the first counts (HTTPHeader.name). */
function headerPairs(given: HeaderModifier['set']): HeaderPair[] {
  return distinct(given ?? [], ({ name }) => name.toLowerCase()).map(({ name, value }) => [name, value]);
}

function distinct<T>(items: readonly T[], keyOf: (item: T) => string): T[] {
  const seen = new Set<string>();
  return items.filter((item) => {
    const key = keyOf(item);
    if (seen.has(key)) return false;
    seen.add(key);
    return true;
  });
}

const schemes: ReadonlySet<string> = new Set(['http', 'https']);
const redirectStatuses: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

function redirectFilter({ requestRedirect }: HttpFilter, fieldPath: string): Compiled {
  const { scheme, hostname, port, path, statusCode = 302 } = requestRedirect ?? {};
  const at = `${fieldPath}.requestRedirect`;
  if (scheme !== undefined && !schemes.has(scheme))
    return unsupported(`${at}.scheme`, `${scheme} is not a scheme to redirect to`);
  if (!redirectStatuses.has(statusCode))
    return unsupported(`${at}.statusCode`, `${statusCode} is not a status of a redirect`);
  const rewrite = pathRewrite(path, `${at}.path`);
  if (rewrite && 'code' in rewrite) return rewrite;
  return {
    redirect: {
      type: 'redirect',
      ...(scheme && { scheme }),
      ...(hostname && { hostname }),
      ...(port !== undefined && { port }),
      ...(rewrite && { path: rewrite }),
      status: statusCode,
    },
  };
}

function rewriteFilter({ urlRewrite }: HttpFilter, fieldPath: string): Compiled {
  const { hostname, path } = urlRewrite ?? {};
  const rewrite = pathRewrite(path, `${fieldPath}.urlRewrite.path`);
  if (rewrite && 'code' in rewrite) return rewrite;
  return { filter: { type: 'rewrite', ...(hostname && { hostname }), ...(rewrite && { path: rewrite }) } };
}

function pathRewrite(given: PathModifier, fieldPath: string): PathRewrite | FilterFault | undefined {
  if (!given) return undefined;
  const { type, replaceFullPath = '', replacePrefixMatch = '' } = given;
  const value = type === 'ReplaceFullPath' ? replaceFullPath : replacePrefixMatch;
  if (!/^[\x21-\x7e]*$/.test(value))
    return unsupported(fieldPath, `${JSON.stringify(value)} is not a path of printable ASCII characters`);
  if (type === 'ReplaceFullPath') return { type: 'full', value };
  if (type === 'ReplacePrefixMatch') return { type: 'prefix', value };
  return unsupported(`${fieldPath}.type`, `${String(type)} is not a way to rewrite a path`);
}
