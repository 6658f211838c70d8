/** What one listener does, as swapped in with a plan: matcher and compiled routes. Immutable as seen by requests. */
import { compileListener, type ListenerMatcher } from '../../routing/match/matcher.ts';
import type { Listener, Plan, Route } from '../../routing/plan/plan.ts';
import { type AuthorityOf, compileAuthorities } from '../exchange/misdirected.ts';
import type { Runtime } from '../runtime.ts';
import { type CompiledRoute, compileRoute } from './compile.ts';

export interface Table {
  readonly listener: Listener;
  readonly matcher: ListenerMatcher;
  /** Whose requests may come over whose connections; undefined when there is one authority for all. */
  readonly authorityOf: AuthorityOf | undefined;
  /** The route ready to run; compiled when the first request asks for it, so that a new plan costs what is used of it. */
  compiled(route: Route): CompiledRoute;
  /** What was last made of each route that there still is, for tables to come. */
  readonly earlier: WeakMap<Route, CompiledRoute>;
}

/** `before` is the table that the new one takes the place of: what was compiled for it is used again. */
export function createTable(listener: Listener, plan: Plan, runtime: Runtime, before?: Table): Table {
  const routes = new Map<Route, CompiledRoute>();
  const earlier = before?.earlier ?? new WeakMap<Route, CompiledRoute>();
  const scope = { plan, listener, runtime };
  return {
    listener,
    earlier,
    matcher: compileListener(listener, before?.matcher),
    authorityOf: compileAuthorities(listener.tls?.authorities),
    compiled(route) {
      let compiled = routes.get(route);
      if (!compiled) {
        compiled = compileRoute(route, scope, earlier.get(route));
        routes.set(route, compiled);
        earlier.set(route, compiled);
      }
      return compiled;
    },
  };
}
