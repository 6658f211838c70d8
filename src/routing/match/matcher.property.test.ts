import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Listener, Route, RouteMatch, VirtualHost } from '../plan/plan.ts';
import { compileListener, type MatchRequest } from './matcher.ts';
import { listener, route, virtualHost } from './test-helpers.ts';

/** The plan's comments taken word by word, with no thought of speed: the judge of the compiled matcher. */
function naiveMatch(door: Listener, given: MatchRequest): { host?: string; route?: string } {
  const covers = ({ hostname, wildcard }: VirtualHost, name: string) => {
    if (hostname === '*') return true;
    if (!hostname.startsWith('*.')) return hostname === name;
    const labels = name.slice(0, -hostname.length + 1);
    return name.endsWith(hostname.slice(1)) && labels !== '' && (wildcard === 'any-depth' || !labels.includes('.'));
  };
  const rank = ({ hostname }: VirtualHost) =>
    hostname === '*' ? -1 : hostname.startsWith('*') ? hostname.length : 1000 + hostname.length;
  const fold = (text: string, ignoreCase?: boolean) => (ignoreCase ? text.toLowerCase() : text);
  const pathFits = ({ path }: RouteMatch) => {
    if (!path) return true;
    const want = fold(path.value, path.ignoreCase);
    const got = fold(given.path, path.ignoreCase);
    if (path.type === 'exact') return got === want;
    if (path.type === 'string-prefix') return got.startsWith(want);
    if (path.type === 'regex') return new RegExp(`^(?:${path.value})$`, path.ignoreCase ? 'i' : '').test(given.path);
    const elements = (want.endsWith('/') ? want.slice(0, -1) : want).split('/');
    return elements.every((element, i) => got.split('/')[i] === element);
  };
  const valueFits = (type: string, want: string, got: string | undefined | null) =>
    got !== undefined && got !== null && (type === 'exact' ? got === want : new RegExp(`^(?:${want})$`).test(got));
  const fits = ({ match }: Route) =>
    pathFits(match) &&
    (!match.grpc || (given.grpc === true && given.method === 'POST')) &&
    (match.method === undefined || match.method === given.method) &&
    (match.headers ?? []).every((h) => valueFits(h.type, h.value, given.headers(h.name))) &&
    (match.query ?? []).every((q) => valueFits(q.type, q.value, new URLSearchParams(given.query).get(q.name)));

  const name = given.host.toLowerCase().replace(/:\d*$/, '').replace(/\.$/, '');
  const first = door.hosts.filter((host) => covers(host, name)).sort((a, b) => rank(b) - rank(a))[0];
  if (!first) return {};
  const seen = new Set<VirtualHost>();
  for (let host: VirtualHost | undefined = first; host && !seen.has(host); ) {
    seen.add(host);
    const found = host.routes.find(fits);
    if (found) return { host: host.hostname, route: found.id };
    const next: string | undefined = host.fallback;
    host = door.hosts.find(({ hostname }) => hostname === next);
  }
  return { host: first.hostname };
}

describe('compiled matcher', () => {
  const names = fc.stringMatching(/^[ab](\.[ab]){0,3}$/);
  const hostnames = fc.oneof(
    names,
    names.map((name) => `*.${name}`),
    fc.constant('*'),
  );
  const paths = fc.oneof(
    fc.stringMatching(/^\/[aAb/]{0,6}$/),
    fc.stringMatching(/^\/(a|bb|b|cc)(\/(a|bb|b|cc)){0,3}\/?$/),
  );
  const patterns = fc.constantFrom('/a.*', '/[ab]+', '/(a|bb)/?', '.*b', 'a|b', '/a{1,2}(/b)*');
  const pathMatch = fc.record(
    {
      type: fc.constantFrom('exact' as const, 'prefix' as const, 'string-prefix' as const),
      value: paths,
      ignoreCase: fc.boolean(),
    },
    { requiredKeys: ['type', 'value'] },
  );
  const regexMatch = fc.record(
    { type: fc.constant('regex' as const), value: patterns, ignoreCase: fc.boolean() },
    { requiredKeys: ['type', 'value'] },
  );
  const valueMatch = fc.record({
    name: fc.constantFrom('x', 'y'),
    type: fc.constantFrom('exact' as const, 'regex' as const),
    value: fc.constantFrom('a', 'b', 'a|b', ''),
  });
  const httpMatch: fc.Arbitrary<RouteMatch> = fc.record(
    {
      path: fc.oneof({ weight: 5, arbitrary: pathMatch }, { weight: 1, arbitrary: regexMatch }),
      method: fc.constantFrom('GET', 'POST'),
      headers: fc.array(valueMatch, { maxLength: 2 }),
      query: fc.array(valueMatch, { maxLength: 2 }),
    },
    { requiredKeys: [] },
  );
  const grpcMatch = httpMatch.map((match): RouteMatch => ({ ...match, grpc: true }));
  const routeMatch = fc.oneof({ weight: 6, arbitrary: httpMatch }, { weight: 1, arbitrary: grpcMatch });
  const hosts = fc.uniqueArray(
    fc.record(
      {
        hostname: hostnames,
        wildcard: fc.constantFrom('one-label' as const, 'any-depth' as const),
        matches: fc.array(routeMatch, { maxLength: 12 }),
        fallback: hostnames,
      },
      { requiredKeys: ['hostname', 'wildcard', 'matches'] },
    ),
    { maxLength: 8, selector: ({ hostname }) => hostname },
  );
  const listeners = hosts.map((list) =>
    listener(
      list.map(({ hostname, wildcard, matches, fallback }) =>
        virtualHost(
          hostname,
          matches.map((match, i) => route(`${hostname}#${i}`, match)),
          {
            wildcard,
            ...(fallback !== undefined && { fallback }),
          },
        ),
      ),
    ),
  );
  const requests = fc.record({
    host: fc.tuple(names, fc.constantFrom('', ':80', '.', '.:8080')).map((parts) => parts.join('')),
    path: paths,
    query: fc.constantFrom('', 'x=a', 'x=b&x=a', 'y=&x=a', '%78=a', 'x', 'y=b&x=%61'),
    method: fc.constantFrom('GET', 'POST'),
    grpc: fc.boolean(),
    headers: fc
      .dictionary(fc.constantFrom('x', 'y'), fc.constantFrom('a', 'b', ''))
      .map((headers) => (name: string) => (Object.hasOwn(headers, name) ? headers[name] : undefined)),
  });
  const many = fc.array(requests, { minLength: 1, maxLength: 8 });

  it('equals the naive one', () => {
    let routed = 0;
    fc.assert(
      fc.property(listeners, many, (door, given) => {
        const matcher = compileListener(door);
        for (const one of given) {
          const { host, route: found } = matcher.match(one);
          const expected = naiveMatch(door, one);
          expect({ host: host?.hostname, route: found?.id }).toEqual({ host: expected.host, route: expected.route });
          if (found) routed++;
        }
      }),
      { numRuns: 1500 },
    );
    expect(routed).toBeGreaterThan(500);
  });

  it('explains exactly what it does', () => {
    fc.assert(
      fc.property(listeners, many, (door, given) => {
        const matcher = compileListener(door);
        for (const one of given) {
          const { route: found, host } = matcher.match(one);
          const explanation = matcher.explain(one);
          expect(explanation.result).toEqual(matcher.match(one));
          const won = explanation.hosts.flatMap(({ routes }) =>
            routes.filter(({ verdict }) => verdict.outcome === 'matched'),
          );
          expect(won.map((each) => each.route)).toEqual(found ? [found] : []);
          const wonHosts = explanation.hosts.filter(({ verdict }) => verdict.outcome === 'matched');
          expect(wonHosts.map((each) => each.host)).toEqual(found ? [host] : []);
          for (const { routes, host: tried } of explanation.hosts)
            for (const { route: lost, verdict } of routes) expectHonest(door, one, tried, lost, verdict, found);
        }
      }),
      { numRuns: 400 },
    );
  });

  /** A route that lost for a reason other than precedence would lose even alone; one that lost by precedence would win. */
  function expectHonest(
    door: Listener,
    given: MatchRequest,
    host: VirtualHost,
    lost: Route,
    verdict: { outcome: string; reason?: string },
    winner: Route | undefined,
  ): void {
    if (verdict.outcome === 'matched') return;
    const alone = listener([virtualHost('*', [lost])]);
    expect(naiveMatch(alone, given).route !== undefined).toBe(verdict.reason === 'precedence');
    if (verdict.reason !== 'precedence') return;
    expect(host.routes.indexOf(winner!)).toBeLessThan(host.routes.indexOf(lost));
    expect(door.hosts).toContain(host);
  }
});
