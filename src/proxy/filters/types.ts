/** What filters work on, between matching and sending. Everything happens within one call: copy what must last. */
import type { BackendId } from '../../routing/plan/plan.ts';
import type { Exchange } from '../exchange/exchange.ts';
import type { Reply } from '../exchange/reply.ts';
import type { Fields } from '../http1/fields.ts';
import type { RequestHead } from '../http1/request.ts';

export interface OutgoingRequest {
  readonly fields: Fields;
  /** Value of Host. */
  host: string;
  /** Path without query. */
  path: string;
  /** Without its `?`. */
  query: string;
  /** Characters of the path that the route's prefix covered. */
  prefixLength: number | undefined;
  /** A filter has changed path or query: the target is written anew instead of byte for byte. */
  targetChanged: boolean;
}

export type RequestFilter = (request: OutgoingRequest) => void;
export type ResponseFilter = (fields: Fields) => void;

/** The answer that a filter gives instead of letting a request on. */
export type Denial = Omit<Reply, 'filter'>;
/** Looks at a request before anything is done about it; may hang something on the exchange (attachmentsOf). */
export type Gate = (exchange: Exchange, head: RequestHead) => Denial | undefined;

/** A mirror of the plan; `chosen` says of each request in turn whether to copy it. */
export interface CompiledMirror {
  readonly backend: BackendId;
  readonly chosen: () => boolean;
}

/** What a filter does; absent where it does nothing. */
export interface CompiledFilter {
  readonly gate?: Gate;
  readonly mirrors?: readonly CompiledMirror[];
  readonly request?: RequestFilter;
  readonly response?: ResponseFilter;
}

/** Told of what a filter asks for and does not get; FW5204, something is left out, unless another code is given. */
export type FilterComplaint = (message: string, code?: 'FW5204' | 'FW5221') => void;
