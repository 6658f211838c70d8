/** A DNS server on any number of addresses, each with UDP and TCP. */
import { type Diagnostic, diagnostic } from '../../base/diagnostics/index.ts';
import { err, ok, type Result } from '../../base/result.ts';
import type { PacketHandler } from './responder.ts';
import { bindTcp, type TcpLimits } from './tcp.ts';
import { type BoundSocket, bindUdp, type UdpLimits } from './udp.ts';

export interface ListenAddress {
  readonly address: string;
  /** 0: any free port, the same one for UDP and TCP. */
  readonly port: number;
}

export interface BoundAddress {
  readonly address: string;
  /** The port bound, or the one that was refused. */
  readonly port: number;
  /** Set when the address is not served. */
  readonly error?: Diagnostic;
}

export type DnsLimits = UdpLimits & TcpLimits;

export interface DnsServerOptions {
  handler: PacketHandler;
  listen: readonly ListenAddress[];
  limits?: DnsLimits;
}

export interface DnsServer {
  /** Binds all addresses. One that cannot be bound is reported and does not keep the others from serving. */
  start(): Promise<BoundAddress[]>;
  /** Stops listening and closes connections. */
  close(): Promise<void>;
}

/** Free ports are chosen by UDP; TCP may find the same number taken. */
const freePortAttempts = 10;

const reasons: Readonly<Record<string, string>> = {
  EADDRINUSE: 'it is already in use',
  EACCES: 'this user may not bind it',
  EADDRNOTAVAIL: 'this machine has no such address',
};

function bindFinding({ address, port }: ListenAddress, error: NodeJS.ErrnoException): Diagnostic {
  const reason = reasons[error.code ?? ''] ?? error.message;
  return diagnostic('FW4003', { message: `DNS cannot listen at ${address} port ${port}: ${reason}` });
}

export function createDnsServer({ handler, listen, limits = {} }: DnsServerOptions): DnsServer {
  const sockets: BoundSocket[] = [];

  async function bindPair(wanted: ListenAddress): Promise<Result<number, NodeJS.ErrnoException>> {
    const udp = await bindUdp(handler, wanted, limits);
    if (!udp.ok) return udp;
    const tcp = await bindTcp(handler, { ...wanted, port: udp.value.port }, limits);
    if (!tcp.ok) {
      await udp.value.close();
      return err(tcp.error);
    }
    sockets.push(udp.value, tcp.value);
    return ok(udp.value.port);
  }

  async function bind(wanted: ListenAddress): Promise<BoundAddress> {
    let result = await bindPair(wanted);
    for (let i = 1; i < freePortAttempts && !result.ok && wanted.port === 0; i++) result = await bindPair(wanted);
    if (result.ok) return { address: wanted.address, port: result.value };
    return { ...wanted, error: bindFinding(wanted, result.error) };
  }

  return {
    start: () => Promise.all(listen.map(bind)),
    async close() {
      await Promise.all(sockets.splice(0).map((socket) => socket.close()));
    },
  };
}
