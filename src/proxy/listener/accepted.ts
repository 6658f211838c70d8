/**
 * Accepted connections, read into memory of ours. node:net takes `onread` for sockets that it connects; one that it has
 * accepted allocates 64 KiB for each of its reads. The handle of such a socket works under a socket made with `onread` as
 * well, but neither the property nor the option that this takes is documented: where they are not as expected, the
 * connection is read as node:net would.
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
