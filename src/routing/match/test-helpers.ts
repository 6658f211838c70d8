/** Small listeners and requests for the tests of this folder. */
import type { Listener, Route, RouteMatch, VirtualHost } from '../plan/plan.ts';
import { compileListener } from './matcher.ts';
import type { MatchRequest } from './request.ts';

const source = { object: { apiVersion: 'v1', kind: 'Test', name: 'test' } };

export function route(id: string, match: RouteMatch = {}): Route {
  return { id, match, filters: [], action: { type: 'respond', status: 200, reason: 'test' }, source };
}

export function virtualHost(hostname: string, routes: Route[], rest: Partial<VirtualHost> = {}): VirtualHost {
  return { hostname, wildcard: 'one-label', routes, sources: [], ...rest };
}

export function listener(hosts: VirtualHost[]): Listener {
  return { id: '127.0.0.1:80/HTTP', address: '127.0.0.1', port: 80, protocol: 'HTTP', hosts, sources: [] };
}

export function request(
  host: string,
  path = '/',
  rest: { query?: string; method?: string; headers?: Record<string, string> } = {},
) {
  const { query = '', method = 'GET', headers = {} } = rest;
  return { host, path, query, method, headers: (name: string) => headers[name] } satisfies MatchRequest;
}

export const under = (value: string, rest: RouteMatch = {}): RouteMatch => ({
  path: { type: 'prefix', value },
  ...rest,
});

/** Id of the route that answers, `host hostname` when only a host was found. */
export function answer(hosts: VirtualHost[], ...given: Parameters<typeof request>): string | undefined {
  const { host, route: found } = compileListener(listener(hosts)).match(request(...given));
  return found?.id ?? (host && `host ${host.hostname}`);
}
