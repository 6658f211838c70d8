import { expect, it } from 'vitest';
import { createStore } from '../../kube/store/store.ts';
import type { KubeObject } from '../../kube/types/index.ts';
import { type AskAheadOptions, askAhead } from './ask-ahead.ts';

const ingress = (ingressClassName: string, annotations?: Record<string, string>) =>
  ({
    apiVersion: 'networking.k8s.io/v1',
    kind: 'Ingress',
    metadata: { namespace: 'shop', name: 'web', ...(annotations && { annotations }) },
    spec: { ingressClassName },
  }) as KubeObject;

const ingressClass = (controller: string) =>
  ({
    apiVersion: 'networking.k8s.io/v1',
    kind: 'IngressClass',
    metadata: { name: 'edge' },
    spec: { controller },
  }) as KubeObject;

const placeOf: Record<string, string> = {
  Ingress: 'ingresses.networking.k8s.io',
  IngressClass: 'ingressclasses.networking.k8s.io',
  GatewayClass: 'gatewayclasses.gateway.networking.k8s.io',
  Gateway: 'gateways.gateway.networking.k8s.io',
  ListenerSet: 'listenersets.gateway.networking.k8s.io',
};

async function askedOf(objects: KubeObject | KubeObject[], flags: AskAheadOptions = {}): Promise<string[]> {
  const store = createStore();
  for (const object of [objects].flat()) store.put(placeOf[object.kind]!, object);
  const asked: string[] = [];
  let answers = 0;
  const reader: typeof store = { ...store, get: (_resource, key) => void asked.push(key) };
  const awaited = async () => void answers++;
  await askAhead({ reader, awaited }, flags);
  expect(answers).toBe(1);
  return asked;
}

it('asks for the ConfigMap of ingress-nginx where something is of its class, and waits for it', async () => {
  expect(await askedOf(ingress('nginx'))).toEqual(['ingress-nginx/ingress-nginx-controller']);
  const legacy = { 'kubernetes.io/ingress.class': 'edge' };
  expect(await askedOf(ingress('', legacy), { ingressClass: 'edge', configMap: 'web/conf' })).toEqual(['web/conf']);
  expect(await askedOf(ingressClass('k8s.io/ingress-nginx'))).toHaveLength(1);
});

it('asks for nothing where nothing is', async () => {
  expect(await askedOf(ingress('fairway'))).toEqual([]);
  expect(await askedOf(ingressClass('fairway.dev/ingress'))).toEqual([]);
});

const object = (kind: string, name: string, spec: object, namespace = 'shop') =>
  ({ apiVersion: 'v1', kind, metadata: { namespace, name }, spec }) as unknown as KubeObject;

it('asks for the Secrets of TLS sections of Ingresses of our classes, and for the default certificate', async () => {
  const secured = (name: string, ingressClassName: string, ...names: (string | undefined)[]) =>
    object('Ingress', name, { ingressClassName, tls: names.map((secretName) => ({ secretName })) });
  const objects = [
    ingressClass('fairway.dev/ingress'),
    secured('ours', 'edge', 'one', undefined, 'two', 'one'),
    secured('theirs', 'other', 'three'),
  ];
  expect(await askedOf(objects)).toEqual(['shop/one', 'shop/two']);
  expect(await askedOf(objects, { defaultCertificate: 'web/default' })).toContain('web/default');
});

it('asks for the Secrets of listeners of our Gateways, and leaves those of other namespaces to grants', async () => {
  const tls = (...certificateRefs: object[]) => ({
    name: 'tls',
    port: 443,
    protocol: 'HTTPS',
    tls: { certificateRefs },
  });
  const classOf = (name: string, controllerName: string) => object('GatewayClass', name, { controllerName });
  const parentRef = (name: string, namespace?: string) => ({ name, ...(namespace && { namespace }) });
  const listeners = [
    { name: 'http', port: 80, protocol: 'HTTP' },
    tls({ name: 'one' }, { name: 'two', kind: 'Secret', group: '', namespace: 'shop' }),
    tls({ name: 'far', namespace: 'web' }, { name: 'odd', kind: 'Other', group: 'example.com' }),
  ];
  const objects = [
    classOf('ours', 'fairway.dev/gateway'),
    classOf('theirs', 'example.com/other'),
    object('Gateway', 'door', { gatewayClassName: 'ours', listeners }),
    object('Gateway', 'other', { gatewayClassName: 'theirs', listeners: [tls({ name: 'three' })] }),
    object('ListenerSet', 'more', { parentRef: parentRef('door', 'shop'), listeners: [tls({ name: 'set' })] }, 'team'),
    object('ListenerSet', 'near', { parentRef: parentRef('door'), listeners: [tls({ name: 'near' })] }),
    object('ListenerSet', 'else', { parentRef: parentRef('other'), listeners: [tls({ name: 'four' })] }),
  ];
  expect((await askedOf(objects)).sort()).toEqual(['shop/near', 'shop/one', 'shop/two', 'team/set']);
  expect(await askedOf(objects, { controllerName: 'example.com/other' })).toEqual(['shop/three', 'shop/four']);
});
