/** Rows on how backends are spoken to, and which of them. */
import { differs, guarding, ignored, only, refusalsOnly, refused, works } from './entry.ts';
import {
  anyText,
  bool,
  count,
  matching,
  objectName,
  onOff,
  option,
  replacement,
  seconds,
  size,
  variableText,
  whole,
} from './values.ts';

const nothingToBuffer =
  'Bytes are passed on as they come, no faster than the other side takes them: there are no buffers and no files to set up.';

const outcomes = [
  ...['error', 'timeout', 'invalid_header', 'http_500', 'http_502', 'http_503', 'http_504'],
  ...['http_403', 'http_404', 'http_429', 'non_idempotent', 'off'],
];

const nextUpstream = {
  read(text: string): readonly string[] | undefined {
    const words = text.split(/\s+/).filter((word) => word !== '');
    return words.length > 0 && words.every((word) => outcomes.includes(word)) ? words : undefined;
  },
  expected: `words of ${outcomes.join(', ')}`,
};

export const proxyRows = {
  'backend-protocol': differs(
    option(['HTTP', 'HTTPS', 'AUTO_HTTP', 'GRPC', 'GRPCS', 'FCGI'], true),
    'With `FCGI` the location answers 503: put a web server in front of the application. Without the annotation, `appProtocol` of the Service port and a BackendTLSPolicy count.',
    'HTTP',
    refusalsOnly,
  ),
  'proxy-connect-timeout': works(seconds, '5'),
  'proxy-read-timeout': works(seconds, '60'),
  'proxy-send-timeout': ignored(seconds, '`proxy-read-timeout` holds in both directions.'),
  'proxy-next-upstream': differs(nextUpstream, '`invalid_header` is the same as `error`.', 'error timeout', {
    concerns: (value) => Array.isArray(value) && value.includes('invalid_header'),
  }),
  'proxy-next-upstream-tries': differs(count, '0, for as often as there are endpoints, is 10.', '3', only(0)),
  'proxy-next-upstream-timeout': ignored(count, 'Only `proxy-next-upstream-tries` sets an end to attempts.'),
  'proxy-request-buffering': ignored(onOff, nothingToBuffer),
  'proxy-buffering': ignored(onOff, nothingToBuffer),
  'proxy-buffer-size': ignored(size, nothingToBuffer),
  'proxy-buffers-number': ignored(count, nothingToBuffer),
  'proxy-busy-buffers-size': ignored(size, nothingToBuffer),
  'proxy-max-temp-file-size': ignored(size, nothingToBuffer),
  'proxy-http-version': ignored(option(['1.0', '1.1']), 'Backends of HTTP are spoken to in HTTP/1.1.'),
  'proxy-cookie-domain': works(replacement, 'off'),
  'proxy-cookie-path': works(replacement, 'off'),
  'connection-proxy-header': ignored(
    option(['keep-alive', 'close']),
    'The connection is the affair of the data plane, which keeps those that backends let it keep; switching protocols goes on working.',
  ),
  'custom-headers': works(objectName('ConfigMap'), 'none', guarding),
  'fastcgi-index': refused(anyText, 'FastCGI is not spoken.', { of: ['backend-protocol'] }),
  'fastcgi-params-configmap': refused(objectName('ConfigMap'), 'FastCGI is not spoken.', { of: ['backend-protocol'] }),
} as const;

const ofSecret = { of: ['proxy-ssl-secret'] };
const guardOfSecret = { ...ofSecret, protects: true };

const protocols = {
  read(text: string): readonly ('TLSv1.2' | 'TLSv1.3')[] | undefined {
    const words = text.split(/\s+/).filter((word) => word !== '');
    const known = words.filter((word) => word === 'TLSv1.2' || word === 'TLSv1.3');
    return words.length > 0 && known.length === words.length ? known : undefined;
  },
  expected: 'TLSv1.2, TLSv1.3 or both',
};

const cipherList = (more: string) =>
  matching(new RegExp(`^[A-Za-z0-9+:_\\-!${more}]{1,2048}$`), 'ciphers as OpenSSL names them');

export const backendTlsRows = {
  'proxy-ssl-secret': differs(
    objectName('Secret'),
    'It holds for the locations of its own Ingress, not for others of the host.',
    'none',
    guarding,
  ),
  'proxy-ssl-verify': differs(
    onOff,
    'Without `proxy-ssl-name` the certificate must be for `SERVICE.NAMESPACE.svc`.',
    'off',
    guardOfSecret,
  ),
  'proxy-ssl-verify-depth': works(whole(1, 100), '1', guardOfSecret),
  'proxy-ssl-name': works(matching(/^[-._A-Za-z0-9]{1,253}$/, 'a host name'), 'none', guardOfSecret),
  'proxy-ssl-server-name': works(onOff, 'off', ofSecret),
  'proxy-ssl-ciphers': works(cipherList(''), 'DEFAULT', ofSecret),
  'proxy-ssl-protocols': works(protocols, 'TLSv1.2', ofSecret),
} as const;

const cookieText = matching(/^[-._~A-Za-z0-9/:]{1,256}$/, 'letters, digits and - . _ ~ / :');
const ofAffinity = { of: ['affinity'] };

export const affinityRows = {
  affinity: works(option(['cookie']), 'none'),
  'affinity-mode': works(option(['balanced', 'persistent']), 'balanced', ofAffinity),
  'affinity-canary-behavior': works(option(['sticky', 'legacy']), 'sticky', ofAffinity),
  'session-cookie-name': works(
    matching(/^[-._~A-Za-z0-9]{1,128}$/, 'the name of a cookie'),
    'INGRESSCOOKIE',
    ofAffinity,
  ),
  'session-cookie-path': works(
    matching(/^\/[-._~A-Za-z0-9/:,?&=]{0,511}$/, 'a path that begins with /'),
    'the path of the location; of a pattern, the segments that are certain',
    ofAffinity,
  ),
  'session-cookie-domain': works(cookieText, 'none', ofAffinity),
  'session-cookie-expires': works(whole(1, 1_000_000_000), 'none', ofAffinity),
  'session-cookie-max-age': works(whole(1, 1_000_000_000), 'none', ofAffinity),
  'session-cookie-samesite': works(option(['None', 'Lax', 'Strict'], true), 'none', ofAffinity),
  'session-cookie-conditional-samesite-none': works(bool, 'false', ofAffinity),
  'session-cookie-secure': works(bool, 'over TLS', ofAffinity),
  'session-cookie-change-on-failure': works(bool, 'false', ofAffinity),
} as const;

export const balanceRows = {
  'load-balance': differs(
    option(['round_robin', 'ewma', 'chash', 'chashsubset', 'sticky_balanced', 'sticky_persistent']),
    '`ewma` takes, of two endpoints drawn at random, the one with fewer requests under way. The last four are what `upstream-hash-by` and `affinity` set up, and mean round robin without them.',
    'round_robin',
    only('ewma'),
  ),
  'upstream-hash-by': works(variableText, 'none'),
  'upstream-hash-by-subset': ignored(
    bool,
    'Each key has one endpoint, and goes to the next one while that is out of turn.',
    { of: ['upstream-hash-by'] },
  ),
  'upstream-hash-by-subset-size': ignored(count, 'See `upstream-hash-by-subset`.', { of: ['upstream-hash-by'] }),
} as const;

const wholeHost = { scope: 'server' } as const;

export const serverRows = {
  'ssl-passthrough': differs(
    bool,
    'Not where an annotation of the host protects the backend (`auth-*`, `allowlist-source-range`, `denylist-source-range`, snippets): TLS ends here then, so that it holds; ingress-nginx passes by it.',
    'false',
    wholeHost,
  ),
  'ssl-ciphers': refused(
    cipherList('@='),
    'All hosts of an address have the same ciphers: set `ssl-ciphers` in the ConfigMap.',
    wholeHost,
  ),
  'ssl-prefer-server-ciphers': ignored(bool, 'The order of the data plane counts.', wholeHost),
  'http2-push-preload': ignored(
    bool,
    'Browsers no longer take pushed responses. Send `103 Early Hints`, which are passed on.',
  ),
  'enable-access-log': works(bool, 'true'),
  'enable-rewrite-log': ignored(bool, '`fairway explain` shows what became of a request.'),
} as const;

const tracing =
  'Tracing is set up for the whole data plane (docs/data-plane.md), which passes on and continues W3C trace context.';

export const tracingRows = {
  'enable-opentelemetry': ignored(bool, tracing),
  'opentelemetry-trust-incoming-span': ignored(bool, tracing),
  'opentelemetry-operation-name': ignored(anyText, tracing),
} as const;
