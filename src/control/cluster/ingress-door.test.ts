/** Who has the ports 80 and 443 where Gateways and Ingresses share an address. */
import { expect, it } from 'vitest';
import { createStore } from '../../kube/store/store.ts';
import type { KubeObject } from '../../kube/types/index.ts';
import { createIngressDoor } from './ingress-door.ts';

const gatewayGroup = 'gateway.networking.k8s.io';

function world(isShared = true) {
  const store = createStore({ mirror: true });
  const put = (resource: string, name: string, at: number, rest: object, namespace = 'shop') =>
    store.put(resource, {
      ...{ apiVersion: 'v1', kind: 'Any', ...rest },
      metadata: {
        name,
        namespace,
        creationTimestamp: `2026-01-01T00:00:0${at}Z`,
        ...('metadata' in rest ? (rest.metadata as object) : {}),
      },
    } as KubeObject);
  put(`gatewayclasses.${gatewayGroup}`, 'fairway', 0, { spec: { controllerName: 'fairway.dev/gateway' } });
  put('ingressclasses.networking.k8s.io', 'fairway', 0, { spec: { controller: 'fairway.dev/ingress' } });
  put('ingressclasses.networking.k8s.io', 'other', 0, { spec: { controller: 'example.com/other' } });
  const door = createIngressDoor({ store, isShared });
  return {
    store,
    door,
    gateway: (name: string, at: number, ...ports: number[]) =>
      put(`gateways.${gatewayGroup}`, name, at, {
        spec: { gatewayClassName: 'fairway', listeners: ports.map((port) => ({ port, protocol: 'HTTP' })) },
      }),
    ingress: (name: string, at: number, ingressClassName: string | undefined, annotations = {}) =>
      put('ingresses.networking.k8s.io', name, at, { spec: { ingressClassName }, metadata: { annotations } }),
  };
}

it('is closed while no Ingress is ours', () => {
  const { door, ingress } = world();
  expect([door.isOpen(), door.closed()]).toEqual([false, undefined]);
  ingress('theirs', 1, 'other');
  ingress('nobodys', 1, undefined);
  expect([door.isOpen(), door.closed()]).toEqual([false, undefined]);
  ingress('ours', 2, 'fairway');
  expect(door.isOpen()).toBe(true);
});

it('goes by the annotation and by the default class as well', () => {
  const one = world();
  one.ingress('legacy', 1, undefined, { 'kubernetes.io/ingress.class': 'fairway' });
  expect(one.door.isOpen()).toBe(true);
  const other = world();
  other.ingress('without', 1, undefined);
  expect(other.door.isOpen()).toBe(false);
  other.store.put('ingressclasses.networking.k8s.io', {
    ...{ apiVersion: 'networking.k8s.io/v1', kind: 'IngressClass', spec: { controller: 'fairway.dev/ingress' } },
    metadata: { name: 'fairway', annotations: { 'ingressclass.kubernetes.io/is-default-class': 'true' } },
  } as KubeObject);
  expect(other.door.isOpen()).toBe(true);
});

it('leaves its ports to a Gateway that is older than every Ingress, and to no other', () => {
  const { door, gateway, ingress } = world();
  gateway('young', 5, 80);
  gateway('elsewhere', 1, 8080);
  ingress('ours', 4, 'fairway');
  expect(door.isOpen()).toBe(true);
  gateway('old', 3, 443);
  expect(door.isOpen()).toBe(false);
  expect(door.closed()).toContain('shop/old is older');
  ingress('older', 2, 'fairway');
  expect(door.isOpen()).toBe(true);
});

it('leaves them to a ListenerSet of a Gateway likewise, where the Gateway admits any', () => {
  const { store, door, gateway, ingress } = world();
  const set = (name: string, at: number, parent: string) =>
    store.put(`listenersets.${gatewayGroup}`, {
      ...{ apiVersion: `${gatewayGroup}/v1`, kind: 'ListenerSet' },
      metadata: { name, namespace: 'shop', creationTimestamp: `2026-01-01T00:00:0${at}Z` },
      spec: { parentRef: { name: parent }, listeners: [{ name: 'https', port: 443, protocol: 'HTTPS' }] },
    } as KubeObject);
  gateway('plain', 1, 8080);
  const admitting = gateway('admitting', 1, 8080) as KubeObject & { spec: object };
  const allowedListeners = { namespaces: { from: 'Same' } };
  store.put(`gateways.${gatewayGroup}`, { ...admitting, spec: { ...admitting.spec, allowedListeners } } as KubeObject);
  ingress('ours', 4, 'fairway');
  set('young', 5, 'admitting');
  set('refused', 2, 'plain');
  set('of-nobody', 2, 'nowhere');
  expect(door.isOpen()).toBe(true);
  set('old', 3, 'admitting');
  expect([door.isOpen(), door.closed()]).toEqual([false, expect.stringContaining('shop/old is older')]);
});

it('is open beside any Gateway when it has an address of its own', () => {
  const { door, gateway, ingress } = world(false);
  gateway('old', 1, 80);
  ingress('ours', 2, 'fairway');
  expect(door.isOpen()).toBe(true);
});
