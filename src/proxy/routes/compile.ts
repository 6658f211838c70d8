/** A route of the plan ready to run: filters composed, backends looked up, weights prepared. */
import { diagnostic } from '../../base/diagnostics/index.ts';
import { rewriteFault } from '../../routing/match/rewrite.ts';
import type {
  Backend,
  BackendId,
  Listener,
  Plan,
  RedirectAction,
  RespondAction,
  Route,
  WeightedBackend,
} from '../../routing/plan/plan.ts';
import type { AccessFlag } from '../access.ts';
import { type CompiledAffinity, compileAffinity } from '../affinity/compile.ts';
import { MAX_MS } from '../config/rules.ts';
import { compileFilters, noFilters } from '../filters/compile.ts';
import type { CompiledFilter, CompiledMirror, FilterComplaint, FindTarget, Gate } from '../filters/types.ts';
import type { Runtime } from '../runtime.ts';
import { createSplitter, type Splitter } from '../upstream/splitter.ts';
import { isHttp2, type Upstream } from '../upstream/upstreams.ts';
import { type CanaryRules, compileCanary } from './canary.ts';

/** A request that falls to this share is answered here. */
export interface Answer {
  readonly status: number;
  readonly flag: AccessFlag;
  readonly reason: string;
}

/** One share of a forward action. */
export interface Target {
  /** Undefined when `answer` is there. */
  readonly upstream?: Upstream | undefined;
  readonly answer?: Answer | undefined;
  readonly filters: CompiledFilter;
  /** Of this share alone; the route's own comes before. */
  readonly gate: Gate | undefined;
  readonly mirrors: readonly Mirror[] | undefined;
  /** Requests that fall to this share are redirected. */
  readonly redirect: CompiledRedirect | undefined;
  /** Takes the requests while there is no endpoint (canary.ts). */
  readonly otherwise: Target | undefined;
}

/** What a redirect is made of. */
export interface CompiledRedirect {
  readonly action: RedirectAction;
  readonly filters: CompiledFilter;
}

/** Where copies of requests go, and which. */
export interface Mirror extends Omit<CompiledMirror, 'backend'> {
  readonly target: Target;
}

export interface CompiledForward {
  readonly type: 'forward';
  readonly targets: readonly Target[];
  readonly next: Splitter;
  /** undefined: weights alone say where requests go. */
  readonly canary: CanaryRules | undefined;
}

export type CompiledAction =
  | CompiledForward
  | ({ readonly type: 'redirect' } & CompiledRedirect)
  | { readonly type: 'respond'; readonly action: RespondAction; readonly filters: CompiledFilter };

export interface CompiledRoute {
  readonly route: Route;
  /** What lets requests in; undefined when nothing could keep one out. */
  readonly gate: Gate | undefined;
  readonly action: CompiledAction;
  /** undefined: every request is balanced anew. */
  readonly affinity: CompiledAffinity | undefined;
  /** Milliseconds; 0 for none. */
  readonly requestTimeoutMs: number;
  readonly backendTimeoutMs: number;
  /** Milliseconds without a byte; 0: the limits of the data plane. */
  readonly idleTimeoutMs: number;
  /** Its requests are not in the access log. */
  readonly unlogged: boolean;
  /** All backends that were asked for; absent for a route that is never compiled again. */
  readonly met?: readonly MetBackend[];
}

/** A backend as it was when a route was compiled. */
interface MetBackend {
  readonly id: BackendId;
  /** Undefined: the plan did not hold it. */
  readonly backend: Backend | undefined;
  /** Undefined: it could not be reached. */
  readonly upstream: Upstream | undefined;
}

/** Where a route is compiled for. */
export interface RouteScope {
  readonly plan: Plan;
  readonly listener: Listener;
  readonly runtime: Runtime;
}

/** Notes what is met on the way. */
interface Compilation extends RouteScope {
  readonly met: MetBackend[];
}

type Reached = Pick<Target, 'upstream' | 'answer'>;

/**
 * Compiles a route. `before` is what was made of it for an earlier plan: it is kept when all backends are as they were,
 * and otherwise its weighted distribution goes on where it is.
 */
export function compileRoute(
  route: Route,
  { plan, listener, runtime }: RouteScope,
  before?: CompiledRoute,
): CompiledRoute {
  const scope: Compilation = { plan, listener, runtime, met: [] };
  if (before?.met?.every((met) => isAsBefore(met, scope))) return before;
  const complain = complainer(route, runtime);
  const own = compileFilters(route.filters, complain, finder(scope), route.gates);
  return {
    route,
    gate: own.gate,
    action: compileAction(route, own, scope, complain, before?.action),
    affinity: affinityOf(route, runtime, complain),
    requestTimeoutMs: Math.min(MAX_MS, route.timeouts?.requestMs ?? 0),
    backendTimeoutMs: Math.min(MAX_MS, route.timeouts?.backendRequestMs ?? 0),
    idleTimeoutMs: Math.min(MAX_MS, route.timeouts?.idleMs ?? 0),
    unlogged: route.unlogged ?? false,
    met: scope.met,
  };
}

/** Filters keep it for as long as the route stays as it is: a closure beside `scope` would keep the plan of that day too. */
function complainer({ id, source }: Route, { reporter }: Runtime): FilterComplaint {
  return (message, code = 'FW5204') =>
    reporter.report(diagnostic(code, { message: `route ${id}: ${message}`, object: source.object }));
}

function affinityOf(
  { action, affinity }: Route,
  { sessionIds }: Runtime,
  complain: FilterComplaint,
): CompiledAffinity | undefined {
  if (!affinity || action.type !== 'forward') return undefined;
  return compileAffinity(affinity, action.backends, sessionIds, complain, action.canary !== undefined);
}

function isAsBefore({ id, backend, upstream }: MetBackend, scope: Compilation): boolean {
  const now = backendOf(id, scope);
  return now === backend && (now === undefined || reach(now, scope).upstream === upstream);
}

function backendOf(id: BackendId, { plan: { backends } }: RouteScope): Backend | undefined {
  return Object.hasOwn(backends, id) ? backends[id] : undefined;
}

/** The connections to a backend or what to answer instead; undefined when the plan does not hold it. */
function find(id: BackendId, scope: Compilation): Reached | undefined {
  const backend = backendOf(id, scope);
  const reached = backend && reach(backend, scope);
  scope.met.push({ id, backend, upstream: reached?.upstream });
  return reached;
}

function compileAction(
  route: Route,
  own: CompiledFilter,
  scope: Compilation,
  complain: FilterComplaint,
  before: CompiledAction | undefined,
): CompiledAction {
  const { action } = route;
  if (action.type === 'redirect') return compileRedirect(action, own, complain);
  if (action.type === 'respond') return { type: 'respond', action, filters: own };
  return {
    type: 'forward',
    next: before?.type === 'forward' ? before.next : createSplitter(action.backends.map(({ weight }) => weight)),
    targets: action.backends.map((share) => compileTarget(share, route, own, scope, complain)),
    canary: action.canary && compileCanary(action.canary, complain),
  };
}

type Share = Pick<WeightedBackend, 'backend' | 'invalid' | 'filters' | 'redirect' | 'otherwise'>;

function compileTarget(
  share: Share,
  route: Route,
  own: CompiledFilter,
  scope: Compilation,
  complain: FilterComplaint,
): Target {
  const more = compileFilters(share.filters, complain, finder(scope), route.gates);
  // Mirrors of the route count its requests, whichever share these fall to.
  const mirrors = resolveMirrors([...(own.mirrors ?? []), ...(more.mirrors ?? [])], scope, complain);
  const { upstream, answer } = resolveShare(share, scope);
  const redirected = share.redirect && compileShareRedirect(share.redirect, complain);
  const filters =
    share.filters.length === 0
      ? own
      : compileFilters([...route.filters, ...share.filters], complain, finder(scope), route.gates);
  // Written out: objects made by a spread have shapes of their own, and every request looks at one.
  return {
    upstream,
    answer: answer ?? (redirected && 'flag' in redirected ? redirected : undefined),
    filters,
    gate: more.gate,
    mirrors: mirrors.length > 0 ? mirrors : undefined,
    redirect: redirected && 'type' in redirected ? { action: redirected, filters } : undefined,
    otherwise: share.otherwise && compileTarget(share.otherwise, route, own, scope, complain),
  };
}

/** Finds the backends that filters ask. */
function finder(scope: Compilation): FindTarget {
  return (id) => {
    const reached = find(id, scope);
    if (!reached) return 'it is not in the plan';
    const { upstream, answer } = reached;
    if (!upstream) return answer?.reason ?? 'it cannot be reached';
    return {
      upstream,
      answer: undefined,
      filters: noFilters,
      gate: undefined,
      mirrors: undefined,
      redirect: undefined,
      otherwise: undefined,
    };
  };
}

function resolveMirrors(mirrors: readonly CompiledMirror[], scope: Compilation, complain: FilterComplaint): Mirror[] {
  const findTarget = finder(scope);
  return mirrors.flatMap(({ backend: id, chosen, changes, unsent }) => {
    const target = findTarget(id);
    if (typeof target !== 'string') return [{ target, chosen, changes, unsent }];
    complain(`the mirror ${id} cannot be sent to: ${target}`);
    return [];
  });
}

function compileRedirect(action: RedirectAction, filters: CompiledFilter, complain: FilterComplaint): CompiledAction {
  const fault = action.path && rewriteFault(action.path);
  if (fault === undefined) return { type: 'redirect', action, filters };
  complain(fault, 'FW5221');
  return { type: 'respond', action: { type: 'respond', status: 500, reason: 'the redirect cannot be made' }, filters };
}

function compileShareRedirect(action: RedirectAction, complain: FilterComplaint): RedirectAction | Answer {
  const fault = action.path && rewriteFault(action.path);
  if (fault === undefined) return action;
  complain(fault, 'FW5221');
  return { status: 500, flag: 'redirect', reason: 'the redirect cannot be made' };
}

function resolveShare(share: Share, scope: Compilation): Reached {
  if (share.backend === undefined || share.invalid) {
    const { status, reason } = share.invalid ?? { status: 500, reason: 'the backend reference is invalid' };
    return { answer: { status, flag: 'invalid_backend', reason } };
  }
  return (
    find(share.backend, scope) ?? {
      answer: { status: 500, flag: 'invalid_backend', reason: 'the plan does not hold the backend' },
    }
  );
}

/** The connections for requests of this listener to a backend, or what to answer instead. */
function reach(backend: Backend, { plan, listener, runtime }: RouteScope): Reached {
  const { id, protocol, tlsAsListener = false } = backend;
  if (protocol === 'tcp' || protocol === 'udp') return { answer: noHttp };
  const http2 = isHttp2(protocol);
  const isPlain = protocol === 'http1' || protocol === 'h2c' || (tlsAsListener && listener.protocol === 'HTTP');
  if (isPlain) return { upstream: runtime.upstreams.of(id, undefined, http2) };
  const identity = runtime.identities.of(plan, backend, listener);
  if ('problem' in identity) return { answer: { status: 502, flag: 'upstream_tls_failed', reason: identity.problem } };
  return { upstream: runtime.upstreams.of(id, identity, http2) };
}

const noHttp: Answer = { status: 500, flag: 'invalid_backend', reason: 'the backend is one of streams' };
