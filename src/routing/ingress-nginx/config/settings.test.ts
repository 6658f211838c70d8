/** What the ConfigMaps of ingress-nginx change, seen from the plan. */
import { describe, expect, it } from 'vitest';
import { createTranslationCache } from '../../incremental/cache.ts';
import { inputOf, loadObjects, serviceYaml, storeOf, testAddress, translateYaml } from '../../ingress/test-helpers.ts';
import { translateIngress } from '../../ingress/translate.ts';
import type { TranslateOutput } from '../../translate.ts';

const nginxClass = `---
apiVersion: networking.k8s.io/v1
kind: IngressClass
metadata: { name: nginx }
spec: { controller: k8s.io/ingress-nginx }
`;

const ingress = `---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: { name: web }
spec:
  ingressClassName: nginx
  rules: [{ host: web.example, http: { paths: [{ path: /, pathType: Prefix, backend: { service: { name: web, port: { number: 80 } } } }] } }]
`;

const configMap = (name: string, data: Readonly<Record<string, string>>, namespace = 'ingress-nginx') => `---
apiVersion: v1
kind: ConfigMap
metadata: { name: ${name}, namespace: ${namespace} }
data: ${JSON.stringify(data)}
`;

const base = nginxClass + ingress + serviceYaml('web');
const codesOf = ({ diagnostics }: ReturnType<typeof translateYaml>) =>
  diagnostics.filter(({ object }) => object?.kind === 'ConfigMap').map(({ code, fieldPath }) => `${code} ${fieldPath}`);

describe('the ConfigMap of the controller', () => {
  it('decides whose word counts, for listeners of the door', () => {
    const map = configMap('ingress-nginx-controller', {
      'use-forwarded-headers': 'true',
      'proxy-real-ip-cidr': '10.0.0.0/8',
    });
    expect(translateYaml(base + map).listeners[0]).toMatchObject({ trustedProxies: ['10.0.0.0/8'] });
    expect(translateYaml(base).listeners[0]).not.toHaveProperty('trustedProxies');
  });

  it('is looked for under the name that the command line gives', () => {
    const map = configMap('settings', { 'use-forwarded-headers': 'true' }, 'edge');
    expect(translateYaml(base + map).listeners[0]).not.toHaveProperty('trustedProxies');
    const { listeners } = translateYaml(base + map, { ingressNginx: { configMap: 'edge/settings' } });
    expect(listeners[0]).toHaveProperty('trustedProxies');
  });

  it('is not read where nothing is of ingress-nginx', () => {
    const output = translateYaml(configMap('ingress-nginx-controller', { 'ssl-redirect': 'perhaps' }));
    expect(codesOf(output)).toEqual([]);
  });

  it('is told what is wrong with it, with the key', () => {
    const output = translateYaml(
      base + configMap('ingress-nginx-controller', { 'ssl-redirect': 'perhaps', 'http-snippet': 'server_tokens off;' }),
    );
    expect(codesOf(output)).toEqual(['FW5512 data["ssl-redirect"]', 'FW5513 data["http-snippet"]']);
  });

  it('shuts every location where its http-snippet may keep requests out', () => {
    const said = (text: string) =>
      translateYaml(base + configMap('ingress-nginx-controller', { 'http-snippet': text }));
    const guarded = said('deny 192.0.2.0/24;');
    expect(codesOf(guarded)).toEqual(['FW5511 data["http-snippet"]']);
    expect(JSON.stringify(guarded.listeners[0]!.hosts)).toContain('"status":503');
    const plain = said('log_format a "$uri";');
    expect(codesOf(plain)).toEqual(['FW5513 data["http-snippet"]']);
    expect(JSON.stringify(plain.listeners[0]!.hosts)).not.toContain('"status":503');
  });

  it('changes hosts that are there already, and only when it changes', () => {
    const store = storeOf(loadObjects(base));
    const input = inputOf(store, { cache: createTranslationCache() });
    const before = translateIngress(input).listeners[0]!.hosts;
    expect(translateIngress(input).listeners[0]!.hosts).toBe(before);
    const [map] = loadObjects(configMap('ingress-nginx-controller', { 'proxy-body-size': '7m' }));
    store.put('configmaps', map!);
    const after = translateIngress(input).listeners[0]!.hosts;
    expect(JSON.stringify(after)).toContain(String(7 * 1_024 ** 2));
    expect(JSON.stringify(before)).not.toContain(String(7 * 1_024 ** 2));
    expect(translateIngress(input).listeners[0]!.hosts).toBe(after);
    store.remove('configmaps', 'ingress-nginx/ingress-nginx-controller');
    expect(translateIngress(input).listeners[0]!.hosts).toEqual(before);
  });
});

describe('a ConfigMap that is not known', () => {
  const actions = ({ listeners }: TranslateOutput) => [
    ...new Set(listeners.flatMap(({ hosts }) => hosts.find(({ hostname }) => hostname === 'web.example')!.routes).map(({ action }) => (action.type === 'respond' ? `${action.status} ${action.reason}` : action.type))), // biome-ignore format: one line
  ];
  const codesOf = ({ diagnostics }: TranslateOutput) => diagnostics.map(({ code }) => code);
  const shut = ['503 the ConfigMap of the controller cannot be read'];

  it('and is named shuts all locations until it is there, and when it goes', () => {
    const flags = { configMap: 'edge/settings' };
    const store = storeOf(loadObjects(base));
    const input = inputOf(store, { cache: createTranslationCache(), ingressNginx: flags });
    const before = translateIngress(input);
    expect([actions(before), codesOf(before)]).toEqual([shut, ['FW5517']]);
    const [map] = loadObjects(configMap('settings', {}, 'edge'));
    store.put('configmaps', map!);
    const there = translateIngress(input);
    expect([actions(there), codesOf(there)]).toEqual([['forward'], []]);
    store.remove('configmaps', 'edge/settings');
    expect(actions(translateIngress(input))).toEqual(shut);
  });

  it('by the usual name shuts them as long as nobody has answered, and not when it is not there', () => {
    let isUnanswered = true;
    const store = { ...storeOf(loadObjects(base)), isUnanswered: () => isUnanswered };
    const input = inputOf(store, { cache: createTranslationCache() });
    const before = translateIngress(input);
    expect([actions(before), codesOf(before)]).toEqual([shut, ['FW5517']]);
    isUnanswered = false;
    const after = translateIngress(input);
    expect([actions(after), codesOf(after)]).toEqual([['forward'], []]);
  });
});

describe('the ConfigMaps of TCP and UDP services', () => {
  const database = `---
apiVersion: v1
kind: Service
metadata: { name: db, namespace: shop }
spec: { ports: [{ name: pg, port: 5432 }, { name: dns, port: 53, protocol: UDP }] }
`;
  const output = (data: Readonly<Record<string, string>>, name = 'tcp-services') =>
    translateYaml(nginxClass + database + configMap(name, data));

  it('carry ports of the door to ports of Services, by number or name', () => {
    const { streams, backends } = output({ '9000': 'shop/db:5432', '9001': 'shop/db:pg' });
    expect(streams?.map(({ id, routes: [route] }) => [id, route?.backends[0]?.backend])).toEqual([
      [`${testAddress}:9000/TCP`, 'shop/db:5432/TCP'],
      [`${testAddress}:9001/TCP`, 'shop/db:5432/TCP'],
    ]);
    expect(backends).toMatchObject([{ id: 'shop/db:5432/TCP', protocol: 'tcp', service: 'db' }]);
    expect(output({ '53': 'shop/db:53' }, 'udp-services').streams).toMatchObject([{ protocol: 'UDP', port: 53 }]);
  });

  it('announce clients to backends where they are to', () => {
    const { streams, backends } = output({ '9000': 'shop/db:5432::PROXY', '9001': 'shop/db:5432' });
    expect(backends.map(({ id, proxyProtocol }) => [id, proxyProtocol])).toEqual([
      ['shop/db:5432/TCP/PROXY', 'v1'],
      ['shop/db:5432/TCP', undefined],
    ]);
    expect(streams).toHaveLength(2);
  });

  it.each([
    ['80', 'shop/db:5432', /port of|that of the Ingress door/],
    ['http', 'shop/db:5432', /is no port/],
    ['70000', 'shop/db:5432', /is no port/],
    ['9000', 'db:5432', /is not namespace\/service:port/],
    ['9000', 'shop/db:5432:PROXY', /named at the start/],
    ['9000', 'shop/none:5432', /does not exist/],
    ['9000', 'shop/db:dns', /has no TCP port dns/],
  ])('tell of %s: %s, and carry the rest', (port, reference, message) => {
    const { diagnostics, streams } = output({ [port]: reference, '9999': 'shop/db:5432' });
    expect(diagnostics).toMatchObject([
      { code: 'FW5512', fieldPath: `data["${port}"]`, message: expect.stringMatching(message) },
    ]);
    expect(streams?.map((stream) => stream.port)).toContain(9999);
  });
});
