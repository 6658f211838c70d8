/** The request that a backend gets, as far as the filters of routes make it. */
import { compileFilters } from '../../../proxy/filters/compile.ts';
import type { OutgoingRequest } from '../../../proxy/filters/types.ts';
import { type Fields, fieldPairs } from '../../../proxy/http1/fields.ts';
import { decodedText } from '../../../routing/match/normal-path.ts';
import { writeTarget } from '../../../routing/match/normal-rewrite.ts';
import { joinTarget } from '../../../routing/match/rewrite.ts';
import type { Filter } from '../../../routing/plan/plan.ts';
import type { Outgoing } from '../types.ts';
import { unknownFact } from './gates.ts';
import type { Rehearsed } from './request.ts';

/** Those of which the backend sees something. */
const seen: ReadonlySet<Filter['type']> = new Set(['request-headers', 'request-values', 'rewrite', 'basic-auth']);

const changing = (filters: readonly Filter[]): readonly Filter[] =>
  filters.flatMap((filter) =>
    filter.type === 'any-of' ? changing(filter.filters) : seen.has(filter.type) ? [filter] : [],
  );

const nowhere = () => 'it is not asked here';

/** `prefixLength`: how much of the path the route's match covers. Changes the head. */
export function outgoingOf(filters: readonly Filter[], asked: Rehearsed, prefixLength: number | undefined): Outgoing {
  const { exchange, head } = asked;
  const { request } = compileFilters(changing(filters), () => {}, nowhere);
  const before = fieldPairs(head.fields);
  const isNormal = head.normalPath !== '';
  const outgoing: OutgoingRequest = {
    ...{ fields: head.fields, host: head.host, path: isNormal ? head.normalPath : head.path, isNormal },
    ...{ query: head.query, prefixLength, targetChanged: false },
  };
  request?.(outgoing, exchange, head);
  const unsure = unsureNames(filters, asked);
  const target = !outgoing.targetChanged
    ? head.target
    : (outgoing.isNormal ? writeTarget : joinTarget)(outgoing.path, outgoing.query);
  return {
    method: head.method,
    target: textOf(target),
    host: textOf(outgoing.host),
    ...differences(before, head.fields, unsure),
  };
}

type Pairs = readonly (readonly [name: string, value: string])[];

const keyOf = ([name, value]: Pairs[number]) => `${name.toLowerCase()}: ${value}`;

/** Headers of which nobody has said what they are made of. In lower case. */
function unsureNames(filters: readonly Filter[], asked: Rehearsed): ReadonlySet<string> {
  const set = filters.flatMap((filter) => (filter.type === 'request-values' ? filter.set : []));
  const unsure = set.filter(([, value]) => unknownFact(value, asked) !== undefined);
  return new Set(unsure.map(([name]) => name.toLowerCase()));
}

/** What was changed or added, and the names of what is gone. */
function differences(
  before: Pairs,
  fields: Fields,
  unsure: ReadonlySet<string>,
): Pick<Outgoing, 'headers' | 'removed'> {
  const after = fieldPairs(fields);
  const had = new Set(before.map(keyOf));
  const names = new Set(after.map(([name]) => name.toLowerCase()));
  return {
    headers: after
      .filter((pair) => !had.has(keyOf(pair)) && !unsure.has(pair[0].toLowerCase()))
      .map(([name, value]) => [name, textOf(value)] as const),
    removed: [...new Set(before.map(([name]) => name))].filter((name) => !names.has(name.toLowerCase())),
  };
}

/** Of one character per byte. */
const textOf = (bytes: string): string => decodedText(bytes);
