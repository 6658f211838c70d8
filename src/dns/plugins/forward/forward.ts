/** Forwards queries to upstream resolvers, one after the other until one answers. */

import { randomInt } from 'node:crypto';
import { setMaxListeners } from 'node:events';
import type { MetricsRegistry } from '../../../base/metrics.ts';
import type { Result } from '../../../base/result.ts';
import { encodeQuery } from '../../wire/ask.ts';
import { ednsOption, rcode, rcodeName } from '../../wire/numbers.ts';
import { nameOf, parseQuery, type Query } from '../../wire/query.ts';
import type { Handler, MaybePromise, Plugin, QueryContext, Reply } from '../plugin.ts';
import { unwritten } from '../plugin.ts';
import { type Policy, type PolicyName, policies } from './policy.ts';
import { createUpstream, type LiveUpstream, type UpstreamOptions, type UpstreamTarget } from './upstream.ts';

export interface ForwardOptions {
  /** None: every query gets SERVFAIL. */
  upstreams: readonly UpstreamTarget[];
  /** How connections are made and upstreams probed. */
  connection?: UpstreamOptions;
  /** Default `sequential`. */
  policy?: PolicyName;
  /** For one attempt, ms. Default 2,000. */
  attemptTimeoutMs?: number;
  /** For all attempts of one query, ms. Default 5,000. */
  deadlineMs?: number;
  /** Queries under way; more are REFUSED. 0: no limit. Default 1,000. */
  maxInFlight?: number;
  /** An upstream with more failed probes than this is passed over; 0: never. Default 0. */
  maxFails?: number;
  /** Attempts that may fail for one query; 0: no limit within the deadline. Default twice the number of upstreams. */
  maxAttempts?: number;
  /** How long an upstream that failed is asked last, ms; 0: never. Default 5,000. */
  failureMemoryMs?: number;
  /** Rcodes after which the next upstream is asked. Default SERVFAIL, NOTIMP, REFUSED, as stub resolvers do. */
  failover?: ReadonlySet<number>;
  /**
   * What is asked over TCP: `truncated` answers again (default), `client`: queries that came over TCP, `always`.
   */
  tcp?: 'truncated' | 'client' | 'always';
  /** SERVFAIL at once when all are passed over, instead of trying one. Default false. */
  failFast?: boolean;
  /** Answers with these rcodes, or without records, are left to the next forwarder. */
  next?: ReadonlySet<number>;
  nextOnNodata?: boolean;
  /** Queries of this forwarder; others go on. Default all. */
  takes?: (query: Query) => boolean;
  metrics?: MetricsRegistry;
}

export interface ForwardMetrics {
  readonly requests: number;
  readonly failures: number;
  readonly rejected: number;
  readonly inFlight: number;
}

export interface Forward extends Plugin {
  handle(context: QueryContext, next: Handler): MaybePromise<Reply>;
  metrics(): ForwardMetrics;
  close(): void;
}

/** Options that concern one hop only (RFC 6891 section 6.1.1 and the options' own RFCs). */
const hopByHop = new Set<number>([ednsOption.COOKIE, ednsOption.KEEPALIVE, ednsOption.PADDING, ednsOption.NSID]);
const stubFailover: ReadonlySet<number> = new Set([rcode.SERVFAIL, rcode.NOTIMP, rcode.REFUSED]);

/** The client's question under a new random id, without what concerns only the client and us. */
function ownQuery(query: Query): Query | undefined {
  const edns = query.edns && { ...query.edns, options: query.edns.options.filter(({ code }) => !hopByHop.has(code)) };
  const packet = encodeQuery(nameOf(query), query.type, {
    id: randomInt(0x10000),
    class: query.class,
    recursionDesired: query.recursionDesired,
    checkingDisabled: query.checkingDisabled,
    // Asked for always: what is kept of the answer serves also those who want to know it, and others are not told.
    authenticData: true,
    ...(edns && { edns }),
  });
  const parsed = parseQuery(packet);
  return parsed.ok ? parsed.query : undefined;
}

const isTruncated = (packet: Uint8Array): boolean => (packet[2]! & 0x02) !== 0;
const rcodeOf = (packet: Uint8Array): number => packet[3]! & 15;
const isEmpty = (packet: Uint8Array): boolean => packet[6] === 0 && packet[7] === 0;

/** One attempt, for a trace. */
function attemptText({ name }: LiveUpstream, result: Result<Uint8Array, string>, elapsedMs: number): string {
  const what = result.ok ? `answered ${rcodeName(rcodeOf(result.value))}` : `failed (${result.error})`;
  return `${name} ${what} after ${elapsedMs.toFixed(elapsedMs < 10 ? 1 : 0)} ms`;
}

/** Metadata: the upstream that was asked last for a query. */
export const upstreamLabel = 'forward/upstream';

/** By the function that was published for the query, which stays the same through the whole chain. */
const chosenUpstreams = new WeakMap<() => string, string>();

/** Publishes the upstream of a query, which is known once it was forwarded. */
export const publishUpstream: NonNullable<Plugin['metadata']> = (_, publish) => {
  const read = (): string => chosenUpstreams.get(read) ?? '';
  publish(upstreamLabel, read);
};

type Outcome = { readonly packet: Uint8Array } | { readonly error: string };

export function createForward(options: ForwardOptions): Forward {
  const { attemptTimeoutMs = 2000, deadlineMs = 5000, maxInFlight = 1000, failureMemoryMs = 5000 } = options;
  const { maxFails = 0, failover = stubFailover, tcp = 'truncated', takes = () => true } = options;
  const upstreams = options.upstreams.map((target) =>
    createUpstream(target, { ...options.connection, ...(options.metrics && { metrics: options.metrics }) }),
  );
  const maxAttempts = options.maxAttempts ?? 2 * upstreams.length;
  const policy: Policy = policies[options.policy ?? 'sequential']();
  const closing = new AbortController();
  // Each query under way listens; their number is bounded by max_concurrent and the socket, not by Node's default of 10.
  setMaxListeners(0, closing.signal);
  const counts = { requests: 0, failures: 0, rejected: 0, inFlight: 0 };
  const broken = options.metrics
    ?.counter(
      'coredns_forward_healthcheck_broken_total',
      'Counter of the number of complete failures of the healthchecks.',
    )
    .with();
  const rejects = options.metrics
    ?.counter(
      'coredns_forward_max_concurrent_rejects_total',
      'Counter of the number of queries rejected because the concurrent queries were at maximum.',
    )
    .with();

  /** What `forward/upstream` reads for a query. */
  function publish({ metadata }: QueryContext, upstream: LiveUpstream): void {
    const read = metadata?.get(upstreamLabel);
    if (read) chosenUpstreams.set(read, upstream.name);
  }

  function inOrder(): readonly LiveUpstream[] {
    const list = policy(upstreams);
    if (failureMemoryMs === 0) return list;
    const recent = ({ failedAt }: LiveUpstream) => performance.now() - failedAt < failureMemoryMs;
    return list.some(recent) ? [...list].sort((a, b) => Number(recent(a)) - Number(recent(b))) : list;
  }

  async function ask(query: Query, upstream: LiveUpstream, deadline: number, overTcp: boolean) {
    const attempt = (useTcp: boolean) => {
      const timeoutMs = Math.max(1, Math.min(attemptTimeoutMs, Math.ceil(deadline - performance.now())));
      return upstream.ask(query, useTcp, { timeoutMs, signal: closing.signal });
    };
    const result = await attempt(overTcp);
    if (overTcp || tcp !== 'truncated' || !result.ok || !isTruncated(result.value)) return result;
    const whole = await attempt(true);
    // What came over UDP says TC, so that the client can still try for itself.
    return whole.ok ? whole : result;
  }

  /** The upstreams to ask for one query, without end: those that are well, or any one when none is. */
  function createTurns() {
    const list = inOrder();
    let at = 0;
    let passed = 0;
    return (): LiveUpstream | undefined => {
      for (;;) {
        if (at >= list.length) {
          at = 0;
          passed = 0;
        }
        const upstream = list[at++]!;
        if (maxFails === 0 || upstream.fails <= maxFails) return upstream;
        if (++passed < list.length) continue;
        broken?.inc();
        return options.failFast ? undefined : list[randomInt(list.length)];
      }
    };
  }

  async function forward(query: Query, context: QueryContext): Promise<Outcome> {
    const { client, note } = context;
    const deadline = performance.now() + deadlineMs;
    const overTcp = tcp === 'always' || (tcp === 'client' && client.protocol !== 'udp');
    const turn = createTurns();
    let last: Uint8Array | undefined;
    let error = 'no healthy proxies';
    let failed = 0;
    let failovers = 0;
    while (performance.now() < deadline && !closing.signal.aborted && (maxAttempts === 0 || failed < maxAttempts)) {
      const upstream = turn();
      if (!upstream) break;
      publish(context, upstream);
      const startedAt = note ? performance.now() : 0;
      const result = await ask(query, upstream, deadline, overTcp);
      if (note) note(attemptText(upstream, result, performance.now() - startedAt));
      if (!result.ok) {
        failed++;
        error = `${upstream.name}: ${result.error}`;
        if (maxFails > 0) upstream.suspect();
        continue;
      }
      last = result.value;
      if (!failover.has(rcodeOf(last)) || ++failovers >= upstreams.length) break;
    }
    return last ? { packet: last } : { error };
  }

  const leaves = (packet: Uint8Array): boolean =>
    options.next?.has(rcodeOf(packet)) === true ||
    (options.nextOnNodata === true && rcodeOf(packet) === 0 && isEmpty(packet));

  async function handle(context: QueryContext, next: Handler | undefined): Promise<Reply> {
    const { query } = context;
    counts.inFlight++;
    counts.requests++;
    try {
      const own = ownQuery(query);
      const outcome: Outcome = own ? await forward(own, context) : { error: 'the question cannot be encoded' };
      if ('packet' in outcome) {
        if (next && leaves(outcome.packet)) return await next(context);
        return { kind: 'foreign', by: 'forward', bytes: withQuestionOf(query, outcome.packet) };
      }
      counts.failures++;
      return unwritten(rcode.SERVFAIL, outcome.error, 'forward');
    } finally {
      counts.inFlight--;
    }
  }

  return {
    name: 'forward',
    handle(context, next) {
      if (!takes(context.query)) return next(context);
      if (upstreams.length === 0) return unwritten(rcode.SERVFAIL, 'no upstream to forward to', 'forward');
      if (maxInFlight === 0 || counts.inFlight < maxInFlight)
        return handle(context, options.next || options.nextOnNodata ? next : undefined);
      counts.rejected++;
      rejects?.inc();
      return unwritten(rcode.REFUSED, `concurrent queries exceeded maximum ${maxInFlight}`, 'forward');
    },
    metrics: () => ({ ...counts }),
    close() {
      closing.abort();
      for (const upstream of upstreams) upstream.close();
    },
  };
}

/** The response with the client's own spelling of the name, which some upstreams do not keep. */
function withQuestionOf(query: Query, bytes: Uint8Array): Uint8Array {
  const copy = Buffer.from(bytes);
  if (copy.readUInt16BE(4) === 1) copy.set(query.packet.subarray(12, query.nameEnd), 12);
  return copy;
}
