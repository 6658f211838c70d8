/** What carries a request to an endpoint: something that is there already, or something new. */
import type { UpstreamLink } from '../exchange/wire.ts';
import type { Runtime } from '../runtime.ts';
import { openConnection } from './connection.ts';
import { type Pool, takeIdle } from './pool.ts';

/**
 * A link to the endpoint; it may have to connect first. Undefined when the endpoint has all the connections it may have.
 * `fresh` asks for one that nobody has used.
 */
export function acquireLink(pool: Pool, runtime: Runtime, fresh: boolean): UpstreamLink | undefined {
  const idle = fresh ? undefined : takeIdle(pool);
  if (idle) {
    idle.reused = true;
    return idle;
  }
  const { connectTimeoutMs, maxConnectionsPerEndpoint } = runtime.settings.upstream;
  if (pool.open >= maxConnectionsPerEndpoint) return undefined;
  return openConnection(pool, connectTimeoutMs, runtime.upstreamHandlers);
}
