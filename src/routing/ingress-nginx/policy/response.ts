/** What clients get besides what backends say: headers, and other words in Location and Set-Cookie. */
import type { CookieRewriteFilter, Filter, LocationRewriteFilter, Template } from '../../plan/plan.ts';
import type { NginxConfig } from '../config/config.ts';
import { keyIn, type LocationDesk } from './desk.ts';
import { ofConfig } from './sharing.ts';

type Header = readonly [name: string, value: Template];

/** What backends say to nginx itself. */
const ofBackends = [
  ...['X-Accel-Buffering', 'X-Accel-Charset', 'X-Accel-Expires', 'X-Accel-Limit-Rate', 'X-Accel-Redirect', 'X-Pad'],
];

/** For all responses, those that are made here included. */
export function responseFilters(desk: LocationDesk): readonly Filter[] {
  const own = customHeaders(desk);
  return own.length === 0 ? withoutOwn(desk.config) : headersWith(desk.config, own);
}

function headersWith(config: NginxConfig, own: readonly Header[]): readonly Filter[] {
  const remove = [
    ...ofBackends,
    ...(config.serverTokens || config.allowBackendServerHeader ? [] : ['Server']),
    ...config.hideHeaders,
  ];
  const set = [...config.addHeaders, ...own];
  return [{ type: 'response-values', set, add: [], remove }, ...hstsFilters(config)];
}

const withoutOwn = ofConfig((config) => headersWith(config, []));

/** Over TLS to the data plane itself, whatever a proxy in front says. */
export function hstsFilters({ hsts, hstsMaxAge, hstsIncludeSubdomains, hstsPreload }: NginxConfig): readonly Filter[] {
  if (!hsts) return [];
  const words = [`max-age=${hstsMaxAge}`, hstsIncludeSubdomains && 'includeSubDomains', hstsPreload && 'preload'];
  const value = words.filter((word) => word !== false).join('; ');
  const when = [{ value: [{ of: 'fact', fact: 'tls' }], test: { type: 'equals', text: 'on' } }] as const;
  return [{ type: 'response-values', when, set: [['Strict-Transport-Security', [value]]], add: [], remove: [] }];
}

/** Of a ConfigMap, as far as the administrator allows these names; with any other the location is shut. */
function customHeaders(desk: LocationDesk): readonly Header[] {
  const { scope, config, miss } = desk;
  const name = 'custom-headers';
  const named = desk.asked[name];
  const key = named && keyIn(desk, name, named);
  if (key === undefined) return [];
  const map = scope.resolver.findConfigMap(key);
  if (!map) return miss(name, `the ConfigMap ${key} does not exist`) ?? [];
  const headers = Object.entries(map.data ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));
  const fault = headers.map(([header, value]) => headerFault(header, String(value), config)).find((one) => one);
  if (fault !== undefined) return miss(name, `${fault} (ConfigMap ${key})`) ?? [];
  return headers.map(([header, value]) => [header, [String(value)]]);
}

function headerFault(header: string, value: string, { globalAllowedResponseHeaders: allowed }: NginxConfig) {
  if (!/^[A-Za-z0-9\-_]+$/.test(header)) return `${header} is no header name`;
  if (!/^[\x20-\x7e]+$/.test(value)) return `the value of ${header} cannot stand in a header`;
  return allowed.includes(header) ? undefined : `${header} is not among global-allowed-response-headers`;
}

/** `proxy-redirect-*`, `proxy-cookie-*`. */
export function rewriteFilters(desk: LocationDesk): readonly Filter[] {
  const filters: readonly (Filter | undefined)[] = [locationRewrite(desk), cookieRewrite(desk)];
  return filters.filter((filter) => filter !== undefined);
}

function locationRewrite(desk: LocationDesk): LocationRewriteFilter | undefined {
  const { asked, config } = desk;
  const from = asked['proxy-redirect-from'] ?? config.proxyRedirectFrom;
  const to = asked['proxy-redirect-to'] ?? config.proxyRedirectTo;
  if (from === 'off' || from === 'default' || to === 'off') return undefined;
  const place = desk.template('proxy-redirect-to', to);
  return place && { type: 'location-rewrite', rules: [{ from: { type: 'prefix', value: from }, to: place }] };
}

function cookieRewrite({ asked, config }: LocationDesk): CookieRewriteFilter | undefined {
  const domain = asked['proxy-cookie-domain'] ?? config.proxyCookieDomain;
  const path = asked['proxy-cookie-path'] ?? config.proxyCookiePath;
  if (domain === 'off' && path === 'off') return undefined;
  return { type: 'cookie-rewrite', ...(domain !== 'off' && { domain }), ...(path !== 'off' && { path }) };
}
