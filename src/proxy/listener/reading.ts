/** When a connection is read: as long as what it sends has somewhere to go. */
import { isBlocked } from '../outbox.ts';
import { type ClientConnection, pendingBytes, setClientReading } from './client.ts';

/** To be called whenever something changes that the answer depends on. */
export function refreshReading(client: ClientConnection): void {
  if (!client.gone) setClientReading(client, wantsBytes(client));
}

function wantsBytes(client: ClientConnection): boolean {
  const { exchange } = client;
  const { client: limits, relay } = client.runtime.settings;
  if (client.lingering) return true;
  if (!exchange) return !isBlocked(client.socket, relay.bufferBytes);
  const carriesBody = exchange.tunnel || !exchange.requestDone;
  const { upstream } = exchange;
  if (carriesBody && upstream?.connected) return !upstream.wire.isBlocked(upstream, relay.bufferBytes);
  return pendingBytes(client) < limits.maxPipelinedBytes;
}
