/**
 * The listening sockets of the data plane, held by the control process: workers that come get them, and workers that go
 * leave them open, so that connections wait in the kernel until another one accepts them. This process binds and never
 * accepts.
 */
import net from 'node:net';
import { getSystemErrorMap } from 'node:util';

/** A bound socket of Node, as it is handed to child processes. */
export interface SocketHandle {
  getsockname(out: { port?: number }): number;
  close(): void;
}

/**
 * Binds without listening, as node:cluster does for sockets that its workers share: net.Server cannot, because it
 * accepts as soon as it listens. Gives a negative errno when it fails.
 */
type Bind = (address: string, port: number, family: 4 | 6, fd: undefined, flags: number) => SocketHandle | number;
const bind = (net as unknown as { _createServerHandle: Bind })._createServerHandle;

export interface Place {
  readonly address: string;
  readonly port: number;
}

export interface Sockets {
  /** The socket of a place, bound when it is first asked for; or the reason why there is none. */
  take(place: Place): SocketHandle | string;
  /** Lets go of all others. Workers that listen on one still do. */
  keepOnly(places: readonly Place[]): void;
}

const keyOf = ({ address, port }: Place) => `${address} ${port}`;

export function createSockets(): Sockets {
  const held = new Map<string, SocketHandle>();
  return {
    take(place) {
      const known = held.get(keyOf(place));
      if (known) return known;
      const opened = open(place);
      if (typeof opened !== 'string') held.set(keyOf(place), opened);
      return opened;
    },
    keepOnly(places) {
      const wanted = new Set(places.map(keyOf));
      for (const [key, handle] of held) {
        if (wanted.has(key)) continue;
        held.delete(key);
        handle.close();
      }
    },
  };
}

function open(place: Place): SocketHandle | string {
  const { address, port } = place;
  const family = net.isIP(address);
  if (family !== 4 && family !== 6) return `${address} is no IP address`;
  const handle = bind(address, port, family, undefined, 0);
  if (typeof handle === 'number') return errorText(handle, place);
  // libuv may keep an address in use to itself until somebody listens; the socket has no port then.
  const name: { port?: number } = {};
  const failure = handle.getsockname(name);
  if (failure === 0 && (port === 0 || name.port === port)) return handle;
  handle.close();
  return errorText(failure || inUse, place);
}

const inUse = [...getSystemErrorMap()].find(([, [name]]) => name === 'EADDRINUSE')![0];

/** As net.Server says it. */
function errorText(code: number, { address, port }: Place): string {
  const [name, text] = getSystemErrorMap().get(code) ?? [String(code), 'unknown error'];
  return `listen ${name}: ${text} ${net.isIPv6(address) ? `[${address}]` : address}:${port}`;
}
