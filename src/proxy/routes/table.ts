/** What one listener does, as swapped in with a plan: matcher and compiled routes. Immutable as seen by requests. */
import { compileListener, type ListenerMatcher } from '../../routing/match/matcher.ts';
import { defaultLogFormat } from '../../routing/plan/log-format.ts';
import type { Listener, Plan, Route } from '../../routing/plan/plan.ts';
import { compileChallenges } from '../exchange/acme-challenge.ts';
import { createTrust } from '../exchange/forwarded.ts';
import { type AuthorityOf, compileAuthorities } from '../exchange/misdirected.ts';
import { type CompiledLine, compileLine } from '../log/line/compile.ts';
import type { Runtime } from '../runtime.ts';
import { type AlpnChallenges, compileAlpnChallenges } from '../tls/acme-alpn.ts';
import { type CompiledRoute, compileRoute } from './compile.ts';

export interface Table {
  readonly listener: Listener;
  readonly matcher: ListenerMatcher;
  /** Whose requests may come over whose connections; undefined when there is one authority for all. */
  readonly authorityOf: AuthorityOf | undefined;
  /** Whether an address is that of a proxy whose word on clients counts. */
  readonly trusts: (address: string) => boolean;
  /** The route ready to run; compiled when the first request asks for it, so that a new plan costs what is used of it. */
  compiled(route: Route): CompiledRoute;
  /** Key authorizations by token that plain HTTP gives out, whatever the routes say; undefined: none. */
  readonly challenges: ReadonlyMap<string, string> | undefined;
  /** Names that TLS proves to certificate authorities; undefined: none. */
  readonly alpnChallenges: AlpnChallenges | undefined;
  /** How its lines of the access log are made; undefined where records have none. */
  readonly line: CompiledLine | undefined;
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
    matcher: compileListener(listener, before?.matcher, runtime.settings.client),
    trusts: compileTrust(listener, runtime, before),
    authorityOf: compileAuthorities(listener.tls?.authorities),
    line: runtime.accessLines ? compileLine(listener.logFormat ?? defaultLogFormat) : undefined,
    challenges: listener.protocol === 'HTTP' ? compileChallenges(plan.challenges) : undefined,
    alpnChallenges: listener.protocol === 'HTTPS' ? compileAlpnChallenges(plan, runtime) : undefined,
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

function compileTrust(
  { trustedProxies }: Listener,
  { isTrusted }: Runtime,
  before: Table | undefined,
): Table['trusts'] {
  if (!trustedProxies) return isTrusted;
  if (before?.listener.trustedProxies === trustedProxies) return before.trusts;
  const own = createTrust(trustedProxies);
  return (address) => isTrusted(address) || own(address);
}
