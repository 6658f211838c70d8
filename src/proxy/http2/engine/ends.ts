/** Ends of connections and of streams, in good order and otherwise. */
import { rememberReset } from './closed-streams.ts';
import { type Connection, put, type Stream } from './connection.ts';
import { frameHead, uint32 } from './frames.ts';
import { type ErrorCode, errorCode, frameType, MAX_31_BITS } from './protocol.ts';
import { giveBack } from './windows.ts';

/** Section 5.4.1: the connection ends here. */
export function fail(connection: Connection, code: ErrorCode): void {
  if (connection.failed) return;
  connection.failed = true;
  connection.going = true;
  put(connection, goaway(connection.lastStream, code));
  connection.handlers.failed(connection, code);
}

const goaway = (last: number, code: number): string =>
  frameHead(8, frameType.goaway, 0, 0) + uint32(last) + uint32(code);

/** Section 6.8: says that the connection will end, and asks for a sign that this was heard. */
export function announceEnd(connection: Connection): void {
  if (connection.announced || connection.going) return;
  connection.announced = true;
  put(connection, `${goaway(MAX_31_BITS, errorCode.none)}${frameHead(8, frameType.ping, 0, 0)}${END_PING}`);
}

/** Payload of the PING that goes with the announcement. */
export const END_PING = 'going\0\0\0';
const LIFE_PING = 'alive?\0\0';

/** Whatever is read next shows that the client is there. */
export function askForLife(connection: Connection): void {
  put(connection, frameHead(8, frameType.ping, 0, 0) + LIFE_PING);
}

/** Streams that the client opens from now on are not served. */
export function beginEnd(connection: Connection): void {
  if (connection.going) return;
  connection.going = true;
  put(connection, goaway(connection.lastStream, errorCode.none));
}

/** Section 5.4.2. */
export function resetStream(stream: Stream, code: ErrorCode): void {
  if (stream.closed) return;
  const { connection } = stream;
  putReset(connection, stream.id, code);
  closeStream(stream, code);
}

export function putReset(connection: Connection, id: number, code: ErrorCode): void {
  rememberReset(connection.resetStreams, id);
  put(connection, frameHead(4, frameType.rstStream, 0, id) + uint32(code));
}

/** Nothing of the stream is left. */
export function closeStream(stream: Stream, code: number): void {
  const { connection } = stream;
  stream.closed = true;
  connection.streams.delete(stream.id);
  if (stream.queued > 0) {
    connection.queuedBytes -= stream.queued;
    stream.queued = 0;
    stream.queue = undefined;
  }
  connection.waiting.delete(stream);
  const { held } = stream;
  if (held) {
    stream.held = undefined;
    connection.heldBytes -= held.total;
    giveBack(connection, held.total);
  }
  connection.handlers.closed(stream, code);
}
