import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createStore, type Store } from '../../kube/store/store.ts';
import type { Unstructured } from '../../kube/types/index.ts';
import { compileListener } from '../match/matcher.ts';
import type { TranslateInput } from '../translate.ts';
import { gatewayApiVersion, resources, routeResources, supportedFeatures } from './kinds.ts';
import { translateGateway } from './translate.ts';

function inputFor(store: Store, extra: Partial<TranslateInput> = {}): TranslateInput {
  return {
    store,
    adopt: false,
    now: '2026-01-01T00:00:00Z',
    position: () => undefined,
    addresses: { ingress: () => [], gateway: () => '127.77.40.1', usable: () => true },
    ...extra,
  };
}

function object(kind: string, name: string, spec: unknown, namespace?: string): Unstructured {
  const metadata = { name, generation: 1, creationTimestamp: '2026-01-01T00:00:00Z', ...(namespace && { namespace }) };
  return { apiVersion: gatewayApiVersion, kind, metadata, spec };
}

function storeWithGateway(listeners: unknown[]): Store {
  const store = createStore();
  store.put(resources.gatewayClass, object('GatewayClass', 'fairway', { controllerName: 'fairway.dev/gateway' }));
  store.put(resources.gateway, object('Gateway', 'gw', { gatewayClassName: 'fairway', listeners }, 'shop'));
  store.put('services', {
    ...object('Service', 'web', { ports: [{ port: 80 }] }, 'shop'),
    apiVersion: 'v1',
  });
  return store;
}

function putRoute(store: Store, name: string, spec: Record<string, unknown>): void {
  const whole = { parentRefs: [{ name: 'gw' }], ...spec };
  store.put(routeResources.HTTPRoute, object('HTTPRoute', name, whole, 'shop'));
}

const forward = { backendRefs: [{ name: 'web', port: 80 }] };

describe('translateGateway', () => {
  it('makes nothing of nothing', () => {
    expect(translateGateway(inputFor(createStore()))).toEqual({
      listeners: [],
      backends: [],
      certificates: [],
      statuses: [],
      diagnostics: [],
    });
  });

  it('takes objects without a spec, which CRDs of bundles before v1.4 let through', () => {
    const store = storeWithGateway([{ name: 'http', port: 80, protocol: 'HTTP' }]);
    putRoute(store, 'good', { rules: [forward, { backendRefs: [{ name: 'web', namespace: 'far', port: 80 }] }] });
    const { spec: _, ...grant } = object('ReferenceGrant', 'empty', undefined, 'far');
    store.put(resources.referenceGrant, grant);
    const { spec: __, ...calls } = object('GRPCRoute', 'empty', undefined, 'shop');
    store.put(routeResources.GRPCRoute, calls);
    const { listeners, diagnostics } = translateGateway(inputFor(store));
    expect(listeners[0]!.hosts[0]!.routes).toHaveLength(2);
    expect(diagnostics.map(({ code, object: of }) => `${code} ${of!.kind}`)).toEqual([
      'FW3402 HTTPRoute',
      'FW3207 GRPCRoute',
    ]);
  });

  it('shows no more addresses of a Gateway than its status may hold', () => {
    const store = storeWithGateway([{ name: 'http', port: 80, protocol: 'HTTP' }]);
    const published = Array.from({ length: 20 }, (_, i) => `192.0.2.${i}`);
    const addresses = { ...inputFor(store).addresses, published: () => published };
    const { statuses } = translateGateway(inputFor(store, { addresses }));
    const { build } = statuses.find(({ ref }) => ref.kind === 'Gateway')!;
    const status = build(store.get(resources.gateway, 'shop/gw')!, { listener: () => ({ bound: true }) });
    expect((status as { addresses: object[] }).addresses).toEqual(
      published.slice(0, 16).map((value) => ({ type: 'IPAddress', value })),
    );
  });

  it('gives places in files to findings, and fields to the elements of the plan', () => {
    const store = storeWithGateway([{ name: 'http', port: 80, protocol: 'HTTP' }]);
    putRoute(store, 'r', { rules: [{ backendRefs: [{ name: 'absent', port: 80 }] }] });
    const position: TranslateInput['position'] = (ref, fieldPath) => ({
      file: `${ref.kind}:${fieldPath}`,
      line: 1,
      column: 2,
    });
    const { listeners, diagnostics } = translateGateway(inputFor(store, { position }));
    expect(listeners[0]!.sources[0]).toMatchObject({ object: { kind: 'Gateway' }, fieldPath: 'spec.listeners[0]' });
    expect(listeners[0]!.hosts[0]!.routes[0]!.source).toMatchObject({
      object: { kind: 'HTTPRoute' },
      fieldPath: 'spec.rules[0].matches[0]',
    });
    expect(diagnostics[0]).toMatchObject({
      code: 'FW3401',
      fieldPath: 'spec.rules[0].backendRefs[0]',
      position: { file: 'HTTPRoute:spec.rules[0].backendRefs[0]', line: 1, column: 2 },
    });
  });

  it('translates 5,000 routes in well under a second, on one hostname or on many', () => {
    const listeners = Array.from({ length: 4 }, (_, i) => ({
      name: `l${i}`,
      port: 80,
      protocol: 'HTTP',
      ...(i > 0 && { hostname: `*.d${i}.example.com` }),
    }));
    const store = storeWithGateway(listeners);
    for (let i = 0; i < 5000; i++) {
      const own = i % 2 ? { hostnames: [`h${i}.d${i % 4}.example.com`] } : {};
      putRoute(store, `r${i}`, {
        ...own,
        rules: [{ matches: [{ path: { type: 'PathPrefix', value: `/p${i}` } }], ...forward }],
      });
    }
    const before = process.cpuUsage();
    const { listeners: sockets, statuses } = translateGateway(inputFor(store));
    const { user, system } = process.cpuUsage(before);
    expect(statuses).toHaveLength(5002);
    expect(sockets[0]!.hosts.find(({ hostname }) => hostname === '*')!.routes).toHaveLength(2500);
    // CPU milliseconds, cold: about 300 where it was written, and several times as much where others want the caches too. A quadratic step would take many seconds.
    expect((user + system) / 1000).toBeLessThan(3000);
  }, 60_000);

  it('keeps the parts of a route together through hostnames, listeners and precedence', () => {
    const hostnames = fc.uniqueArray(
      fc.constantFrom('a.x.com', 'b.x.com', '*.x.com', 'a.b.x.com', '*.b.x.com', '*.com', 'y.com'),
      { maxLength: 3 },
    );
    const hosts = ['a.x.com', 'b.x.com', 'c.x.com', 'a.b.x.com', 'z.b.x.com', 'y.com', 'x.com', 'other'];
    const specificity = (name: string) => (name === '*' ? 0 : name.startsWith('*') ? name.length : 1000 + name.length);
    const matches = (pattern: string, host: string) =>
      pattern === '*' || pattern === host || (pattern.startsWith('*') && host.endsWith(pattern.slice(1)));
    fc.assert(
      fc.property(hostnames, fc.array(hostnames, { maxLength: 4 }), (listenerNames, routeNames) => {
        const listenerHosts = [...listenerNames, ...(listenerNames.length === 0 ? ['*'] : [])];
        const store = storeWithGateway(
          listenerHosts.map((hostname, i) => ({
            name: `l${i}`,
            port: 80,
            protocol: 'HTTP',
            ...(hostname !== '*' && { hostname }),
          })),
        );
        routeNames.forEach((names, i) => {
          putRoute(store, `r${i}`, { hostnames: names, rules: [forward] });
        });
        const socket = translateGateway(inputFor(store)).listeners[0]!;
        const matcher = compileListener(socket);
        for (const host of hosts) {
          // By the book: one listener, the most specific; of the routes the one with the most specific hostname.
          const listener = listenerHosts
            .filter((name) => matches(name, host))
            .sort((a, b) => specificity(b) - specificity(a))[0];
          const best = routeNames
            .map((names, i) => ({
              id: `HTTPRoute/shop/r${i}/rules/0/matches/0`,
              rank: Math.max(-1, ...(names.length ? names : ['*']).filter((n) => matches(n, host)).map(specificity)),
            }))
            .filter(({ rank }) => rank >= 0)
            .sort((a, b) => b.rank - a.rank || (a.id < b.id ? -1 : 1))[0];
          const found = matcher.match({ host, path: '/', query: '', method: 'GET', headers: () => undefined });
          expect(found.route?.id, host).toBe(listener === undefined ? undefined : best?.id);
        }
      }),
      { numRuns: 300 },
    );
  });

  it('never throws, whatever a schema lets through', () => {
    const text = fc.oneof(
      fc.string({ maxLength: 12 }),
      fc.constantFrom('constructor', '__proto__', 'web', 'gw', '*', ''),
    );
    const optional = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined });
    const ref = fc.record({
      group: optional(text),
      kind: optional(text),
      name: text,
      namespace: optional(text),
      port: optional(fc.nat(70_000)),
    });
    const filter = fc.record({
      type: fc.oneof(text, fc.constantFrom('RequestHeaderModifier', 'RequestRedirect', 'URLRewrite', 'CORS')),
      requestHeaderModifier: optional(
        fc.record({
          set: optional(fc.array(fc.record({ name: text, value: text }))),
          remove: optional(fc.array(text)),
        }),
      ),
      urlRewrite: optional(
        fc.record({ path: optional(fc.record({ type: text, replacePrefixMatch: optional(text) })) }),
      ),
    });
    const match = fc.record({
      path: optional(
        fc.record({ type: optional(fc.oneof(text, fc.constant('RegularExpression'))), value: optional(text) }),
      ),
      headers: optional(fc.array(fc.record({ name: text, type: optional(text), value: text }), { maxLength: 3 })),
      method: optional(text),
    });
    const rule = fc.record({
      matches: optional(fc.array(match, { maxLength: 3 })),
      filters: optional(fc.array(filter, { maxLength: 3 })),
      backendRefs: optional(
        fc.array(
          fc.record({
            name: text,
            kind: optional(text),
            namespace: optional(text),
            port: optional(fc.nat()),
            weight: optional(fc.nat()),
            filters: optional(fc.array(filter, { maxLength: 1 })),
          }),
          { maxLength: 3 },
        ),
      ),
      timeouts: optional(fc.record({ request: optional(text), backendRequest: optional(text) })),
    });
    const call = fc.record({
      method: optional(
        fc.record({
          type: optional(fc.constantFrom('Exact', 'RegularExpression', 'Other')),
          service: optional(text),
          method: optional(text),
        }),
      ),
      headers: optional(fc.array(fc.record({ name: text, type: optional(text), value: text }), { maxLength: 2 })),
    });
    const callRule = fc
      .tuple(rule, fc.array(call, { maxLength: 2 }))
      .map(([given, matches]) => ({ ...given, matches }));
    const listener = fc.record({
      name: text,
      port: fc.integer({ min: 80, max: 82 }),
      protocol: fc.oneof(text, fc.constantFrom('HTTP', 'HTTPS', 'TLS')),
      hostname: optional(text),
      tls: optional(fc.record({ mode: optional(text), certificateRefs: optional(fc.array(ref, { maxLength: 2 })) })),
      allowedRoutes: optional(
        fc.record({
          kinds: optional(fc.array(fc.record({ group: optional(text), kind: text }), { maxLength: 2 })),
          namespaces: optional(
            fc.record({
              from: text,
              selector: optional(fc.record({ matchExpressions: fc.array(fc.record({ key: text, operator: text })) })),
            }),
          ),
        }),
      ),
    });
    const set = fc.record({
      parentRef: fc.record({ name: fc.constantFrom('gw', 'absent'), kind: optional(text), group: optional(text) }),
      listeners: fc.array(listener, { maxLength: 3 }),
    });
    const gateway = fc.record({
      allowedListeners: optional(
        fc.record({ namespaces: optional(fc.record({ from: fc.constantFrom('All', 'Same', 'Selector', 'None') })) }),
      ),
      gatewayClassName: fc.constantFrom('fairway', 'other'),
      listeners: fc.array(listener, { maxLength: 4 }),
      addresses: optional(fc.array(fc.record({ type: optional(text), value: optional(text) }), { maxLength: 3 })),
    });
    const route = fc.record({
      parentRefs: optional(
        fc.array(
          fc.record({
            name: fc.constantFrom('gw', 'absent'),
            sectionName: optional(text),
            kind: optional(fc.oneof(text, fc.constant('ListenerSet'))),
          }),
          { maxLength: 3 },
        ),
      ),
      hostnames: optional(fc.array(text, { maxLength: 3 })),
      rules: optional(fc.array(rule, { maxLength: 3 })),
    });
    fc.assert(
      fc.property(
        gateway,
        route,
        fc.array(callRule, { maxLength: 3 }),
        fc.array(set, { maxLength: 2 }),
        fc.boolean(),
        (gatewaySpec, routeSpec, rules, sets, adopt) => {
          const store = storeWithGateway([]);
          store.put(resources.gateway, object('Gateway', 'gw', gatewaySpec, 'shop'));
          sets.forEach((spec, i) => {
            store.put(resources.listenerSet, object('ListenerSet', ['gw', 'absent'][i]!, spec, 'shop'));
          });
          store.put(routeResources.HTTPRoute, object('HTTPRoute', 'r', routeSpec, 'shop'));
          store.put(routeResources.GRPCRoute, object('GRPCRoute', 'r', { ...routeSpec, rules }, 'shop'));
          const { listeners, statuses } = translateGateway(inputFor(store, { adopt }));
          for (const { build } of statuses) build({ metadata: {} }, { listener: () => ({ bound: true }) });
          for (const socket of listeners) {
            expect(new Set(socket.hosts.map(({ hostname }) => hostname)).size).toBe(socket.hosts.length);
            compileListener(socket).match({
              host: 'web',
              path: '/',
              query: '',
              method: 'GET',
              headers: () => undefined,
            });
          }
        },
      ),
      { numRuns: 500 },
    );
  });
});

describe('supported features', () => {
  it('ascend, as the API wants them, and name each once', () => {
    expect(supportedFeatures).toEqual([...new Set(supportedFeatures)].sort());
  });
});
