/** What one stream listener does, as swapped in with a plan: routes by server name, with their shares prepared. */
import type { Plan, StreamListener, StreamRoute } from '../../routing/plan/plan.ts';
import type { Contexts, Identities } from '../tls/contexts.ts';
import { createSplitter, type Splitter } from '../upstream/splitter.ts';
import type { Upstream, Upstreams } from '../upstream/upstreams.ts';

/** One share of a route. */
export interface StreamShare {
  /** Absent: connections that fall to this share are refused, because of `reason`. */
  readonly upstream?: Upstream;
  readonly reason?: string;
}

export interface CompiledStream {
  readonly route: StreamRoute;
  readonly shares: readonly StreamShare[];
  /** Index of the next share; -1 when none has a weight. */
  readonly next: Splitter;
  /** Certificates, for `terminate`. */
  readonly identities: Identities | undefined;
}

export interface StreamTable {
  readonly listener: StreamListener;
  /** The route for a server name in lower case; undefined: refuse. */
  find(serverName: string | undefined): CompiledStream | undefined;
  /** Whether new UDP flows could go to this backend. */
  leadsTo(upstream: Upstream): boolean;
}

export function createStreamTable(
  listener: StreamListener,
  plan: Plan,
  upstreams: Upstreams,
  contexts: Contexts,
): StreamTable {
  const compiled = listener.routes.map((route) => compileStream(route, plan, upstreams, contexts));
  const byName = new Map(compiled.map((one) => [one.route.serverName.toLowerCase(), one]));
  const any = byName.get('*');
  const reachable = new Set(
    compiled.flatMap(({ route, shares }) => shares.filter((_, i) => route.backends[i]!.weight > 0)),
  );
  const led = new Set([...reachable].flatMap(({ upstream }) => (upstream ? [upstream] : [])));
  return {
    listener,
    find: (serverName) => (serverName === undefined ? any : (findByName(byName, serverName) ?? any)),
    leadsTo: (upstream) => led.has(upstream),
  };
}

/** Exact, then the nearest wildcard: a star stands for one label and more. */
function findByName(byName: ReadonlyMap<string, CompiledStream>, name: string): CompiledStream | undefined {
  const exact = byName.get(name);
  if (exact) return exact;
  for (let dot = name.indexOf('.'); dot > 0; dot = name.indexOf('.', dot + 1)) {
    const found = byName.get(`*${name.slice(dot)}`);
    if (found) return found;
  }
  return undefined;
}

function compileStream(route: StreamRoute, plan: Plan, upstreams: Upstreams, contexts: Contexts): CompiledStream {
  return {
    route,
    shares: route.backends.map(({ backend, invalid }) => {
      if (backend === undefined || invalid !== undefined) return { reason: invalid ?? 'the backendRef is invalid' };
      if (!Object.hasOwn(plan.backends, backend)) return { reason: 'the plan does not hold the backend' };
      return { upstream: upstreams.of(backend) };
    }),
    next: createSplitter(route.backends.map(({ weight }) => weight)),
    identities: route.tls === 'terminate' ? contexts.identities({ certificates: route.certificates ?? [] }) : undefined,
  };
}
