/** Plan elements in one line each, for people. */
import type {
  Action,
  Affinity,
  CorsFilter,
  ExternalAuthFilter,
  Filter,
  GrpcAuthFilter,
  HeaderChange,
  LimitKey,
  PathRewrite,
  Retry,
  Route,
  RouteMatch,
} from '../../routing/plan/plan.ts';

function headerChange(what: string, change: HeaderChange): string {
  const parts = [
    ...change.set.map(([name, value]) => `set ${name}: ${value}`),
    ...change.add.map(([name, value]) => `add ${name}: ${value}`),
    ...change.remove.map((name) => `remove ${name}`),
  ];
  return `${what}: ${parts.join(', ')}`;
}

function pathRewrite(path: PathRewrite): string {
  if (path.type === 'regex') return `path found by ${path.pattern} to ${path.replacement}`;
  return path.type === 'full' ? `path to ${path.value}` : `matched prefix to ${path.value}`;
}

const filterText: { [T in Filter['type']]: (filter: Extract<Filter, { type: T }>) => string } = {
  'request-headers': (filter) => headerChange('request headers', filter),
  'response-headers': (filter) => headerChange('response headers', filter),
  rewrite: ({ hostname, path }) =>
    `rewrite: ${[hostname !== undefined ? `host to ${hostname}` : '', path ? pathRewrite(path) : ''].filter(Boolean).join(', ')}`,
  mirror: ({ backend, fraction: { numerator, denominator } }) =>
    `mirror: copy ${numerator === denominator ? 'every request' : `${numerator} of ${denominator} requests`} to ${backend}`,
  cors: (filter) => cors(filter),
  'ip-access': ({ allow, deny, status }) =>
    `ip access: ${deny.length > 0 ? `deny ${deny.join(' ')}, ` : ''}allow ${allow.join(' ') || 'all others'}, else ${status}`,
  'request-size': ({ maxBytes }) => `request size: at most ${maxBytes} bytes, else 413`,
  'basic-auth': ({ realm, users }) =>
    `basic auth: realm ${realm}, ${users.length} user${users.length === 1 ? '' : 's'}`,
  'external-auth': (filter) => (filter.protocol === 'grpc' ? grpcAuth(filter) : externalAuth(filter)),
  'rate-limit': ({ requests, perMs, burst, key, status }) =>
    `rate limit: ${requests} in ${perMs / 1000} s and a burst of ${burst} ${limitKey(key)}, else ${status}`,
  concurrency: ({ max, key, status }) => `concurrency: ${max} at once ${limitKey(key)}, else ${status}`,
  'error-pages': ({ backend, statuses, ownAnswers }) =>
    `error pages: from ${backend} for ${statuses.join(' ')}${ownAnswers ? ', answers of the front door included' : ''}`,
  compression: ({ codings, types, minBytes }) =>
    `compression: ${codings.join(' or ')} for ${types.join(' ')} of ${minBytes} bytes and more`,
};

function limitKey(key: LimitKey): string {
  if (key.by === 'zone') return 'in all';
  return key.by === 'address' ? 'per client address' : `per value of ${key.name}`;
}

function externalAuth(filter: ExternalAuthFilter): string {
  const { method, path, backend, body, signIn, failOpen, failureStatus = 503 } = filter;
  const asked = path.type === 'fixed' ? path.value : `${path.value.replace(/\/$/, '')}/…`;
  const parts = [
    `ask ${backend} with ${method ?? 'the same method'} ${asked}`,
    ...(body ? [`bodies up to ${body.maxBytes} bytes`] : []),
    ...(signIn ? [`sign in at ${signIn.url}`] : []),
    failOpen ? 'let in when it fails' : `else ${failureStatus} when it fails`,
  ];
  return `external auth: ${parts.join(', ')}`;
}

function cors(filter: CorsFilter): string {
  const list = (values: readonly string[]) => values.join(' ') || 'none';
  const parts = [
    `origins ${list(filter.allowOrigins)}`,
    `methods ${list(filter.allowMethods)}`,
    `headers ${list(filter.allowHeaders)}`,
    `exposed ${list(filter.exposeHeaders)}`,
    ...(filter.allowCredentials ? ['credentials'] : []),
    `max age ${filter.maxAgeSeconds} s`,
  ];
  return `cors: ${parts.join(', ')}`;
}

export function describeFilter(filter: Filter): string {
  return (filterText[filter.type] as (filter: Filter) => string)(filter);
}

const actionText: { [T in Action['type']]: (action: Extract<Action, { type: T }>) => string } = {
  forward: ({ backends }) =>
    `forward to ${backends.map(({ backend, weight, invalid }) => `${backend ?? `nothing (${invalid?.reason})`} ×${weight}`).join(', ')}`,
  redirect: ({ status, scheme, hostname, port, path }) =>
    `redirect ${status}${scheme ? ` to ${scheme}` : ''}${hostname ? ` host ${hostname}` : ''}${port ? ` port ${port}` : ''}${path ? ` ${pathRewrite(path)}` : ''}`,
  respond: ({ status, reason }) => `answer ${status}: ${reason}`,
};

export function describeAction(action: Action): string {
  return (actionText[action.type] as (action: Action) => string)(action);
}

const modes: Record<Affinity['mode'], string> = {
  persistent: 'on the endpoint that each began on',
  balanced: 'on endpoints by consistent hash',
};

/** `cookie sid (path /shop), on the endpoint that each began on, for at most 60 s`. */
export function describeAffinity({ carrier, mode, split, absoluteTimeoutMs }: Affinity): string {
  const path = carrier.type === 'cookie' && carrier.path !== undefined ? ` (path ${carrier.path})` : '';
  const parts = [
    `${carrier.type} ${carrier.name}${path}`,
    modes[mode],
    ...(split === 'weight' ? ['shares by weight'] : []),
    ...(absoluteTimeoutMs === undefined ? [] : [`for at most ${absoluteTimeoutMs / 1000} s`]),
  ];
  return parts.join(', ');
}

/** `request 10 s, attempt 2 s`. */
export function describeTimeouts({ requestMs, backendRequestMs, idleMs }: NonNullable<Route['timeouts']>): string {
  const parts = [
    ...(requestMs === undefined ? [] : [`request ${requestMs / 1000} s`]),
    ...(backendRequestMs === undefined ? [] : [`attempt ${backendRequestMs / 1000} s`]),
    ...(idleMs === undefined ? [] : [`idle ${idleMs / 1000} s`]),
  ];
  return parts.join(', ');
}

/** `2 times after reset, timeout, 502`. */
export function describeRetry({ attempts, on, statuses }: Retry): string {
  return `${attempts} time${attempts === 1 ? '' : 's'} after ${[...on, ...statuses].join(', ')}`;
}

const pathVerb = { exact: '=', prefix: 'under', 'string-prefix': 'starting with', regex: 'matching' } as const;

/** `path under /v1, method GET, header version = 2`. */
export function describeMatch(match: RouteMatch): string {
  const parts = [
    ...(match.grpc ? ['gRPC calls'] : []),
    match.path ? `path ${pathVerb[match.path.type]} ${match.path.value}` : 'any path',
    ...(match.method ? [`method ${match.method}`] : []),
    ...(match.headers ?? []).map(
      ({ name, type, value }) => `header ${name} ${type === 'exact' ? '=' : 'matching'} ${value}`,
    ),
    ...(match.query ?? []).map(
      ({ name, type, value }) => `query ${name} ${type === 'exact' ? '=' : 'matching'} ${value}`,
    ),
  ];
  return parts.join(', ');
}

function grpcAuth({ backend, body, failureStatus = 503 }: GrpcAuthFilter): string {
  const parts = [
    `ask ${backend} by ext_authz over gRPC`,
    ...(body ? [`bodies up to ${body.maxBytes} bytes`] : []),
    `else ${failureStatus} when it fails`,
  ];
  return `external auth: ${parts.join(', ')}`;
}
