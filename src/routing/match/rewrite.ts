/** Paths and addresses that filters and redirects make out of a request (Gateway API HTTPPathModifier, HTTPRequestRedirectFilter). */
import { err, ok, type Result } from '../../base/result.ts';
import type { PathRewrite, RedirectAction, RegexRewrite } from '../plan/plan.ts';
import { stripPort } from './host.ts';
import { rewriteNormal, writeTarget } from './normal-rewrite.ts';
import { compileFinder } from './pattern.ts';
import { partsOf } from './replacement.ts';

/**
 * The path after a rewrite; always begins with `/`. `path` is without its query. `prefixLength` is what the match says
 * the route's path covered; without it a prefix rewrite changes nothing.
 */
export function rewritePath(rewrite: PathRewrite, path: string, prefixLength: number | undefined): string {
  if (rewrite.type === 'regex') return rewriteByRegex(rewrite, path);
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

/** Why a rewrite cannot be made; undefined when it can. */
export function rewriteFault(rewrite: PathRewrite): string | undefined {
  if (rewrite.type !== 'regex') return undefined;
  const compiled = compiledRewrite(rewrite);
  return compiled.ok ? undefined : compiled.error;
}

/** From what was found in a path to the path after the rewrite; undefined where the pattern is not in it. */
type Replace = (path: string) => string | undefined;

/** A path stays as it is where the pattern is not in it, or cannot be used (see `rewriteFault`). */
function rewriteByRegex(rewrite: RegexRewrite, path: string): string {
  const compiled = compiledRewrite(rewrite);
  const replaced = compiled.ok ? compiled.value(path) : undefined;
  return replaced === undefined ? path : absolute(replaced);
}

/** Compiled by whoever asks first, for as long as the plan lives. */
const compiledRewrites = new WeakMap<RegexRewrite, Result<Replace, string>>();

function compiledRewrite(rewrite: RegexRewrite): Result<Replace, string> {
  let compiled = compiledRewrites.get(rewrite);
  if (!compiled) {
    compiled = compileRewrite(rewrite);
    compiledRewrites.set(rewrite, compiled);
  }
  return compiled;
}

function compileRewrite({ pattern, ignoreCase = false, replacement }: RegexRewrite): Result<Replace, string> {
  const finder = compileFinder(pattern, { ignoreCase });
  if (!finder.ok) return err(`the pattern ${JSON.stringify(pattern)} of a rewrite cannot be used: ${finder.error}`);
  const { find, groups } = finder.value;
  const parts = partsOf(encodeUnsafe(replacement));
  const missing = parts.find((part) => typeof part === 'number' && part > groups);
  if (missing !== undefined) return err(`the pattern ${JSON.stringify(pattern)} of a rewrite has no group ${missing}`);
  return ok((path) => {
    const found = find(path);
    return found && parts.map((part) => (typeof part === 'number' ? (found[part] ?? '') : part)).join('');
  });
}

/** Percent-encodes what may not stand in a request line or header, so that no value of a manifest can break out. */
function encodeUnsafe(value: string): string {
  return value.replace(/[^\x21-\x7e]/gu, (character) =>
    [...Buffer.from(character)].map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`).join(''),
  );
}

/** Path and raw query as a request target. A path that ends in `?` wants no query. */
export function joinTarget(path: string, query: string): string {
  if (path.endsWith('?')) return path.slice(0, -1);
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
  /** Where paths are compared, and rewritten, in their normal form. */
  readonly normalPath?: string;
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
  const target = redirectedTarget(action.path, request, prefixLength);
  const hostname = action.hostname ?? stripPort(request.host);
  // `//name` alone would lead to another host.
  if (hostname === '') return target.replace(/^\/+/, '/');
  const scheme = action.scheme ?? request.scheme;
  const port = redirectPort(action, request.listenerPort);
  return `${scheme}://${hostname}${port === wellKnownPorts.get(scheme) ? '' : `:${port}`}${target}`;
}

function redirectedTarget(
  rewrite: PathRewrite | undefined,
  { path, normalPath = '', query }: RedirectedRequest,
  prefixLength: number | undefined,
): string {
  if (!rewrite) return joinTarget(path, query);
  if (normalPath === '') return joinTarget(rewritePath(rewrite, path, prefixLength), query);
  const made = rewriteNormal(rewrite, { path, normalPath, query }, prefixLength);
  return made ? writeTarget(made.path, made.query) : joinTarget(path, query);
}

/** HTTPRequestRedirectFilter.port: the one given, else the given scheme's own, else the listener's. */
function redirectPort({ port, scheme }: RedirectAction, listenerPort: number): number {
  if (port !== undefined) return port;
  return (scheme === undefined ? undefined : wellKnownPorts.get(scheme)) ?? listenerPort;
}
