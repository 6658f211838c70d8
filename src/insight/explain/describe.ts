/** Plan elements in one line each, for people. */
import type {
  Action,
  Affinity,
  Canary,
  ClientCertificateFilter,
  CorsFilter,
  ExternalAuthFilter,
  Filter,
  GrpcAuthFilter,
  HeaderChange,
  LimitKey,
  PathRewrite,
  RequestValuesFilter,
  Retry,
  Route,
  RouteMatch,
} from '../../routing/plan/plan.ts';
import { describeTemplate, describeText, describeWhen } from './values.ts';

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
  'any-of': ({ filters }) => `any one of: ${filters.map(describeFilter).join('; or ')}`,
  bandwidth: ({ bytesPerSecond, afterBytes }) =>
    `bandwidth: ${bytesPerSecond} bytes a second${afterBytes > 0 ? ` after the first ${afterBytes}` : ''}`,
  'client-certificate': (filter) => clientCertificate(filter),
  'cookie-rewrite': ({ domain, path }) =>
    `cookies: ${[...(domain ? [`domain ${domain.from} to ${domain.to}`] : []), ...(path ? [`path ${path.from} to ${path.to}`] : [])].join(', ')}`,
  'location-rewrite': ({ rules }) =>
    `location: ${rules.map(({ from, to }) => `${from.type === 'regex' ? `found by ${from.value}` : from.value} to ${describeTemplate(to)}`).join(', ')}`,
  'request-values': ({ set, when, dropUnderscored, dropStrange }) => {
    const parts = [
      ...valueLines('set', set),
      ...(dropUnderscored ? ['drop names with underscores'] : []),
      ...(dropStrange ? ['drop names of strange characters'] : []),
    ];
    return `request headers: ${parts.join(', ')}${describeWhen(when)}`;
  },
  respond: ({ status, location, reason, when }) =>
    `answer ${status}${location ? ` to ${describeTemplate(location)}` : ''}${describeWhen(when)}: ${reason}`,
  'response-values': ({ set, add, remove, statuses, when }) => {
    const parts = [...valueLines('set', set), ...valueLines('add', add), ...remove.map((name) => `remove ${name}`)];
    return `response headers: ${parts.join(', ')}${statuses ? ` of ${statuses.join(' ')}` : ''}${describeWhen(when)}`;
  },
};

const valueLines = (verb: string, values: RequestValuesFilter['set']): string[] =>
  values.map(([name, value]) => `${verb} ${name}: ${describeTemplate(value)}`);

function clientCertificate({ mode, subject, errorPage }: ClientCertificateFilter): string {
  const parts = [certificateModes[mode], ...(subject === undefined ? [] : [`subject found by ${subject}, else 403`])];
  return `client certificate: ${parts.join(', ')}${errorPage === undefined ? '' : `, 302 to ${errorPage} instead of 400`}`;
}

const certificateModes: Record<ClientCertificateFilter['mode'], string> = {
  required: 'a valid one, else 400',
  optional: 'a valid one or none, else 400',
  any: 'whatever is shown, or none',
};

function limitKey(key: LimitKey): string {
  if (key.by === 'zone') return 'in all';
  return key.by === 'address' ? 'per client address' : `per value of ${key.name}`;
}

function externalAuth(filter: ExternalAuthFilter): string {
  const { method, path, backend, body, signIn, failOpen, failureStatus = 503 } = filter;
  const asked = askedPath(path);
  const parts = [
    `ask ${backend} with ${method ?? 'the same method'} ${asked}`,
    ...(body ? [`bodies up to ${body.maxBytes} bytes`] : []),
    ...(signIn ? [`sign in at ${describeText(signIn.url)}`] : []),
    failOpen ? 'let in when it fails' : `else ${failureStatus} when it fails`,
  ];
  return `external auth: ${parts.join(', ')}`;
}

function askedPath(path: ExternalAuthFilter['path']): string {
  if (path.type === 'template') return describeTemplate(path.value);
  return path.type === 'fixed' ? path.value : `${path.value.replace(/\/$/, '')}/…`;
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

/** `header x-release = next, cookie next`. */
export function describeCanary({ header, cookie }: Canary): string {
  const { text, pattern } = header ?? {};
  const value = text === undefined ? (pattern === undefined ? '' : ` found by ${pattern}`) : ` = ${text}`;
  return [
    ...(header ? [`header ${header.name}${value}`] : []),
    ...(cookie === undefined ? [] : [`cookie ${cookie}`]),
  ].join(', ');
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
