/**
 * Rewrites of paths in their normal form, as nginx makes them (ngx_http_script_regex_start_code and what follows it): the
 * pattern and the replacement are about the decoded path, which is escaped once more when it is written.
 */
import { err, ok, type Result } from '../../base/result.ts';
import type { PathRewrite, RegexRewrite } from '../plan/plan.ts';
import { decodedPath, escapeArgument, escapePath, escapeUnsafe, toBytes } from './normal-path.ts';
import { compileFinder } from './pattern.ts';
import { type Part, partsOf } from './replacement.ts';

export interface NormalTarget {
  /** In its normal form. */
  readonly path: string;
  /** Without its `?`, as it is written. */
  readonly query: string;
}

export interface AskedTarget {
  /** As it came. */
  readonly path: string;
  readonly normalPath: string;
  readonly query: string;
}

/** A path in its normal form and a query as a request target. */
export function writeTarget(path: string, query: string): string {
  return query === '' ? escapePath(path) : `${escapePath(path)}?${query}`;
}

/** Undefined where nothing is rewritten. `prefixLength`: how much of the normal path the route's path covers. */
export function rewriteNormal(
  rewrite: PathRewrite,
  asked: AskedTarget,
  prefixLength: number | undefined,
): NormalTarget | undefined {
  if (rewrite.type === 'regex') {
    const compiled = compiledRewrite(rewrite);
    return compiled.ok ? compiled.value(asked) : undefined;
  }
  if (rewrite.type === 'prefix' && prefixLength === undefined) return undefined;
  const value = toBytes(rewrite.value);
  const mark = value.indexOf('?');
  const path = decodedPath(mark < 0 ? value : value.slice(0, mark));
  const query = joinQuery(mark < 0 ? undefined : escapeUnsafe(value.slice(mark + 1)), asked.query);
  if (rewrite.type === 'full') return { path: absolute(path), query };
  const rest = asked.normalPath.slice(prefixLength);
  return { path: absolute(rest.startsWith('/') && path.endsWith('/') ? path.slice(0, -1) + rest : path + rest), query };
}

const absolute = (path: string): string => (path.startsWith('/') ? path : `/${path}`);

/** The request's own query comes last. */
function joinQuery(given: string | undefined, own: string): string {
  if (given === undefined || own === '') return given ?? own;
  return `${given}&${own}`;
}

type Rewrite = (asked: AskedTarget) => NormalTarget | undefined;

/** Compiled by whoever asks first, for as long as the plan lives. */
const compiledRewrites = new WeakMap<RegexRewrite, Result<Rewrite, string>>();

function compiledRewrite(rewrite: RegexRewrite): Result<Rewrite, string> {
  let compiled = compiledRewrites.get(rewrite);
  if (!compiled) {
    compiled = compileRewrite(rewrite);
    compiledRewrites.set(rewrite, compiled);
  }
  return compiled;
}

/** A replacement that ends in `?` drops the query. What groups have matched is escaped within a query only. */
function compileRewrite({ pattern, ignoreCase = false, replacement }: RegexRewrite): Result<Rewrite, string> {
  const finder = compileFinder(toBytes(pattern), { ignoreCase });
  if (!finder.ok) return err(finder.error);
  const { find } = finder.value;
  const bytes = toBytes(replacement);
  const keepsQuery = !bytes.endsWith('?');
  const whole = keepsQuery ? bytes : bytes.slice(0, -1);
  const mark = whole.indexOf('?');
  const path = partsOf(mark < 0 ? whole : whole.slice(0, mark));
  const args = mark < 0 ? undefined : partsOf(whole.slice(mark + 1));
  return ok((asked) => {
    const found = find(asked.normalPath);
    if (!found) return undefined;
    // A path without either has nothing in it that a query could take for something else, but for an ampersand.
    const escapes = /[%+]/.test(asked.path);
    const given = args && escapeUnsafe(fill(args, found, escapes ? escapeArgument : asIs));
    const query = keepsQuery ? joinQuery(given, asked.query) : (given ?? '');
    return { path: absolute(fill(path, found, asIs)), query };
  });
}

const asIs = (text: string): string => text;

function fill(
  parts: readonly Part[],
  found: readonly (string | undefined)[],
  escapeGroup: (text: string) => string,
): string {
  return parts.map((part) => (typeof part === 'number' ? escapeGroup(found[part] ?? '') : part)).join('');
}
