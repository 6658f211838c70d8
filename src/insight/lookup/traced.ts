/** Asks for a lookup with a trace of each query: of a running server, or of plugins in this process. */
import { err, ok, type Result } from '../../base/result.ts';
import { tracePath } from '../../dns/trace/pages.ts';
import type { Trace, TraceQuestion } from '../../dns/trace/trace.ts';
import { rcodeNumber, typeName } from '../../dns/wire/numbers.ts';
import { parseRecord } from '../../dns/wire/record-text.ts';
import { fetchPage } from '../page.ts';
import type { Answered, Ask } from './exchange.ts';

export type TraceSource = (question: TraceQuestion) => Promise<Trace | undefined>;

/** What a resolver library would make of a traced answer; undefined when no response is sent. */
export function answeredOf(trace: Trace): Answered | undefined {
  const rcode = rcodeNumber(trace.rcode ?? '');
  if (rcode === undefined) return undefined;
  const answers = trace.answers.flatMap((text) => {
    const record = parseRecord(text);
    return record.ok ? [record.value] : [];
  });
  return { rcode, answers, trace };
}

export interface TracedAskOptions {
  readonly trace: TraceSource;
  /** Nameservers whose queries are traced; the others are asked through `otherwise`. */
  readonly servers: ReadonlySet<string>;
  readonly otherwise: Ask;
  /** Address of the Pod that asks. */
  readonly client?: string;
}

export function tracedAsk({ trace, servers, otherwise, client }: TracedAskOptions): Ask {
  return async (name, type, server) => {
    if (!servers.has(server)) return otherwise(name, type, server);
    const traced = await trace({ name, type, ...(client !== undefined && { client }) });
    return traced && answeredOf(traced);
  };
}

function isTrace(value: unknown): value is Trace {
  if (typeof value !== 'object' || value === null) return false;
  const { name, by, steps, answers } = value as Partial<Record<keyof Trace, unknown>>;
  return typeof name === 'string' && typeof by === 'string' && Array.isArray(steps) && Array.isArray(answers);
}

/** Traces of the `fairway dns` whose metrics door is at `url`. The error is for people. */
export async function traceOver(url: string, { name, type, client }: TraceQuestion): Promise<Result<Trace, string>> {
  const search = new URLSearchParams({ name, type: typeName(type), ...(client !== undefined && { client }) });
  const page = await fetchPage(url, `${tracePath}?${search}`);
  if (!page.ok) return page;
  return isTrace(page.value) ? ok(page.value) : err(`${url}: the page is no trace`);
}
