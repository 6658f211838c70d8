/**
 * What one event has to say to a socket, gathered so that head and body leave in one write. Small pieces are joined as
 * latin1 text, which costs less than a buffer each; larger ones go as they are.
 */
import type { Socket } from 'node:net';
import { borrow } from './read-buffers.ts';

export interface Outbox {
  readonly socket: Socket;
  /** One character per byte. */
  text: string;
  corked: boolean;
}

export function createOutbox(socket: Socket): Outbox {
  return { socket, text: '', corked: false };
}

/** Up to this size copying to text is cheaper than a buffer of its own. */
const SMALL_BYTES = 8_192;

/** `owned` says that nobody will write over the bytes after this event. */
export function putBytes(outbox: Outbox, bytes: Buffer, start: number, end: number, owned: boolean): void {
  if (end - start <= SMALL_BYTES) {
    outbox.text += bytes.toString('latin1', start, end);
    return;
  }
  const { socket, text } = outbox;
  if (text !== '') {
    if (!outbox.corked) {
      outbox.corked = true;
      socket.cork();
    }
    socket.write(text, 'latin1');
    outbox.text = '';
  }
  const piece = bytes.subarray(start, end);
  if (owned) {
    socket.write(piece);
    return;
  }
  const { bytes: lasting, done } = borrow(piece, socket);
  socket.write(lasting, done);
}

/** Sends what was gathered. */
export function flush(outbox: Outbox): void {
  const { text } = outbox;
  if (text !== '') {
    outbox.text = '';
    outbox.socket.write(text, 'latin1');
  }
  if (outbox.corked) {
    outbox.corked = false;
    outbox.socket.uncork();
  }
}

/**
 * More bytes were handed to a socket than its peer has taken, by `limit`. `drain` follows: that it does not for less than
 * the socket's own mark is why small limits are not kept to the byte.
 */
export function isBlocked(socket: Socket, limit: number): boolean {
  return socket.writableLength > limit && socket.writableNeedDrain;
}
