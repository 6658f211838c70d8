import { expect, it } from 'vitest';
import { createStore } from '../../kube/store/store.ts';
import type { KubeObject } from '../../kube/types/index.ts';
import { askAhead } from './ask-ahead.ts';

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

async function askedOf(object: KubeObject, flags = {}): Promise<string[]> {
  const store = createStore();
  store.put(object.kind === 'Ingress' ? 'ingresses.networking.k8s.io' : 'ingressclasses.networking.k8s.io', object);
  const asked: string[] = [];
  let answers = 0;
  const reader: typeof store = { ...store, get: (_resource, key) => void asked.push(key) };
  const awaited = async () => void answers++;
  await askAhead({ reader, awaited }, flags);
  expect(answers).toBe(asked.length);
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
