/** A connection without a socket, and a client for it that writes frames and watches what comes back. */
import type { Socket } from 'node:net';
import { type ProxyOptions, resolveSettings } from '../../options.ts';
import { createOutbox, flush } from '../../outbox.ts';
import { type Connection, createConnection, createStream, type Handlers, type Stream } from './connection.ts';
import { createFrameReader, frameHead, readFrames, uint32 } from './frames.ts';
import { createDecoder, decodeBlock } from './hpack/decoder.ts';
import { flag, frameType, INITIAL_WINDOW, MAX_FRAME_BYTES, PREFACE } from './protocol.ts';
import { goOn, receive } from './receive.ts';
import { pump } from './send.ts';

/** What the client knows of a stream. */
export interface Seen {
  status: number;
  body: string;
  trailers: readonly string[];
  ended: boolean;
  /** Code of RST_STREAM. */
  reset: number | undefined;
  window: number;
}

export interface Bench {
  readonly connection: Connection;
  /** Frames in text, one character per byte, cut into chunks of that size. */
  send(text: string, chunkBytes?: number): void;
  seen(stream: number): Seen;
  /** Codes of GOAWAY, and the streams they name. */
  readonly goaways: (readonly [last: number, code: number])[];
  readonly counts: Map<number, number>;
  /** What the connection has done that it must not. */
  readonly faults: string[];
  /** DATA beyond windows, as long as these are opened by `sendSettings` and `grant` alone. */
  readonly overruns: string[];
  /** Of the connection, as the client counts it. */
  window(): number;
  /** Whether the socket takes what it is given. */
  setTaking(taking: boolean): void;
  /** Settings of the client that windows depend on. */
  sendSettings(window: number): void;
  grant(stream: number, bytes: number): void;
}

/** A socket as the engine sees it: takes all, or nothing while it is stopped. */
function createSink(take: (bytes: Buffer) => void) {
  let held: { bytes: Buffer; done?: () => void }[] = [];
  let taking = true;
  const sink = {
    writableLength: 0,
    writableHighWaterMark: 16_384,
    get writableNeedDrain() {
      return sink.writableLength >= sink.writableHighWaterMark;
    },
    write(piece: string | Buffer, how?: BufferEncoding | (() => void)) {
      const bytes = typeof piece === 'string' ? Buffer.from(piece, 'latin1') : piece;
      const done = typeof how === 'function' ? how : undefined;
      held.push(done ? { bytes, done } : { bytes });
      sink.writableLength += bytes.length;
      if (taking) sink.drain();
      return taking;
    },
    cork() {},
    uncork() {},
    drain() {
      const all = held;
      held = [];
      sink.writableLength = 0;
      for (const { bytes, done } of all) {
        take(bytes);
        done?.();
      }
    },
    setTaking(now: boolean) {
      taking = now;
      if (now) sink.drain();
    },
  };
  return sink;
}

/** `app` says what becomes of requests; what it leaves out does nothing. */
export function createBench(options: ProxyOptions, app: Partial<Handlers> & Pick<Handlers, 'opened'>): Bench {
  const streams = new Map<number, Seen>();
  const goaways: (readonly [number, number])[] = [];
  const counts = new Map<number, number>();
  const faults: string[] = [];
  const overruns: string[] = [];
  const decoder = createDecoder({ maxTableBytes: 4_096, maxFields: 1_000, maxListBytes: 1_000_000 });
  const reader = createFrameReader();
  reader.prefaceLeft = 0;
  let window = INITIAL_WINDOW;
  let initial = INITIAL_WINDOW;
  /** Of settings that were not acknowledged, oldest first. */
  const announced: number[] = [];

  const view = (id: number): Seen => {
    let one = streams.get(id);
    if (!one) {
      one = { status: 0, body: '', trailers: [], ended: false, reset: undefined, window: initial };
      streams.set(id, one);
    }
    return one;
  };

  function onBlock(id: number, flags: number, bytes: Buffer, start: number, end: number): void {
    if (!decodeBlock(decoder, bytes, start, end)) faults.push(`a block of ${id} cannot be decoded`);
    const lines = decoder.fields.slice(0, decoder.count).map(({ name, value }) => `${name.text}: ${value}`);
    const one = view(id);
    if (one.status === 0) one.status = Number(lines[0]?.slice(9));
    else one.trailers = lines;
    if (flags & flag.endStream) one.ended = true;
  }

  function onFrame(type: number, flags: number, id: number, bytes: Buffer, start: number, end: number): boolean {
    counts.set(type, (counts.get(type) ?? 0) + 1);
    const one = view(id);
    const isMessage = type === frameType.data || type === frameType.headers;
    if (isMessage && (one.ended || one.reset !== undefined)) faults.push(`frame ${type} behind the end of ${id}`);
    if (end - start > MAX_FRAME_BYTES) faults.push('a frame that is too large');
    if (type === frameType.headers) onBlock(id, flags, bytes, start, end);
    if (type === frameType.rstStream) one.reset = bytes.readUInt32BE(start);
    if (type === frameType.goaway) goaways.push([bytes.readUInt32BE(start), bytes.readUInt32BE(start + 4)]);
    // Windows change when their change is acknowledged.
    if (type === frameType.settings && flags & flag.ack) {
      const now = announced.shift() ?? initial;
      for (const each of streams.values()) each.window += now - initial;
      initial = now;
    }
    if (type !== frameType.data) return true;
    one.body += bytes.toString('latin1', start, end);
    one.window -= end - start;
    window -= end - start;
    if (end > start && (one.window < 0 || window < 0)) overruns.push(`DATA of ${id}`);
    if (flags & flag.endStream) one.ended = true;
    return true;
  }

  const sink = createSink((bytes) => {
    if (readFrames(reader, bytes, 0, onFrame) !== bytes.length) faults.push('no frames');
  });
  const nothing = () => {};
  const connection = createConnection(resolveSettings(options), createOutbox(sink as unknown as Socket), {
    ...{ takes: () => true, ended: nothing, drained: nothing, closed: nothing, wake: nothing, failed: nothing },
    ...app,
  });
  flush(connection.out);

  return {
    ...{ connection, goaways, counts, faults, overruns, seen: view, window: () => window },
    send(text, chunkBytes = text.length) {
      const bytes = Buffer.from(text, 'latin1');
      for (let at = 0; at < bytes.length; at += chunkBytes) {
        // As if it were read into memory that is used again.
        const chunk = Buffer.from(bytes.subarray(at, at + chunkBytes));
        let done = receive(connection, chunk);
        chunk.fill(0xee);
        while (!done) done = goOn(connection);
      }
      flush(connection.out);
    },
    setTaking(taking) {
      sink.setTaking(taking);
      if (taking) pump(connection);
      flush(connection.out);
    },
    sendSettings(bytes) {
      announced.push(bytes);
      this.send(settingsFrame([4, bytes]));
    },
    grant(stream, bytes) {
      if (stream === 0) window += bytes;
      else view(stream).window += bytes;
      this.send(windowUpdate(stream, bytes));
    },
  };
}

/** Makes a stream of a request, as handlers must. */
export function openStream(connection: Connection, id: number, whole: boolean): Stream {
  const stream = createStream(connection, id);
  stream.remoteClosed = whole;
  connection.streams.set(id, stream);
  return stream;
}

const char = String.fromCharCode;
const string = (text: string) => (text.length < 127 ? char(text.length) : `\x7f${long(text.length - 127)}`) + text;
const long = (rest: number): string => (rest < 128 ? char(rest) : char((rest & 127) | 128) + long(rest >> 7));

/** A block of literals; `remember` puts them into the dynamic table. */
export const block = (fields: readonly (readonly [string, string])[], remember = false): string =>
  fields.map(([name, value]) => `${remember ? '\x40' : '\0'}${string(name)}${string(value)}`).join('');

export const frame = (type: number, flags: number, stream: number, payload = ''): string =>
  frameHead(payload.length, type, flags, stream) + payload;
export const settingsFrame = (...pairs: readonly (readonly [number, number])[]): string =>
  frame(frameType.settings, 0, 0, pairs.map(([id, value]) => `\0${char(id)}${uint32(value)}`).join(''));
export const windowUpdate = (stream: number, bytes: number): string =>
  frame(frameType.windowUpdate, 0, stream, uint32(bytes));
/** Preface, SETTINGS, and the acknowledgement of ours. */
export const greeting = PREFACE + settingsFrame() + frame(frameType.settings, flag.ack, 0);
export const END = flag.endHeaders | flag.endStream;
export const request = (method = 'GET', path = '/') =>
  block([
    [':method', method],
    [':scheme', 'http'],
    [':authority', 'a'],
    [':path', path],
  ]);
