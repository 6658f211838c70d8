/** What a client's socket reads, with as little as possible between the socket and the one who wants it. */
import type { Socket } from 'node:net';

/**
 * Calls `take` with every chunk, in order, as a `data` listener does, and starts reading. The socket hands what it reads
 * to `push`, and the stream hands it to its listeners. While the stream flows and holds nothing back, the second step
 * only costs time, so it is left out; with a pause, the end, or whatever else is unusual, everything goes through the
 * stream.
 */
export function onChunk(socket: Socket, take: (chunk: Buffer) => void): void {
  const push = socket.push.bind(socket);
  socket.push = (chunk: unknown, encoding?: BufferEncoding) => {
    if (!socket.readableFlowing || socket.readableLength > 0 || !Buffer.isBuffer(chunk)) return push(chunk, encoding);
    take(chunk);
    return true;
  };
  socket.on('data', take);
}
