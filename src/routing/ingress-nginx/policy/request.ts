/** Headers that backends get, copies of requests, and how fast responses go out. */
import type { Filter, MirrorFilter, RequestFact, Template } from '../../plan/plan.ts';
import type { NginxConfig } from '../config/config.ts';
import { destinationOf } from './address.ts';
import type { LocationDesk } from './desk.ts';
import { ofConfig } from './sharing.ts';

type Header = readonly [name: string, value: Template];

const fact = (name: RequestFact): Template => [{ of: 'fact', fact: name }];
const header = (name: string): Template => [{ of: 'header', name }];

/** What every backend of ingress-nginx is told. */
export function requestFilters(desk: LocationDesk): readonly Filter[] {
  const { config, facts } = desk;
  const own = [...hostHeader(desk), ...prefixHeader(desk), ...(facts.server?.headers ?? [])];
  return own.length === 0 ? withoutOwn(config) : [headersWith(config, own)];
}

const headersWith = (config: NginxConfig, own: readonly Header[]): Filter => ({
  type: 'request-values',
  set: [...usualHeaders(config), ...own, ...config.proxySetHeaders],
});

const withoutOwn = ofConfig((config) => [headersWith(config, [])]);

/** Headers that nothing gets to see, whoever asks for them. */
export const unseenHeaders = ofConfig(({ enableUnderscoresInHeaders, ignoreInvalidHeaders }) => {
  if (enableUnderscoresInHeaders && !ignoreInvalidHeaders) return [];
  return [
    {
      ...{ type: 'request-values', set: [] },
      ...(!enableUnderscoresInHeaders && { dropUnderscored: true }),
      ...(ignoreInvalidHeaders && { dropStrange: true }),
    },
  ];
});

function usualHeaders(config: NginxConfig): readonly Header[] {
  const isWhole = config.useForwardedHeaders && config.computeFullForwardedFor;
  return [
    ['X-Request-ID', config.generateRequestId ? fact('request-id') : header('x-request-id')],
    ['X-Real-IP', fact('client-address')],
    ['X-Forwarded-For', fact(isWhole ? 'forwarded-for-appended' : 'client-address')],
    ['X-Forwarded-Host', fact('host')],
    ['X-Forwarded-Port', fact('port')],
    ['X-Forwarded-Proto', fact('scheme')],
    ['X-Forwarded-Scheme', fact('scheme')],
    ['X-Scheme', fact('scheme')],
    ...(config.proxyAddOriginalUriHeader ? [['X-Original-URI', fact('uri')] as const] : []),
    ['X-Original-Forwarded-For', fact('forwarded-for')],
    ['X-Original-Forwarded-Host', header('x-forwarded-host')],
    // Programs take it for the address of a proxy of theirs (httpoxy).
    ['Proxy', []],
  ];
}

function hostHeader(desk: LocationDesk): readonly Header[] {
  const text = desk.asked['upstream-vhost'];
  const value = text === undefined ? undefined : desk.template('upstream-vhost', text);
  return value ? [['Host', value]] : [];
}

function prefixHeader(desk: LocationDesk): readonly Header[] {
  const text = desk.asked['x-forwarded-prefix'];
  if (text === undefined || !desk.facts.rewrites) return [];
  const value = desk.template('x-forwarded-prefix', text);
  return value ? [['X-Forwarded-Prefix', value]] : [];
}

export function mirrorFilters(desk: LocationDesk): readonly Filter[] {
  const { asked } = desk;
  const url = asked['mirror-target'];
  const destination = url === undefined ? undefined : destinationOf(desk, 'mirror-target', url);
  const named = asked['mirror-host'];
  const given = named === undefined ? undefined : desk.template('mirror-host', named);
  if (!destination || (named !== undefined && !given)) return [];
  const host = given ?? (destination.host === undefined ? undefined : [destination.host]);
  const mirror: MirrorFilter = {
    ...{ type: 'mirror', backend: destination.backend, fraction: { numerator: 1, denominator: 1 }, unsent: true },
    ...(host && { host }),
    ...(destination.target.length > 0 && { target: withQuery(url!, destination.target) }),
    ...(asked['mirror-request-body'] === 'off' && { withoutBody: true }),
  };
  return [mirror];
}

/** nginx adds the query of the request to a place without variables. */
function withQuery(url: string, target: Template): Template {
  return url.includes('$') ? target : [...target, ...fact('query-mark'), ...fact('query')];
}

const kibibyte = 1_024;

export function bandwidthFilters({ asked, config }: LocationDesk): readonly Filter[] {
  const rate = asked['limit-rate'] ?? config.limitRate;
  const after = asked['limit-rate-after'] ?? config.limitRateAfter;
  return rate > 0 ? [{ type: 'bandwidth', bytesPerSecond: rate * kibibyte, afterBytes: after * kibibyte }] : [];
}
