/**
 * The two sides of an exchange, each behind one table of functions per protocol: what stands between them knows neither
 * how a client nor how a backend is spoken to. Heads are kept in the form of HTTP/1.1, as lines of text (http1/fields.ts);
 * a side that speaks otherwise translates.
 */
import type { Socket } from 'node:net';
import type { ResponseHead } from '../http1/response.ts';
import type { Door } from '../listener/client.ts';
import type { Runtime } from '../runtime.ts';
import type { Pool } from '../upstream/pool.ts';
import type { Exchange } from './exchange.ts';

/** A response that is made here, whole. */
export interface WholeAnswer {
  readonly status: number;
  /** Field lines, each with its CRLF, without those that belong to the connection. */
  readonly lines: string;
  /** One character per byte; '' for none. Not for HEAD. */
  readonly body: string;
}

/** How responses get to a client, and its request body from it. Nothing is sent for good before `flush`. */
export interface ClientWire {
  readonly protocol: (exchange: Exchange) => 'HTTP/1.0' | 'HTTP/1.1' | 'HTTP/2.0';
  /** Data is written from the memory it was read into (read-buffers.ts), so that longer reads pay. */
  readonly borrows: boolean;
  /** An interim response (RFC 9110 section 15.2), whose hop-by-hop fields were dropped. */
  interim(exchange: Exchange, head: ResponseHead): void;
  /** The head of the final response, hop-by-hop fields dropped and filters applied. Chooses the framing of its body. */
  head(exchange: Exchange, head: ResponseHead): void;
  /** The head that makes a tunnel of the exchange; `protocol` is what the backend has switched to. */
  switched(exchange: Exchange, head: ResponseHead, protocol: string): void;
  /** Bytes of the body as text, one character each. */
  text(exchange: Exchange, text: string): void;
  /** Pairs of from and to in `bytes`, which last (`owned`) or are valid during the call only. In a tunnel, its bytes. */
  data(exchange: Exchange, bytes: Buffer, runs: readonly number[], owned: boolean): void;
  /** The body is whole. Trailer lines, each with its CRLF. In a tunnel: the backend has closed its side. */
  end(exchange: Exchange, trailers: string): void;
  answer(exchange: Exchange, answer: WholeAnswer): void;
  flush(client: Client): void;
  /** The client takes bytes more slowly than they come. */
  isBlocked(client: Client): boolean;
  /** Reads from the client as long as what it sends has somewhere to go; to be called whenever that may change. */
  refreshReading(client: Client): void;
  /** Relays what has come of the request's body by now; false when the exchange failed over it. */
  relayPending(exchange: Exchange): boolean;
  /** The exchange is over and the client can be told no more: nobody may take the response for a whole one. */
  cut(exchange: Exchange): void;
  /** The exchange is over in good order. */
  done(exchange: Exchange): void;
}

/** Where a request came from: a connection (HTTP/1.1) or a stream of one (HTTP/2). */
export interface Client {
  readonly wire: ClientWire;
  readonly runtime: Runtime;
  readonly door: Door;
  /** The client's connection. */
  readonly socket: Socket;
  readonly address: string;
  /** The peer is a proxy whose word on clients counts. */
  readonly trusted: boolean;
  readonly said: SaidOfClient;
  /** Server name of the TLS connection, as the client gave it; undefined without. */
  readonly serverName: string | undefined;
  exchange: Exchange | undefined;
  /** The client has closed its sending side. */
  ended: boolean;
  /** Nothing can be sent to it any more. */
  gone: boolean;
}

/** What backends are told of the client of one connection, for the host that was named last. */
export interface SaidOfClient {
  host: string;
  lines: string;
  /** The same in pairs, for filters that may change them; undefined until one has asked. */
  pairs: readonly (readonly [name: string, value: string])[] | undefined;
  /** Of a request that names none. */
  readonly hostless: string;
}

/** How requests get to a backend. What comes back goes to exchange/response.ts. */
export interface UpstreamWire {
  /** As `ClientWire.borrows`. */
  readonly borrows: boolean;
  /** The head, `exchange.requestText`. Returns why the request cannot be carried, when it cannot. */
  begin(link: UpstreamLink, exchange: Exchange): string | undefined;
  /** Pairs of from and to in `bytes`, which the next event may write over (read-buffers.ts). In a tunnel, its bytes. */
  data(link: UpstreamLink, exchange: Exchange, bytes: Buffer, runs: readonly number[]): void;
  /** The body is whole. Trailer lines, each with its CRLF. In a tunnel: the client has closed its side. */
  end(link: UpstreamLink, exchange: Exchange, trailers: string): void;
  flush(link: UpstreamLink): void;
  /** The backend takes bytes more slowly than they come. */
  isBlocked(link: UpstreamLink, bufferBytes: number): boolean;
  setReading(link: UpstreamLink, reading: boolean): void;
  /** The response is whole: the connection may carry another request. */
  release(link: UpstreamLink, exchange: Exchange): void;
  /** Takes the link from its exchange and gives it up. */
  discard(link: UpstreamLink): void;
}

/** What carries one exchange to a backend: a connection (HTTP/1.1) or a stream of one (HTTP/2). */
export interface UpstreamLink {
  readonly wire: UpstreamWire;
  readonly pool: Pool;
  /** Whose request and response it carries; undefined while idle. */
  exchange: Exchange | undefined;
  connected: boolean;
  /** TCP is connected and TLS is being negotiated. */
  negotiating: boolean;
  /** Its connection has carried an exchange before. */
  reused: boolean;
  /** The backend has said that it has done nothing for the request. */
  unprocessed: boolean;
  /** Not read because the client does not take what is there. */
  paused: boolean;
  error: string | undefined;
}
