/** Places that backends send clients to, changed on their way (nginx `proxy_redirect`). */
import { err, ok, type Result } from '../../../base/result.ts';
import { compileFinder } from '../../../routing/match/pattern.ts';
import { partsOf } from '../../../routing/match/replacement.ts';
import type { LocationRewriteFilter } from '../../../routing/plan/plan.ts';
import { onResponse } from '../../exchange/attachments.ts';
import type { Exchange } from '../../exchange/exchange.ts';
import { toWire } from '../../http1/characters.ts';
import { currentValue, type Fields, setField } from '../../http1/fields.ts';
import type { RequestHead } from '../../http1/request.ts';
import { absoluteLocation } from '../../values/location.ts';
import { compileValue, foldTexts, locationText, type TextOf, templateFault } from '../../values/template.ts';
import { refuseAll } from '../refuse-all.ts';
import type { CompiledFilter, FilterComplaint } from '../types.ts';

type Rule = LocationRewriteFilter['rules'][number];
/** The place after the rewrite; undefined where the rule does not fit. */
type Rewrite = (place: string, values: readonly string[]) => string | undefined;

interface CompiledRule {
  /** What of the request the new place holds. */
  readonly values: readonly TextOf[];
  readonly rewrite: Rewrite;
}

/** Clients would be sent to places that are not for them: nothing is passed on where a rule cannot be used. */
export function compileLocationRewrite(filter: LocationRewriteFilter, complain: FilterComplaint): CompiledFilter {
  const rules: CompiledRule[] = [];
  for (const rule of filter.rules) {
    const compiled = compileRule(rule);
    if (!compiled.ok) return refuseAll(compiled.error, complain);
    rules.push(compiled.value);
  }
  return {
    gate(exchange, head) {
      const change = bind(rules, exchange, head);
      onResponse(exchange, (fields, { client, host, madeHere }) => {
        if (madeHere) return;
        changeLocation(fields, (place) => {
          const changed = change(place);
          return changed === undefined ? undefined : absoluteLocation(client, host, changed);
        });
        changeRefresh(fields, change);
      });
      return undefined;
    },
  };
}

/** What is in the request is read now: its head is gone when the response comes. */
function bind(rules: readonly CompiledRule[], exchange: Exchange, head: RequestHead) {
  const bound = rules.map(({ values, rewrite }) => ({
    rewrite,
    values: values.length === 0 ? none : values.map((value) => value(exchange, head)),
  }));
  return (place: string): string | undefined => {
    for (const { rewrite, values } of bound) {
      const changed = rewrite(place, values);
      if (changed !== undefined) return locationText(changed);
    }
    return undefined;
  };
}

const none: readonly string[] = [];

function compileRule({ from, to }: Rule): Result<CompiledRule, string> {
  const fault = templateFault(to);
  if (fault !== undefined) return err(fault);
  const folded = foldTexts(to);
  const values = folded.flatMap((part) => (typeof part === 'string' ? [] : [compileValue(part)]));
  if (from.type === 'prefix')
    return ok({ values, rewrite: prefixRewrite(toWire(from.value), piecesOf(folded, false)) });
  const finder = compileFinder(toWire(from.value), { ignoreCase: from.ignoreCase ?? false });
  if (!finder.ok) return err(`the pattern ${JSON.stringify(from.value)} of a place cannot be used: ${finder.error}`);
  const { find } = finder.value;
  const pieces = piecesOf(folded, true);
  return ok({
    values,
    rewrite(place, given) {
      const found = find(place);
      return found && fill(pieces, given, found);
    },
  });
}

function prefixRewrite(prefix: string, pieces: readonly Piece[]): Rewrite {
  return (place, values) =>
    place.startsWith(prefix) ? fill(pieces, values, []) + place.slice(prefix.length) : undefined;
}

/** Text, the number of a group of the pattern, or the place of a value in the list of them. */
type Piece = string | { readonly group: number } | { readonly value: number };

function piecesOf(template: ReturnType<typeof foldTexts>, hasGroups: boolean): readonly Piece[] {
  let value = 0;
  return template.flatMap((part): Piece[] => {
    if (typeof part !== 'string') return [{ value: value++ }];
    if (!hasGroups) return [part];
    return partsOf(part).map((piece) => (typeof piece === 'string' ? piece : { group: piece }));
  });
}

function fill(pieces: readonly Piece[], values: readonly string[], found: readonly (string | undefined)[]): string {
  return pieces
    .map((piece) => {
      if (typeof piece === 'string') return piece;
      return 'group' in piece ? (found[piece.group] ?? '') : values[piece.value]!;
    })
    .join('');
}

function changeLocation(fields: Fields, change: (place: string) => string | undefined): void {
  const place = currentValue(fields, 'location');
  const changed = place === undefined ? undefined : change(place);
  if (changed !== undefined) setField(fields, 'Location', changed);
}

/** `5; url=https://a.example/`. */
function changeRefresh(fields: Fields, change: (place: string) => string | undefined): void {
  const value = currentValue(fields, 'refresh');
  const start = value === undefined ? -1 : value.search(/url=/i);
  if (value === undefined || start < 0) return;
  const changed = change(value.slice(start + 4));
  if (changed !== undefined) setField(fields, 'Refresh', value.slice(0, start + 4) + changed);
}
