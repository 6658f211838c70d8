/**
 * Walks the search list of a client on the server: the first query of a walk is answered with what the last one would
 * have found, so that one query does the work of four.
 */
import type { MetricsRegistry } from '../../../base/metrics.ts';
import { encodeQuery } from '../../wire/ask.ts';
import { foldCase, keyOfName } from '../../wire/name.ts';
import { rcode, recordType } from '../../wire/numbers.ts';
import { nameOf, parseQuery, type Query } from '../../wire/query.ts';
import { targetRecord } from '../../wire/records.ts';
import type { Answer, ReadyAnswer } from '../../wire/response.ts';
import { createItem } from '../cache/item.ts';
import { createCacheStore } from '../cache/store.ts';
import type { Handler, Plugin, QueryContext, Reply } from '../plugin.ts';
import { over, type Repeat, unchanged } from '../repeat.ts';
import { answerIn, rcodeIn } from '../reply.ts';
import type { Scope } from '../scope.ts';
import { isInZone, type ZoneMatcher } from '../zones.ts';

/** The client's search list, canonical, without the empty domain at its end; empty when it is not known. */
export type SearchPath = (context: QueryContext) => readonly string[];

export interface AutopathOptions {
  readonly inZone: ZoneMatcher;
  readonly searchPath: SearchPath;
  readonly metrics: MetricsRegistry;
}

/** Domains of a list that are tried. */
const maxSearch = 32;
/** Walks that are remembered, each with its answer: some 600 bytes. */
const maxWalks = 5000;

/** Where a walk led, for as long as each of its steps would lead there again. */
interface Walk {
  readonly ready: ReadyAnswer;
  readonly steps: readonly Repeat[];
  /** Who answered in the end. */
  readonly by: string;
  /** Since the store looked last. */
  used: boolean;
}

/** Whether the plugins below say in `Reply.repeat` how long their replies hold. */
function canRemember({ plugins }: Scope): boolean {
  const below = plugins.slice(plugins.findIndex(({ name }) => name === 'autopath') + 1);
  return below.every(({ handle, repeats }) => !handle || repeats);
}

function queryFor(query: Query, name: string): Query | undefined {
  if (keyOfName(name) === undefined) return undefined;
  const { id, class: rclass, recursionDesired, checkingDisabled, authenticData, edns } = query;
  const options = { id, class: rclass, recursionDesired, checkingDisabled, authenticData, ...(edns && { edns }) };
  const parsed = parseQuery(encodeQuery(name, query.type, options));
  return parsed.ok ? parsed.query : undefined;
}

const repeatOf = (reply: Reply): Repeat | undefined => (reply.kind === 'ready' ? reply.repeat : undefined);

/** The answer under the name that was asked for: an alias leads to where it was found. */
function aliased(answer: Answer, asked: string): Answer {
  const elsewhere = answer.answers.find(({ name }) => foldCase(name) !== foldCase(asked));
  if (!elsewhere) return answer;
  const alias = targetRecord(asked, recordType.CNAME, elsewhere.ttl, elsewhere.name);
  return { ...answer, answers: [alias, ...answer.answers] };
}

export function createAutopath({ inZone, searchPath, metrics }: AutopathOptions): Plugin {
  const success = metrics.counter('coredns_autopath_success_total', 'Counter of requests that did autopath.', [
    'server',
  ]);

  const walks = createCacheStore<Walk>(maxWalks);
  const rememberIn = new WeakMap<Scope, boolean>();

  function remembers(scope: Scope | undefined): boolean {
    if (!scope) return false;
    if (!rememberIn.has(scope)) rememberIn.set(scope, canRemember(scope));
    return rememberIn.get(scope)!;
  }

  /** The name asked for has the list's first domain in it, and that tells the list. */
  const keyOf = ({ type, class: rclass, checkingDisabled, edns, key }: Query): string =>
    String.fromCharCode(type, rclass, (checkingDisabled ? 1 : 0) | (edns?.dnssecOk ? 2 : 0)) + key;

  async function walk(context: QueryContext, next: Handler, search: readonly string[]): Promise<Reply> {
    const asked = nameOf(context.query);
    const base = asked.slice(0, -search[0]!.length);
    const first = await next(context);
    if (rcodeIn(first) !== rcode.NXDOMAIN) return first;
    const steps = [repeatOf(first)];
    for (const domain of [...search.slice(1, maxSearch), '']) {
      const query = queryFor(context.query, base + domain);
      const reply = query && (await next({ ...context, query }));
      steps.push(reply && repeatOf(reply));
      // What failed says nothing about the name; the client may walk on by itself.
      if (!reply || reply.kind === 'unwritten' || reply.kind === 'silence' || rcodeIn(reply) === rcode.NXDOMAIN)
        continue;
      const answer = answerIn(reply);
      if (!answer) continue;
      success.with(context.scope?.server ?? '').inc();
      const found = aliased(answer, asked);
      if (remembers(context.scope)) remember(context.query, found, steps, reply.by ?? '');
      return { kind: 'answer', answer: found, ...(reply.by !== undefined && { by: reply.by }) };
    }
    return first;
  }

  /** A step that cannot say how long it holds makes the whole walk one that must be done each time. */
  function remember(query: Query, answer: Answer, steps: readonly (Repeat | undefined)[], by: string): void {
    const known = steps.filter((step) => step !== undefined);
    if (known.length < steps.length || !answer.answers[0]) return;
    walks.put(keyOf(query), { ready: createItem(query, 'success', answer, 0, 0).ready, steps: known, by, used: false });
  }

  /** The end of a walk done before; undefined when a step would no longer lead on as it did. */
  function again(context: QueryContext): Reply | undefined {
    const key = keyOf(context.query);
    const known = walks.get(key);
    if (!known) return undefined;
    let ttl: number = unchanged;
    for (const step of known.steps) {
      ttl = step.again();
      if (ttl !== over) continue;
      walks.drop(key);
      return undefined;
    }
    success.with(context.scope?.server ?? '').inc();
    return { kind: 'ready', by: known.by, ready: known.ready, serial: 0, ...(ttl !== unchanged && { ttl }) };
  }

  return {
    name: 'autopath',
    handle(context, next) {
      if (inZone(context.query.key) === undefined) return next(context);
      const search = searchPath(context);
      const [first] = search;
      const name = foldCase(nameOf(context.query));
      if (first === undefined || first === '.' || name === first || !isInZone(name, first)) return next(context);
      return again(context) ?? walk(context, next, search);
    },
  };
}
