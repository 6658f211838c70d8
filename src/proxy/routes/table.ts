/** What one listener does, as swapped in with a plan: matcher and compiled routes. Immutable as seen by requests. */
import { compileListener, type ListenerMatcher } from '../../routing/match/matcher.ts';
import type { Listener, Plan, Route } from '../../routing/plan/plan.ts';
import type { Runtime } from '../runtime.ts';
import { type CompiledRoute, compileRoute } from './compile.ts';

export interface Table {
  readonly listener: Listener;
  readonly matcher: ListenerMatcher;
  /** The route ready to run; compiled when the first request asks for it, so that a new plan costs what is used of it. */
  compiled(route: Route): CompiledRoute;
}

export function createTable(listener: Listener, plan: Plan, runtime: Runtime): Table {
  const routes = new Map<Route, CompiledRoute>();
  return {
    listener,
    matcher: compileListener(listener),
    compiled(route) {
      let compiled = routes.get(route);
      if (!compiled) {
        compiled = compileRoute(route, plan, runtime);
        routes.set(route, compiled);
      }
      return compiled;
    },
  };
}
