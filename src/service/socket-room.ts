/**
 * Listening sockets of Services and Pods, which may be more than this process may open: what they get is bounded, so that
 * its own doors and connections always find room. Services come first, because a Pod that waits says so in its status.
 */

/** One of the two, as it is handed to whoever opens sockets. */
export interface SocketShare {
  /** Sockets of both together, at most. */
  readonly max: number;
  /** Takes room for some sockets before they are opened: all of them or none, and false then. */
  take(count: number): boolean;
  give(count: number): void;
}

export interface SocketRoom {
  readonly services: SocketShare;
  readonly pods: SocketShare;
}

/** What is left to connections, files and the doors of this process itself: one part of so many of what it may open. */
const ownPart = 4;

/** Where the system does not tell how much may be open: what every system that Node runs on allows. */
const leastOpenFiles = 1_024;

/** Listening sockets of Services and Pods, at most, of a process that may have so many files open. */
export function socketsWithin(openFiles: number = leastOpenFiles): number {
  return Math.floor(openFiles * (1 - 1 / ownPart));
}

/** `wanted` tells how many sockets there are to be for Services: those are left free by Pods. */
export function createSocketRoom(max: number, wanted: () => number): SocketRoom {
  const open = { services: 0, pods: 0 };
  function share(of: keyof typeof open, taken: () => number): SocketShare {
    return {
      max,
      take(count) {
        if (taken() + count > max) return false;
        open[of] += count;
        return true;
      },
      give(count) {
        open[of] -= count;
      },
    };
  }
  return {
    services: share('services', () => open.services + open.pods),
    pods: share('pods', () => open.pods + Math.max(open.services, wanted())),
  };
}

/** For those that have no bound to keep. */
export const boundless: SocketShare = { max: Number.POSITIVE_INFINITY, take: () => true, give: () => undefined };

/** Why a socket is not opened. */
export function noRoom({ max }: SocketShare): string {
  return `Services and Pods have the ${max} sockets that they may open (raise \`ulimit -n\`)`;
}
