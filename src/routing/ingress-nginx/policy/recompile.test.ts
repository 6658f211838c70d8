/** What annotations refer to is looked at again when it changes, and nothing else is made anew. */
import { expect, it } from 'vitest';
import { createTranslationCache } from '../../incremental/cache.ts';
import { inputOf, loadObjects, storeOf } from '../../ingress/test-helpers.ts';
import { translateIngress } from '../../ingress/translate.ts';
import type { Filter } from '../../plan/plan.ts';
import { defaultNginxConfig } from '../config/config.ts';
import { configMap, hash, secret } from './testing.ts';

const manifests = `
apiVersion: networking.k8s.io/v1
kind: IngressClass
metadata: { name: nginx }
spec: { controller: k8s.io/ingress-nginx }
---
apiVersion: v1
kind: Service
metadata: { name: web, namespace: shop }
spec: { ports: [{ name: http, port: 80 }] }
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: web
  namespace: shop
  annotations:
    nginx.ingress.kubernetes.io/auth-type: basic
    nginx.ingress.kubernetes.io/auth-secret: users
    nginx.ingress.kubernetes.io/custom-headers: shop/more
spec:
  ingressClassName: nginx
  rules:
    - host: shop.example
      http: { paths: [{ pathType: Prefix, path: /, backend: { service: { name: web, port: { number: 80 } } } }] }
`;

it('a Secret and a ConfigMap that come, change and go', () => {
  const store = storeOf(loadObjects(manifests));
  const put = (resource: string, object: object) => store.put(resource, object as Parameters<typeof store.put>[1]);
  const ingressNginx = { config: { ...defaultNginxConfig, globalAllowedResponseHeaders: ['X-A'] } };
  const cache = createTranslationCache();
  const translated = () => {
    const { listeners } = translateIngress(inputOf(store, { cache, ingressNginx }));
    const [route] = listeners[0]?.hosts.find(({ hostname }) => hostname === 'shop.example')?.routes ?? [];
    return route;
  };
  const names = (filters: readonly Filter[] = []) =>
    filters.flatMap((filter) => (filter.type === 'basic-auth' ? filter.users.map(({ name }) => name) : []));
  const sets = (filters: readonly Filter[] = []) =>
    filters.flatMap((filter) => (filter.type === 'response-values' ? filter.set : [])).find(([name]) => name === 'X-A');

  expect(translated()?.action).toMatchObject({ type: 'respond', status: 503 });
  put('secrets', secret('users', { auth: `ada:${hash}` }));
  put('configmaps', configMap('more', { 'X-A': '1' }));
  const first = translated();
  expect(names(first?.filters)).toEqual(['ada']);
  expect(sets(first?.filters)).toEqual(['X-A', ['1']]);
  put('configmaps', configMap('others', { 'X-A': '2' }));
  expect(translated()).toBe(first);
  put('secrets', secret('users', { auth: `bob:${hash}` }));
  expect(names(translated()?.filters)).toEqual(['bob']);
  put('configmaps', configMap('more', { 'X-A': '2' }));
  expect(sets(translated()?.filters)).toEqual(['X-A', ['2']]);
  store.remove('configmaps', 'shop/more');
  expect(translated()?.action).toMatchObject({ type: 'respond', status: 503 });
});

it('a service on the own host is asked over the path that another Ingress has', () => {
  const login = `${manifests
    .replace(
      / {4}nginx\.ingress.*custom-headers: shop\/more\n/s,
      '    nginx.ingress.kubernetes.io/auth-url: https://$host/oauth2/auth\n',
    )
    .trimEnd()}
---
apiVersion: v1
kind: Service
metadata: { name: gate, namespace: auth }
spec: { ports: [{ name: http, port: 80 }] }
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: { name: login, namespace: auth }
spec:
  ingressClassName: nginx
  rules:
    - host: shop.example
      http: { paths: [{ pathType: Prefix, path: /oauth2, backend: { service: { name: gate, port: { name: http } } } }] }
`;
  const store = storeOf(loadObjects(login));
  const cache = createTranslationCache();
  const asked = () => {
    const { listeners } = translateIngress(inputOf(store, { cache }));
    const routes = listeners[0]?.hosts.find(({ hostname }) => hostname === 'shop.example')?.routes ?? [];
    expect(routes.at(-1)?.action.type).toBe(
      store.get('ingresses.networking.k8s.io', 'auth/login') ? 'forward' : 'respond',
    );
    const auth = routes.flatMap(({ filters }) => filters.filter(({ type }) => type === 'external-auth'));
    return auth.map((filter) => (filter.type === 'external-auth' ? filter.backend : ''));
  };
  expect(asked()).toEqual(['auth/gate:80']);
  store.remove('ingresses.networking.k8s.io', 'auth/login');
  // Then it would be the application itself that is asked whether to let in.
  expect(asked()).toEqual([]);
});
