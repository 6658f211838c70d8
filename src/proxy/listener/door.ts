/** One bound socket of a listener: plain TCP or TLS, serving whatever table is in force. */
import { createServer, type Socket } from 'node:net';
import type { Listener } from '../../routing/plan/plan.ts';
import type { Table } from '../routes/table.ts';
import type { Runtime } from '../runtime.ts';
import type { Identities } from '../tls/contexts.ts';
import { createTlsEnd } from '../tls/server.ts';
import { forgetOutdated } from '../tls/validated.ts';
import { arrive } from './arrive.ts';
import { conductOf, type Door } from './client.ts';

/** Where a listener takes its connections from. */
export interface DoorPlace {
  readonly address: string;
  readonly port: number;
  /** Nothing is bound: whoever holds the place brings connections to `adopt`. */
  readonly adopted: boolean;
}

export interface BoundDoor extends Door, DoorPlace {
  readonly protocol: Listener['protocol'];
  /** Settles when it listens or has failed to; never rejects. */
  readonly settled: Promise<void>;
  /** Why it does not listen. */
  error: string | undefined;
  /** Swaps what answers the next request and the next handshake. */
  update(table: Table, identities: Identities): void;
  /** Takes a connection that was accepted elsewhere; what was read of it must have been put back. */
  adopt(socket: Socket): void;
  /** Stops accepting; idle connections close now, the others after their response. */
  close(): void;
}

/** Connections that wait to be accepted. */
const BACKLOG = 1_024;

export function openDoor(table: Table, identities: Identities, place: DoorPlace, runtime: Runtime): BoundDoor {
  const { listener } = table;
  const isTls = listener.protocol === 'HTTPS';
  // Connections that come from elsewhere have been read, if only in search of a PROXY header.
  const untouched = !isTls && !runtime.announcements.awaited;
  const tls = isTls
    ? createTlsEnd(
        identities,
        {
          secured: (socket) => arrive(socket, door, runtime, untouched),
          failed: () => runtime.metrics?.handshakeFailed(door.id),
        },
        runtime,
      )
    : undefined;
  const isFull = () =>
    runtime.connections.size + runtime.announcements.waiting() + runtime.handshakes.waiting >=
    runtime.settings.client.maxConnections;
  const refuse = (socket: Socket) => {
    runtime.metrics?.refused(door.id);
    socket.destroy();
  };

  function accept(socket: Socket): void {
    if (isFull()) refuse(socket);
    else if (tls && door.table.alpnChallenges) door.table.alpnChallenges.take(socket, tls.take);
    else if (tls) tls.take(socket);
    else arrive(socket, door, runtime, untouched);
  }

  /** Accepts what has told whose it is. */
  function announce(socket: Socket): void {
    if (isFull()) refuse(socket);
    else
      runtime.announcements.receive(socket, () => {
        accept(socket);
        // A TLS socket has taken what was read and reads on by itself.
        if (!isTls) socket.resume();
      });
  }

  /** Whose certificates nobody would take any more; requests that are under way on them go on. */
  function retireOutdated({ validationById }: Identities): void {
    for (const served of runtime.connections)
      if (served.door === door && forgetOutdated(served.socket, validationById)) conductOf(served).retire(served);
  }

  const server = runtime.announcements.awaited
    ? createServer({ allowHalfOpen: true, noDelay: true }, announce)
    : createServer({ allowHalfOpen: true, noDelay: true, pauseOnConnect: untouched }, accept);
  const settled = place.adopted ? Promise.resolve(undefined) : runtime.listen(server, { ...place, backlog: BACKLOG });

  const door: BoundDoor = {
    id: listener.id,
    scheme: isTls ? 'https' : 'http',
    table,
    removed: false,
    address: place.address,
    port: place.port,
    adopted: place.adopted,
    protocol: listener.protocol,
    settled: settled.then((error) => {
      door.error = error;
    }),
    error: undefined,
    update(next, nextIdentities) {
      door.table = next;
      if (tls?.update(nextIdentities)) retireOutdated(nextIdentities);
    },
    adopt: accept,
    close() {
      door.removed = true;
      server.close();
      tls?.close();
      for (const served of runtime.connections) if (served.door === door) conductOf(served).retire(served);
    },
  };
  return door;
}
