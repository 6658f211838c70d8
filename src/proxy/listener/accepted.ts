/**
 * Accepted connections, read into memory of ours. node:net takes `onread` for sockets that it connects; one that it has
 * accepted allocates memory for each of its reads. The handle of such a socket works under a socket made with `onread` as
 * well, and a TLS socket, which no other can stand in for, can be given what that option would have given it. Nothing of
 * this is documented: where node's own is not as expected, the connection is read as node:net would.
 */
import { type OnReadOpts, Socket } from 'node:net';

/** What is used of node's own. */
interface Inside {
  _handle: { readonly useUserBuffer?: unknown; readonly readStart?: unknown } | null;
  _server: unknown;
}

/**
 * A socket in place of one that was accepted under `pauseOnConnect` and has not been read; undefined when there can be
 * none.
 */
export function withOnread(accepted: Socket, onread: OnReadOpts): Socket | undefined {
  const inside = accepted as unknown as Inside;
  const { _handle: handle, _server: server } = inside;
  if (typeof handle?.useUserBuffer !== 'function' || typeof handle.readStart !== 'function') return undefined;
  // Its server counts open connections by the socket that it knows.
  if (typeof server !== 'object') return undefined;
  inside._handle = null;
  inside._server = null;
  // Fields beyond those declared.
  const options = { handle, allowHalfOpen: true, onread };
  const socket = new Socket(options);
  (socket as unknown as Inside)._server = server;
  return socket;
}

/** What node keeps of `onread`, and the names it has for it. */
type Kept = Record<symbol, unknown>;

const symbolsOf = new Socket();
const symbolNamed = (name: string) =>
  Object.getOwnPropertySymbols(symbolsOf).find(({ description }) => description === name);
const kBuffer = symbolNamed('kBuffer');
const kBufferCallback = symbolNamed('kBufferCb');
const kBufferSource = symbolNamed('kBufferGen');

/**
 * Reads a socket that is in use already, and has nothing left to hand over, into the buffers of `onread` from now on. Of a
 * TLS socket, what came in one piece before a pause may still be handed over after it. False when it cannot be done.
 */
export function readInto(socket: Socket, { buffer, callback }: OnReadOpts): boolean {
  const { _handle: handle } = socket as unknown as Inside;
  if (typeof handle?.useUserBuffer !== 'function' || socket.readableLength > 0 || typeof buffer !== 'function')
    return false;
  if (!kBuffer || !kBufferCallback || !kBufferSource) return false;
  const kept = socket as unknown as Kept;
  // As a socket has it whose reads nobody else has asked for.
  if (kept[kBuffer] !== null || kept[kBufferCallback] !== null || kept[kBufferSource] !== null) return false;
  const first = buffer();
  kept[kBuffer] = first;
  kept[kBufferCallback] = callback;
  kept[kBufferSource] = buffer;
  handle.useUserBuffer(first);
  return true;
}
