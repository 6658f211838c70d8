/** Both ends of a client's connection, as the client sees them. */
import type { Socket } from 'node:net';
import { plainAddress } from '../exchange/forwarded.ts';

export interface SocketPlace {
  readonly address: string;
  readonly port: number;
}

export interface ConnectionEnds {
  readonly client: SocketPlace;
  /** Where the client connected to. */
  readonly local: SocketPlace;
}

export function endsOfSocket({ remoteAddress, remotePort, localAddress, localPort }: Socket): ConnectionEnds {
  return {
    client: { address: plainAddress(remoteAddress), port: remotePort ?? 0 },
    local: { address: plainAddress(localAddress), port: localPort ?? 0 },
  };
}
