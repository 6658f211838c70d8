/** From the bytes of a query to the bytes of its response: parse, ask the plugin chain, encode within the limits. */
import type { Client, Handler, MaybePromise, QueryContext, Reply } from '../plugins/plugin.ts';
import { encodeQuery } from '../wire/ask.ts';
import { decodeMessage } from '../wire/decode.ts';
import { maxMessageSize } from '../wire/encode.ts';
import type { Message } from '../wire/message.ts';
import { keyOfName } from '../wire/name.ts';
import { rcode, recordClass } from '../wire/numbers.ts';
import { ownUdpSize, parseQuery, type Query, udpLimit } from '../wire/query.ts';
import { emptyAnswer, encodeAnswer, fillForeign, fillReady, type ResponseOptions } from '../wire/response.ts';
import { createDnsCounters, type DnsMetrics } from './metrics.ts';

/** Answers one packet; undefined when nothing is to be sent. Never throws, never rejects. */
export type PacketHandler = (packet: Uint8Array, client: Client) => MaybePromise<Uint8Array | undefined>;

export interface Responder {
  readonly handle: PacketHandler;
  metrics(): DnsMetrics;
}

export interface ResponderOptions {
  chain: Handler;
  /** Largest response over UDP, bytes, whatever the client takes. Default 1,232 (DNS flag day 2020). */
  maxUdpSize?: number;
  /** Sets RA: names elsewhere are forwarded. */
  recursionAvailable: boolean;
  /** How deep questions may lead to questions (aliases out of a zone and back). Default 8. */
  maxDepth?: number;
  /** Hears of exceptions out of the chain; the client gets SERVFAIL. */
  onError(error: unknown): void;
}

export function createResponder(options: ResponderOptions): Responder {
  const { chain, onError, recursionAvailable, maxUdpSize = ownUdpSize, maxDepth = 8 } = options;
  const counters = createDnsCounters();

  function encode(query: Query, reply: Reply, response: ResponseOptions): Uint8Array {
    const failed = () => encodeAnswer(query, emptyAnswer(rcode.SERVFAIL), response);
    if (reply.kind === 'ready') return fillReady(query, reply.ready, reply.serial, response);
    if (reply.kind === 'foreign') return fillForeign(query, reply.bytes, response.limit) ?? failed();
    const answer = reply.kind === 'answer' ? reply.answer : emptyAnswer(reply.rcode);
    return encodeAnswer(query, answer, response);
  }

  function contextFor(query: Query, client: Client, depth: number): QueryContext {
    return { query, client, resolve: (name, type) => resolve(name, type, client, depth + 1) };
  }

  async function resolve(name: string, type: number, client: Client, depth: number): Promise<Message | undefined> {
    if (depth > maxDepth || keyOfName(name) === undefined) return undefined;
    const parsed = parseQuery(encodeQuery(name, type));
    if (!parsed.ok) return undefined;
    const reply = await chain(contextFor(parsed.query, client, depth));
    if (reply.kind === 'unwritten') return undefined;
    const decoded = decodeMessage(encode(parsed.query, reply, { limit: maxMessageSize, recursionAvailable }));
    return decoded.ok ? decoded.value : undefined;
  }

  function finish(query: Query, client: Client, reply: Reply): Uint8Array {
    const limit = client.protocol === 'udp' ? udpLimit(query, maxUdpSize) : maxMessageSize;
    const response = encode(query, reply, { limit, recursionAvailable });
    counters.response(response[3]! & 15);
    return response;
  }

  function fail(query: Query, client: Client, error: unknown): Uint8Array {
    counters.failure();
    onError(error);
    return finish(query, client, { kind: 'unwritten', rcode: rcode.SERVFAIL });
  }

  function answer(query: Query, client: Client): MaybePromise<Uint8Array> {
    const refused = query.class !== recordClass.IN;
    const reply = refused
      ? ({ kind: 'unwritten', rcode: rcode.REFUSED } as const)
      : chain(contextFor(query, client, 0));
    if (!(reply instanceof Promise)) return finish(query, client, reply);
    return reply.then((settled) => finish(query, client, settled)).catch((error) => fail(query, client, error));
  }

  function handle(packet: Uint8Array, client: Client): MaybePromise<Uint8Array | undefined> {
    const parsed = parseQuery(packet);
    if (!parsed.ok) {
      if (parsed.response) counters.response(parsed.response[3]! & 15);
      else counters.drop();
      return parsed.response;
    }
    counters.query(client.protocol, parsed.query.type);
    try {
      return answer(parsed.query, client);
    } catch (error) {
      return fail(parsed.query, client, error);
    }
  }

  return { handle, metrics: () => counters.snapshot() };
}
