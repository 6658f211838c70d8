/** Connections that begin with a PROXY header: TCP, the header, TLS. */
import { connect, type Socket, type TcpNetConnectOpts } from 'node:net';
import { type ConnectionOptions, connect as connectTls, type TLSSocket } from 'node:tls';
import type { Client } from '../exchange/wire.ts';
import { encodeProxyHeader, type ProxyProtocol } from './proxy-header-out.ts';

/** Whose requests alone a connection carries, since its backend was told that it is that client's. */
export interface Announced {
  /** The client's connection. */
  readonly client: Socket;
  readonly header: Buffer;
}

export function announcedFor(version: ProxyProtocol, { socket, serverName, runtime }: Client): Announced {
  const ends = runtime.announcements.endsOf(socket);
  const alpn = (socket as Partial<TLSSocket>).alpnProtocol || undefined;
  return { client: socket, header: encodeProxyHeader(version, { ends, serverName, alpn }) };
}

/** Begins connecting; `tls` is what is asked of TLS, if there is to be any, which sends nothing before the header. */
export function connectAnnounced(to: TcpNetConnectOpts, header: Buffer, tls: ConnectionOptions | undefined): Socket {
  const wire = connect(to);
  wire.write(header);
  return tls ? connectTls({ ...tls, socket: wire }) : wire;
}
