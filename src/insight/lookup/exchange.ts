/** What a resolver library sends to its nameservers for one name, and what it makes of the answers. */

import type { Trace } from '../../dns/trace/trace.ts';
import { encodeQuery } from '../../dns/wire/ask.ts';
import { decodeMessage } from '../../dns/wire/decode.ts';
import type { ResourceRecord } from '../../dns/wire/message.ts';
import { rcode } from '../../dns/wire/numbers.ts';
import type { Outcome } from './plan.ts';
import type { Libc, ResolverConfig } from './resolver-config.ts';

export interface Answered {
  readonly rcode: number;
  readonly answers: readonly ResourceRecord[];
  /** What each plugin of the server did, when that was asked for. */
  readonly trace?: Trace;
}

/** Asks a nameserver for an absolute name; undefined when no answer comes. */
export type Ask = (name: string, type: number, server: string) => Promise<Answered | undefined>;

/** One query sent. */
export interface SentQuery {
  readonly type: number;
  readonly server: string;
  /** Undefined: no answer. */
  readonly answer?: Answered;
}

export interface Exchanged {
  readonly queries: readonly SentQuery[];
  readonly outcome: Outcome;
  /** What the outcome rests on, per type. */
  readonly deciding: readonly SentQuery[];
}

/** Answers that both libraries take as a nameserver's failure rather than its answer. */
const failures = new Set<number>([rcode.SERVFAIL, rcode.NOTIMP, rcode.REFUSED]);
const usable = ({ answer }: SentQuery): boolean => answer !== undefined && !failures.has(answer.rcode);
const codeOf = (query: SentQuery | undefined): number => query?.answer?.rcode ?? -1;

async function send(ask: Ask, name: string, types: readonly number[], server: string): Promise<SentQuery[]> {
  return Promise.all(
    types.map(async (type) => {
      const answer = await ask(name, type, server);
      return { type, server, ...(answer && { answer }) };
    }),
  );
}

/** One nameserver after the other, all types at once, until one answers anything usable; `attempts` rounds. */
async function exchangeGlibc(
  ask: Ask,
  name: string,
  types: readonly number[],
  config: ResolverConfig,
): Promise<Exchanged> {
  const queries: SentQuery[] = [];
  let last: SentQuery[] = [];
  for (let round = 0; round < config.attempts; round++) {
    for (const server of config.nameservers) {
      last = await send(ask, name, types, server);
      queries.push(...last);
      if (last.some(usable)) return { queries, deciding: last, outcome: outcomeGlibc(last) };
    }
  }
  const servfail = last.some((query) => codeOf(query) === rcode.SERVFAIL);
  return { queries, deciding: last, outcome: servfail ? 'server failure' : 'failed' };
}

function outcomeGlibc(queries: readonly SentQuery[]): Outcome {
  if (queries.some(({ answer }) => answer?.rcode === rcode.NOERROR && answer.answers.length > 0)) return 'found';
  const [first, second] = queries.filter(usable);
  const code = codeOf(first) === rcode.NOERROR && second ? codeOf(second) : codeOf(first);
  if (code === rcode.NXDOMAIN) return 'not found';
  return code === rcode.NOERROR ? 'no data' : 'failed';
}

/** Every nameserver at the same time; per type the first usable answer counts. Rounds only while answers are missing. */
async function exchangeMusl(
  ask: Ask,
  name: string,
  types: readonly number[],
  config: ResolverConfig,
): Promise<Exchanged> {
  const queries: SentQuery[] = [];
  let open = [...types];
  const deciding: SentQuery[] = [];
  for (let round = 0; round < config.attempts && open.length > 0; round++) {
    const sent = (await Promise.all(config.nameservers.map((server) => send(ask, name, open, server)))).flat();
    queries.push(...sent);
    const settled = open.flatMap((type) => sent.find((query) => query.type === type && usable(query)) ?? []);
    deciding.push(...settled);
    open = open.filter((type) => !settled.some((query) => query.type === type));
  }
  return { queries, deciding, outcome: open.length > 0 ? 'server failure' : outcomeMusl(deciding) };
}

function outcomeMusl(queries: readonly SentQuery[]): Outcome {
  if (queries.some((query) => codeOf(query) === rcode.NXDOMAIN)) return 'not found';
  if (queries.some((query) => codeOf(query) !== rcode.NOERROR)) return 'failed';
  return queries.some(({ answer }) => answer!.answers.length > 0) ? 'found' : 'no data';
}

export const exchangeAs: Record<Libc, typeof exchangeGlibc> = { glibc: exchangeGlibc, musl: exchangeMusl };

/** An `Ask` over anything that answers queries in wire format, such as `ClusterDns.answer`. */
export function askThrough(answer: (query: Uint8Array, server: string) => Promise<Uint8Array | undefined>): Ask {
  return async (name, type, server) => {
    const response = await answer(encodeQuery(name, type), server);
    const decoded = response && decodeMessage(response);
    return decoded?.ok ? { rcode: decoded.value.rcode, answers: decoded.value.answers } : undefined;
  };
}
