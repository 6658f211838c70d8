/** What an object asks for → filters of the plan. */
import type {
  BackendId,
  BasicAuthFilter,
  CompressionFilter,
  ErrorPagesFilter,
  ExternalAuthFilter,
  Filter,
  RequestFact,
  Route,
} from '../plan/plan.ts';
import type { Retry } from '../plan/retry.ts';
import type { Asked } from './annotations.ts';

/** What the annotations refer to, as far as it is there. */
export interface Referred {
  readonly users?: BasicAuthFilter['users'];
  readonly authService?: BackendId;
  readonly pagesService?: BackendId;
}

/** `zone` names the object: what limits count is kept apart by it. */
export function filtersOf(asked: Asked, referred: Referred, zone: string): readonly Filter[] {
  const filters: (Filter | undefined)[] = [
    ipAccess(asked),
    requestSize(asked),
    rateLimit(asked, zone),
    basicAuth(asked, referred.users),
    externalAuth(asked, referred.authService),
    concurrency(asked, zone),
    rewrite(asked),
    errorPages(asked, referred.pagesService),
    compression(asked),
  ];
  return filters.filter((filter) => filter !== undefined);
}

function ipAccess({ 'allow-from': allow = [], 'deny-from': deny = [] }: Asked): Filter | undefined {
  return allow.length + deny.length > 0 ? { type: 'ip-access', allow, deny, status: 403 } : undefined;
}

function requestSize({ 'max-request-body': maxBytes }: Asked): Filter | undefined {
  return maxBytes === undefined ? undefined : { type: 'request-size', maxBytes };
}

function rateLimit({ 'rate-limit': rate }: Asked, zone: string): Filter | undefined {
  return rate && { type: 'rate-limit', zone, ...rate, status: 429 };
}

function concurrency({ 'max-concurrent-requests': crowd }: Asked, zone: string): Filter | undefined {
  return crowd && { type: 'concurrency', zone, ...crowd, status: 503 };
}

function basicAuth({ 'basic-auth-realm': realm = 'Restricted' }: Asked, users: Referred['users']): Filter | undefined {
  return users && { type: 'basic-auth', realm, users };
}

/** As forward-auth services expect them of Traefik and Caddy, then as they do of ingress-nginx. */
const authFacts: readonly (readonly [string, RequestFact])[] = [
  ['X-Forwarded-Method', 'method'],
  ['X-Forwarded-Proto', 'scheme'],
  ['X-Forwarded-Host', 'host'],
  ['X-Forwarded-Uri', 'uri'],
  ['X-Forwarded-For', 'client-address'],
  ['X-Original-Method', 'method'],
  ['X-Original-URL', 'url'],
];

function externalAuth(asked: Asked, backend: BackendId | undefined): ExternalAuthFilter | undefined {
  const {
    'external-auth': target,
    'external-auth-request-headers': requestHeaders = 'all',
    'external-auth-response-headers': responseHeaders = [],
    'external-auth-sign-in': signIn,
    'external-auth-timeout': timeoutMs,
  } = asked;
  if (!target || backend === undefined) return undefined;
  return {
    type: 'external-auth',
    backend,
    protocol: 'http',
    method: 'GET',
    path: { type: 'fixed', value: target.path },
    requestHeaders,
    facts: authFacts,
    setHeaders: [],
    admits: '2xx',
    responseHeaders,
    clientHeaders: { names: ['set-cookie'] },
    denials: 'all',
    ...(signIn !== undefined && { signIn: { url: signIn, parameter: 'rd', statuses: [401] } }),
    ...(timeoutMs !== undefined && { timeoutMs }),
  };
}

function rewrite({ rewrite: path }: Asked): Filter | undefined {
  return path && { type: 'rewrite', path };
}

/** Headers as backends for ingress-nginx's custom errors expect them. */
function errorPages({ 'error-pages': pages }: Asked, backend: BackendId | undefined): ErrorPagesFilter | undefined {
  if (!pages || backend === undefined) return undefined;
  return {
    type: 'error-pages',
    backend,
    statuses: pages.statuses,
    ownAnswers: true,
    path: pages.path,
    statusHeader: 'X-Code',
    facts: [['X-Original-URI', 'uri']],
    copyHeaders: [['X-Format', 'accept']],
    setHeaders: [],
  };
}

/** What is text, and what compresses like text. */
const compressedTypes: readonly string[] = [
  ...['text/html', 'text/css', 'text/plain', 'text/xml', 'text/javascript', 'text/csv'],
  ...['application/javascript', 'application/json', 'application/ld+json', 'application/manifest+json'],
  ...['application/xml', 'application/rss+xml', 'application/atom+xml', 'application/xhtml+xml'],
  ...['application/wasm', 'image/svg+xml', 'font/ttf', 'font/otf'],
];

/** Smaller responses gain less than a packet. */
const minCompressedBytes = 1_024;

function compression(asked: Asked): CompressionFilter | undefined {
  const {
    compression: codings,
    'compression-types': types = compressedTypes,
    'compression-min-size': minBytes = minCompressedBytes,
  } = asked;
  return codings && { type: 'compression', codings, types, minBytes, level: { gzip: 5, br: 4 } };
}

/** Of an HTTPRoute's own `retry` too. */
const usualBackoffMs = 25;
const maxBackoffMs = 10_000;

export function retryOf({ retry }: Asked): Retry | undefined {
  if (!retry) return undefined;
  const { attempts, statuses, backoffMs = usualBackoffMs } = retry;
  return {
    ...{ attempts, statuses, on: ['reset', 'timeout'], backoffMs },
    ...{ maxBackoffMs: Math.max(backoffMs, maxBackoffMs), methods: 'idempotent' },
  };
}

/** Zero switches a timeout off: it is left out of the plan. */
export function timeoutsOf(asked: Asked): Route['timeouts'] {
  const { 'request-timeout': requestMs, 'backend-request-timeout': backendRequestMs, 'idle-timeout': idleMs } = asked;
  if (!requestMs && !backendRequestMs && !idleMs) return undefined;
  return { ...(requestMs && { requestMs }), ...(backendRequestMs && { backendRequestMs }), ...(idleMs && { idleMs }) };
}
