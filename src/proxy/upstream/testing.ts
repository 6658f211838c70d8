/** Endpoints and sequences for tests of upstreams. */
import type { BackendPolicy } from '../../routing/plan/backend-policy.ts';
import { backend, endpoint } from '../testing/plans.ts';
import { createPool, type Pool } from './pool.ts';
import type { UpkeepOptions } from './upkeep.ts';
import { createUpstreams, nextTarget, type Upstream, type Upstreams } from './upstreams.ts';

/** `10.0.0.1:80` and so on. */
export function pools(count: number, from = 1): Pool[] {
  return Array.from({ length: count }, (_, i) => poolAt(`10.0.0.${from + i}`));
}

export function poolAt(address: string): Pool {
  return createPool(endpoint(address, 80), `${address}:80`);
}

/** The same numbers of [0, 1) in every run: a linear congruential generator. */
export function pseudoRandom(seed = 1): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

/** Upstreams of one backend `a` with a policy and endpoints at `10.0.0.1:80` and on. */
export function upstreamsOf(
  policy: BackendPolicy | undefined,
  count: number,
  options?: UpkeepOptions,
): { readonly upstreams: Upstreams; readonly upstream: Upstream } {
  const upstreams = createUpstreams(options);
  upstreams.setBackends({ a: { ...backend('a'), ...(policy && { policy }) } });
  upstreams.setEndpoints('a', listed(count));
  return { upstreams, upstream: upstreams.of('a') };
}

export function listed(count: number, from = 1) {
  return Array.from({ length: count }, (_, i) => endpoint(`10.0.0.${from + i}`, 80));
}

/** How many of `requests` go to each endpoint. */
export function shares(upstream: Upstream, requests: number, key?: (i: number) => number): Record<string, number> {
  const counts: Record<string, number> = {};
  for (let i = 0; i < requests; i++) {
    const chosen = nextTarget(upstream, undefined, key?.(i))?.key ?? 'none';
    counts[chosen] = (counts[chosen] ?? 0) + 1;
  }
  return counts;
}
