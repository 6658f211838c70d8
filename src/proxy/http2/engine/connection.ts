/**
 * The server's side of one HTTP/2 connection (RFC 9113), without a socket of its own: bytes go in through `receive`, what
 * it has to say gathers in an outbox, and what happens is told to a table of handlers.
 */

import type { Settings } from '../../options.ts';
import type { Outbox } from '../../outbox.ts';
import { type Budget, createBudget } from './budget.ts';
import { createResetStreams, type ResetStreams } from './closed-streams.ts';
import { createFrameReader, type FrameReader, frameHead, uint32 } from './frames.ts';
import type { HeldBytes } from './held-bytes.ts';
import { createDecoder, type Decoder } from './hpack/decoder.ts';
import { createEncoder, type Encoder } from './hpack/encoder.ts';
import { type ErrorCode, frameType, INITIAL_WINDOW, MAX_FRAME_BYTES, setting } from './protocol.ts';

/** One stream: a request, its response, and nothing after that. */
export interface Stream {
  readonly id: number;
  readonly connection: Connection;
  /** What may be sent; below zero when the client has made its windows smaller. */
  sendWindow: number;
  /** What the client may send. */
  receiveWindow: number;
  /** Bytes that were taken and of which the client was not told. */
  unreturned: number;
  /** Bytes to come of a body whose length was declared; negative without. */
  expected: number;
  /** Bytes of the request's body that nobody has taken. */
  held: HeldBytes | undefined;
  /** Lines, each with its CRLF. */
  requestTrailers: string;
  /** The client has sent END_STREAM; we have. */
  remoteClosed: boolean;
  localClosed: boolean;
  /** Nothing can be sent or will come. */
  closed: boolean;
  /** Bytes of the response for which there is no window yet. */
  queue: Buffer[] | undefined;
  queued: number;
  /** Bytes of the response's body that were sent. */
  sent: number;
  /** The end follows what is queued, with these trailers. */
  ending: boolean;
  trailers: string;
  /** Nobody wants the rest of the request once the response is sent. */
  abandoned: boolean;
  /** What the client has sent may still be on its way when both sides have ended: `abandonRequest` says when it is not. */
  tunnel: boolean;
  /** Whatever the handlers know it by. */
  owner: unknown;
}

/** The beginning of every stream. */
export function createStream(connection: Connection, id: number): Stream {
  return {
    id,
    connection,
    sendWindow: connection.peerWindow,
    receiveWindow: firstWindow(connection),
    unreturned: 0,
    expected: -1,
    held: undefined,
    requestTrailers: '',
    remoteClosed: false,
    localClosed: false,
    closed: false,
    queue: undefined,
    queued: 0,
    sent: 0,
    ending: false,
    trailers: '',
    abandoned: false,
    tunnel: false,
    owner: undefined,
  };
}

/** Section 6.9.2: before it knows of ours, the client goes by the window that there is by default. */
function firstWindow({ acknowledged, settings }: Connection): number {
  const { streamWindowBytes } = settings.http2;
  return acknowledged ? streamWindowBytes : Math.max(streamWindowBytes, INITIAL_WINDOW);
}

/** What a connection tells. */
export interface Handlers {
  /**
   * A request has begun. Its fields are in the connection's decoder, for as long as the call lasts. The handler makes a
   * stream of it and puts that into `connection.streams`.
   */
  readonly opened: (connection: Connection, id: number, whole: boolean) => void;
  /**
   * Takes bytes of a body, which the next event may write over; false when they must wait for `passHeld`. `last`: the end follows
   * at once.
   */
  readonly takes: (stream: Stream, bytes: Buffer, start: number, end: number, last: boolean) => boolean;
  /** The body is whole; something of it may still be held. */
  readonly ended: (stream: Stream) => void;
  /** What was queued for the client has left. */
  readonly drained: (stream: Stream) => void;
  /** `code` is that of RST_STREAM, whoever sent it. */
  readonly closed: (stream: Stream, code: number) => void;
  /** Something waits in the outbox. */
  readonly wake: (connection: Connection) => void;
  /** GOAWAY with an error waits in the outbox; nothing more will be read. */
  readonly failed: (connection: Connection, code: ErrorCode) => void;
}

/** A field block that CONTINUATION frames go on with. */
export interface OpenBlock {
  readonly stream: number;
  readonly endStream: boolean;
  readonly parts: Buffer[];
  bytes: number;
}

export interface Connection {
  readonly settings: Settings;
  readonly handlers: Handlers;
  readonly out: Outbox;
  readonly reader: FrameReader;
  readonly decoder: Decoder;
  readonly encoder: Encoder;
  readonly streams: Map<number, Stream>;
  readonly resetStreams: ResetStreams;
  /** Frames that move nothing; streams that end in a reset. */
  readonly idleFrames: Budget;
  readonly resets: Budget;
  /** The highest stream that the client has opened. */
  lastStream: number;
  /** The first SETTINGS of the client have come; ours were acknowledged. */
  begun: boolean;
  acknowledged: boolean;
  /** No streams above `lastStream` are served any more: GOAWAY has said so; whether a first one has announced it. */
  going: boolean;
  announced: boolean;
  /** The client has sent GOAWAY. */
  peerGoing: boolean;
  /** It has ended in an error. */
  failed: boolean;
  block: OpenBlock | undefined;
  /** Windows of the connection, of the client's streams at their beginning, and the size of its frames. */
  sendWindow: number;
  receiveWindow: number;
  unreturned: number;
  peerWindow: number;
  peerFrameBytes: number;
  /** Streams with something queued, in the order of their turns. */
  readonly waiting: Set<Stream>;
  /** Bytes of all bodies that were sent. */
  sent: number;
  /** Bytes of responses that are queued, and of requests that are held. */
  queuedBytes: number;
  heldBytes: number;
  /** Requests that may still begin before others get their turn. */
  burst: number;
  /** What was read and waits for that. */
  rest: Buffer | undefined;
}

/** Begins a connection with our SETTINGS. */
export function createConnection(settings: Settings, out: Outbox, handlers: Handlers): Connection {
  const { client, http2 } = settings;
  const connection: Connection = {
    settings,
    handlers,
    out,
    reader: createFrameReader(),
    decoder: createDecoder({
      maxTableBytes: HEADER_TABLE_BYTES,
      // Up to these the answer is 431 and says why.
      maxFields: 2 * client.maxHeaders + PSEUDO_HEADERS,
      maxListBytes: 2 * client.maxHeadBytes,
    }),
    encoder: createEncoder(),
    streams: new Map(),
    resetStreams: createResetStreams(),
    idleFrames: createBudget(http2.maxIdleFrames, http2.idleFramesPerSecond),
    resets: createBudget(http2.maxResets, http2.resetsPerSecond),
    lastStream: 0,
    begun: false,
    acknowledged: false,
    going: false,
    announced: false,
    peerGoing: false,
    failed: false,
    block: undefined,
    sendWindow: INITIAL_WINDOW,
    receiveWindow: http2.connectionWindowBytes,
    unreturned: 0,
    peerWindow: INITIAL_WINDOW,
    peerFrameBytes: MAX_FRAME_BYTES,
    waiting: new Set(),
    sent: 0,
    queuedBytes: 0,
    heldBytes: 0,
    burst: 0,
    rest: undefined,
  };
  out.text += ourSettings(settings);
  return connection;
}

const PSEUDO_HEADERS = 5;
/** Of requests; the default of SETTINGS_HEADER_TABLE_SIZE. */
const HEADER_TABLE_BYTES = 4_096;

function ourSettings({ client, http2 }: Settings): string {
  const pairs = [
    [setting.maxConcurrentStreams, http2.maxConcurrentStreams],
    [setting.initialWindowSize, http2.streamWindowBytes],
    [setting.maxHeaderListSize, 2 * client.maxHeadBytes],
    [setting.enableConnectProtocol, 1],
  ] as const;
  const payload = pairs.map(([id, value]) => `\0${String.fromCharCode(id)}${uint32(value)}`).join('');
  const more = http2.connectionWindowBytes - INITIAL_WINDOW;
  const window = more > 0 ? frameHead(4, frameType.windowUpdate, 0, 0) + uint32(more) : '';
  return frameHead(payload.length, frameType.settings, 0, 0) + payload + window;
}

/** Puts a frame without payload bytes of a body into the outbox. */
export function put(connection: Connection, frame: string): void {
  connection.out.text += frame;
  connection.handlers.wake(connection);
}

/** What the connection holds in memory, or has promised to. */
export function memoryOf({ out, queuedBytes, heldBytes, streams }: Connection): number {
  return out.socket.writableLength + queuedBytes + heldBytes + streams.size * STREAM_BYTES;
}

/** About what a stream and its exchange take. */
const STREAM_BYTES = 4_096;
