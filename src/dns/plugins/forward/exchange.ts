/** One question to one upstream, over UDP (from a new random port each time) or TCP. Failures are values. */
import { createSocket } from 'node:dgram';
import { connect } from 'node:net';
import { err, ok, type Result } from '../../../base/result.ts';
import { isResponseTo } from '../../wire/ask.ts';
import type { Query } from '../../wire/query.ts';
import type { Upstream } from './upstreams.ts';

export interface ExchangeOptions {
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
  /** Address of ours to ask from. */
  readonly localAddress?: string;
}

export type Exchange = (
  query: Query,
  upstream: Upstream,
  options: ExchangeOptions,
) => Promise<Result<Uint8Array, string>>;

/** Settles once; `release` frees the socket and the timer whatever the end is. */
export function settleOnce<T extends Uint8Array>(
  resolve: (result: Result<T, string>) => void,
  options: ExchangeOptions,
  release: () => void,
): (result: Result<T, string>) => void {
  let done = false;
  const onAbort = () => finish(err('stopped'));
  const timer = setTimeout(() => finish(err(`no answer in ${options.timeoutMs} ms`)), options.timeoutMs);
  options.signal?.addEventListener('abort', onAbort, { once: true });
  function finish(result: Result<T, string>): void {
    if (done) return;
    done = true;
    clearTimeout(timer);
    options.signal?.removeEventListener('abort', onAbort);
    release();
    resolve(result);
  }
  return finish;
}

/** A message with its length in front (RFC 1035 section 4.2.2). */
export function framed(packet: Uint8Array): Buffer {
  const length = Buffer.alloc(2);
  length.writeUInt16BE(packet.length);
  return Buffer.concat([length, packet]);
}

/**
 * Sends one packet and waits for the one that `accepts` takes. Others (wrong id, question or source) are passed over, so
 * that a forged one does not end the wait for the real one.
 */
export function sendUdp(
  packet: Uint8Array,
  to: Pick<Upstream, 'address' | 'port'>,
  options: ExchangeOptions & { accepts(packet: Buffer): boolean },
): Promise<Result<Buffer, string>> {
  return new Promise((resolve) => {
    const socket = createSocket(to.address.includes(':') ? 'udp6' : 'udp4');
    let open = true;
    const finish = settleOnce(resolve, options, () => {
      open = false;
      socket.close();
    });
    socket.on('error', (error) => finish(err(error.message)));
    socket.on('message', (answer) => {
      if (options.accepts(answer)) finish(ok(answer));
    });
    // That there is no way to the upstream is told as an argument, which the types of Node do not know.
    const send = (failed?: unknown) => {
      if (failed instanceof Error) finish(err(failed.message));
      else if (open) socket.send(packet, (error) => error && finish(err(error.message)));
    };
    // Connected: the kernel drops packets from anybody else, and a closed port is an error at once.
    const ask = () => open && socket.connect(to.port, to.address, send);
    if (options.localAddress === undefined) ask();
    else socket.bind({ address: options.localAddress, port: 0 }, ask);
  });
}

export const exchangeUdp: Exchange = (query, upstream, options) => {
  const { timeoutMs, signal, localAddress } = options;
  return sendUdp(query.packet, upstream, {
    ...{ timeoutMs, accepts: (packet) => isResponseTo(query, packet) },
    ...(signal && { signal }),
    ...(localAddress !== undefined && { localAddress }),
  });
};

export const exchangeTcp: Exchange = (query, upstream, options) =>
  new Promise((resolve) => {
    const { localAddress } = options;
    const socket = connect({ host: upstream.address, port: upstream.port, ...(localAddress && { localAddress }) });
    const finish = settleOnce(resolve, options, () => socket.destroy());
    let received: Buffer = Buffer.alloc(0);
    socket.on('error', (error) => finish(err(error.message)));
    socket.on('close', () => finish(err('connection closed before the answer')));
    socket.on('connect', () => socket.write(framed(query.packet)));
    socket.on('data', (chunk: Buffer) => {
      received = Buffer.concat([received, chunk]);
      const size = received.length >= 2 ? received.readUInt16BE(0) : Number.POSITIVE_INFINITY;
      if (received.length < 2 + size) return;
      const packet = received.subarray(2, 2 + size);
      finish(isResponseTo(query, packet) ? ok(packet) : err('the answer is to another question'));
    });
  });
