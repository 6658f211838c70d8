/** Responses as frames: heads at once, bodies as far as windows let them, what had to wait in turn. */
import { borrow } from '../../read-buffers.ts';
import type { Connection, Stream } from './connection.ts';
import { countUseful } from './counts.ts';
import { closeStream, resetStream } from './ends.ts';
import { frameHead } from './frames.ts';
import { encodeHead } from './hpack/encoder.ts';
import { errorCode, flag, frameType } from './protocol.ts';

/** A head, or with status 0 trailers. */
export function sendHead(stream: Stream, status: number, lines: string, endStream: boolean): void {
  const { connection } = stream;
  const block = encodeHead(connection.encoder, status, lines);
  const last = endStream ? flag.endStream : 0;
  const most = connection.peerFrameBytes;
  if (block.length <= most) {
    connection.out.text += frameHead(block.length, frameType.headers, flag.endHeaders | last, stream.id) + block;
  } else {
    connection.out.text += frameHead(most, frameType.headers, last, stream.id) + block.slice(0, most);
    sendContinuations(connection, stream.id, block, most);
  }
  connection.handlers.wake(connection);
  if (endStream) endLocal(stream);
}

function sendContinuations({ out }: Connection, id: number, block: string, most: number): void {
  for (let at = most; at < block.length; at += most) {
    const part = block.slice(at, at + most);
    const last = at + most >= block.length ? flag.endHeaders : 0;
    out.text += frameHead(part.length, frameType.continuation, last, id) + part;
  }
}

/** We have sent END_STREAM. */
function endLocal(stream: Stream): void {
  stream.localClosed = true;
  if (stream.abandoned || (stream.remoteClosed && !stream.tunnel)) leave(stream);
}

/** RFC 9113 section 8.1: once its response is sent, the client may stop sending. */
export function abandonRequest(stream: Stream): void {
  stream.abandoned = true;
  if (stream.localClosed && !stream.closed) leave(stream);
}

function leave(stream: Stream): void {
  if (stream.remoteClosed) closeStream(stream, errorCode.none);
  else resetStream(stream, errorCode.none);
}

/** Bytes of a body as text, one character each. */
export function sendText(stream: Stream, text: string, endStream: boolean): void {
  const { connection } = stream;
  if (text.length > most(stream)) {
    const bytes = Buffer.from(text, 'latin1');
    sendBytes(stream, bytes, 0, bytes.length, true);
    if (endStream) sendEnd(stream, '');
    return;
  }
  connection.out.text += dataHead(stream, text.length, endStream) + text;
  connection.handlers.wake(connection);
  if (endStream) endLocal(stream);
}

/** How much may be sent in one frame now; 0 behind what is queued. */
function most({ queued, sendWindow, connection }: Stream): number {
  return queued > 0 ? 0 : Math.min(sendWindow, connection.sendWindow, connection.peerFrameBytes);
}

/**
 * Bytes wait for the socket, as many as may: what has not begun should not begin now. `drain` follows: what does not
 * come up to the socket's own mark is no reason to wait, since a socket does not tell when it has taken that.
 */
export function isFull({ out, settings }: Connection): boolean {
  const { socket, text } = out;
  if (socket.writableLength + text.length <= settings.relay.bufferBytes) return false;
  return socket.writableNeedDrain || text.length >= socket.writableHighWaterMark;
}

function dataHead(stream: Stream, length: number, endStream: boolean): string {
  const { connection } = stream;
  stream.sendWindow -= length;
  stream.sent += length;
  connection.sent += length;
  connection.sendWindow -= length;
  countUseful(connection);
  return frameHead(length, frameType.data, endStream ? flag.endStream : 0, stream.id);
}

/**
 * Bytes of a body that last (`owned`) or are valid during the call only. What there is a window for is sent whether or
 * not the socket is full: who brings the bytes has to look at that.
 */
export function sendBytes(stream: Stream, bytes: Buffer, start: number, end: number, owned: boolean): void {
  if (start === end || stream.closed) return;
  const { connection } = stream;
  const now = stream.queued === 0 ? Math.min(end - start, stream.sendWindow, connection.sendWindow) : 0;
  if (now > 0) sendNow(stream, bytes, start, start + now, owned);
  const from = start + Math.max(0, now);
  if (from < end) queue(stream, owned ? bytes.subarray(from, end) : Buffer.from(bytes.subarray(from, end)));
}

function queue(stream: Stream, bytes: Buffer): void {
  const { connection } = stream;
  stream.queue ??= [];
  stream.queue.push(bytes);
  stream.queued += bytes.length;
  connection.queuedBytes += bytes.length;
  connection.waiting.add(stream);
}

/** Up to this size copying to text is cheaper than a write of its own. */
const SMALL_BYTES = 8_192;

/** Sends bytes for which there is room in the windows. */
function sendNow(stream: Stream, bytes: Buffer, start: number, end: number, owned: boolean): void {
  const { connection } = stream;
  const { out } = connection;
  connection.handlers.wake(connection);
  if (end - start <= Math.min(SMALL_BYTES, connection.peerFrameBytes)) {
    out.text += dataHead(stream, end - start, false) + bytes.toString('latin1', start, end);
    return;
  }
  const piece = bytes.subarray(start, end);
  if (owned) {
    writeFrames(stream, piece, undefined);
    return;
  }
  const { bytes: lasting, done } = borrow(piece, out.socket);
  writeFrames(stream, lasting, done);
}

/** Cuts bytes into frames, which go to the socket as they are. `done` is called when the last one is written. */
function writeFrames(stream: Stream, bytes: Buffer, done: (() => void) | undefined): void {
  const { out, peerFrameBytes } = stream.connection;
  if (!out.corked) {
    out.corked = true;
    out.socket.cork();
  }
  for (let at = 0; at < bytes.length; at += peerFrameBytes) {
    const end = Math.min(bytes.length, at + peerFrameBytes);
    out.socket.write(out.text + dataHead(stream, end - at, false), 'latin1');
    out.text = '';
    if (end === bytes.length) out.socket.write(bytes.subarray(at, end), done);
    else out.socket.write(bytes.subarray(at, end));
  }
}

/** The body is whole. Trailer lines, each with its CRLF. */
export function sendEnd(stream: Stream, trailers: string): void {
  if (stream.closed || stream.localClosed) return;
  if (stream.queued > 0) {
    stream.ending = true;
    stream.trailers = trailers;
    return;
  }
  if (trailers !== '') {
    sendHead(stream, 0, trailers, true);
    return;
  }
  const { connection } = stream;
  connection.out.text += frameHead(0, frameType.data, flag.endStream, stream.id);
  connection.handlers.wake(connection);
  endLocal(stream);
}

/** Sends of what is queued as much as windows and socket take: a frame of each stream in turn. */
export function pump(connection: Connection): void {
  const { waiting } = connection;
  for (let passed = 0; passed < waiting.size && connection.sendWindow > 0 && !isFull(connection); ) {
    const [stream] = waiting;
    waiting.delete(stream!);
    if (stream!.sendWindow > 0) {
      passed = 0;
      sendQueued(stream!);
    } else passed++;
    if (stream!.queued > 0) waiting.add(stream!);
  }
}

/** One frame of what is queued, and the end behind it. */
function sendQueued(stream: Stream): void {
  const { connection } = stream;
  const first = stream.queue![0]!;
  const length = Math.min(first.length, stream.sendWindow, connection.sendWindow, connection.peerFrameBytes);
  sendNow(stream, first, 0, length, true);
  if (length === first.length) stream.queue!.shift();
  else stream.queue![0] = first.subarray(length);
  stream.queued -= length;
  connection.queuedBytes -= length;
  if (stream.queued > 0) return;
  if (stream.ending) sendEnd(stream, stream.trailers);
  else connection.handlers.drained(stream);
}
