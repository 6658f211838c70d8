/** A listening TCP socket; what its connections speak is up to `serve`. */
import { createServer, type Socket } from 'node:net';
import { err, ok, type Result } from '../../base/result.ts';
import { sharing } from './reuse-port.ts';
import { createHandshakes, type HandshakeLimits, type TlsIdentity } from './secure.ts';
import { type BoundSocket, drained, emptied, wholeTurn } from './udp.ts';

/** What a server that is going away asks of a connection. */
export interface Connection {
  /** Ends it as soon as nothing is under way. */
  finish(): void;
  isBusy(): boolean;
}

export interface StreamAddress {
  readonly address: string;
  readonly port: number;
  /** Both families through one socket. */
  readonly everywhere?: boolean;
}

export interface StreamDoorOptions {
  /** Asked for each new connection. */
  limits(): HandshakeLimits & { readonly maxConnections: number };
  /** Serves a connection, whose handshake is done if it is one of TLS. */
  serve(socket: Socket): Connection;
  /** Makes the connections TLS; asked for each new one. */
  readonly secure?: (() => TlsIdentity | undefined) | undefined;
  /** Protocols to choose from (ALPN), best first. */
  readonly protocols?: readonly string[];
}

export function bindStream(
  listen: StreamAddress,
  options: StreamDoorOptions,
): Promise<Result<BoundSocket, NodeJS.ErrnoException>> {
  /** Undefined until the handshake is done. */
  const connections = new Map<Socket, Connection | undefined>();
  const take = (socket: Socket) => {
    connections.set(socket, options.serve(socket));
    socket.once('close', () => connections.delete(socket));
  };
  const handshakes = createHandshakes({
    protocols: options.protocols ?? [],
    limits: options.limits,
    onSecure: take,
  });
  let open = 0;
  /** Connections accepted. */
  let accepted = 0;

  const server = createServer({ allowHalfOpen: true, noDelay: true }, (plain) => {
    accepted++;
    const identity = options.secure?.();
    if (open >= options.limits().maxConnections) {
      plain.destroy();
      return;
    }
    open++;
    plain.once('close', () => open--);
    if (!identity) {
      take(plain);
      return;
    }
    connections.set(plain, undefined);
    plain.once('close', () => connections.delete(plain));
    handshakes.begin(plain, identity);
  });

  async function close(graceMs = 0): Promise<void> {
    // Connections that wait to be accepted would be reset.
    await emptied(() => accepted, graceMs);
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    // Queries that wait to be read would be lost: one turn reads what has come.
    if (graceMs > 0) await wholeTurn();
    for (const connection of [...connections.values()]) connection?.finish();
    await drained(() => [...connections.values()].some((connection) => connection?.isBusy()), graceMs);
    for (const socket of [...connections.keys()]) socket.destroy();
    await closed;
  }

  return new Promise((resolve) => {
    server.once('error', (error) => resolve(err(error)));
    server.listen(
      {
        ...{ host: listen.address, port: listen.port, ...sharing(listen.port) },
        ipv6Only: listen.address.includes(':') && !listen.everywhere,
      },
      () => {
        server.removeAllListeners('error');
        // Errors after binding come from single accepts (out of descriptors); the server goes on.
        server.on('error', () => {});
        const bound = server.address();
        resolve(ok({ port: bound && typeof bound === 'object' ? bound.port : listen.port, close }));
      },
    );
  });
}
