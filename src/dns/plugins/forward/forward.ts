/** Forwards queries to upstream resolvers, one after the other until one answers. */
import { randomInt } from 'node:crypto';
import { encodeQuery } from '../../wire/ask.ts';
import { ednsOption, rcode } from '../../wire/numbers.ts';
import { nameOf, parseQuery, type Query } from '../../wire/query.ts';
import { type Plugin, type QueryContext, type Reply, unwritten } from '../plugin.ts';
import { type Exchange, exchangeTcp, exchangeUdp } from './exchange.ts';
import type { Upstream } from './upstreams.ts';

export interface ForwardOptions {
  /** Asked in this order; one that failed lately is asked last. None: every query gets SERVFAIL. */
  upstreams: readonly Upstream[];
  /** For one attempt, ms. Default 2,000. */
  attemptTimeoutMs?: number;
  /** For all attempts of one query, ms. Default 5,000. */
  deadlineMs?: number;
  /** Queries under way; more are REFUSED. Default 1,000. */
  maxInFlight?: number;
  /** How long an upstream that failed is asked last, ms. Default 5,000. */
  failureMemoryMs?: number;
}

export interface ForwardMetrics {
  readonly requests: number;
  readonly failures: number;
  readonly rejected: number;
  readonly inFlight: number;
}

export interface Forward extends Plugin {
  metrics(): ForwardMetrics;
}

/** Options that concern one hop only (RFC 6891 section 6.1.1 and the options' own RFCs). */
const hopByHop = new Set<number>([ednsOption.COOKIE, ednsOption.KEEPALIVE, ednsOption.PADDING, ednsOption.NSID]);
/** What an upstream may say that the next one may know better, as stub resolvers take it. */
const askAnother = new Set<number>([rcode.SERVFAIL, rcode.NOTIMP, rcode.REFUSED]);

/** The client's question under a new random id, without what concerns only the client and us. */
function ownQuery(query: Query): Query | undefined {
  const edns = query.edns && { ...query.edns, options: query.edns.options.filter(({ code }) => !hopByHop.has(code)) };
  const packet = encodeQuery(nameOf(query), query.type, {
    id: randomInt(0x10000),
    class: query.class,
    recursionDesired: query.recursionDesired,
    checkingDisabled: query.checkingDisabled,
    authenticData: query.authenticData,
    ...(edns && { edns }),
  });
  const parsed = parseQuery(packet);
  return parsed.ok ? parsed.query : undefined;
}

const isTruncated = (packet: Uint8Array): boolean => (packet[2]! & 0x02) !== 0;
const rcodeOf = (packet: Uint8Array): number => packet[3]! & 15;

export function createForward(options: ForwardOptions): Forward {
  const { attemptTimeoutMs = 2000, deadlineMs = 5000, maxInFlight = 1000, failureMemoryMs = 5000 } = options;
  const failedAt = new Map<Upstream, number>();
  const closing = new AbortController();
  const counts = { requests: 0, failures: 0, rejected: 0, inFlight: 0 };

  function inOrder(): Upstream[] {
    const recent = (upstream: Upstream) => performance.now() - (failedAt.get(upstream) ?? -Infinity) < failureMemoryMs;
    return [...options.upstreams].sort((a, b) => Number(recent(a)) - Number(recent(b)));
  }

  async function ask(query: Query, upstream: Upstream, deadline: number): Promise<Uint8Array | undefined> {
    const attempt = (exchange: Exchange) => {
      const timeoutMs = Math.max(1, Math.min(attemptTimeoutMs, Math.ceil(deadline - performance.now())));
      return exchange(query, upstream, { timeoutMs, signal: closing.signal });
    };
    let result = await attempt(exchangeUdp);
    if (result.ok && isTruncated(result.value)) {
      const whole = await attempt(exchangeTcp);
      // What came over UDP says TC, so that the client can still try for itself.
      if (whole.ok) result = whole;
    }
    if (result.ok) {
      failedAt.delete(upstream);
      return result.value;
    }
    failedAt.set(upstream, performance.now());
    return undefined;
  }

  async function forward(query: Query): Promise<Uint8Array | undefined> {
    const deadline = performance.now() + deadlineMs;
    let last: Uint8Array | undefined;
    for (const upstream of inOrder()) {
      if (performance.now() >= deadline || closing.signal.aborted) break;
      const packet = await ask(query, upstream, deadline);
      if (!packet) continue;
      last = packet;
      if (!askAnother.has(rcodeOf(packet))) break;
    }
    return last;
  }

  async function handle({ query }: QueryContext): Promise<Reply> {
    counts.inFlight++;
    counts.requests++;
    try {
      const own = ownQuery(query);
      const bytes = own && (await forward(own));
      if (bytes) return { kind: 'foreign', bytes: withQuestionOf(query, bytes) };
      counts.failures++;
      return unwritten(rcode.SERVFAIL);
    } finally {
      counts.inFlight--;
    }
  }

  return {
    name: 'forward',
    handle(context) {
      if (options.upstreams.length === 0) return unwritten(rcode.SERVFAIL);
      if (counts.inFlight < maxInFlight) return handle(context);
      counts.rejected++;
      return unwritten(rcode.REFUSED);
    },
    metrics: () => ({ ...counts }),
    close: () => closing.abort(),
  };
}

/** The response with the client's own spelling of the name, which some upstreams do not keep. */
function withQuestionOf(query: Query, bytes: Uint8Array): Uint8Array {
  const copy = Buffer.from(bytes);
  if (copy.readUInt16BE(4) === 1) copy.set(query.packet.subarray(12, query.nameEnd), 12);
  return copy;
}
