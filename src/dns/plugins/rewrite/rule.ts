/** What a rewrite rule does: changes the query, and knows how to change the response back. */
import { encodeQuery } from '../../wire/ask.ts';
import type { Edns, ResourceRecord } from '../../wire/message.ts';
import { foldCase, keyOfName } from '../../wire/name.ts';
import { nameOf, parseQuery, type Query } from '../../wire/query.ts';
import type { Answer } from '../../wire/response.ts';
import type { MaybePromise, QueryContext } from '../plugin.ts';

/** The query as the rules before have left it. */
export interface Rewriting {
  readonly context: QueryContext;
  /** In lower case, absolute. */
  readonly name: string;
  readonly query: Query;
}

export interface ResponseChange {
  record?(record: ResourceRecord): ResourceRecord;
  answer?(answer: Answer, context: QueryContext): MaybePromise<Answer>;
}

export interface Rewritten {
  readonly query: Query;
  readonly changes: readonly ResponseChange[];
}

/** Undefined: the rule does not concern this query. An error: the new name cannot exist. */
export type Rule = (state: Rewriting) => Rewritten | { readonly error: string } | undefined;

/** The query under another name, type or class, or with other options. Undefined when there is no such name. */
export function changed(
  query: Query,
  change: { name?: string; type?: number; class?: number; edns?: Edns },
): Query | undefined {
  const name = change.name ?? nameOf(query);
  if (keyOfName(name) === undefined) return undefined;
  const edns = change.edns ?? query.edns;
  const packet = encodeQuery(name, change.type ?? query.type, {
    ...{ id: query.id, class: change.class ?? query.class, recursionDesired: query.recursionDesired },
    ...{ checkingDisabled: query.checkingDisabled, authenticData: query.authenticData },
    ...(edns && { edns }),
  });
  const parsed = parseQuery(packet);
  return parsed.ok ? parsed.query : undefined;
}

export type Matching = (name: string) => boolean;

/** The five ways to match a name; undefined for another word. */
export function matcherOf(kind: string, text: string): Matching | undefined {
  const folded = foldCase(text);
  const absolute = folded.endsWith('.') ? folded : `${folded}.`;
  const kinds: Readonly<Record<string, () => Matching>> = {
    exact: () => (name) => name === absolute,
    prefix: () => (name) => name.startsWith(folded),
    suffix: () => (name) => name.endsWith(absolute),
    substring: () => (name) => name.includes(folded),
  };
  return Object.hasOwn(kinds, kind) ? kinds[kind]!() : undefined;
}
