/** What one stream listener does, as swapped in with a plan: routes by server name, with their shares prepared. */
import type { Backend, Plan, StreamBackend, StreamListener, StreamRoute } from '../../routing/plan/plan.ts';
import type { Runtime } from '../runtime.ts';
import type { Contexts, Identities } from '../tls/contexts.ts';
import type { ProxyProtocol } from '../upstream/proxy-header-out.ts';
import { createSplitter, type Splitter } from '../upstream/splitter.ts';
import type { Upstream } from '../upstream/upstreams.ts';
import { indexByName } from './by-name.ts';

/** One share of a route. */
export interface StreamShare {
  /** Absent: connections that fall to this share are refused, because of `reason`. */
  readonly upstream?: Upstream;
  readonly reason?: string;
  /** The backend is told whose connection it is. */
  readonly announce?: ProxyProtocol;
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
  readonly compiled: readonly CompiledStream[];
  /** The route for a server name in lower case; undefined: refuse. */
  find(serverName: string | undefined): CompiledStream | undefined;
  /** Whether new UDP flows could go to this backend. */
  leadsTo(upstream: Upstream): boolean;
}

/** `before`: of the plan before this one. Routes with the same weights go on with their distribution where it is. */
export function createStreamTable(
  listener: StreamListener,
  plan: Plan,
  runtime: Runtime,
  contexts: Contexts,
  before?: StreamTable,
): StreamTable {
  const earlier = new Map(before?.compiled.map((one) => [one.route.serverName, one]));
  const compiled = listener.routes.map((route) =>
    compileStream(route, listener, plan, runtime, contexts, earlier.get(route.serverName)),
  );
  const find = indexByName(compiled, ({ route }) => route);
  const reachable = new Set(
    compiled.flatMap(({ route, shares }) => shares.filter((_, i) => route.backends[i]!.weight > 0)),
  );
  const led = new Set([...reachable].flatMap(({ upstream }) => (upstream ? [upstream] : [])));
  return {
    listener,
    compiled,
    find,
    leadsTo: (upstream) => led.has(upstream),
  };
}

function compileStream(
  route: StreamRoute,
  listener: StreamListener,
  plan: Plan,
  runtime: Runtime,
  contexts: Contexts,
  before: CompiledStream | undefined,
): CompiledStream {
  return {
    route,
    shares: route.backends.map((share) => compileShare(share, route, listener, plan, runtime)),
    next:
      before && sameShares(before.route, route)
        ? before.next
        : createSplitter(route.backends.map(({ weight }) => weight)),
    identities: route.tls === 'terminate' ? contexts.identities({ certificates: route.certificates ?? [] }) : undefined,
  };
}

function sameShares({ id, backends }: StreamRoute, other: StreamRoute): boolean {
  if (id !== other.id || backends.length !== other.backends.length) return false;
  return backends.every(({ weight }, i) => weight === other.backends[i]!.weight);
}

function compileShare(
  { backend: id, invalid }: StreamBackend,
  route: StreamRoute,
  listener: StreamListener,
  plan: Plan,
  runtime: Runtime,
): StreamShare {
  if (id === undefined || invalid !== undefined) return { reason: invalid ?? 'the backendRef is invalid' };
  const backend = Object.hasOwn(plan.backends, id) ? plan.backends[id]! : undefined;
  if (!backend) return { reason: 'the plan does not hold the backend' };
  const upstream = upstreamOf(backend, route, listener, plan, runtime);
  if ('problem' in upstream) return { reason: upstream.problem };
  return { upstream, ...(backend.proxyProtocol && { announce: backend.proxyProtocol }) };
}

/** Bytes that are TLS already go as they are, whatever the backend asks for. */
function upstreamOf(
  backend: Backend,
  route: StreamRoute,
  listener: StreamListener,
  plan: Plan,
  { upstreams, identities }: Runtime,
): Upstream | { readonly problem: string } {
  if (!backend.tls || backend.protocol === 'udp' || route.tls === 'passthrough') return upstreams.of(backend.id);
  const identity = identities.of(plan, backend, listener);
  return 'problem' in identity ? identity : upstreams.of(backend.id, identity);
}
