/** Chains of translations, each compared with one from scratch: what a listener carries follows from all beside it. */
import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createStore, type Store } from '../../kube/store/store.ts';
import type { KubeObject, Unstructured } from '../../kube/types/index.ts';
import { createTranslationCache } from '../incremental/cache.ts';
import type { TranslateInput, TranslateOutput } from '../translate.ts';
import { gatewayApiVersion, type RouteKind, resources, routeResources } from './kinds.ts';
import { translateGateway } from './translate.ts';

let versions = 0;

function object(kind: string, name: string, spec: object): Unstructured {
  versions++;
  const metadata = {
    name,
    namespace: 'shop',
    uid: name,
    generation: versions,
    creationTimestamp: '2026-01-01T00:00:00Z',
  };
  return { apiVersion: gatewayApiVersion, kind, metadata, spec };
}

const http = (name: string, hostname: string | undefined, port = 80) => ({
  ...{ name, port, protocol: 'HTTP' },
  ...(hostname !== undefined && { hostname }),
});

const gateway = (...listeners: object[]) =>
  object('Gateway', 'gw', {
    gatewayClassName: 'fairway',
    allowedListeners: { namespaces: { from: 'Same' } },
    listeners,
  });

const set = (name: string, ...listeners: object[]) =>
  object('ListenerSet', name, { parentRef: { name: 'gw' }, listeners });

const route = (name: string, parent: object, hostnames: string[], kind: RouteKind = 'HTTPRoute') =>
  object(kind, name, {
    ...{ parentRefs: [parent], hostnames },
    rules: [{ backendRefs: [{ name: 'web', port: 80 }] }],
  });

/** Each translation is compared with one from scratch, statuses and all. */
function createWorld(adopt = false) {
  const store = createStore();
  const cache = createTranslationCache();
  store.put(resources.gatewayClass, {
    ...{ apiVersion: gatewayApiVersion, kind: 'GatewayClass', metadata: { name: 'fairway', generation: 1 } },
    spec: { controllerName: 'fairway.dev/gateway' },
  } as Unstructured);
  store.put('services', {
    ...{ apiVersion: 'v1', kind: 'Service', metadata: { name: 'web', namespace: 'shop' } },
    spec: { ports: [{ port: 80 }] },
  } as Unstructured);

  function written({ statuses }: TranslateOutput): unknown {
    return statuses.map(({ ref, resource, build }) => {
      const key = ref.namespace ? `${ref.namespace}/${ref.name}` : ref.name;
      return {
        ref,
        status: build(store.get<KubeObject>(resource, key) as never, { listener: () => ({ bound: true }) }),
      };
    });
  }

  return {
    store,
    translate(): TranslateOutput {
      const input: TranslateInput = {
        ...{ store, adopt, now: '2026-06-01T00:00:00Z', position: () => undefined },
        addresses: { ingress: () => [], gateway: () => '127.77.40.1', usable: () => true },
      };
      const output = translateGateway({ ...input, cache });
      const scratch = translateGateway(input);
      const { statuses: _, ...plan } = scratch;
      const { statuses: __, ...own } = output;
      if (!isDeepStrictEqual(own, plan)) expect(own).toEqual(plan);
      const [statuses, wanted] = [written(output), written(scratch)];
      if (!isDeepStrictEqual(statuses, wanted)) expect(statuses).toEqual(wanted);
      return output;
    },
  };
}

const hostsOf = ({ listeners }: TranslateOutput) =>
  (listeners[0]?.hosts ?? []).map(({ hostname, routes }) => [hostname, routes.length]);

describe('listener isolation, when a ListenerSet comes and goes', () => {
  it('takes a name from a listener of the Gateway, and gives it back', () => {
    const { store, translate } = createWorld();
    store.put(resources.gateway, gateway(http('wide', '*.example.com')));
    store.put(routeResources.HTTPRoute, route('a', { name: 'gw' }, ['a.example.com']));
    expect(hostsOf(translate())).toEqual([
      ['a.example.com', 1],
      ['*.example.com', 0],
    ]);
    store.put(resources.listenerSet, set('set', http('narrow', 'a.example.com')));
    expect(hostsOf(translate())).toEqual([
      ['a.example.com', 0],
      ['*.example.com', 0],
    ]);
    store.remove(resources.listenerSet, 'shop/set');
    expect(hostsOf(translate())).toEqual([
      ['a.example.com', 1],
      ['*.example.com', 0],
    ]);
  });
});

describe('a ListenerSet whose Gateway goes', () => {
  const conditionsOf = (store: Store, { statuses }: TranslateOutput) => {
    const stored = store.get<KubeObject>(resources.listenerSet, 'shop/set')!;
    const update = statuses.find(({ ref }) => ref.name === 'set');
    const status = update?.build(stored as never, { listener: () => ({ bound: true }) }) as Status | undefined;
    if (status) store.put(resources.listenerSet, { ...stored, status } as never);
    return status && [status.listeners?.length, ...status.conditions.map(({ reason }) => reason)];
  };
  interface Status {
    readonly conditions: readonly { readonly reason: string }[];
    readonly listeners?: readonly object[];
  }

  it('says so where every Gateway is ours, and is left alone where its Gateway may have been of others', () => {
    for (const adopt of [true, false]) {
      const { store, translate } = createWorld(adopt);
      store.put(resources.gateway, gateway(http('wide', '*.example.com')));
      store.put(resources.listenerSet, set('set', http('narrow', 'a.example.com')));
      expect(conditionsOf(store, translate())).toEqual([1, 'Accepted', 'Programmed']);
      store.remove(resources.gateway, 'shop/gw');
      const gone = adopt ? [undefined, 'ParentNotAccepted', 'ParentNotProgrammed'] : undefined;
      expect(conditionsOf(store, translate())).toEqual(gone);
      store.put(resources.gateway, gateway(http('wide', '*.example.com')));
      expect(conditionsOf(store, translate())).toEqual([1, 'Accepted', 'Programmed']);
    }
  });
});

const hostnames = [undefined, '*.example.com', 'a.example.com', '*.a.example.com', 'b.a.example.com'];
const aHostname = fc.constantFrom(...hostnames);
const aListener = fc.record({
  name: fc.constantFrom('one', 'two'),
  hostname: aHostname,
  port: fc.constantFrom(80, 81),
  protocol: fc.constantFrom('HTTP', 'HTTP', 'HTTPS', 'TLS', 'UDP'),
});
const someListeners = fc
  .uniqueArray(aListener, { minLength: 1, maxLength: 2, selector: ({ name }) => name })
  .map((listeners) =>
    listeners.map(({ protocol, ...rest }) => ({
      ...http(rest.name, protocol === 'UDP' ? undefined : rest.hostname, rest.port),
      protocol,
      ...(protocol === 'TLS' && { tls: { mode: 'Passthrough' } }),
    })),
  );
const aParent = fc.constantFrom(
  { name: 'gw' },
  { kind: 'ListenerSet', name: 's1' },
  { kind: 'ListenerSet', name: 's2' },
);
const aKind = fc.constantFrom('HTTPRoute' as const, 'GRPCRoute' as const, 'TLSRoute' as const);

/** What is put in or taken out, by the key of the object. */
const aStep = fc.oneof(
  fc.record({ what: fc.constant('gateway' as const), listeners: fc.option(someListeners, { freq: 8 }) }),
  fc.record({
    what: fc.constant('set' as const),
    name: fc.constantFrom('s1', 's2'),
    listeners: fc.option(someListeners, { freq: 3 }),
  }),
  fc.record({
    what: fc.constant('route' as const),
    kind: aKind,
    name: fc.constantFrom('r1', 'r2', 'r3'),
    parent: aParent,
    hostnames: fc.option(fc.uniqueArray(aHostname, { minLength: 1, maxLength: 2 }), { freq: 4 }),
  }),
);

type Step = typeof aStep extends fc.Arbitrary<infer T> ? T : never;

function take(store: Store, step: Step): void {
  if (step.what === 'gateway') {
    if (step.listeners) store.put(resources.gateway, gateway(...step.listeners));
    else store.remove(resources.gateway, 'shop/gw');
  } else if (step.what === 'set') {
    if (step.listeners) store.put(resources.listenerSet, set(step.name, ...step.listeners));
    else store.remove(resources.listenerSet, `shop/${step.name}`);
  } else if (step.hostnames) {
    const given = step.hostnames.filter((hostname) => hostname !== undefined);
    store.put(routeResources[step.kind], route(step.name, step.parent, given, step.kind));
  } else store.remove(routeResources[step.kind], `shop/${step.name}`);
}

describe('translations that follow each other', () => {
  it('come out as one from scratch, whatever comes and goes beside a listener', () => {
    fc.assert(
      fc.property(fc.array(aStep, { minLength: 4, maxLength: 14 }), (steps) => {
        const { store, translate } = createWorld();
        store.put(resources.gateway, gateway(http('wide', '*.example.com')));
        translate();
        for (const step of steps) {
          take(store, step);
          translate();
        }
      }),
      { numRuns: 40 },
    );
  }, 60_000);
});
