/** What filters work on, between matching and sending. Everything happens within one call: copy what must last. */
import type { BackendId } from '../../routing/plan/plan.ts';
import type { Exchange } from '../exchange/exchange.ts';
import type { Reply } from '../exchange/reply.ts';
import type { Fields } from '../http1/fields.ts';
import type { RequestHead } from '../http1/request.ts';
import type { ResponseHead } from '../http1/response.ts';
import type { Target } from '../routes/compile.ts';
import type { ChangesOf } from './mirror/changes.ts';

export interface OutgoingRequest {
  readonly fields: Fields;
  /** Value of Host. */
  host: string;
  /** Path without query; where `isNormal`, decoded, and escaped when it is written. */
  path: string;
  isNormal: boolean;
  /** Without its `?`. */
  query: string;
  /** Characters of the path that the route's prefix covered. */
  prefixLength: number | undefined;
  /** A filter has changed path or query: the target is written anew instead of byte for byte. */
  targetChanged: boolean;
}

/** `head` is the client's, as it came. */
export type RequestFilter = (request: OutgoingRequest, exchange: Exchange, head: RequestHead) => void;
/** The status that clients get is that of the exchange. */
export type ResponseFilter = (fields: Fields, exchange: Exchange) => void;

/** The answer that a filter gives instead of letting a request on. */
export type Denial = Omit<Reply, 'filter'>;
/** What a gate says that asks elsewhere first. The request is held until it knows (exchange/hold.ts). */
export interface Waiting {
  /**
   * Asks. `held` is what goes on afterwards: changes to its fields reach the backend. `settle` takes the answer, once,
   * and not before this returns. Returns what gives the question up, which may be called at any time, and again.
   */
  readonly ask: (exchange: Exchange, held: RequestHead, settle: (denial: Denial | undefined) => void) => () => void;
  /** What the request meets next. */
  readonly next?: Gate;
}

/** Undefined lets the request on. */
export type Verdict = Denial | Waiting | undefined;
/** Looks at a request before anything is done about it; may hang something on the exchange (attachmentsOf). */
export type Gate = (exchange: Exchange, head: RequestHead) => Verdict;

/** A mirror of the plan; `chosen` says of each request in turn whether to copy it. */
export interface CompiledMirror {
  readonly backend: BackendId;
  readonly chosen: () => boolean;
  /** Undefined: copies are what the route's own backend gets. */
  readonly changes: ChangesOf | undefined;
  /** Also of requests whose share has no backend. */
  readonly unsent: boolean;
}

/** Pages of another backend in the place of error responses. */
export interface ErrorPages {
  /** They also stand for answers in the backend's stead. */
  readonly ownAnswers: boolean;
  /** They also stand for answers of gates. */
  readonly refusals: boolean;
  /** They are asked for with the request's body. */
  readonly wantsBody: boolean;
  /** Whether a response with this status is to be replaced; never twice in one exchange. */
  replaces(exchange: Exchange, status: number): boolean;
  /** Holds the response that begins with this head until there is a page, or none to be had. */
  holdBack(exchange: Exchange, head: ResponseHead): void;
  /** The same for an answer of our own: true when it will be given, or a page, and the exchange ended. */
  insteadOf(exchange: Exchange, answer: Denial): boolean;
}

/** What a filter does; absent where it does nothing. */
export interface CompiledFilter {
  readonly gate?: Gate;
  readonly mirrors?: readonly CompiledMirror[];
  readonly request?: RequestFilter;
  readonly response?: ResponseFilter;
  readonly errorPages?: ErrorPages;
  /** Last in line: sees the head as the client would get it, and may put a stage before the body. */
  readonly encode?: (exchange: Exchange, head: ResponseHead) => void;
}

/** Where requests that filters make go (subrequest/subrequests.ts), or why they cannot go there. */
export type FindTarget = (backend: BackendId) => Target | string;

/** Told of what a filter asks for and does not get; FW5204, something is left out, unless another code is given. */
export type FilterComplaint = (message: string, code?: 'FW5204' | 'FW5221') => void;
