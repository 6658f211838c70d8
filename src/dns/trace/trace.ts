/**
 * The path of one query through the plugins: which answered and why, what each that saw it before did, and what stands
 * in the cache. The chain is put together anew for the trace, with a recorder between the plugins, so that queries
 * which nobody traces pay nothing.
 */
import { type Client, compileChain, type QueryContext, type Reply } from '../plugins/plugin.ts';
import { answerIn, rcodeIn } from '../plugins/reply.ts';
import type { Scope } from '../plugins/scope.ts';
import type { Route } from '../server/responder.ts';
import { encodeQuery } from '../wire/ask.ts';
import type { Message } from '../wire/message.ts';
import { keyOfName } from '../wire/name.ts';
import { rcodeName, typeName } from '../wire/numbers.ts';
import { parseQuery, type Query } from '../wire/query.ts';
import { recordText } from '../wire/records.ts';
import { responseMessage } from '../wire/response.ts';
import { createRecorder, type TraceStep } from './recorder.ts';

export type { TraceStep } from './recorder.ts';

export interface TraceQuestion {
  /** Absolute or not: it is asked as it is. */
  readonly name: string;
  readonly type: number;
  /** Address of the client; default 127.0.0.1. */
  readonly client?: string;
}

export interface Trace {
  readonly name: string;
  readonly type: string;
  readonly client: string;
  /** `dns://:53`, and the zone of the server block; absent when none takes the query. */
  readonly server?: string;
  readonly zone?: string;
  readonly view?: string;
  /** Absent when no response is sent. */
  readonly rcode?: string;
  /** Plugin that answered; '' when none did. */
  readonly by: string;
  /** Why it failed, if it did. */
  readonly error?: string;
  /** Smallest TTL of the answers, or of the SOA record of a denial, seconds. */
  readonly ttl?: number;
  /** Records in the form of a zone file. */
  readonly answers: readonly string[];
  readonly elapsedMs: number;
  /** In the order in which the query came to the plugins. */
  readonly steps: readonly TraceStep[];
}

/** Something that takes queries as a listener does. */
export interface Traceable {
  readonly route: Route;
}

export interface TraceOptions {
  /** How deep questions may lead to questions. Default 8, as for queries. */
  maxDepth?: number;
  /** For the whole trace, ms. Default 10,000. */
  timeoutMs?: number;
}

function queryOf(name: string, type: number): Query | undefined {
  if (keyOfName(name) === undefined) return undefined;
  const parsed = parseQuery(encodeQuery(name, type));
  return parsed.ok ? parsed.query : undefined;
}

function ttlIn(reply: Reply): number | undefined {
  const answer = answerIn(reply);
  if (!answer) return undefined;
  const records = answer.answers.length > 0 ? answer.answers : answer.authority;
  return records.length > 0 ? Math.min(...records.map(({ ttl }) => ttl)) : undefined;
}

/** Some plugins do not sign their replies. */
function lastAnswerer(steps: readonly TraceStep[]): string {
  return steps.findLast(({ did }) => did === 'answered')?.plugin ?? '';
}

const timedOut = Symbol('timed out');

function within<T>(work: Promise<T>, ms: number): Promise<T | typeof timedOut> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<typeof timedOut>((resolve) => {
    timer = setTimeout(() => resolve(timedOut), ms);
  });
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
}

/** Sends one question through the first of the places that takes it. Never rejects. */
export async function traceQuery(
  places: readonly Traceable[],
  { name, type, client: address = '127.0.0.1' }: TraceQuestion,
  { maxDepth = 8, timeoutMs = 10_000 }: TraceOptions = {},
): Promise<Trace> {
  const client: Client = { address, port: 0, protocol: 'udp' };
  const recorder = createRecorder();
  const asked = { name, type: typeName(type), client: address };
  const query = queryOf(name, type);
  const nobody = { ...asked, rcode: 'REFUSED', by: '', answers: [], elapsedMs: 0, steps: [] };
  if (!query) return { ...nobody, error: 'no such name can exist' };
  const found = places.find(({ route }) => route(query, client));
  const scope = found?.route(query, client);
  if (!found || !scope) return { ...nobody, error: 'no server block has a zone for the name' };

  function contextFor(question: Query, of: Scope, depth: number): QueryContext {
    const resolve = (target: string, wanted: number) => ask(target, wanted, depth + 1);
    const context: QueryContext = { query: question, client, scope: of, resolve };
    if (of.publishers.length === 0) return context;
    const metadata = new Map<string, () => string>();
    for (const publish of of.publishers) publish(context, (key, value) => metadata.set(key, value));
    return { ...context, metadata };
  }

  const run = async (question: Query, of: Scope, depth: number): Promise<Reply> =>
    compileChain(of.plugins, recorder.around(query!))(contextFor(question, of, depth));

  /** A question of a plugin to the whole server. */
  async function ask(target: string, wanted: number, depth: number): Promise<Message | undefined> {
    const question = depth > maxDepth ? undefined : queryOf(target, wanted);
    const of = question && found!.route(question, client);
    if (!question || !of) return undefined;
    const reply = await run(question, of, depth);
    const answer = answerIn(reply);
    return answer && responseMessage(question, answer, false);
  }

  const startedAt = performance.now();
  const { server, zone, view } = scope;
  const place = { server, zone, ...(view && { view }) };
  const done = await within(run(query, scope, 0), timeoutMs).catch((error: unknown) =>
    error instanceof Error ? error : new Error(String(error)),
  );
  const common = { ...asked, ...place, elapsedMs: performance.now() - startedAt, steps: recorder.steps() };
  if (done === timedOut) return { ...common, by: '', answers: [], error: `no answer within ${timeoutMs} ms` };
  if (done instanceof Error) return { ...common, rcode: 'SERVFAIL', by: '', answers: [], error: done.message };
  const ttl = ttlIn(done);
  return {
    ...common,
    ...(done.kind !== 'silence' && { rcode: rcodeName(rcodeIn(done)) }),
    by: done.by || lastAnswerer(common.steps),
    ...(done.kind === 'unwritten' && done.error !== undefined && { error: done.error }),
    ...(ttl !== undefined && { ttl }),
    answers: (answerIn(done)?.answers ?? []).map(recordText),
  };
}
