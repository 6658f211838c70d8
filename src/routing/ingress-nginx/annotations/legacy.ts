/** Annotations that ingress-nginx had once. It takes no notice of them either; manifests still have them. */

/** By name after the prefix, or what it begins with where it ends in `*`: what to do instead. */
const legacy: Readonly<Record<string, string>> = {
  'secure-backends': 'use backend-protocol: HTTPS',
  'grpc-backend': 'use backend-protocol: GRPC',
  'session-cookie-hash': 'remove it',
  'global-rate-limit*': 'use limit-rps, which counts in each data plane by itself',
  'enable-opentracing': 'tracing is set up for the whole data plane',
  'opentracing-*': 'tracing is set up for the whole data plane',
  'lua-resty-waf*': 'there is no web application firewall',
  'enable-influxdb': 'metrics are those of the data plane',
  'influxdb-*': 'metrics are those of the data plane',
  'add-base-url': 'let the application write its base',
  'base-url-scheme': 'let the application write its base',
  'secure-verify-ca-secret': 'use proxy-ssl-secret and proxy-ssl-verify',
  'vts-filter-key': 'metrics are those of the data plane',
  'upstream-max-fails': 'use fairway.dev annotations on the Service',
  'upstream-fail-timeout': 'use fairway.dev annotations on the Service',
};

/** What to do about an annotation that is no more; undefined for all others. */
export function legacyAdvice(name: string): string | undefined {
  if (Object.hasOwn(legacy, name)) return legacy[name];
  const family = Object.keys(legacy).find((key) => key.endsWith('*') && name.startsWith(key.slice(0, -1)));
  return family && legacy[family];
}

/** Names for the document, sorted. */
export const legacyNames: readonly (readonly [name: string, instead: string])[] = Object.entries(legacy).sort(
  ([a], [b]) => (a < b ? -1 : 1),
);
