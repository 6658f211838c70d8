/** Rows on who is let in, and how much of it. */
import { differs, guarding, ignored, refusalsOnly, works } from './entry.ts';
import {
  anyText,
  anyWhole,
  bool,
  cidrs,
  count,
  destination,
  headerNames,
  lifetimes,
  matching,
  objectName,
  option,
  size,
  urlWithVariables,
  variableText,
  whole,
} from './values.ts';

const ofUrl = { of: ['auth-url'] };
const guardOfUrl = { ...ofUrl, protects: true };
const kept = 'Connections to the service are kept and shared by themselves.';

export const basicAuthRows = {
  'auth-type': differs(
    option(['basic', 'digest']),
    '`digest` is refused: it stands on MD5 and on passwords that can be read. Use `basic` over TLS, or `auth-url`.',
    'none',
    { ...guarding, ...refusalsOnly },
  ),
  'auth-secret': differs(
    objectName('Secret'),
    'Users whose password is hashed by the DES of `crypt` cannot log in, and bcrypt of a cost above 14 is not computed. A Secret of another namespace needs `allow-cross-namespace-resources`.',
    'none',
    { ...guarding, ...refusalsOnly, of: ['auth-type'] },
  ),
  'auth-secret-type': works(option(['auth-file', 'auth-map']), 'auth-file', { ...guarding, of: ['auth-type'] }),
  'auth-realm': works(matching(/^[\x20-\x7e]{1,128}$/, '1 to 128 printable ASCII characters'), 'empty', {
    of: ['auth-type'],
  }),
  satisfy: works(option(['all', 'any']), 'all', guarding),
} as const;

export const externalAuthRows = {
  'auth-url': differs(
    urlWithVariables,
    'Names such as `auth.shop.svc.cluster.local` lead to the endpoints of that Service; the own host, as in `https://$host/oauth2/auth`, to the Service that another path of it has; others to the addresses that they have in DNS. Addresses, and hosts made of the request, are refused; so are names that lead to the machine itself or to metadata services of clouds. Over https, certificates are not verified, as in nginx.',
    'none',
    { ...guarding, ...refusalsOnly },
  ),
  'auth-method': works(
    option(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'CONNECT', 'OPTIONS', 'TRACE']),
    'GET',
    guardOfUrl,
  ),
  'auth-signin': works(urlWithVariables, 'none', guardOfUrl),
  'auth-signin-redirect-param': works(matching(/^[-._~A-Za-z0-9]{1,128}$/, 'the name of a query parameter'), 'rd', {
    of: ['auth-signin'],
  }),
  'auth-response-headers': works(headerNames, 'none', guardOfUrl),
  'auth-proxy-set-headers': differs(
    objectName('ConfigMap'),
    'Headers of the connection, such as `Content-Length`, are left out.',
    'none',
    guardOfUrl,
  ),
  'auth-request-redirect': works(destination, '$request_uri', ofUrl),
  'auth-cache-key': works(variableText, 'nothing is remembered', guardOfUrl),
  'auth-cache-duration': works(lifetimes, '200 202 401 5m', { protects: true, of: ['auth-cache-key'] }),
  'auth-keepalive': ignored(anyWhole, kept, ofUrl),
  'auth-keepalive-share-vars': ignored(bool, kept, ofUrl),
  'auth-keepalive-requests': ignored(anyWhole, kept, ofUrl),
  'auth-keepalive-timeout': ignored(anyWhole, kept, ofUrl),
  'auth-always-set-cookie': works(bool, 'false', ofUrl),
  'auth-snippet': differs(
    anyText,
    'Only headers of the question can be changed; with any other directive the location answers 503. See [What snippets may say](#what-snippets-may-say).',
    'none',
    { ...guardOfUrl, ...refusalsOnly },
  ),
  'enable-global-auth': works(bool, 'true', guarding),
} as const;

const wholeHost = { scope: 'server' } as const;
const ofSecret = { ...wholeHost, protects: true, of: ['auth-tls-secret'] };

export const clientTlsRows = {
  'auth-tls-secret': differs(
    objectName('Secret'),
    'When it cannot be had, all locations of the host answer 503 instead of 403. Reports of revocation are read from `ca.crl`. An Ingress that asks for more than an older one of the same host gets 503, where ingress-nginx leaves it with what the older one asks for. `ssl-client-cert` is taken out of requests unless it is passed on.',
    'none',
    { ...wholeHost, protects: true },
  ),
  'auth-tls-verify-client': works(option(['on', 'off', 'optional', 'optional_no_ca']), 'on', ofSecret),
  'auth-tls-verify-depth': works(whole(1, 100), '1', ofSecret),
  'auth-tls-error-page': differs(
    matching(/^(?:https?:\/\/|\/)[^\s"';{}\\]{0,1024}$/i, 'a URL, or a path'),
    'Clients are redirected to a path too, instead of being answered from there; named locations (`@name`) do not exist.',
    '400',
    { ...wholeHost, of: ['auth-tls-secret'], concerns: (value) => String(value).startsWith('/') },
  ),
  'auth-tls-pass-certificate-to-upstream': works(bool, 'false', { ...wholeHost, of: ['auth-tls-secret'] }),
  'auth-tls-match-cn': differs(matching(/^CN=[^\r\n]{1,512}$/, 'CN= and a pattern'), 'Patterns are RE2.', 'any', {
    ...ofSecret,
    ...refusalsOnly,
  }),
} as const;

export const limitRows = {
  'limit-rps': works(count, 'no limit'),
  'limit-rpm': works(count, 'no limit'),
  'limit-connections': works(count, 'no limit'),
  'limit-burst-multiplier': works(count, '5', { of: ['limit-rps', 'limit-rpm'] }),
  'limit-allowlist': works(cidrs, 'none', { of: ['limit-rps', 'limit-rpm', 'limit-connections'] }),
  'limit-whitelist': works(cidrs, 'none', {
    of: ['limit-rps', 'limit-rpm', 'limit-connections'],
    alias: 'limit-allowlist',
  }),
  'limit-rate': works(count, 'no limit'),
  'limit-rate-after': works(count, '0'),
  'proxy-body-size': works(size, '1m; 0 is no limit'),
  'client-body-buffer-size': ignored(size, 'Bodies are passed on as they come and are never on disk.'),
} as const;

export const addressRows = {
  'allowlist-source-range': works(cidrs, 'everybody', { ...guarding, emptyIsWrong: true }),
  'whitelist-source-range': works(cidrs, 'everybody', {
    ...guarding,
    alias: 'allowlist-source-range',
    emptyIsWrong: true,
  }),
  'denylist-source-range': works(cidrs, 'nobody', { ...guarding, emptyIsWrong: true }),
} as const;

const ofCors = { of: ['enable-cors'] };

export const corsRows = {
  'enable-cors': works(bool, 'false'),
  'cors-allow-origin': works(
    matching(/^[-A-Za-z0-9+.:/*, ]+$/, 'origins with commas between them, null, or *'),
    '*',
    ofCors,
  ),
  'cors-allow-methods': works(
    matching(/^[A-Za-z]+(?:[, ]+[A-Za-z]+)*[, ]*$/, 'methods with commas between them'),
    'GET, PUT, POST, DELETE, PATCH, OPTIONS',
    ofCors,
  ),
  'cors-allow-headers': works(
    matching(/^[-A-Za-z0-9_, ]+$/, 'names of headers with commas between them'),
    'DNT,Keep-Alive,User-Agent,X-Requested-With,If-Modified-Since,Cache-Control,Content-Type,Range,Authorization',
    ofCors,
  ),
  'cors-expose-headers': works(
    matching(/^[-A-Za-z0-9_*, ]+$/, 'names of headers with commas between them, or *'),
    'none',
    ofCors,
  ),
  'cors-allow-credentials': works(bool, 'true', ofCors),
  'cors-max-age': works(whole(-1, 1_000_000_000), '1728000', ofCors),
} as const;
