/** Windows of request bodies (RFC 9113 section 5.2): opened again as bytes are done with. */
import { type Connection, put, type Stream } from './connection.ts';
import { frameHead, uint32 } from './frames.ts';
import { frameType } from './protocol.ts';

/** Opens the window of the connection again for bytes that are done with. */
export function giveBack(connection: Connection, bytes: number): void {
  connection.unreturned += bytes;
  // Not for every frame.
  if (connection.unreturned * 2 < connection.settings.http2.connectionWindowBytes || connection.failed) return;
  connection.receiveWindow += connection.unreturned;
  put(connection, frameHead(4, frameType.windowUpdate, 0, 0) + uint32(connection.unreturned));
  connection.unreturned = 0;
}

/** Bytes of a body are done with: the client may send as many more. */
export function consume(stream: Stream, bytes: number): void {
  giveBack(stream.connection, bytes);
  if (stream.remoteClosed || stream.closed) return;
  stream.unreturned += bytes;
  if (stream.unreturned * 2 < stream.connection.settings.http2.streamWindowBytes) return;
  stream.receiveWindow += stream.unreturned;
  put(stream.connection, frameHead(4, frameType.windowUpdate, 0, stream.id) + uint32(stream.unreturned));
  stream.unreturned = 0;
}
