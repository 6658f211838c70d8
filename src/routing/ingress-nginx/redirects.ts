/** Answers that send clients elsewhere: other addresses, https, the name with or without `www.`, a slash at the end. */
import type { Filter, RespondFilter, Route, Template, VirtualHost } from '../plan/plan.ts';
import type { Asked } from './annotations/table.ts';
import type { NginxConfig } from './config/config.ts';
import type { Location } from './locations.ts';
import { noTrace } from './methods.ts';
import { parseTemplate } from './variables.ts';

const scheme: Template = [{ of: 'fact', fact: 'scheme' }];
const hostname: Template = [{ of: 'fact', fact: 'hostname' }];
const port: Template = [{ of: 'fact', fact: 'port' }];
const query: Template = [
  { of: 'fact', fact: 'query-mark' },
  { of: 'fact', fact: 'query' },
];

/** Statuses that nginx sends a Location with; with others, what stands behind them is a body. */
const withLocation: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

const isRelative = (asked: Asked, config: NginxConfig): boolean =>
  asked['relative-redirects'] ?? config.relativeRedirects;

/** `permanent-redirect` and `temporal-redirect`, of which the latter goes before the other. */
export function redirect(asked: Asked, captures: number, config: NginxConfig): RespondFilter | string | undefined {
  const temporal = asked['temporal-redirect'];
  const url = temporal ?? asked['permanent-redirect'];
  if (url === undefined) return undefined;
  const status =
    temporal === undefined ? (asked['permanent-redirect-code'] ?? 301) : (asked['temporal-redirect-code'] ?? 302);
  const target = parseTemplate(url, { captures });
  if (!target.ok) return target.error;
  const reason = temporal === undefined ? 'permanent-redirect' : 'temporal-redirect';
  if (!withLocation.has(status)) return { type: 'respond', when: [], status, body: target.value, reason };
  const relative = isRelative(asked, config) && ({ relative: true } as const);
  return { type: 'respond', when: [], status, location: target.value, ...relative, reason };
}

/** `ssl-redirect` for hosts with a certificate, `force-ssl-redirect` for all. */
export function httpsRedirect(
  { path }: Location,
  asked: Asked,
  config: NginxConfig,
  isSecured: boolean,
): RespondFilter | undefined {
  if (config.noTlsRedirectLocations.some((exempt) => path.startsWith(exempt))) return undefined;
  const isForced = asked['force-ssl-redirect'] ?? config.forceSslRedirect;
  const isWanted = (asked['ssl-redirect'] ?? config.sslRedirect) && isSecured;
  if (!isForced && !isWanted) return undefined;
  const withPort = (asked['use-port-in-redirects'] ?? config.usePortInRedirects) ? ':443' : '';
  const keepsSlash = asked['preserve-trailing-slash'] ?? config.preserveTrailingSlash;
  return {
    type: 'respond',
    when: [{ value: scheme, test: { type: 'equals', text: 'http' } }],
    status: config.httpRedirectCode,
    location: [
      'https://',
      ...hostname,
      ...(withPort === '' ? [] : [withPort]),
      { of: 'fact', fact: keepsSlash ? 'uri' : 'uri-without-slash' },
    ],
    reason: isForced ? 'force-ssl-redirect' : 'ssl-redirect',
  };
}

/** `/foo/` is there and `/foo` was asked for: nginx puts the slash there by itself. */
export function slashRedirect(
  id: string,
  location: Location,
  asked: Asked,
  config: NginxConfig,
  source: Route['source'],
  filters: readonly Filter[],
): Route {
  const respond: RespondFilter = {
    type: 'respond',
    when: [],
    status: 301,
    location: [location.path, ...query],
    ...(isRelative(asked, config) && { relative: true }),
    reason: 'a slash belongs at the end of the path',
  };
  return {
    id,
    match: { path: { type: 'exact', value: location.path.slice(0, -1) } },
    filters: [...filters, noTrace, respond],
    action: { type: 'respond', status: 301, reason: respond.reason },
    gates: 'as-listed',
    source,
  };
}

/** `app-root`: before every location. */
export function appRoot(id: string, path: string, source: Route['source'], filters: readonly Filter[]): Route {
  const respond: RespondFilter = {
    type: 'respond',
    when: [],
    status: 302,
    location: [...scheme, '://', { of: 'fact', fact: 'host' }, path],
    reason: 'app-root',
  };
  return {
    id,
    match: { path: { type: 'exact', value: '/' } },
    filters: [...filters, noTrace, respond],
    action: { type: 'respond', status: 302, reason: respond.reason },
    gates: 'as-listed',
    source,
  };
}

/** The name with `www.`, or without it where it has it; undefined for names that have no such counterpart. */
export function counterpart(name: string): string | undefined {
  if (name.startsWith('*')) return undefined;
  return name.startsWith('www.') ? name.slice('www.'.length) : `www.${name}`;
}

/** `from-to-www-redirect`: what answers for the other name. The port is always there. */
export function wwwHost(
  from: string,
  to: string,
  id: string,
  source: Route['source'],
  { httpRedirectCode: status }: NginxConfig,
): VirtualHost {
  const respond: RespondFilter = {
    type: 'respond',
    when: [],
    status,
    location: [...scheme, `://${to}:`, ...port, { of: 'fact', fact: 'uri-without-slash' }],
    reason: 'from-to-www-redirect',
  };
  const action = { type: 'respond', status, reason: respond.reason } as const;
  const route: Route = { id, match: {}, filters: [noTrace, respond], action, gates: 'as-listed', source };
  return { hostname: from, wildcard: 'one-label', paths: 'normal', routes: [route], sources: [source] };
}
