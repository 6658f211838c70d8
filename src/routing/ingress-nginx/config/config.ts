/**
 * What the ConfigMap and the command line of ingress-nginx say for all Ingresses, as values. Who reads it fills in what
 * the ConfigMap has; the rest is as ingress-nginx has it.
 */
import type { CompressionFilter, LimitKey, ListenerTls, LogFormat, Template } from '../../plan/plan.ts';
import type { Lifetime } from '../annotations/values.ts';

/** `global-auth-url` and what goes with it: the same words as the annotations. */
export interface GlobalAuth {
  readonly url: string;
  readonly method?: string;
  readonly signIn?: string;
  readonly signInRedirectParam?: string;
  readonly responseHeaders?: readonly string[];
  readonly requestRedirect?: string;
  readonly cacheKey?: string;
  readonly cacheDuration?: readonly Lifetime[];
  readonly alwaysSetCookie?: boolean;
  /** `global-auth-snippet`. */
  readonly snippet?: string;
}

/** Names of keys are those of the ConfigMap in camel case; times are in the unit of the key. */
export interface NginxConfig {
  /** A key that protects and cannot be honoured: every location answers 503. */
  readonly broken?: string;
  /** The ConfigMap that the operator names is not there, or it is not known whether there is one: the same. */
  readonly unread?: true;
  /** `--default-backend-service`: `namespace/name`, by its first port. */
  readonly defaultBackend?: string;
  readonly allowSnippetAnnotations: boolean;
  readonly allowCrossNamespaceResources: boolean;
  /** The most that annotations may risk; snippets are `Critical`. */
  readonly annotationsRiskLevel: 'Low' | 'Medium' | 'High' | 'Critical';
  /** Before what Ingresses say for a location, or a server. Parsed, never run. */
  readonly locationSnippet: string;
  readonly serverSnippet: string;
  /** Of all locations. There is no WAF: all of them answer 503. */
  readonly enableModsecurity: boolean;

  /** Exact and Prefix paths are plain ones. */
  readonly strictValidatePathType: boolean;
  readonly sslRedirect: boolean;
  readonly forceSslRedirect: boolean;
  readonly httpRedirectCode: number;
  readonly preserveTrailingSlash: boolean;
  readonly usePortInRedirects: boolean;
  readonly relativeRedirects: boolean;
  /** Beginnings of paths that are not redirected to https. */
  readonly noTlsRedirectLocations: readonly string[];

  /** Beginnings of paths that ask nobody who he is. */
  readonly noAuthLocations: readonly string[];
  readonly globalAuth?: GlobalAuth;
  readonly whitelistSourceRange: readonly string[];
  readonly denylistSourceRange: readonly string[];
  /** Denied in locations that have no list of their own. */
  readonly blockCidrs: readonly string[];
  /** Values of the header, or patterns of nginx that begin with a tilde. */
  readonly blockUserAgents: readonly string[];
  readonly blockReferers: readonly string[];
  readonly limitReqStatusCode: number;
  readonly limitConnStatusCode: number;
  /** `limit-conn-zone-variable`, which is for requests as well. */
  readonly limitKey: LimitKey;
  /** KiB per second; 0 is no limit. */
  readonly limitRate: number;
  /** KiB. */
  readonly limitRateAfter: number;
  /** Bytes; 0 is no limit. */
  readonly proxyBodySize: number;

  /** Seconds. */
  readonly proxyConnectTimeout: number;
  readonly proxyReadTimeout: number;
  readonly proxyNextUpstream: readonly string[];
  readonly proxyNextUpstreamTries: number;
  readonly retryNonIdempotent: boolean;
  readonly proxyRedirectFrom: string;
  readonly proxyRedirectTo: string;
  readonly proxyCookieDomain: 'off' | { readonly from: string; readonly to: string };
  readonly proxyCookiePath: 'off' | { readonly from: string; readonly to: string };
  readonly loadBalance: 'round_robin' | 'ewma';
  readonly customHttpErrors: readonly number[];
  readonly disableProxyInterceptErrors: boolean;
  readonly compression?: CompressionFilter;

  readonly useForwardedHeaders: boolean;
  readonly computeFullForwardedFor: boolean;
  readonly proxyAddOriginalUriHeader: boolean;
  readonly enableUnderscoresInHeaders: boolean;
  readonly ignoreInvalidHeaders: boolean;
  readonly generateRequestId: boolean;
  /** `proxy-set-headers`: of a ConfigMap, for every backend. */
  readonly proxySetHeaders: readonly (readonly [header: string, value: Template])[];
  /** `add-headers`: of a ConfigMap, for every response. */
  readonly addHeaders: readonly (readonly [header: string, value: Template])[];
  /** Headers of backends that clients do not get. */
  readonly hideHeaders: readonly string[];
  readonly globalAllowedResponseHeaders: readonly string[];
  /** `server-tokens`: `Server` stays. */
  readonly serverTokens: boolean;
  readonly allowBackendServerHeader: boolean;

  readonly hsts: boolean;
  /** Seconds. */
  readonly hstsMaxAge: number;
  readonly hstsIncludeSubdomains: boolean;
  readonly hstsPreload: boolean;
  /** Handshakes for names that no Ingress has are refused. */
  readonly sslRejectHandshake: boolean;
  readonly tls: Pick<ListenerTls, 'minVersion' | 'maxVersion' | 'ciphers'>;
  /** Addresses and CIDRs of proxies whose word on clients counts. */
  readonly trustedProxies: readonly string[];

  readonly disableAccessLog: boolean;
  /** Beginnings of URIs that are not logged. */
  readonly skipAccessLogUrls: readonly string[];
  /** `log-format-upstream` and how its values are written; absent: ingress-nginx's own. */
  readonly logFormat?: LogFormat;
}

const challenges: readonly string[] = ['/.well-known/acme-challenge'];

export const defaultNginxConfig: NginxConfig = {
  allowSnippetAnnotations: false,
  allowCrossNamespaceResources: false,
  annotationsRiskLevel: 'High',
  locationSnippet: '',
  serverSnippet: '',
  enableModsecurity: false,
  strictValidatePathType: true,
  sslRedirect: true,
  forceSslRedirect: false,
  httpRedirectCode: 308,
  preserveTrailingSlash: false,
  usePortInRedirects: false,
  relativeRedirects: false,
  noTlsRedirectLocations: challenges,
  noAuthLocations: challenges,
  whitelistSourceRange: [],
  denylistSourceRange: [],
  blockCidrs: [],
  blockUserAgents: [],
  blockReferers: [],
  limitReqStatusCode: 503,
  limitConnStatusCode: 503,
  limitKey: { by: 'address' },
  limitRate: 0,
  limitRateAfter: 0,
  proxyBodySize: 1_024 ** 2,
  proxyConnectTimeout: 5,
  proxyReadTimeout: 60,
  proxyNextUpstream: ['error', 'timeout'],
  proxyNextUpstreamTries: 3,
  retryNonIdempotent: false,
  proxyRedirectFrom: 'off',
  proxyRedirectTo: 'off',
  proxyCookieDomain: 'off',
  proxyCookiePath: 'off',
  loadBalance: 'round_robin',
  customHttpErrors: [],
  disableProxyInterceptErrors: false,
  useForwardedHeaders: false,
  computeFullForwardedFor: false,
  proxyAddOriginalUriHeader: false,
  enableUnderscoresInHeaders: false,
  ignoreInvalidHeaders: true,
  generateRequestId: true,
  proxySetHeaders: [],
  addHeaders: [],
  hideHeaders: [],
  globalAllowedResponseHeaders: [],
  serverTokens: false,
  allowBackendServerHeader: false,
  hsts: true,
  hstsMaxAge: 31_536_000,
  hstsIncludeSubdomains: true,
  hstsPreload: false,
  sslRejectHandshake: false,
  tls: {},
  trustedProxies: [],
  disableAccessLog: false,
  skipAccessLogUrls: [],
};
