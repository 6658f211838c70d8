/**
 * The contract of a plugin, modelled on CoreDNS's: a handler answers a query, or passes it to the next one. It returns
 * a reply as a value where CoreDNS writes to a ResponseWriter, so that a plugin which changes replies simply awaits
 * `next` and returns another one.
 *
 * Handlers return a value where they can and a promise only where they must wait: a query that needs no waiting is
 * answered in the tick in which it came.
 */
import type { Message, ResourceRecord } from '../wire/message.ts';
import { rcode } from '../wire/numbers.ts';
import type { Query } from '../wire/query.ts';
import type { Answer, ReadyAnswer } from '../wire/response.ts';
import type { CountRepetition, Repeat } from './repeat.ts';
import type { Scope } from './scope.ts';

export type MaybePromise<T> = T | Promise<T>;

export interface Client {
  readonly address: string;
  readonly port: number;
  /** `local`: asked inside the process; no limit on the size of the response. `tls` and `https` are over TCP. */
  readonly protocol: 'udp' | 'tcp' | 'tls' | 'https' | 'local';
  /** The address of ours that was asked, when it is known. */
  readonly local?: { readonly address: string; readonly port: number };
}

/**
 * The rcodes with which a CoreDNS plugin says "nothing written yet": the server then writes an empty response with
 * that rcode, and a plugin further up may still decide otherwise.
 */
export type UnwrittenRcode = 1 | 2 | 4 | 5;

export type Reply =
  /** Sections to be encoded for the client. */
  | { readonly kind: 'answer'; readonly answer: Answer; readonly by?: string }
  /** Encoded before; id, case and EDNS are filled in. `serial` goes into its SOA record, `ttl` into all its records. */
  | {
      readonly kind: 'ready';
      readonly ready: ReadyAnswer;
      readonly serial: number;
      readonly ttl?: number;
      /** Its address records are sent in another order each time (`ReadyAnswer.addressesAt`). */
      readonly shuffle?: boolean;
      /** It may be repeated to who asks the same again; see repeat.ts. */
      readonly repeat?: Repeat;
      readonly by?: string;
    }
  /** A whole response to this question by another server; the id is replaced. */
  | { readonly kind: 'foreign'; readonly bytes: Uint8Array; readonly by?: string }
  /** Nothing written yet: FORMERR, SERVFAIL, NOTIMP or REFUSED, with the reason for the log when it is a failure. */
  | { readonly kind: 'unwritten'; readonly rcode: UnwrittenRcode; readonly error?: string; readonly by?: string }
  /** Several messages one after the other, over connections only: a zone transfer (RFC 5936). */
  | { readonly kind: 'messages'; readonly messages: readonly Uint8Array[]; readonly by?: string }
  /** No response at all. */
  | { readonly kind: 'silence'; readonly by?: string };

export interface QueryContext {
  readonly query: Query;
  readonly client: Client;
  /** The server block that the question came to; absent where there is no Corefile. */
  readonly scope?: Scope;
  /** Values that plugins publish about this query (the `metadata` plugin), read when somebody wants them. */
  readonly metadata?: ReadonlyMap<string, () => string>;
  /** Tells a trace of this one query what a plugin did for it; absent when nobody traces. */
  note?(text: string): void;
  /**
   * Asks the whole chain for another name, for aliases that lead out of a plugin's zones. Undefined when that fails or
   * questions lead to questions too deeply.
   */
  resolve(name: string, type: number): Promise<Message | undefined>;
}

export type Handler = (context: QueryContext) => MaybePromise<Reply>;

/** A query that was answered, for those who count and log. */
export interface Exchange {
  readonly context: QueryContext;
  /** Undefined when nothing was sent. */
  readonly response: Uint8Array | undefined;
  readonly rcode: number;
  /** Plugin that answered; '' when none did. */
  readonly by: string;
  /** Why it failed, if it did. */
  readonly error: string | undefined;
  /** Milliseconds. */
  readonly elapsedMs: number;
}

/** All of a zone at one moment, for those who may have a copy (RFC 5936). */
export interface ZoneTransfer {
  /** The SOA record, which is sent first and last. */
  readonly soa: ResourceRecord;
  /** Its serial number (RFC 1982). */
  readonly serial: number;
  /** All other records, in the order in which they are sent. What it gives does not change while it is read. */
  records(): Iterable<ResourceRecord>;
}

/** What one plugin does in one server block. Parts that it leaves out cost nothing when a query comes. */
export interface Plugin {
  /** Name in the Corefile. */
  readonly name: string;
  handle?(context: QueryContext, next: Handler): MaybePromise<Reply>;
  /** Hears of every query of the block after its answer was made. */
  observe?(exchange: Exchange): void;
  /**
   * What `handle` does depends on the question alone, or it says in `Reply.repeat` how long it holds: answers may be
   * repeated without asking it (repeat.ts). Plugins without `handle` need not say it.
   */
  readonly repeats?: true;
  /** What `observe` does for each repetition of this answer; undefined when it must see them all. */
  repeated?(exchange: Exchange): CountRepetition | undefined;
  /** Values about a query, collected before the chain runs when the block has the `metadata` plugin. */
  metadata?(context: QueryContext, publish: (name: string, value: () => string) => void): void;
  /** Servers that it asks, for diagnoses: `10.0.0.1:53`. */
  upstreams?(): readonly string[];
  /** Why the plugin answers a query as it does, from its state of the moment, for traces; undefined when it has no say. */
  why?(context: QueryContext): string | undefined;
  /** Search list of a client, canonical; empty when it is not known (for `autopath @NAME`). */
  searchPath?(client: Client): readonly string[];
  /** Zones that it can hand over whole, canonical (to the `transfer` plugin). */
  transferZones?(): readonly string[];
  /**
   * A zone that it can hand over; undefined when it has none of exactly that name (canonical), the error when it should
   * have it and has not. Cheap until its records are read: it is also asked to see whether the serial changed.
   */
  transfer?(zone: string): ZoneTransfer | { readonly error: string } | undefined;
  /** False while the plugin cannot do its work yet. */
  ready?(): boolean;
  /** Before the first query: what has to be there, waited for within the plugin's own limits. */
  prepare?(): Promise<void>;
  /** The sockets are bound; queries may come from now on. */
  start?(): void | Promise<void>;
  close?(): void | Promise<void>;
}

export function unwritten(code: UnwrittenRcode, error?: string, by?: string): Reply {
  return { kind: 'unwritten', rcode: code, ...(error !== undefined && { error }), ...(by !== undefined && { by }) };
}

/** Calls a plugin for one query, and whatever somebody wants to do before and after. */
export type Around = (plugin: Plugin, context: QueryContext, next: Handler) => MaybePromise<Reply>;

/**
 * Makes one handler of plugins in their order. A query that no plugin takes is refused. `around`: stands between the
 * plugins, for traces; without it nothing does.
 */
export function compileChain(plugins: readonly Plugin[], around?: Around): Handler {
  return plugins.reduceRight<Handler>(
    (next, plugin) => {
      if (!plugin.handle) return next;
      return around ? (context) => around(plugin, context, next) : (context) => plugin.handle!(context, next);
    },
    () => unwritten(rcode.REFUSED),
  );
}

/** Applies `change` to a reply that may still be under way. */
export function whenSettled<T, U>(value: MaybePromise<T>, change: (settled: T) => MaybePromise<U>): MaybePromise<U> {
  return value instanceof Promise ? value.then(change) : change(value);
}
