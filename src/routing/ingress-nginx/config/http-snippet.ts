/**
 * `http-snippet`: what nginx has beside its servers, and what is not followed here. Most of what stands there shuts nobody
 * out, and is missed by nobody's safety. What may guard every location is told apart from it by a list of what does not:
 * a directive that is not on it counts as a guard.
 */
import { anyText } from '../annotations/values.ts';
import { type Directive, parseSnippet } from '../snippets/parse.ts';
import type { ConfigRow } from './rows.ts';

/** Maps may be long; a ConfigMap has 1 MiB at most. */
const maxLength = 1_048_576;

/** They log, name, keep, bound or add, and refuse no request. */
const harmless = new Set([
  ...['access_log', 'error_log', 'log_format', 'log_not_found', 'log_subrequest', 'open_log_file_cache'],
  // Definitions: nothing comes of them by themselves.
  ...['geo', 'map', 'split_clients', 'upstream', 'geoip_city', 'geoip_country', 'geoip_org', 'geoip_proxy', 'geoip2'],
  ...['geoip_proxy_recursive', 'geoip2_proxy', 'geoip2_proxy_recursive', 'lua_shared_dict', 'lua_package_path'],
  ...['limit_conn_zone', 'limit_req_zone', 'limit_conn_log_level', 'limit_req_log_level', 'limit_conn_status'],
  ...['limit_req_status', 'map_hash_bucket_size', 'map_hash_max_size', 'variables_hash_bucket_size'],
  ...['variables_hash_max_size', 'server_names_hash_bucket_size', 'server_names_hash_max_size'],
  // Headers that locations of ingress-nginx have of their own, or that clients get.
  ...['add_header', 'add_trailer', 'expires', 'more_clear_headers', 'more_set_headers', 'proxy_hide_header'],
  ...['proxy_pass_header', 'proxy_set_header', 'server_tokens', 'charset', 'etag', 'default_type', 'types'],
  // Times, sizes and buffers, which ingress-nginx sets in each server or location.
  ...['client_body_buffer_size', 'client_body_timeout', 'client_header_buffer_size', 'client_header_timeout'],
  ...['client_max_body_size', 'keepalive_requests', 'keepalive_time', 'keepalive_timeout', 'reset_timedout_connection'],
  ...['large_client_header_buffers', 'lingering_close', 'lingering_time', 'lingering_timeout', 'send_timeout'],
  ...['proxy_buffer_size', 'proxy_buffering', 'proxy_buffers', 'proxy_busy_buffers_size', 'proxy_connect_timeout'],
  ...['proxy_headers_hash_bucket_size', 'proxy_headers_hash_max_size', 'proxy_http_version', 'proxy_read_timeout'],
  ...['proxy_max_temp_file_size', 'proxy_request_buffering', 'proxy_send_timeout', 'proxy_temp_path'],
  ...['proxy_next_upstream', 'proxy_next_upstream_timeout', 'proxy_next_upstream_tries', 'resolver'],
  ...['resolver_timeout', 'sendfile', 'tcp_nodelay', 'tcp_nopush', 'types_hash_bucket_size', 'types_hash_max_size'],
]);

/** Families of them. */
const harmlessBegins = /^(?:gzip|brotli|proxy_cache|http2|ssl_session|ssl_stapling|open_file_cache|opentelemetry|opentracing|vhost_traffic_status)(?:_|$)/; // biome-ignore format: one pattern

const addresses = 'whitelist-source-range, denylist-source-range and block-cidrs say so for all locations';
const certificates = 'the annotation auth-tls-secret asks for certificates of clients';
const limits = 'the annotations limit-rps, limit-rpm and limit-connections set limits';
const proxies = 'enable-real-ip and proxy-real-ip-cidr say whose word counts';

/** What to use in the place of a guard. */
const instead: readonly (readonly [directive: RegExp, advice: string])[] = [
  [/^(?:allow|deny)$/, addresses],
  [/^auth_basic/, 'the annotations auth-type and auth-secret ask for passwords'],
  [/^auth_request/, 'global-auth-url asks a service for all locations'],
  [/^limit_(?:conn|req)/, limits],
  [/^ssl_(?:verify_client|client_certificate|crl|verify_depth|ocsp)/, certificates],
  [/^(?:set_real_ip_from|real_ip_header|real_ip_recursive)$/, proxies],
];

/** Ports of the servers that ingress-nginx writes. */
const ownPorts = new Set(['80', '443']);

/** Nothing of a server on other ports is served, so nothing of it is open; on these it would stand before Ingresses. */
function isElsewhere(block: readonly Directive[]): boolean {
  const listens = block.filter(({ name }) => name === 'listen');
  return (
    listens.length > 0 &&
    listens.every(({ words: [at = ''] }) => {
      const [, port] = /^(?:[^:[\]]+:|\[[^\]]*\]:)?([0-9]+)$/.exec(at) ?? [];
      return at.startsWith('unix:') || (port !== undefined && !ownPorts.has(port));
    })
  );
}

/** Why a directive cannot be left out; undefined for one that can. */
function guardFault({ name, block }: Directive): string | undefined {
  if (name === 'server' && block)
    return isElsewhere(block) ? undefined : 'a server on port 80 or 443 would take requests before Ingresses do';
  if (harmless.has(name) || harmlessBegins.test(name)) return undefined;
  const advice = instead.find(([directive]) => directive.test(name))?.[1];
  return advice === undefined
    ? 'it is not known to keep nobody out, and nothing of http-snippet is followed'
    : `it keeps requests out, and nothing of http-snippet is followed; ${advice}`;
}

const unfollowed =
  'nothing of it is followed, as there is no configuration of nginx that it could be put into; it keeps nobody out';

export const httpSnippet: ConfigRow = {
  ...{ verdict: 'refused', expected: anyText.expected, protects: true },
  note: 'There is no configuration of nginx that it could be put into. Where it has a directive that may keep requests out (`deny`, `auth_request`, `limit_req`, `include`, Lua, a `server` on port 80 or 443), all locations answer 503 (FW5511); formats of the log, maps, zones, caches, headers, times and buffers are left out with a finding.',
  take({ remarks }, text) {
    const parsed = parseSnippet(text, maxLength);
    if (!parsed.ok) return `line ${parsed.error.line}: ${parsed.error.message}`;
    for (const directive of parsed.value) {
      const fault = guardFault(directive);
      if (fault !== undefined) return `line ${directive.line}: ${directive.name}: ${fault}`;
    }
    if (parsed.value.length > 0) remarks.push({ key: 'http-snippet', message: unfollowed });
    return true;
  },
};
