/** What the data plane is told when objects change, and in which order. */
import { describe, expect, it, onTestFinished } from 'vitest';
import { createObjectApi } from '../kube/objects.ts';
import { createResourceRegistry } from '../kube/resources.ts';
import { createStore } from '../kube/store/store.ts';
import type { KubeObject } from '../kube/types/index.ts';
import type { ProxyCommand, ProxyReport } from '../proxy/channel.ts';
import { createController } from './controller.ts';
import { createLocalStatusSink } from './status-sink.ts';

const metadata = (name: string, generation = 1) => ({
  ...{ name, namespace: 'shop', uid: name, generation, resourceVersion: '1' },
  creationTimestamp: '2026-01-01T00:00:00Z',
});

function app(name: string, address: string): [resource: string, object: KubeObject][] {
  const service = {
    ...{ apiVersion: 'v1', kind: 'Service', metadata: metadata(name) },
    spec: { ports: [{ name: 'http', port: 80, targetPort: 8080 }], selector: { app: name } },
  };
  const slice = {
    ...{ apiVersion: 'discovery.k8s.io/v1', kind: 'EndpointSlice' },
    metadata: { ...metadata(name), labels: { 'kubernetes.io/service-name': name } },
    addressType: 'IPv4',
    endpoints: [{ addresses: [address], conditions: { ready: true } }],
    ports: [{ name: 'http', port: 8080, protocol: 'TCP' }],
  };
  return [
    ['services', service as KubeObject],
    ['endpointslices.discovery.k8s.io', slice as KubeObject],
  ];
}

function ingress(service: string, generation: number, className = 'fairway'): KubeObject {
  const backend = { service: { name: service, port: { number: 80 } } };
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'Ingress',
    metadata: metadata('web', generation),
    spec: {
      ingressClassName: className,
      rules: [{ host: 'a.example', http: { paths: [{ path: '/', pathType: 'Prefix', backend }] } }],
    },
  } as KubeObject;
}

const ingressClass = {
  ...{ apiVersion: 'networking.k8s.io/v1', kind: 'IngressClass' },
  metadata: { name: 'fairway', uid: 'fairway', creationTimestamp: '2026-01-01T00:00:00Z' },
  spec: { controller: 'fairway.dev/ingress' },
} as unknown as KubeObject;

const ingresses = 'networking.k8s.io';

/** A controller whose data plane acknowledges when `acknowledge` is called, and all that it was told. */
function setUp(forgetMs?: number) {
  const store = createStore();
  const objects = createObjectApi({
    store,
    registry: createResourceRegistry(),
    admit: ({ object }) => ({ object, errors: [], warnings: [] }),
  });
  store.put(`ingressclasses.${ingresses}`, ingressClass);
  for (const [resource, object] of [...app('one', '127.0.0.2'), ...app('two', '127.0.0.3')])
    store.put(resource, object);
  store.put(`ingresses.${ingresses}`, ingress('one', 1));
  const told: ProxyCommand[] = [];
  const errors: string[] = [];
  let report: (report: ProxyReport) => void = () => {};
  const controller = createController({
    store,
    statuses: createLocalStatusSink(objects),
    proxy: {
      send: (command) => void told.push(command),
      onReport: (reporter) => {
        report = reporter;
      },
      close: async () => {},
    },
    addresses: { ingress: () => ['127.0.0.1'], gateway: () => '127.0.0.1', usable: () => true },
    adopt: true,
    position: () => undefined,
    bind: { mode: 'native', map: (address, port) => ({ address, port }), describe: () => [] },
    settleMs: 0,
    ...(forgetMs !== undefined && { forgetMs }),
    onError: (message) => errors.push(message),
  });
  onTestFinished(() => controller.stop());
  controller.start();
  return {
    store,
    told,
    errors,
    controller,
    acknowledge() {
      for (const { generation } of told) report({ type: 'applied', generation, listeners: {} });
    },
    async until(holds: () => boolean) {
      for (let i = 0; i < 500 && !holds(); i++) await new Promise((go) => setTimeout(go, 5));
      expect(holds()).toBe(true);
    },
  };
}

const backendsOf = (command: ProxyCommand | undefined) =>
  command?.type === 'plan' ? Object.keys(command.plan.backends) : [];
const forgets = (command: ProxyCommand) =>
  command.type === 'endpoints' && Object.values(command.changed).includes(null);

describe('a route that moves to another backend', () => {
  it('is told of the new endpoints before the plan, and the old ones are forgotten after it', async () => {
    const { store, told, until, acknowledge } = setUp(30);
    acknowledge();
    const from = told.length;
    expect(backendsOf(told.at(-1))).toEqual(['shop/one:80']);
    store.put(`ingresses.${ingresses}`, ingress('two', 2));
    await until(() => told.slice(from).some(forgets));
    const [first, second, last, ...more] = told.slice(from);
    expect(first).toMatchObject({ type: 'endpoints', changed: { 'shop/two:80': [{ address: '127.0.0.3' }] } });
    expect(first).not.toHaveProperty(['changed', 'shop/one:80']);
    expect(backendsOf(second)).toEqual(['shop/two:80']);
    expect(last).toMatchObject({ type: 'endpoints', changed: { 'shop/one:80': null } });
    expect(more).toEqual([]);
  });

  it('finds the endpoints still there when it moves back soon', async () => {
    const { store, told, until } = setUp(60);
    const plans = () => told.filter(({ type }) => type === 'plan').length;
    store.put(`ingresses.${ingresses}`, ingress('two', 2));
    await until(() => plans() === 2);
    store.put(`ingresses.${ingresses}`, ingress('one', 3));
    await until(() => told.some(forgets));
    const forgotten = told
      .filter(forgets)
      .flatMap((command) => Object.keys('changed' in command ? command.changed : {}));
    expect(forgotten).toEqual(['shop/two:80']);
  });
});

describe('the self-signed certificate', () => {
  const fallbackOf = (command: ProxyCommand) =>
    command.type === 'plan' ? command.plan.listeners.map(({ tls }) => tls?.certificates[0]?.certificate) : [];

  it('is made for the first Ingress of ingress-nginx, and no plan with it comes before it is there', async () => {
    // Loading the library is not what is waited for.
    await import('./x509.ts');
    const { store, told, until, errors } = setUp();
    const plans = () => told.filter(({ type }) => type === 'plan');
    // At once: nothing has to be made.
    expect(plans().map(fallbackOf)).toEqual([[undefined]]);
    store.put(`ingresses.${ingresses}`, ingress('one', 2, 'nginx'));
    await until(() => plans().length > 1 || errors.length > 0);
    expect(errors).toEqual([]);
    expect(plans().slice(1).map(fallbackOf)).toEqual([['self-signed', undefined]]);
    const [, plan] = plans();
    expect(plan).toMatchObject({ plan: { certificates: { 'self-signed': { id: 'self-signed' } } } });
  });
});
