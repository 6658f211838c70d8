/** A service that is asked about requests (`auth-url`, or `global-auth-url` of the ConfigMap). */
import type { ExternalAuthFilter, HeaderPair, RequestFact, Template } from '../../plan/plan.ts';
import type { NginxKey } from '../annotations/table.ts';
import type { Lifetime } from '../annotations/values.ts';
import type { GlobalAuth } from '../config/config.ts';
import { constantText } from '../variables.ts';
import { type Destination, destinationOf } from './address.ts';
import { givenHeaders } from './auth-headers.ts';
import type { LocationDesk } from './desk.ts';

/** Responses that get the cookies of the service; others do with `auth-always-set-cookie` (nginx add_header). */
const cookieStatuses: readonly number[] = [200, 201, 204, 206, 301, 302, 303, 304, 307, 308];

const usualLifetimes: readonly Lifetime[] = [{ statuses: [200, 202, 401], ttlMs: 300_000 }];

/** nginx waits so long for anything. */
const timeoutMs = 60_000;

export type Question = GlobalAuth & { readonly isGlobal: boolean };

/** Undefined when nobody is asked, or when it is missed. */
export function externalAuth(desk: LocationDesk): ExternalAuthFilter | undefined {
  const question = questionOf(desk);
  if (!question || isOpen(desk)) return undefined;
  const name: NginxKey = question.isGlobal ? 'enable-global-auth' : 'auth-url';
  const destination = destinationOf(desk, name, question.url);
  const given = givenHeaders(desk, question);
  const signIn = signInOf(desk, question);
  const cache = cacheOf(desk, question);
  if (!destination || !given || signIn === 'missed' || cache === 'missed') return undefined;
  const { named, host = destination.host } = given;
  const isFree = ([header]: readonly [string, ...unknown[]]) => !named.has(header.toLowerCase());
  return {
    ...{ type: 'external-auth', backend: destination.backend, protocol: 'http' },
    ...{ method: question.method ?? 'GET', path: pathOf(destination) },
    ...(host !== undefined && { host }),
    requestHeaders: 'all',
    facts: [...usualFacts, ...(question.method === undefined ? [] : factsWithMethod)].filter(isFree),
    setHeaders: sentFrom.filter(isFree),
    values: [...ownHeaders(desk, question, destination).filter(isFree), ...given.headers],
    admits: '2xx',
    responseHeaders: (question.responseHeaders ?? []).map((header) => header.toLowerCase()),
    clientHeaders: { names: ['set-cookie'], ...(!question.alwaysSetCookie && { statuses: cookieStatuses }) },
    ...{ denials: [401, 403], statusOnly: true, failureStatus: 500, timeoutMs },
    ...(signIn && { signIn }),
    ...(cache && { cache }),
  };
}

/** Paths on which nobody is asked who he is. */
export const isOpen = ({ config, facts }: LocationDesk): boolean =>
  config.noAuthLocations.some((beginning) => facts.path.startsWith(beginning));

function questionOf({ asked, config }: LocationDesk): Question | undefined {
  const url = asked['auth-url'];
  if (url === undefined) {
    const isAsked = asked['enable-global-auth'] ?? true;
    return config.globalAuth && isAsked ? { ...config.globalAuth, isGlobal: true } : undefined;
  }
  const given = {
    ...{ method: asked['auth-method'], signIn: asked['auth-signin'] },
    signInRedirectParam: asked['auth-signin-redirect-param'],
    ...{ responseHeaders: asked['auth-response-headers'], requestRedirect: asked['auth-request-redirect'] },
    ...{
      cacheKey: asked['auth-cache-key'],
      cacheDuration: asked['auth-cache-duration'],
      snippet: asked['auth-snippet'],
    },
    alwaysSetCookie: asked['auth-always-set-cookie'],
  };
  const present = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
  return { url, isGlobal: false, ...present };
}

const usualFacts: readonly (readonly [string, RequestFact])[] = [
  ['X-Original-URL', 'url'],
  ['X-Original-Method', 'method'],
  ['X-Real-IP', 'client-address'],
  ['X-Forwarded-For', 'client-address'],
  ['X-Request-ID', 'request-id'],
];

const sentFrom: readonly HeaderPair[] = [['X-Sent-From', 'nginx-ingress-controller']];

const factsWithMethod: readonly (readonly [string, RequestFact])[] = [
  ['X-Original-URI', 'uri'],
  ['X-Scheme', 'scheme'],
];

function pathOf({ target }: Destination): ExternalAuthFilter['path'] {
  const fixed = constantText(target);
  if (fixed === undefined) return { type: 'template', value: target };
  return { type: 'fixed', value: fixed === '' ? '/' : fixed };
}

type Values = NonNullable<ExternalAuthFilter['values']>;

/** On the way over the front door, another location would have said over what clients have come. */
const ofFrontDoor: Values = [
  ['X-Forwarded-Proto', [{ of: 'fact', fact: 'scheme' }]],
  ['X-Forwarded-Host', [{ of: 'fact', fact: 'host' }]],
];

function ownHeaders(desk: LocationDesk, { requestRedirect: text }: Question, { host }: Destination): Values {
  const redirect = text === undefined ? undefined : desk.template('auth-request-redirect', text);
  return [
    ['X-Auth-Request-Redirect', redirect ?? [{ of: 'fact', fact: 'uri' }]],
    ...(host === undefined ? ofFrontDoor : [['X-Forwarded-Proto', []] as const]),
    ...(desk.facts.server?.authHeaders ?? []),
  ];
}

type SignIn = NonNullable<ExternalAuthFilter['signIn']>;

function signInOf(desk: LocationDesk, { signIn, signInRedirectParam = 'rd' }: Question): SignIn | undefined | 'missed' {
  if (signIn === undefined) return undefined;
  const url = desk.template('auth-signin', signIn);
  if (!url) return 'missed';
  return { url: withReturn(signIn, url, signInRedirectParam), parameter: signInRedirectParam, statuses: [401] };
}

/** Where to come back to, as ingress-nginx writes it: only path and query are escaped. */
function withReturn(text: string, url: Template, parameter: string): Template {
  const query = text.includes('?') ? text.slice(text.indexOf('?') + 1) : '';
  if (new URLSearchParams(query).get(parameter)) return url;
  const back: Template = [
    ...[`${query === '' ? '?' : '&'}${parameter}=`, { of: 'fact', fact: 'scheme' } as const, '://'],
    ...[{ of: 'fact', fact: 'host' } as const, { of: 'fact', fact: 'escaped-uri' } as const],
  ];
  return [...url, ...back];
}

type Cache = NonNullable<ExternalAuthFilter['cache']>;

function cacheOf(desk: LocationDesk, { cacheKey, cacheDuration }: Question): Cache | undefined | 'missed' {
  if (cacheKey === undefined) return undefined;
  const key = desk.template('auth-cache-key', cacheKey.replaceAll(' ', ''));
  if (!key) return 'missed';
  const { hostname, path } = desk.facts;
  const zone = `Ingress/${desk.namespace}/${desk.ingress.metadata.name}`;
  const lifetimes = cacheDuration?.length ? cacheDuration : usualLifetimes;
  return { zone, headers: [], key: [`${hostname}${path} `, ...key], lifetimes };
}
