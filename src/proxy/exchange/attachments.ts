/** What filters hang on one exchange. Most exchanges have none, and pay for none. */

import type { ContentCoding } from '../../routing/plan/plan.ts';
import type { Denial, ResponseFilter } from '../filters/types.ts';
import type { Exchange } from './exchange.ts';

/** A copy of a request on its way elsewhere. */
export interface BodyCopy {
  /** Takes decoded data of the body: pairs of from and to in `bytes`, which the next event may write over. */
  put(bytes: Buffer, runs: readonly number[]): void;
  /** The body is whole. Trailer lines, each with its CRLF. */
  end(trailers: string): void;
  /** The body will never be whole. */
  abort(): void;
}

/** What stands between a response's body and the client. */
export interface BodyStage {
  /** Bytes as text, one character each. */
  text(text: string): void;
  /** Pairs of from and to in `bytes`, which last (`owned`) or are valid during the call only. */
  data(bytes: Buffer, runs: readonly number[], owned: boolean): void;
  /** Nothing more comes with this event. */
  flush(): void;
  /** It can take no more for now; `exchange.upstream` is to be read again when it can. */
  isBlocked(): boolean;
  /** The body is whole, and the backend is done with: the stage ends the exchange. */
  end(trailers: string): void;
  /** The client takes bytes again. */
  resume(): void;
  /**
   * The backend is gone before its time, or time is up; `answer` is for a response that has not begun. True when the
   * stage sees to what follows.
   */
  lost(answer: Denial): boolean;
}

/** Holds back what goes to the client of a body, behind all stages. */
export interface Pace {
  /** As of `BodyStage`. */
  data(bytes: Buffer, runs: readonly number[], owned: boolean): void;
  /** Something waits: the backend is not to be read for now. It will be again by itself (`readOn`). */
  holds(): boolean;
  /** The client takes bytes again. */
  resume(): void;
  /** The body is whole. True when something waits: the exchange will be ended. */
  end(trailers: string): boolean;
}

export interface Attachments {
  /** Changes the head of whatever response the client gets, ours included; after the route's own response filters. */
  response: ResponseFilter | undefined;
  /** Bytes the request's body may have. */
  maxBodyBytes: number;
  /** Copies that still wait for the body. */
  copies: BodyCopy[];
  /** Undefined: the response goes to the client as it comes. */
  body: BodyStage | undefined;
  /** What is said of the request to a backend that has pages for errors (filters/error-pages); '' without one. */
  pageLines: string;
  /** Such a page was asked for. */
  pageAsked: boolean;
  /** Undefined: at any speed. */
  pace: Pace | undefined;
  /** Content coding that the client prefers (filters/compression). */
  coding: ContentCoding | undefined;
  /** Made here for a request that names none; '' as long as nobody has asked. */
  requestId: string;
  /** Whose password was asked for; '' where nobody was. Authorization is not sent on then. */
  user: string;
  /** Called once, when the exchange is over. */
  readonly whenOver: (() => void)[];
}

export function attachmentsOf(exchange: Exchange): Attachments {
  exchange.attached ??= {
    response: undefined,
    maxBodyBytes: Number.POSITIVE_INFINITY,
    copies: [],
    body: undefined,
    pageLines: '',
    pageAsked: false,
    pace: undefined,
    coding: undefined,
    requestId: '',
    user: '',
    whenOver: [],
  };
  return exchange.attached;
}

/** Changes the head of whatever response the client gets, after what was asked for before. */
export function onResponse(exchange: Exchange, then: ResponseFilter): void {
  const attached = attachmentsOf(exchange);
  const { response: before } = attached;
  attached.response = before
    ? (fields) => {
        before(fields, exchange);
        then(fields, exchange);
      }
    : then;
}

/** To be called when the exchange is over. */
export function detach(exchange: Exchange): void {
  const { attached } = exchange;
  if (!attached) return;
  exchange.attached = undefined;
  for (const copy of attached.copies) copy.abort();
  for (const call of attached.whenOver) call();
}

/** Hands data of the request's body to the copies. */
export function copyBody({ copies }: Attachments, bytes: Buffer, runs: readonly number[]): void {
  for (const copy of copies) copy.put(bytes, runs);
}

/** The request's body is whole. */
export function endCopies(attached: Attachments, trailers: string): void {
  const { copies } = attached;
  attached.copies = [];
  for (const copy of copies) copy.end(trailers);
}
