/** From the bytes of a query to the bytes of its response: parse, ask the plugin chain, encode within the limits. */
import type { Client, Exchange, Handler, MaybePromise, QueryContext, Reply } from '../plugins/plugin.ts';
import { type CountRepetition, notCounted } from '../plugins/repeat.ts';
import type { Scope } from '../plugins/scope.ts';
import { encodeQuery } from '../wire/ask.ts';
import { decodeMessage } from '../wire/decode.ts';
import { maxMessageSize } from '../wire/encode.ts';
import type { Message } from '../wire/message.ts';
import { keyOfName } from '../wire/name.ts';
import { rcode, recordClass } from '../wire/numbers.ts';
import { ownUdpSize, parseQuery, type Query, udpLimit } from '../wire/query.ts';
import { emptyAnswer, encodeAnswer, fillForeign, fillReady, type ResponseOptions } from '../wire/response.ts';
import { createDnsCounters, type DnsMetrics } from './metrics.ts';
import { createRepeatTable, familyOf, type RepeatedAnswers } from './repeats.ts';

/** One message, several (a zone transfer), or none. */
export type Sent = Uint8Array | readonly Uint8Array[] | undefined;

/** Answers one packet; undefined when nothing is to be sent. Never throws, never rejects. */
export type PacketHandler = (packet: Uint8Array, client: Client) => MaybePromise<Sent>;

export interface Responder {
  readonly handle: PacketHandler;
  /** The short way for UDP, to be tried before `handle`; absent when answers are never repeated. */
  readonly repeats?: RepeatedAnswers;
  metrics(): DnsMetrics;
}

/** Where a query belongs; undefined when it is refused. */
export type Route = (query: Query, client: Client) => Scope | undefined;

export interface ResponderOptions {
  /** Answers all queries; or `route` finds the chain of each. */
  chain?: Handler;
  route?: Route;
  /** Passes classes other than IN on to the chain. Default false: they are refused. */
  anyClass?: () => boolean;
  /** Largest response over UDP, bytes, whatever the client takes. Default 1,232 (DNS flag day 2020). */
  maxUdpSize?: number;
  /** Sets RA: names elsewhere are forwarded. */
  recursionAvailable: boolean;
  /** Keeps answers to be repeated, at most so many bytes; default none. */
  repeatedBytes?: number;
  /** How deep questions may lead to questions (aliases out of a zone and back). Default 8. */
  maxDepth?: number;
  /** Hears of exceptions out of the chain; the client gets SERVFAIL. */
  onError(error: unknown): void;
  /** Hears of queries that no scope takes, or whose class is not served. */
  onRefused?(query: Query, client: Client, response: Uint8Array, startedAt: number): void;
}

type ReadyReply = Extract<Reply, { kind: 'ready' }>;

const refused: Reply = { kind: 'unwritten', rcode: rcode.REFUSED };

export function createResponder(options: ResponderOptions): Responder {
  const { onError, onRefused, recursionAvailable, maxUdpSize = ownUdpSize, maxDepth = 8 } = options;
  const counters = createDnsCounters();
  const repeats = options.repeatedBytes ? createRepeatTable(options.repeatedBytes) : undefined;
  const fixed: Scope | undefined = options.chain && {
    ...{ server: '', zone: '.', view: '', chain: options.chain },
    ...{ plugins: [], observers: [], publishers: [] },
  };
  const route: Route = options.route ?? (() => fixed);

  function encode(query: Query, reply: Reply, response: ResponseOptions): Sent {
    const failed = () => encodeAnswer(query, emptyAnswer(rcode.SERVFAIL), response);
    if (reply.kind === 'ready') return fillReady(query, reply.ready, reply.serial, response, reply.ttl, reply.shuffle);
    if (reply.kind === 'foreign') return fillForeign(query, reply.bytes, response.limit) ?? failed();
    if (reply.kind === 'silence') return undefined;
    if (reply.kind === 'messages') return reply.messages;
    const answer = reply.kind === 'answer' ? reply.answer : emptyAnswer(reply.rcode);
    return encodeAnswer(query, answer, response);
  }

  function contextFor(query: Query, client: Client, scope: Scope, depth: number): QueryContext {
    const context: QueryContext = {
      query,
      client,
      ...(scope !== fixed && { scope }),
      resolve: (name, type) => resolve(name, type, client, depth + 1),
    };
    if (scope.publishers.length === 0) return context;
    const metadata = new Map<string, () => string>();
    for (const publish of scope.publishers) publish(context, (name, value) => metadata.set(name, value));
    return { ...context, metadata };
  }

  async function resolve(name: string, type: number, client: Client, depth: number): Promise<Message | undefined> {
    if (depth > maxDepth || keyOfName(name) === undefined) return undefined;
    const parsed = parseQuery(encodeQuery(name, type));
    const scope = parsed.ok ? route(parsed.query, client) : undefined;
    if (!parsed.ok || !scope) return undefined;
    const reply = await scope.chain(contextFor(parsed.query, client, scope, depth));
    if (reply.kind === 'unwritten') return undefined;
    const sent = encode(parsed.query, reply, { limit: maxMessageSize, recursionAvailable });
    const decoded = sent instanceof Uint8Array ? decodeMessage(sent) : undefined;
    return decoded?.ok ? decoded.value : undefined;
  }

  function finish(query: Query, client: Client, scope: Scope | undefined, reply: Reply): Sent {
    const cap = Math.min(maxUdpSize, scope?.maxUdpSize ?? maxUdpSize);
    const limit = client.protocol === 'udp' ? udpLimit(query, cap) : maxMessageSize;
    const response = encode(query, reply, { limit, recursionAvailable });
    if (response instanceof Uint8Array) counters.response(response[3]! & 15);
    else if (response) counters.response(rcode.NOERROR);
    return response;
  }

  /** Encodes, and tells those who watch. */
  function conclude(context: QueryContext, scope: Scope, reply: Reply, startedAt: number): Sent {
    const response = finish(context.query, context.client, scope, reply);
    if (scope.observers.length === 0) return response;
    const first = response instanceof Uint8Array ? response : response?.[0];
    const exchange = {
      context,
      response: first,
      rcode: first ? first[3]! & 15 : 0,
      by: reply.by ?? '',
      error: reply.kind === 'unwritten' ? reply.error : undefined,
      elapsedMs: performance.now() - startedAt,
    };
    for (const observe of scope.observers) observe(exchange);
    if (first && reply.kind === 'ready' && reply.repeat) offer(exchange, scope, reply, first);
    return response;
  }

  /** Keeps an answer to be repeated, if all who watch the scope can count repetitions. */
  function offer({ context, ...exchange }: Exchange, scope: Scope, reply: ReadyReply, response: Uint8Array): void {
    const { query, client } = context;
    if (!repeats || !scope.repeated || client.protocol !== 'udp') return;
    const count: CountRepetition[] = [];
    for (const repeated of scope.repeated) {
      const counting = repeated({ context, ...exchange });
      if (!counting) return;
      if (counting !== notCounted) count.push(counting);
    }
    const family = familyOf(client.address);
    const { ready, repeat, shuffle = false } = reply;
    repeats.remember({ query, family, response, ready, shuffle, repeat: repeat!, count });
  }

  function fail(context: QueryContext, scope: Scope, error: unknown, startedAt: number): Sent {
    counters.failure();
    onError(error);
    const reason = error instanceof Error ? error.message : String(error);
    return conclude(context, scope, { kind: 'unwritten', rcode: rcode.SERVFAIL, error: reason }, startedAt);
  }

  function refuse(query: Query, client: Client, startedAt: number): Sent {
    const response = finish(query, client, undefined, refused);
    if (response instanceof Uint8Array) onRefused?.(query, client, response, startedAt);
    return response;
  }

  function answer(query: Query, client: Client): MaybePromise<Sent> {
    const startedAt = performance.now();
    const served = query.class === recordClass.IN || options.anyClass?.();
    const scope = served ? route(query, client) : undefined;
    if (!scope) return refuse(query, client, startedAt);
    const context = contextFor(query, client, scope, 0);
    try {
      const reply = scope.chain(context);
      if (!(reply instanceof Promise)) return conclude(context, scope, reply, startedAt);
      return reply
        .then((settled) => conclude(context, scope, settled, startedAt))
        .catch((error) => fail(context, scope, error, startedAt));
    } catch (error) {
      return fail(context, scope, error, startedAt);
    }
  }

  function handle(packet: Uint8Array, client: Client): MaybePromise<Sent> {
    const parsed = parseQuery(packet);
    if (!parsed.ok) {
      if (parsed.response) counters.response(parsed.response[3]! & 15);
      else counters.drop();
      return parsed.response;
    }
    counters.query(client.protocol, parsed.query.type);
    return answer(parsed.query, client);
  }

  return { handle, metrics: () => counters.snapshot(), ...(repeats && { repeats }) };
}
