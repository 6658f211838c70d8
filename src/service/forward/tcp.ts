/** One TCP connection to a Service, carried to an endpoint in both directions. */
import { connect, type Socket } from 'node:net';
import type { Binding } from '../bind.ts';
import type { Endpoint } from '../endpoints.ts';
import type { ForwardLimits } from './limits.ts';
import type { Target } from './target.ts';

export interface TcpForwarding {
  readonly limits: ForwardLimits;
  /** Where an endpoint really listens; undefined for one that must not be dialled (it is one of our own sockets). */
  place(endpoint: Endpoint): Binding | undefined;
}

/**
 * Connects a client that was just accepted (paused, half-open) to the first endpoint of the target that accepts, and
 * joins the two: data, ends (each side may finish while the other goes on), resets and back-pressure. Without an
 * endpoint the client is reset, as a REJECT rule of kube-proxy refuses it.
 */
export function forwardTcp(client: Socket, target: Target, forwarding: TcpForwarding): void {
  const { limits } = forwarding;
  const from = client.remoteAddress ?? '';
  const candidates = target.candidates(from)[Symbol.iterator]();
  const deadline = Date.now() + limits.connectDeadlineMs;
  let upstream: Socket | undefined;

  client.on('error', () => upstream?.resetAndDestroy());
  client.once('close', () => {
    if (!endedWell(client)) upstream?.destroy();
  });

  function tryNext(): void {
    if (client.destroyed) return;
    for (const endpoint of remaining()) {
      const place = forwarding.place(endpoint);
      if (!place) continue;
      dial(endpoint, place);
      return;
    }
    client.resetAndDestroy();
  }

  /** Candidates that were not tried yet, until the deadline. */
  function* remaining(): Generator<Endpoint> {
    while (Date.now() < deadline) {
      const { value, done } = candidates.next();
      if (done) return;
      yield value;
    }
  }

  function dial(endpoint: Endpoint, place: Binding): void {
    const attempt = connect({
      host: place.address,
      port: place.port,
      allowHalfOpen: true,
      noDelay: true,
      ...sourceOf(from, place),
    });
    upstream = attempt;
    const timer = setTimeout(() => attempt.destroy(new Error('connect timeout')), limits.connectTimeoutMs);
    attempt.once('error', () => {
      clearTimeout(timer);
      tryNext();
    });
    attempt.once('connect', () => {
      clearTimeout(timer);
      attempt.removeAllListeners('error');
      target.chose(from, endpoint);
      join(client, attempt, limits.tcpIdleMs);
    });
    attempt.once('close', () => clearTimeout(timer));
  }

  tryNext();
}

/** Pods see the address of the client, as they do in a cluster, where that address can be used to dial from. */
function sourceOf(client: string, place: Binding): { localAddress?: string } {
  const own = client.startsWith('127.') && client !== '127.0.0.1' && place.address.startsWith('127.');
  return own ? { localAddress: client } : {};
}

/** Both directions are complete: what the other side still has to send or read it may finish by itself. */
function endedWell(socket: Socket): boolean {
  return socket.readableEnded && socket.writableFinished;
}

function join(client: Socket, upstream: Socket, idleMs: number): void {
  upstream.on('error', () => client.resetAndDestroy());
  upstream.once('close', () => {
    if (!endedWell(upstream)) client.destroy();
  });
  // Every byte in either direction passes the client's socket, so its timer alone sees idleness.
  client.setTimeout(idleMs, () => {
    client.destroy();
    upstream.destroy();
  });
  client.pipe(upstream);
  upstream.pipe(client);
}
