/**
 * The contract of a plugin, modelled on CoreDNS's: a handler answers a query, or passes it to the next one. It returns
 * a reply as a value where CoreDNS writes to a ResponseWriter, so that a plugin which changes replies simply awaits
 * `next` and returns another one.
 *
 * Handlers return a value where they can and a promise only where they must wait: a query that needs no waiting is
 * answered in the tick in which it came.
 */
import type { Message } from '../wire/message.ts';
import { rcode } from '../wire/numbers.ts';
import type { Query } from '../wire/query.ts';
import type { Answer, ReadyAnswer } from '../wire/response.ts';

export type MaybePromise<T> = T | Promise<T>;

export interface Client {
  readonly address: string;
  readonly port: number;
  /** `local`: asked inside the process; no limit on the size of the response. */
  readonly protocol: 'udp' | 'tcp' | 'local';
}

/**
 * The rcodes with which a CoreDNS plugin says "nothing written yet": the server then writes an empty response with
 * that rcode, and a plugin further up may still decide otherwise.
 */
export type UnwrittenRcode = 1 | 2 | 4 | 5;

export type Reply =
  /** Sections to be encoded for the client. */
  | { readonly kind: 'answer'; readonly answer: Answer }
  /** Encoded before; id, case and EDNS are filled in. `serial` goes into its SOA record. */
  | { readonly kind: 'ready'; readonly ready: ReadyAnswer; readonly serial: number }
  /** A whole response to this question by another server; the id is replaced. */
  | { readonly kind: 'foreign'; readonly bytes: Uint8Array }
  /** Nothing written yet: FORMERR, SERVFAIL, NOTIMP or REFUSED. */
  | { readonly kind: 'unwritten'; readonly rcode: UnwrittenRcode };

export interface QueryContext {
  readonly query: Query;
  readonly client: Client;
  /**
   * Asks the whole chain for another name, for aliases that lead out of a plugin's zones. Undefined when that fails or
   * questions lead to questions too deeply.
   */
  resolve(name: string, type: number): Promise<Message | undefined>;
}

export type Handler = (context: QueryContext) => MaybePromise<Reply>;

export interface Plugin {
  /** Name in the Corefile. */
  readonly name: string;
  handle(context: QueryContext, next: Handler): MaybePromise<Reply>;
  close?(): void;
}

export function unwritten(code: UnwrittenRcode): Reply {
  return { kind: 'unwritten', rcode: code };
}

/** Makes one handler of plugins in their order. A query that no plugin takes is refused. */
export function compileChain(plugins: readonly Plugin[]): Handler {
  return plugins.reduceRight<Handler>(
    (next, plugin) => (context) => plugin.handle(context, next),
    () => unwritten(rcode.REFUSED),
  );
}
