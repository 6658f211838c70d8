/** `rewrite-target`, and the patterns that paths are on hosts with patterns. */
import { err, ok, type Result } from '../../base/result.ts';
import { compileFinder, compilePattern } from '../match/pattern.ts';
import { hasAlternatives, patternStart } from '../match/pattern-start.ts';
import type { Filter, PathMatch, RespondFilter, Template } from '../plan/plan.ts';
import type { Asked } from './annotations/table.ts';
import { type Location, rewriteTargetOf } from './locations.ts';
import { parseTemplate } from './variables.ts';

export interface PathPattern {
  readonly match: PathMatch;
  /** Groups that it has. */
  readonly captures: number;
}

/**
 * `location ~* "^PATH"`. A plan's pattern covers the whole path, so what may follow is added; and what may go before where
 * `^` holds for one of several alternatives alone.
 */
export function pathPattern(path: string): Result<PathPattern, string> {
  const before = hasAlternatives(path) ? '(?s:.*?)' : '';
  const value = `${before}(?:^${path})(?s:.*)`;
  const options = { ignoreCase: true };
  const whole = compilePattern(value, options);
  if (!whole.ok) return whole;
  const found = compileFinder(path, options);
  if (!found.ok) return found;
  return ok({ match: { type: 'regex', value, ignoreCase: true }, captures: found.value.groups });
}

/** What a path begins with for certain, whatever the rest of the pattern means. */
export const literalStart = (path: string): string => patternStart(path).text || '/';

/** Filters of a location that rewrites; why it cannot, in a clause for people. */
export function rewrites(location: Location, asked: Asked, captures: number): Result<readonly Filter[], string> {
  const target = rewriteTargetOf(location);
  if (target === undefined) return ok([]);
  if (/^(?:https?:\/\/|\$scheme)/.test(target)) return awayTo(target, captures);
  const replacement = replacementOf(target, captures);
  if (!replacement.ok) return replacement;
  const prefix = asked['x-forwarded-prefix'];
  return ok([
    {
      type: 'rewrite',
      path: { type: 'regex', pattern: location.path, ignoreCase: true, replacement: replacement.value },
    },
    ...(prefix === undefined ? [] : [{ type: 'request-values', set: [['x-forwarded-prefix', [prefix]]] } as const]),
  ]);
}

/** nginx redirects where a rewrite begins with a scheme. The query goes along, unless the target ends in `?`. */
function awayTo(target: string, captures: number): Result<readonly Filter[], string> {
  const dropsQuery = target.endsWith('?');
  const parsed = parseTemplate(dropsQuery ? target.slice(0, -1) : target, { captures });
  if (!parsed.ok) return parsed;
  const respond = (location: Template, when: RespondFilter['when'] = []): RespondFilter => {
    return { type: 'respond', when, status: 302, location, unescaped: true, reason: 'rewrite-target' };
  };
  if (dropsQuery) return ok([respond(parsed.value)]);
  if (!target.includes('?')) return ok([respond([...parsed.value, { of: 'fact', fact: 'query-mark' }, ...query])]);
  const hasQuery = { value: query, test: { type: 'equals', text: '' }, not: true } as const;
  return ok([respond([...parsed.value, '&', ...query], [hasQuery]), respond(parsed.value)]);
}

const query: Template = [{ of: 'fact', fact: 'query' }];

/** `$1` as `${1}`, and nothing for a group that the pattern does not have, as in nginx. */
function replacementOf(target: string, captures: number): Result<string, string> {
  const unknown = /\$(?![0-9])(?:\{?\w+\}?)?/.exec(target);
  if (unknown) return err(`${unknown[0]} cannot stand in rewrite-target: groups $1 to $9 can`);
  return ok(
    target.replace(/\$([0-9])/g, (_all, digit: string) => {
      const group = Number(digit);
      return group >= 1 && group <= captures ? `\${${group}}` : '';
    }),
  );
}
