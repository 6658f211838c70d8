/**
 * The keys of the controller's ConfigMap, one row each: what a key does here and how its value gets into `NginxConfig`.
 * Names, defaults and spellings of values are those of ingress-nginx 1.15.
 */
import { createSecureContext } from 'node:tls';
import type { CompressionFilter } from '../../plan/plan.ts';
import {
  anyText,
  bool,
  cidrs,
  commas,
  count,
  headerNames,
  option,
  replacement,
  seconds,
  size,
  type ValueReader,
  whole,
} from '../annotations/values.ts';
import { compileSnippet } from '../snippets/compile.ts';
import { localNames, type VariableScope } from '../variables.ts';
import { accessKeys } from './access-keys.ts';
import { defaultNginxConfig, type NginxConfig } from './config.ts';
import { headersOf } from './headers.ts';
import { httpSnippet } from './http-snippet.ts';
import { logKeys } from './log-keys.ts';
import { type ConfigRow, type Draft, field, guarding, ignored, put, refused, texts } from './rows.ts';

const status = whole(400, 599);
const statuses = commas((item) => status.read(item), 'statuses from 400 to 599 with commas between them');
const words: ValueReader<readonly string[]> = {
  read: (text) => text.split(/\s+/).filter((word) => word !== ''),
  expected: 'words with blanks between them',
};
const redirectCodes = new Set([301, 302, 307, 308]);
const redirectCode: ValueReader<number> = {
  read: (text) => (redirectCodes.has(Number(text)) ? Number(text) : undefined),
  expected: '301, 302, 307 or 308',
};
const kib: ValueReader<number> = count;

const buffers = 'The data plane streams; its bounds are those of `--data-plane FILE`.';
const process = 'There are no processes and tables of nginx whose number or size could be set.';
const atStart = 'It is said at the start, for the whole data plane: `--data-plane FILE`.';
const tracing = 'Spans are exported by `--otlp`.';

/** Variables that ingress-nginx's users count clients by. */
const limitVariables: ReadonlyMap<string, NginxConfig['limitKey']> = new Map([
  ['$binary_remote_addr', { by: 'address' }],
  ['$remote_addr', { by: 'address' }],
]);
const limitVariable: ValueReader<NginxConfig['limitKey']> = {
  read(text) {
    const [, header] = /^\$http_([a-z0-9_]+)$/.exec(text) ?? [];
    return header === undefined ? limitVariables.get(text) : { by: 'header', name: header.replaceAll('_', '-') };
  },
  expected: '$binary_remote_addr, $remote_addr or the variable of a header such as $http_x_api_key',
};

/** OpenSSL says which there are. */
const cipherList: ValueReader<string> = {
  read(text) {
    try {
      createSecureContext({ ciphers: text });
      return text;
    } catch {
      // None of them is known.
      return undefined;
    }
  },
  expected: 'ciphers as OpenSSL names them, with colons between them',
};

const versions: ReadonlyMap<string, 'TLSv1.2' | 'TLSv1.3'> = new Map([
  ['TLSv1.2', 'TLSv1.2'],
  ['TLSv1.3', 'TLSv1.3'],
]);

function takeProtocols({ config }: Draft, text: string): boolean | string {
  const named = text.split(/\s+/).filter((word) => word !== '');
  const known = named.flatMap((name) => versions.get(name) ?? []).sort();
  const [first] = known;
  if (first === undefined) return 'neither TLSv1.2 nor TLSv1.3 is among them, and older ones are not spoken';
  config.tls = { ...config.tls, minVersion: first, maxVersion: known.at(-1)! };
  return true;
}

/** `add-headers` and `proxy-set-headers` name another ConfigMap. */
function takeHeaders(key: 'addHeaders' | 'proxySetHeaders'): NonNullable<ConfigRow['take']> {
  return ({ config, find }, name) => {
    const data = find(name);
    if (!data) return `there is no ConfigMap ${name}`;
    const read = headersOf(data);
    if (!read.ok) return `ConfigMap ${name}: ${read.error}`;
    config[key] = read.value;
    return true;
  };
}

/** A stand-in for what every location has of its own, to see whether a snippet can be read. */
const anyLocation: VariableScope = {
  locals: Object.fromEntries(localNames.map((name) => [name, ['']])),
  captures: 9,
};

function snippetOf(place: 'server' | 'location', key: 'serverSnippet' | 'locationSnippet'): ConfigRow {
  return {
    ...{ verdict: 'differs', expected: anyText.expected, protects: true },
    note: 'Read as a [closed set of directives](#what-snippets-may-say); with anything else all locations answer 503.',
    take({ config }, text) {
      const read = compileSnippet(text, place, place === 'location' ? anyLocation : {});
      if (!read.ok) return `line ${read.error.line}: ${read.error.message}`;
      config[key] = text;
      return true;
    },
  };
}

const general: Readonly<Record<string, ConfigRow>> = {
  'allow-snippet-annotations': field(
    bool,
    'allowSnippetAnnotations',
    'Snippets are read as a [closed set of directives](#what-snippets-may-say). They need `annotations-risk-level: Critical` besides.',
  ),
  'annotations-risk-level': field(
    option(['Low', 'Medium', 'High', 'Critical']),
    'annotationsRiskLevel',
    'An annotation of greater risk shuts the locations of its Ingress, where ingress-nginx drops the Ingress. Snippets are `Critical`.',
  ),
  'allow-cross-namespace-resources': field(bool, 'allowCrossNamespaceResources'),
  'annotation-value-word-blocklist': ignored(
    'Values become types, and there is no text that a word could break out of.',
  ),
  'strict-validate-path-type': field(bool, 'strictValidatePathType'),
  'default-type': ignored('Nothing is served from files.'),
  'service-upstream': ignored(
    'Requests are shared out among the endpoints of the Service, of which there is always the latest list; the ClusterIP is not used.',
  ),
  'load-balance': field(
    option(['round_robin', 'ewma']),
    'loadBalance',
    '`ewma` is the lighter of two endpoints drawn at random.',
  ),
  'main-snippet': refused('There is no configuration of nginx that it could be put into.'),
  'http-snippet': httpSnippet,
  'stream-snippet': refused('There is no configuration of nginx that it could be put into.'),
  'server-snippet': snippetOf('server', 'serverSnippet'),
  'location-snippet': snippetOf('location', 'locationSnippet'),
  'lua-shared-dicts': ignored(process),
};

const redirects: Readonly<Record<string, ConfigRow>> = {
  'ssl-redirect': field(bool, 'sslRedirect'),
  'force-ssl-redirect': field(bool, 'forceSslRedirect'),
  'http-redirect-code': field(redirectCode, 'httpRedirectCode'),
  'no-tls-redirect-locations': field(texts, 'noTlsRedirectLocations'),
  'relative-redirects': field(bool, 'relativeRedirects'),
};

const limits: Readonly<Record<string, ConfigRow>> = {
  'limit-req-status-code': field(status, 'limitReqStatusCode'),
  'limit-conn-status-code': field(status, 'limitConnStatusCode'),
  'limit-conn-zone-variable': put(limitVariable, ({ config }, value) => Object.assign(config, { limitKey: value })),
  'limit-rate': field(kib, 'limitRate'),
  'limit-rate-after': field(kib, 'limitRateAfter'),
  'proxy-body-size': field(size, 'proxyBodySize'),
};

const backends: Readonly<Record<string, ConfigRow>> = {
  'proxy-connect-timeout': field(seconds, 'proxyConnectTimeout'),
  'proxy-read-timeout': field(seconds, 'proxyReadTimeout'),
  'proxy-send-timeout': ignored('One time without a byte in either direction counts, that of `proxy-read-timeout`.'),
  'proxy-next-upstream': field(words, 'proxyNextUpstream'),
  'proxy-next-upstream-tries': field(count, 'proxyNextUpstreamTries'),
  'proxy-next-upstream-timeout': ignored('Tries are bounded by their number and the time-out of the route.'),
  'retry-non-idempotent': field(bool, 'retryNonIdempotent'),
  'proxy-redirect-from': field(anyText, 'proxyRedirectFrom'),
  'proxy-redirect-to': field(anyText, 'proxyRedirectTo'),
  'proxy-cookie-domain': put(replacement, ({ config }, value) => Object.assign(config, { proxyCookieDomain: value })),
  'proxy-cookie-path': put(replacement, ({ config }, value) => Object.assign(config, { proxyCookiePath: value })),
  'custom-http-errors': field(statuses, 'customHttpErrors'),
  'disable-proxy-intercept-errors': field(bool, 'disableProxyInterceptErrors'),
  'proxy-buffering': ignored(buffers),
  'proxy-buffer-size': ignored(buffers),
  'proxy-buffers-number': ignored(buffers),
  'proxy-busy-buffers-size': ignored(buffers),
  'proxy-request-buffering': ignored(buffers),
  'proxy-http-version': ignored('Backends are spoken to in HTTP/1.1, or HTTP/2 where they say so.'),
  'proxy-ssl-location-only': ignored('What is said of TLS to backends holds for the locations of its Ingress.'),
  'grpc-buffer-size-kb': ignored(buffers),
  'upstream-keepalive-connections': ignored(atStart),
  'upstream-keepalive-time': ignored(atStart),
  'upstream-keepalive-timeout': ignored(atStart),
  'upstream-keepalive-requests': ignored(atStart),
};

const headers: Readonly<Record<string, ConfigRow>> = {
  'use-forwarded-headers': field(bool, 'useForwardedHeaders'),
  'enable-real-ip': put(bool, ({ proxies }, value) => Object.assign(proxies, { realIp: value })),
  'proxy-real-ip-cidr': guarding(put(cidrs, ({ proxies }, value) => Object.assign(proxies, { cidrs: value }))),
  'forwarded-for-header': {
    verdict: 'refused',
    expected: anyText.expected,
    note: 'Only `X-Forwarded-For` is read.',
    protects: true,
    take: (_draft, text) => (text.toLowerCase() === 'x-forwarded-for' ? true : 'only X-Forwarded-For is read'),
  },
  'forwarded-host-header': ignored('`X-Forwarded-Host` is read from trusted proxies.'),
  'forwarded-for-proxy-protocol-header': ignored("The address that a PROXY header announces is the client's own here."),
  'compute-full-forwarded-for': field(bool, 'computeFullForwardedFor'),
  'proxy-add-original-uri-header': field(bool, 'proxyAddOriginalUriHeader'),
  'generate-request-id': field(bool, 'generateRequestId'),
  'enable-underscores-in-headers': field(bool, 'enableUnderscoresInHeaders'),
  'ignore-invalid-headers': field(bool, 'ignoreInvalidHeaders', 'Requests with names that are no header names (RFC 9110 section 5.1) get 400 either way.'), // biome-ignore format: one row
  'proxy-set-headers': { verdict: 'works', expected: 'namespace/name of a ConfigMap', take: takeHeaders('proxySetHeaders') }, // biome-ignore format: one row
  'add-headers': { verdict: 'works', expected: 'namespace/name of a ConfigMap', take: takeHeaders('addHeaders') },
  'hide-headers': field(headerNames, 'hideHeaders'),
  'global-allowed-response-headers': field(headerNames, 'globalAllowedResponseHeaders'),
  'server-tokens': field(bool, 'serverTokens'),
  'allow-backend-server-header': field(bool, 'allowBackendServerHeader'),
};

const tls: Readonly<Record<string, ConfigRow>> = {
  hsts: field(bool, 'hsts'),
  'hsts-max-age': field(count, 'hstsMaxAge'),
  'hsts-include-subdomains': field(bool, 'hstsIncludeSubdomains'),
  'hsts-preload': field(bool, 'hstsPreload'),
  'ssl-protocols': { verdict: 'differs', expected: 'TLSv1.2, TLSv1.3 or both', note: 'Older versions are not spoken.', take: takeProtocols }, // biome-ignore format: one row
  'ssl-ciphers': put(cipherList, ({ config }, ciphers) => Object.assign(config, { tls: { ...config.tls, ciphers } })),
  'ssl-reject-handshake': field(bool, 'sslRejectHandshake'),
  'ssl-ecdh-curve': ignored('The curves are those of Node.'),
  'ssl-dh-param': ignored('Key agreement is by elliptic curves alone.'),
  'ssl-session-cache': ignored('Sessions are resumed by tickets, whose keys all workers share.'),
  'ssl-session-cache-size': ignored('Sessions are resumed by tickets, whose keys all workers share.'),
  'ssl-session-tickets': ignored('Sessions are resumed by tickets, whose keys turn by themselves.'),
  'ssl-session-ticket-key': ignored('Ticket keys are made here and turn by themselves.'),
  'ssl-session-timeout': ignored(atStart),
  'ssl-buffer-size': ignored(buffers),
  'ssl-early-data': ignored(
    'Early data is not taken: requests in it can be sent again by anybody (RFC 8446 section 8).',
  ),
  'enable-ocsp': ignored('Responses of OCSP are not stapled.'),
  'use-http2': ignored('HTTP/2 is offered over TLS.'),
};

const compression: Readonly<Record<string, ConfigRow>> = {
  'use-gzip': put(bool, ({ gzip }, on) => Object.assign(gzip, { on })),
  'gzip-level': put(whole(1, 9), ({ gzip }, level) => Object.assign(gzip, { level })),
  'gzip-min-length': put(count, ({ gzip }, minBytes) => Object.assign(gzip, { minBytes })),
  'gzip-types': put(words, ({ gzip }, types) => Object.assign(gzip, { types })),
  'gzip-disable': ignored('Clients say themselves what they take.'),
  'enable-brotli': put(bool, ({ brotli }, on) => Object.assign(brotli, { on })),
  'brotli-level': put(whole(0, 11), ({ brotli }, level) => Object.assign(brotli, { level })),
  'brotli-min-length': put(count, ({ brotli }, minBytes) => Object.assign(brotli, { minBytes })),
  'brotli-types': put(words, ({ brotli }, types) => Object.assign(brotli, { types })),
};

const atTheStart = [
  ...['client-header-buffer-size', 'client-header-timeout', 'client-body-buffer-size', 'client-body-timeout'],
  ...['keep-alive', 'keep-alive-requests', 'large-client-header-buffers', 'http2-max-concurrent-streams'],
  ...['http2-max-field-size', 'http2-max-header-size', 'http2-max-requests', 'proxy-protocol-header-timeout'],
  ...['proxy-stream-timeout', 'proxy-stream-responses', 'worker-shutdown-timeout'],
];

const processes = [
  ...['enable-multi-accept', 'max-worker-connections', 'max-worker-open-files', 'map-hash-bucket-size'],
  ...['server-name-hash-max-size', 'server-name-hash-bucket-size', 'proxy-headers-hash-max-size'],
  ...['proxy-headers-hash-bucket-size', 'reuse-port', 'enable-aio-write', 'worker-processes', 'worker-cpu-affinity'],
  ...['enable-serial-reloads', 'variables-hash-bucket-size', 'variables-hash-max-size'],
];

const traced = [
  ...[
    'enable-opentelemetry',
    'opentelemetry-trust-incoming-span',
    'opentelemetry-operation-name',
    'opentelemetry-config',
  ],
  ...['otlp-collector-host', 'otlp-collector-port', 'otel-max-queuesize', 'otel-schedule-delay-millis'],
  ...[
    'otel-max-export-batch-size',
    'otel-service-name',
    'otel-sampler',
    'otel-sampler-parent-based',
    'otel-sampler-ratio',
  ],
  ...['jaeger-collector-host', 'jaeger-collector-port', 'jaeger-endpoint', 'jaeger-service-name'],
  ...['jaeger-propagation-format', 'jaeger-sampler-type', 'jaeger-sampler-param', 'jaeger-sampler-host'],
  ...['jaeger-sampler-port', 'jaeger-trace-context-header-name', 'jaeger-debug-header', 'jaeger-baggage-header'],
  'jaeger-trace-baggage-header-prefix',
];

const rowsOf = (keys: readonly string[], row: ConfigRow) => Object.fromEntries(keys.map((key) => [key, row]));

const others: Readonly<Record<string, ConfigRow>> = {
  ...rowsOf(atTheStart, ignored(atStart)),
  'use-proxy-protocol': refused(
    'Peers that announce their clients are named at the start: `--data-plane FILE`, `proxyProtocol.from`.',
  ),
  'proxy-stream-next-upstream': ignored('A connection that an endpoint does not accept goes to another one.'),
  'proxy-stream-next-upstream-timeout': ignored('A connection that an endpoint does not accept goes to another one.'),
  'proxy-stream-next-upstream-tries': ignored('A connection that an endpoint does not accept goes to another one.'),
  ...rowsOf(processes, ignored(process)),
  ...rowsOf(
    ['bind-address', 'disable-ipv6', 'disable-ipv6-dns'],
    ignored('Addresses are those of the Ingress door: `--listen`.'),
  ),
  ...rowsOf(
    ['nginx-status-ipv4-whitelist', 'nginx-status-ipv6-whitelist'],
    ignored('There is no page of nginx; metrics are at `--metrics`.'),
  ),
  ...rowsOf(
    ['use-geoip', 'use-geoip2', 'geoip2-autoreload-in-minutes'],
    ignored('There are no tables of countries, and variables of them are not known.'),
  ),
  ...rowsOf(traced, ignored(tracing)),
};

/** In the order of the document. */
export const configGroups: readonly (readonly [title: string, rows: Readonly<Record<string, ConfigRow>>])[] = [
  ['General', general],
  ['Redirects', redirects],
  ['Who is let in', accessKeys],
  ['Limits', limits],
  ['Backends', backends],
  ['Headers', headers],
  ['TLS', tls],
  ['Compression', compression],
  ['Logs', logKeys],
  ['Processes and the rest', others],
];

export const configKeys: Readonly<Record<string, ConfigRow>> = Object.assign(
  Object.create(null),
  ...configGroups.map(([, rows]) => rows),
);

export function createDraft(find: Draft['find']): Draft {
  const types = usualTypes;
  return {
    config: { ...defaultNginxConfig },
    auth: {},
    gzip: { on: false, level: 1, minBytes: 256, types },
    brotli: { on: false, level: 4, minBytes: 20, types },
    proxies: { realIp: false, cidrs: everybody },
    log: { json: false, none: false },
    remarks: [],
    find,
  };
}

/** As ingress-nginx has it: who does not say whom to trust trusts everybody. */
export const everybody: readonly string[] = ['0.0.0.0/0', '::/0'];

/** Compressed unless said otherwise. */
const usualTypes: readonly string[] = [
  ...['application/atom+xml', 'application/javascript', 'application/x-javascript', 'application/json'],
  ...[
    'application/rss+xml',
    'application/vnd.ms-fontobject',
    'application/x-font-ttf',
    'application/x-web-app-manifest+json',
  ],
  ...['application/xhtml+xml', 'application/xml', 'font/opentype', 'image/svg+xml', 'image/x-icon', 'text/css'],
  ...['text/html', 'text/javascript', 'text/plain', 'text/x-component'],
];

/** One filter for both: the smaller of the two lengths, and the types of either. */
export function compressionOf({ gzip, brotli }: Draft): CompressionFilter | undefined {
  const chosen = [...(brotli.on ? [brotli] : []), ...(gzip.on ? [gzip] : [])];
  if (chosen.length === 0) return undefined;
  return {
    type: 'compression',
    codings: [...(brotli.on ? (['br'] as const) : []), ...(gzip.on ? (['gzip'] as const) : [])],
    types: [...new Set(chosen.flatMap(({ types }) => types))],
    minBytes: Math.min(...chosen.map(({ minBytes }) => minBytes)),
    level: { gzip: gzip.level, br: brotli.level },
  };
}
