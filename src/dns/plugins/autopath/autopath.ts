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
import type { Answer } from '../../wire/response.ts';
import type { Handler, Plugin, QueryContext, Reply } from '../plugin.ts';
import { answerIn, rcodeIn } from '../reply.ts';
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

function queryFor(query: Query, name: string): Query | undefined {
  if (keyOfName(name) === undefined) return undefined;
  const { id, class: rclass, recursionDesired, checkingDisabled, authenticData, edns } = query;
  const options = { id, class: rclass, recursionDesired, checkingDisabled, authenticData, ...(edns && { edns }) };
  const parsed = parseQuery(encodeQuery(name, query.type, options));
  return parsed.ok ? parsed.query : undefined;
}

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

  async function walk(context: QueryContext, next: Handler, search: readonly string[]): Promise<Reply> {
    const asked = nameOf(context.query);
    const base = asked.slice(0, -search[0]!.length);
    const first = await next(context);
    if (rcodeIn(first) !== rcode.NXDOMAIN) return first;
    for (const domain of [...search.slice(1, maxSearch), '']) {
      const query = queryFor(context.query, base + domain);
      const reply = query && (await next({ ...context, query }));
      // What failed says nothing about the name; the client may walk on by itself.
      if (!reply || reply.kind === 'unwritten' || reply.kind === 'silence' || rcodeIn(reply) === rcode.NXDOMAIN)
        continue;
      const answer = answerIn(reply);
      if (!answer) continue;
      success.with(context.scope?.server ?? '').inc();
      return { kind: 'answer', answer: aliased(answer, asked), ...(reply.by !== undefined && { by: reply.by }) };
    }
    return first;
  }

  return {
    name: 'autopath',
    handle(context, next) {
      if (inZone(context.query.key) === undefined) return next(context);
      const search = searchPath(context);
      const [first] = search;
      const name = foldCase(nameOf(context.query));
      if (first === undefined || first === '.' || name === first || !isInZone(name, first)) return next(context);
      return walk(context, next, search);
    },
  };
}
