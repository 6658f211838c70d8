import { afterEach, describe, expect, it } from 'vitest';
import { createStore } from '../kube/store/store.ts';
import type { Gateway, GatewayClass } from '../kube/types/index.ts';
import { type ClassFinalizers, createClassFinalizers, gatewaysExist } from './class-finalizers.ts';

const classes = 'gatewayclasses.gateway.networking.k8s.io';
const gateways = 'gateways.gateway.networking.k8s.io';
const apiVersion = 'gateway.networking.k8s.io/v1';

const gatewayClass = (name: string, controllerName = 'fairway.dev/gateway', more: object = {}): GatewayClass => ({
  apiVersion,
  kind: 'GatewayClass',
  metadata: { name, ...more },
  spec: { controllerName },
});
const gateway = (name: string, gatewayClassName: string): Gateway => ({
  apiVersion,
  kind: 'Gateway',
  metadata: { namespace: 'shop', name },
  spec: { gatewayClassName, listeners: [{ name: 'http', port: 80, protocol: 'HTTP' }] },
});

const tick = () => new Promise((resume) => setImmediate(resume));

describe('finalizers of GatewayClasses', () => {
  const open: ClassFinalizers[] = [];
  afterEach(() => {
    for (const each of open.splice(0)) each.stop();
  });

  function start(mayWrite = () => true) {
    const store = createStore();
    let writes = 0;
    const finalizers = createClassFinalizers({
      store,
      sink: {
        update(resource, object) {
          writes++;
          store.put(resource, object);
        },
      },
      mayWrite,
      onError: (message) => {
        throw new Error(message);
      },
    });
    open.push(finalizers);
    const of = (name: string) => store.get<GatewayClass>(classes, name)!.metadata.finalizers ?? [];
    return { store, finalizers, of, writes: () => writes };
  }

  it('come with the first Gateway and go with the last, one write each', async () => {
    const { store, finalizers, of, writes } = start();
    store.put(classes, gatewayClass('fairway', undefined, { finalizers: ['example.com/other'] }));
    finalizers.refresh();
    expect(writes()).toBe(0);
    store.put(gateways, gateway('a', 'fairway'));
    store.put(gateways, gateway('b', 'fairway'));
    await tick();
    expect(of('fairway')).toEqual(['example.com/other', gatewaysExist]);
    store.remove(gateways, 'shop/a');
    await tick();
    expect(of('fairway')).toContain(gatewaysExist);
    store.put(gateways, gateway('b', 'another'));
    await tick();
    await tick();
    expect(of('fairway')).toEqual(['example.com/other']);
    expect(writes()).toBe(2);
  });

  it('are none of our business on classes of others, and not added to what is on its way out', async () => {
    const { store, finalizers, of, writes } = start();
    store.put(classes, gatewayClass('theirs', 'example.com/controller'));
    store.put(classes, gatewayClass('leaving', undefined, { deletionTimestamp: '2026-01-01T00:00:00Z' }));
    store.put(gateways, gateway('a', 'theirs'));
    store.put(gateways, gateway('b', 'leaving'));
    finalizers.refresh();
    await tick();
    expect([of('theirs'), of('leaving'), writes()]).toEqual([[], [], 0]);
  });

  it('nothing is written before the store is complete, nor by who does not lead', async () => {
    let leads = false;
    const { store, finalizers, writes } = start(() => leads);
    store.put(classes, gatewayClass('fairway', undefined, { finalizers: [gatewaysExist] }));
    await tick();
    finalizers.refresh();
    expect(writes()).toBe(0);
    leads = true;
    finalizers.refresh();
    expect(writes()).toBe(1);
  });
});
