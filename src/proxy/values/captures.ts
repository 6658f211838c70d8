/** What groups of a route's path pattern have matched of a request. */
import { err, ok, type Result } from '../../base/result.ts';
import { compileFinder, compilePattern } from '../../routing/match/pattern.ts';
import type { PathMatch, RequestValue, Template } from '../../routing/plan/plan.ts';
import type { Exchange } from '../exchange/exchange.ts';
import { toWire } from '../http1/characters.ts';
import type { RequestHead } from '../http1/request.ts';
import type { TextOf } from './template.ts';

type Capture = Extract<RequestValue, { of: 'capture' }>;
type Groups = readonly (string | undefined)[];
type FindGroups = (path: string) => Groups | undefined;

const none: Groups = [];

/** By the path match of a route, which lives as long as its plan. */
const finders = new WeakMap<PathMatch, FindGroups>();

/** The path asked about last: the values of one request follow each other. */
let last: { readonly match: PathMatch; readonly path: string; readonly groups: Groups } | undefined;

/** Says why where the pattern cannot be used. */
export function compileCapture(
  { group, within }: Capture,
  compile: (template: Template) => Result<{ readonly text: TextOf }, string>,
): Result<TextOf, string> {
  if (!within) return ok((exchange, head) => captureOf(exchange, head, group));
  const { pattern, ignoreCase = false } = within;
  const searched = within.text && compile(within.text);
  if (searched && !searched.ok) return searched;
  const textOf = searched?.value.text ?? pathOf;
  const finder = compileFinder(toWire(pattern), { ignoreCase });
  if (!finder.ok) return err(`the pattern ${JSON.stringify(pattern)} cannot be used: ${finder.error}`);
  const { find } = finder.value;
  return ok((exchange, head) => find(textOf(exchange, head))?.[group] ?? '');
}

const pathOf: TextOf = (_exchange, head) => head.normalPath || head.path;

/** 0 is the whole path. '' for a group that took no part, and of routes whose path is no pattern. */
function captureOf(exchange: Exchange, head: RequestHead, group: number): string {
  const match = exchange.route?.route.match.path;
  const path = head.normalPath || head.path;
  if (group === 0) return path;
  if (match?.type !== 'regex') return '';
  if (last?.match !== match || last.path !== path) last = { match, path, groups: finderOf(match)(path) ?? none };
  return last.groups[group] ?? '';
}

function finderOf(match: PathMatch): FindGroups {
  let finder = finders.get(match);
  if (!finder) {
    const pattern = compilePattern(toWire(match.value), { ignoreCase: match.ignoreCase ?? false });
    // A route with such a pattern matches nothing.
    finder = pattern.ok ? pattern.value.groups : () => undefined;
    finders.set(match, finder);
  }
  return finder;
}
