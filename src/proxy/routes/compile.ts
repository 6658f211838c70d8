/** A route of the plan ready to run: filters composed, backends looked up, weights prepared. */
import { diagnostic } from '../../base/diagnostics/index.ts';
import type {
  Backend,
  Listener,
  Plan,
  RedirectAction,
  RespondAction,
  Route,
  WeightedBackend,
} from '../../routing/plan/plan.ts';
import type { AccessFlag } from '../access.ts';
import { compileFilters } from '../filters/compile.ts';
import type { CompiledFilter, CompiledMirror, FilterComplaint, Gate } from '../filters/types.ts';
import type { Runtime } from '../runtime.ts';
import { createSplitter, type Splitter } from '../upstream/splitter.ts';
import type { Upstream } from '../upstream/upstreams.ts';

/** A request that falls to this share is answered here. */
export interface Answer {
  readonly status: number;
  readonly flag: AccessFlag;
  readonly reason: string;
}

/** One share of a forward action. */
export interface Target {
  /** Absent when `answer` is there. */
  readonly upstream?: Upstream;
  readonly answer?: Answer;
  readonly filters: CompiledFilter;
  /** Of this share alone; the route's own comes before. */
  readonly gate: Gate | undefined;
  readonly mirrors: readonly Mirror[] | undefined;
}

/** Where copies of requests go, and which. */
export interface Mirror {
  readonly upstream: Upstream;
  readonly chosen: () => boolean;
}

export type CompiledAction =
  | { readonly type: 'forward'; readonly targets: readonly Target[]; readonly next: Splitter }
  | { readonly type: 'redirect'; readonly action: RedirectAction; readonly filters: CompiledFilter }
  | { readonly type: 'respond'; readonly action: RespondAction; readonly filters: CompiledFilter };

export interface CompiledRoute {
  readonly route: Route;
  /** What lets requests in; undefined when nothing could keep one out. */
  readonly gate: Gate | undefined;
  readonly action: CompiledAction;
  /** Milliseconds; 0 for none. */
  readonly requestTimeoutMs: number;
  readonly backendTimeoutMs: number;
}

/** Where a route is compiled for. */
export interface RouteScope {
  readonly plan: Plan;
  readonly listener: Listener;
  readonly runtime: Runtime;
}

type Reached = Pick<Target, 'upstream' | 'answer'>;

export function compileRoute(route: Route, scope: RouteScope): CompiledRoute {
  const { runtime } = scope;
  const complain: FilterComplaint = (message, code = 'FW5204') =>
    runtime.reporter.report(
      diagnostic(code, { message: `route ${route.id}: ${message}`, object: route.source.object }),
    );
  const own = compileFilters(route.filters, complain);
  return {
    route,
    gate: own.gate,
    action: compileAction(route, own, scope, complain),
    requestTimeoutMs: route.timeouts?.requestMs ?? 0,
    backendTimeoutMs: route.timeouts?.backendRequestMs ?? 0,
  };
}

function compileAction(
  route: Route,
  own: CompiledFilter,
  scope: RouteScope,
  complain: FilterComplaint,
): CompiledAction {
  const { action } = route;
  if (action.type !== 'forward') return withFilters(action, own);
  return {
    type: 'forward',
    next: createSplitter(action.backends.map(({ weight }) => weight)),
    targets: action.backends.map((share) => compileTarget(share, route, own, scope, complain)),
  };
}

function compileTarget(
  share: WeightedBackend,
  route: Route,
  own: CompiledFilter,
  scope: RouteScope,
  complain: FilterComplaint,
): Target {
  const more = compileFilters(share.filters, complain);
  // Mirrors of the route count its requests, whichever share these fall to.
  const mirrors = resolveMirrors([...(own.mirrors ?? []), ...(more.mirrors ?? [])], scope, complain);
  return {
    ...resolveShare(share, scope),
    filters: share.filters.length === 0 ? own : compileFilters([...route.filters, ...share.filters], complain),
    gate: more.gate,
    mirrors: mirrors.length > 0 ? mirrors : undefined,
  };
}

function resolveMirrors(mirrors: readonly CompiledMirror[], scope: RouteScope, complain: FilterComplaint): Mirror[] {
  const { plan } = scope;
  return mirrors.flatMap(({ backend: id, chosen }) => {
    const backend = Object.hasOwn(plan.backends, id) ? plan.backends[id] : undefined;
    const { upstream, answer }: Reached = backend ? reach(backend, scope) : {};
    if (upstream) return [{ upstream, chosen }];
    complain(`the mirror ${id} cannot be sent to: ${answer?.reason ?? 'it is not in the plan'}`);
    return [];
  });
}

function withFilters(action: RedirectAction | RespondAction, filters: CompiledFilter): CompiledAction {
  return action.type === 'redirect' ? { type: 'redirect', action, filters } : { type: 'respond', action, filters };
}

function resolveShare(share: WeightedBackend, scope: RouteScope): Reached {
  const { plan } = scope;
  if (share.backend === undefined || share.invalid) {
    const { status, reason } = share.invalid ?? { status: 500, reason: 'the backend reference is invalid' };
    return { answer: { status, flag: 'invalid_backend', reason } };
  }
  const backend = Object.hasOwn(plan.backends, share.backend) ? plan.backends[share.backend] : undefined;
  if (!backend)
    return { answer: { status: 500, flag: 'invalid_backend', reason: 'the plan does not hold the backend' } };
  return reach(backend, scope);
}

/** The connections for requests of this listener to a backend, or what to answer instead. */
function reach(backend: Backend, { plan, listener, runtime }: RouteScope): Reached {
  const answer = unsupported(backend);
  if (answer) return { answer };
  if (backend.protocol !== 'https') return { upstream: runtime.upstreams.of(backend.id) };
  const identity = runtime.identities.of(plan, backend, listener);
  if ('problem' in identity) return { answer: { status: 502, flag: 'upstream_tls_failed', reason: identity.problem } };
  return { upstream: runtime.upstreams.of(backend.id, identity) };
}

/** Speaking HTTP/1.1 in clear text to such a backend would be worse than not speaking to it. */
export function unsupported({ protocol }: Backend): Answer | undefined {
  if (protocol === 'http1' || protocol === 'https') return undefined;
  return {
    status: 502,
    flag: 'unsupported_protocol',
    reason: `the backend wants ${protocol}, which is not spoken yet`,
  };
}
