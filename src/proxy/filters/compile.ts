/** A route's filters as one function per direction, and one that lets requests in. */
import type { Filter, Route } from '../../routing/plan/plan.ts';
import { compileAnyOf } from './any-of/any-of.ts';
import { compileBandwidth } from './bandwidth/bandwidth.ts';
import { compileBasicAuth } from './basic-auth/basic-auth.ts';
import { compileClientCertificate } from './client-certificate/client-certificate.ts';
import { compileCompression } from './compression/compression.ts';
import { compileConcurrency } from './concurrency/concurrency.ts';
import { compileCookieRewrite } from './cookie-rewrite/cookie-rewrite.ts';
import { compileCors } from './cors/cors.ts';
import { compileErrorPages } from './error-pages/error-pages.ts';
import { compileExternalAuth } from './external-auth/external-auth.ts';
import { compileIpAccess } from './ip-access/ip-access.ts';
import { compileLocationRewrite } from './location-rewrite/location-rewrite.ts';
import { compileMirror } from './mirror/mirror.ts';
import { compileRateLimit } from './rate-limit/rate-limit.ts';
import { compileRequestHeaders } from './request-headers/request-headers.ts';
import { compileRequestSize } from './request-size/request-size.ts';
import { compileRequestValues } from './request-values/request-values.ts';
import { compileRespond } from './respond/respond.ts';
import { compileResponseHeaders } from './response-headers/response-headers.ts';
import { compileResponseValues } from './response-values/response-values.ts';
import { compileRewrite } from './rewrite/rewrite.ts';
import type { CompiledFilter, FilterComplaint, FindTarget, Gate, RequestFilter, ResponseFilter } from './types.ts';

type Compilers = {
  readonly [Type in Filter['type']]: (
    filter: Extract<Filter, { type: Type }>,
    complain: FilterComplaint,
    find: FindTarget,
  ) => CompiledFilter;
};

const compilers: Compilers = {
  'request-headers': compileRequestHeaders,
  'response-headers': compileResponseHeaders,
  rewrite: compileRewrite,
  mirror: compileMirror,
  cors: compileCors,
  'ip-access': compileIpAccess,
  'request-size': compileRequestSize,
  'basic-auth': compileBasicAuth,
  'external-auth': compileExternalAuth,
  'rate-limit': compileRateLimit,
  concurrency: compileConcurrency,
  'error-pages': compileErrorPages,
  compression: compileCompression,
  'any-of': (filter, complain, find) => compileAnyOf(filter, complain, (one) => compileOne(one, complain, find)),
  bandwidth: compileBandwidth,
  'client-certificate': compileClientCertificate,
  'cookie-rewrite': compileCookieRewrite,
  'location-rewrite': compileLocationRewrite,
  'request-values': compileRequestValues,
  respond: compileRespond,
  'response-values': compileResponseValues,
};

/** Gates that keep no request out, and whose notes count for whatever answer it gets: before those that may give one. */
const observers: readonly Filter['type'][] = ['location-rewrite', 'response-values'];

/**
 * The order in which requests meet the other gates, wherever in the list a filter stands: a preflight request comes without
 * credentials, a rate limit keeps passwords from being tried out, and only what is let in counts as under way.
 */
export const gateOrder: readonly Filter['type'][] = [
  ...observers,
  'respond',
  'client-certificate',
  'ip-access',
  'cors',
  'request-size',
  'rate-limit',
  'basic-auth',
  'external-auth',
  'any-of',
  'concurrency',
  'bandwidth',
  'error-pages',
  'compression',
];

/** Of requests that nothing is done about. */
export const noFilters: CompiledFilter = {
  gate: undefined,
  mirrors: undefined,
  request: undefined,
  response: undefined,
  errorPages: undefined,
  encode: undefined,
};

/** Applies the filters in their order; a side without filters stays undefined and costs nothing. */
export function compileFilters(
  filters: readonly Filter[],
  complain: FilterComplaint,
  find: FindTarget,
  gates?: Route['gates'],
): CompiledFilter {
  if (filters.length === 0) return noFilters;
  const compiled = filters.map((filter) => compileOne(filter, complain, find));
  const request = requestsInOrder(compiled.flatMap((filter) => filter.request ?? []));
  const response = responsesInOrder(compiled.flatMap((filter) => filter.response ?? []));
  const mirrors = compiled.flatMap((filter) => filter.mirrors ?? []);
  const ranks = gates === 'as-listed' ? observers : gateOrder;
  const ranked = filters.flatMap(({ type }, i) => {
    const { gate } = compiled[i]!;
    const rank = ranks.indexOf(type);
    return gate ? [{ rank: rank < 0 ? ranks.length : rank, gate }] : [];
  });
  const gate = throughAll(ranked.sort((a, b) => a.rank - b.rank).map((one) => one.gate));
  // One for the backend goes before one for the route.
  const { errorPages } = compiled.findLast((filter) => filter.errorPages) ?? {};
  const { encode } = compiled.findLast((filter) => filter.encode) ?? {};
  // All with the same members: they are looked at for every request.
  return { gate, mirrors: mirrors.length > 0 ? mirrors : undefined, request, response, errorPages, encode };
}

function compileOne<F extends Filter>(filter: F, complain: FilterComplaint, find: FindTarget): CompiledFilter {
  const compile = compilers[filter.type] as (filter: F, complain: FilterComplaint, find: FindTarget) => CompiledFilter;
  return compile(filter, complain, find);
}

function requestsInOrder(steps: readonly RequestFilter[]): RequestFilter | undefined {
  if (steps.length <= 1) return steps[0];
  return (request, exchange, head) => {
    for (const step of steps) step(request, exchange, head);
  };
}

function responsesInOrder(steps: readonly ResponseFilter[]): ResponseFilter | undefined {
  if (steps.length <= 1) return steps[0];
  return (fields, exchange) => {
    for (const step of steps) step(fields, exchange);
  };
}

function inTurn(first: Gate, next: Gate): Gate {
  return throughAll([first, next])!;
}

function throughAll(gates: readonly Gate[]): Gate | undefined {
  const [first, ...others] = gates;
  const next = others.length > 0 ? throughAll(others) : undefined;
  if (!first || !next) return first;
  return (exchange, head) => {
    const verdict = first(exchange, head);
    if (!verdict) return next(exchange, head);
    return 'ask' in verdict ? { ask: verdict.ask, next: verdict.next ? inTurn(verdict.next, next) : next } : verdict;
  };
}
