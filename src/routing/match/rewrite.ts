/** Paths and addresses that filters and redirects make out of a request (Gateway API HTTPPathModifier, HTTPRequestRedirectFilter). */
import type { PathRewrite, RedirectAction } from '../plan/plan.ts';
import { stripPort } from './host.ts';

/**
 * The path after a rewrite; always begins with `/`. `path` is without its query. `prefixLength` is what the match says
 * the route's path covered; without it a prefix rewrite changes nothing.
 */
export function rewritePath(rewrite: PathRewrite, path: string, prefixLength: number | undefined): string {
  const value = encodeUnsafe(rewrite.value);
  if (rewrite.type === 'full') return absolute(value);
  if (prefixLength === undefined) return path;
  const rest = path.slice(prefixLength);
  const joined = rest.startsWith('/') && value.endsWith('/') ? value.slice(0, -1) + rest : value + rest;
  return absolute(joined);
}

function absolute(path: string): string {
  return path.startsWith('/') ? path : `/${path}`;
}

/** Percent-encodes what may not stand in a request line or header, so that no value of a manifest can break out. */
function encodeUnsafe(value: string): string {
  return value.replace(/[^\x21-\x7e]/gu, (character) =>
    [...Buffer.from(character)].map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`).join(''),
  );
}

/** Path and raw query as a request target. */
export function joinTarget(path: string, query: string): string {
  if (query === '') return path;
  return `${path}${path.includes('?') ? '&' : '?'}${query}`;
}

/** What a redirect keeps of the request. */
export interface RedirectedRequest {
  /** Scheme that the client used, which is the listener's. */
  readonly scheme: 'http' | 'https';
  /** Host header or `:authority` as received. */
  readonly host: string;
  /** Port of the listener as clients see it. */
  readonly listenerPort: number;
  readonly path: string;
  /** Raw, without its `?`. */
  readonly query: string;
}

const wellKnownPorts: ReadonlyMap<string, number> = new Map([
  ['http', 80],
  ['https', 443],
]);

/**
 * Value of the Location header. A request without a host (HTTP/1.0) gets a path when the redirect names no host.
 * The query is kept.
 */
export function redirectLocation(
  action: RedirectAction,
  request: RedirectedRequest,
  prefixLength: number | undefined,
): string {
  const path = action.path ? rewritePath(action.path, request.path, prefixLength) : request.path;
  const target = joinTarget(path, request.query);
  const hostname = action.hostname ?? stripPort(request.host);
  // `//name` alone would lead to another host.
  if (hostname === '') return target.replace(/^\/+/, '/');
  const scheme = action.scheme ?? request.scheme;
  const port = redirectPort(action, request.listenerPort);
  return `${scheme}://${hostname}${port === wellKnownPorts.get(scheme) ? '' : `:${port}`}${target}`;
}

/** HTTPRequestRedirectFilter.port: the one given, else the given scheme's own, else the listener's. */
function redirectPort({ port, scheme }: RedirectAction, listenerPort: number): number {
  if (port !== undefined) return port;
  return (scheme === undefined ? undefined : wellKnownPorts.get(scheme)) ?? listenerPort;
}
