/** How a server comes to listen: on a socket that is bound here, or on one that another process holds. */
import type { Server } from 'node:net';

export interface ListenPlace {
  readonly address: string;
  readonly port: number;
  /** Connections that wait to be accepted. */
  readonly backlog: number;
}

/** Resolves to why it failed, or to undefined when the server listens. A server closed before has failed. */
export type Listen = (server: Server, place: ListenPlace) => Promise<string | undefined>;

export const listenHere: Listen = (server, { address, port, backlog }) =>
  listening(server, () => server.listen({ host: address, port, backlog }));

/** Waits for what becomes of a server once `begin` has made it listen. */
export function listening(server: Server, begin: () => void): Promise<string | undefined> {
  return new Promise((resolve) => {
    server.on('error', (error) => resolve(error.message));
    server.on('listening', () => resolve(undefined));
    // Closed before it was open.
    server.on('close', () => resolve('closed'));
    begin();
  });
}
