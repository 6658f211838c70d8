/** A route of the plan ready to run: filters composed, backends looked up, weights prepared. */
import { diagnostic } from '../../base/diagnostics/index.ts';
import type { Backend, Plan, RedirectAction, RespondAction, Route, WeightedBackend } from '../../routing/plan/plan.ts';
import type { AccessFlag } from '../access.ts';
import { compileFilters } from '../filters/compile.ts';
import type { CompiledFilter, FilterComplaint } from '../filters/types.ts';
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
}

export type CompiledAction =
  | { readonly type: 'forward'; readonly targets: readonly Target[]; readonly next: Splitter }
  | { readonly type: 'redirect'; readonly action: RedirectAction; readonly filters: CompiledFilter }
  | { readonly type: 'respond'; readonly action: RespondAction; readonly filters: CompiledFilter };

export interface CompiledRoute {
  readonly route: Route;
  readonly action: CompiledAction;
  /** Milliseconds; 0 for none. */
  readonly requestTimeoutMs: number;
  readonly backendTimeoutMs: number;
}

export function compileRoute(route: Route, plan: Plan, runtime: Runtime): CompiledRoute {
  const complain: FilterComplaint = (message) =>
    runtime.reporter.report(
      diagnostic('FW5204', { message: `route ${route.id}: ${message}`, object: route.source.object }),
    );
  return {
    route,
    action: compileAction(route, plan, runtime, complain),
    requestTimeoutMs: route.timeouts?.requestMs ?? 0,
    backendTimeoutMs: route.timeouts?.backendRequestMs ?? 0,
  };
}

function compileAction(route: Route, plan: Plan, runtime: Runtime, complain: FilterComplaint): CompiledAction {
  const { action } = route;
  if (action.type !== 'forward') return withFilters(action, compileFilters(route.filters, complain));
  return {
    type: 'forward',
    next: createSplitter(action.backends.map(({ weight }) => weight)),
    targets: action.backends.map((share) => ({
      ...resolveShare(share, plan, runtime),
      filters: compileFilters([...route.filters, ...share.filters], complain),
    })),
  };
}

function withFilters(action: RedirectAction | RespondAction, filters: CompiledFilter): CompiledAction {
  return action.type === 'redirect' ? { type: 'redirect', action, filters } : { type: 'respond', action, filters };
}

function resolveShare(share: WeightedBackend, plan: Plan, runtime: Runtime): Pick<Target, 'upstream' | 'answer'> {
  if (share.backend === undefined || share.invalid) {
    const { status, reason } = share.invalid ?? { status: 500, reason: 'the backend reference is invalid' };
    return { answer: { status, flag: 'invalid_backend', reason } };
  }
  const backend = Object.hasOwn(plan.backends, share.backend) ? plan.backends[share.backend] : undefined;
  if (!backend)
    return { answer: { status: 500, flag: 'invalid_backend', reason: 'the plan does not hold the backend' } };
  const answer = unsupported(backend);
  return answer ? { answer } : { upstream: runtime.upstreams.of(backend.id) };
}

/** Speaking HTTP/1.1 in clear text to such a backend would be worse than not speaking to it. */
export function unsupported({ protocol }: Backend): Answer | undefined {
  if (protocol === 'http1') return undefined;
  return {
    status: 502,
    flag: 'unsupported_protocol',
    reason: `the backend wants ${protocol}, which is not spoken yet`,
  };
}
