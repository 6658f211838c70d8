/** One request and its response, from the end of the request's head until both are done or given up. */
import type { AccessFlag, AccessRecord } from '../access.ts';
import type { Session } from '../affinity/session.ts';
import type { ChunkDecoder } from '../http1/chunked.ts';
import { type BodyKind, bodyKind, type RequestHead } from '../http1/request.ts';
import type { LogNotes } from '../log/line/notes.ts';
import type { CompiledRoute, Target } from '../routes/compile.ts';
import type { SpanContext } from '../trace/span.ts';
import type { Pool } from '../upstream/pool.ts';
import type { Room } from '../upstream/room.ts';
import type { Attachments } from './attachments.ts';
import type { Client, UpstreamLink } from './wire.ts';

export interface Exchange {
  readonly client: Client;
  /** `performance.now()`; 0 when nobody wants to know, and nobody is told of the exchange. */
  readonly started: number;
  /** The access log gets a record of it. */
  logged: boolean;
  readonly method: string;
  readonly host: string;
  readonly target: string;
  readonly minor: 0 | 1;
  readonly isHead: boolean;
  /** A gRPC call: what is answered here must be put into its terms. */
  grpc: boolean;
  /** Protocols the client would switch to. */
  readonly upgrade: string | undefined;

  requestBody: BodyKind;
  /** Bytes to come of a body with a length. */
  requestLeft: number;
  requestDecoder: ChunkDecoder | undefined;
  /** The whole request was read. */
  requestDone: boolean;
  requestBytes: number;
  /** Trailer lines of a body that is whole, each with its CRLF. */
  requestTrailers: string;

  /** What patterns have cost that were run for it (`client.maxPatternSteps`). */
  patternSteps: number;
  route: CompiledRoute | undefined;
  share: Target | undefined;
  /** What filters hold for as long as the exchange lasts. */
  attached: Attachments | undefined;
  upstream: UpstreamLink | undefined;
  /** Head for the backend in the form of HTTP/1.1; '' once a response has begun. */
  requestText: string;
  /** What was sent of the body, when the request may have to be sent again; undefined when it may not, or is too large. */
  kept: Buffer[] | undefined;
  /** It was sent again after an idle connection was lost. */
  repeated: boolean;
  /** Times that it was sent again because the route says so. */
  retries: number;
  /** Something of a response has come. */
  answered: boolean;
  attempts: number;
  /** Endpoints that could not be reached. */
  tried: Pool[] | undefined;
  /** Endpoint used last, `address:port`. */
  endpoint: string;
  /** What its endpoint follows from, where the backend is balanced by hash. */
  hashKey: number | undefined;
  /** Where the route keeps sessions. */
  session: Session | undefined;
  /** The endpoint and the backend that count it as under way. */
  at: Pool | undefined;
  room: Room | undefined;

  /** Of the final response; 0 until it begins. */
  status: number;
  informational: number;
  /** The client gets chunks. */
  chunkedOut: boolean;
  /** The client takes the end of the connection for the end of the body. */
  closeDelimited: boolean;
  responseBytes: number;
  /** The client's connection closes after the response. */
  close: boolean;
  tunnel: boolean;

  /** Coarse time of the last byte moved in either direction. */
  moved: number;
  sentAt: number;
  upstreamMs: number;
  requestTimer: NodeJS.Timeout | undefined;
  backendTimer: NodeJS.Timeout | undefined;
  retryTimer: NodeJS.Timeout | undefined;
  flag: AccessFlag | undefined;
  reason: string | undefined;
  /** The response was made here. */
  madeHere: boolean;
  /** For the access log. */
  referer: string | undefined;
  userAgent: string | undefined;
  traceId: string | undefined;
  /** Where its line is one that somebody else has laid out. */
  notes: LogNotes | undefined;
  /** It has a span that somebody wants to have. */
  span: SpanContext | undefined;
  over: boolean;
}

/** What of a head an exchange begins with. */
export type Beginning = Pick<
  RequestHead,
  'method' | 'host' | 'target' | 'minor' | 'upgrade' | 'grpc' | 'body' | 'contentLength' | 'keepAlive'
>;

/** `told`: metrics and the access log hear of it. */
export function createExchange(client: Client, head: Beginning, told = true): Exchange {
  const { runtime } = client;
  return {
    client,
    started: told && runtime.timed ? performance.now() : 0,
    logged: told && runtime.onAccess !== undefined && isChosen(runtime.settings.telemetry.accessSampleRate),
    method: head.method,
    host: head.host,
    target: head.target,
    minor: head.minor,
    isHead: head.method === 'HEAD',
    grpc: head.grpc,
    upgrade: head.upgrade,
    requestBody: head.body,
    requestLeft: head.contentLength,
    requestDecoder: undefined,
    requestDone: head.body === bodyKind.none,
    requestBytes: 0,
    requestTrailers: '',
    patternSteps: 0,
    route: undefined,
    share: undefined,
    attached: undefined,
    upstream: undefined,
    requestText: '',
    kept: undefined,
    repeated: false,
    retries: 0,
    answered: false,
    attempts: 0,
    tried: undefined,
    endpoint: '',
    hashKey: undefined,
    session: undefined,
    at: undefined,
    room: undefined,
    status: 0,
    informational: 0,
    chunkedOut: false,
    closeDelimited: false,
    responseBytes: 0,
    close: !head.keepAlive,
    tunnel: false,
    moved: runtime.now,
    sentAt: 0,
    upstreamMs: 0,
    requestTimer: undefined,
    backendTimer: undefined,
    retryTimer: undefined,
    flag: undefined,
    reason: undefined,
    madeHere: false,
    referer: undefined,
    userAgent: undefined,
    traceId: undefined,
    notes: undefined,
    span: undefined,
    over: false,
  };
}

/** Whether one of a share of 0 to 1 falls to this request. */
const isChosen = (share: number): boolean => share >= 1 || (share > 0 && Math.random() < share);

/** Takes what carries the exchange to its backend away from it. */
export function detachUpstream(exchange: Exchange): UpstreamLink | undefined {
  const { upstream } = exchange;
  exchange.upstream = undefined;
  return upstream;
}

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] };

/** The record of an exchange that is over, without a line. */
export function accessRecord(exchange: Exchange, durationMs: number): Mutable<AccessRecord> {
  const { client, route, share } = exchange;
  return {
    time: Date.now() - durationMs,
    listener: client.door.id,
    client: client.address,
    method: exchange.method,
    host: exchange.host,
    target: exchange.target,
    protocol: client.wire.protocol(exchange),
    referer: exchange.referer,
    userAgent: exchange.userAgent,
    status: exchange.status,
    requestBytes: exchange.requestBytes,
    responseBytes: exchange.responseBytes,
    durationMs,
    upstreamMs: exchange.upstreamMs > 0 ? exchange.upstreamMs : undefined,
    route: route?.route.id,
    backend: share?.upstream?.id,
    endpoint: exchange.endpoint === '' ? undefined : exchange.endpoint,
    attempts: exchange.attempts,
    flag: exchange.flag,
    reason: exchange.reason,
    traceId: exchange.traceId,
    line: undefined,
  };
}
