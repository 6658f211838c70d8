/** Translations that follow each other: what they notice although few objects change, and what they leave alone. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { packageRoot } from '../../base/package-root.ts';
import { createStore, type Store } from '../../kube/store/store.ts';
import type { Unstructured } from '../../kube/types/index.ts';
import { createTranslationCache } from '../incremental/cache.ts';
import type { TranslateInput, TranslateOutput } from '../translate.ts';
import { gatewayApiVersion, resources, routeResources } from './kinds.ts';
import { translateGateway } from './translate.ts';

let versions = 0;

function object(kind: string, name: string, content: object, namespace = 'shop'): Unstructured {
  versions++;
  return {
    apiVersion: gatewayApiVersion,
    kind,
    metadata: { name, namespace, uid: name, generation: versions, creationTimestamp: '2026-01-01T00:00:00Z' },
    ...content,
  };
}

const gateway = (name: string, ...listeners: object[]) =>
  object('Gateway', name, { spec: { gatewayClassName: 'fairway', listeners } });

const route = (kind: string, name: string, parent: string, rule: object = {}) =>
  object(kind, name, {
    spec: {
      parentRefs: [{ name: parent }],
      hostnames: [`${name}.example.com`],
      rules: [{ ...rule, backendRefs: [{ name: 'web', port: 80 }] }],
    },
  });

const core = (kind: string, name: string, content: object) => {
  const { metadata, ...rest } = object(kind, name, content);
  const { generation: _, ...kept } = metadata;
  return { ...rest, metadata: kept, apiVersion: 'v1' } as Unstructured;
};

const http = { name: 'http', port: 80, protocol: 'HTTP' };
const https = (secret: string) => ({
  name: 'https',
  port: 443,
  protocol: 'HTTPS',
  tls: { certificateRefs: [{ name: secret }] },
});

function secret(name: string, certificate: string): Unstructured {
  const read = (end: string) =>
    readFileSync(join(packageRoot, `test/golden/ingress/certificates/${certificate}.${end}`)).toString('base64');
  const data = { 'tls.crt': read('crt'), 'tls.key': read('key') };
  return core('Secret', name, { type: 'kubernetes.io/tls', data });
}

/** Each translation is compared with one from scratch. */
function createWorld() {
  const store: Store = createStore();
  const cache = createTranslationCache();
  const { metadata, ...gatewayClass } = object('GatewayClass', 'fairway', {
    spec: { controllerName: 'fairway.dev/gateway' },
  });
  const { namespace: _, ...clusterScoped } = metadata;
  store.put(resources.gatewayClass, { ...gatewayClass, metadata: clusterScoped });
  store.put('services', core('Service', 'web', { spec: { ports: [{ port: 80 }] } }));
  return {
    store,
    translate(now = '2026-06-01T00:00:00Z', ingress: readonly string[] = []): TranslateOutput {
      const input: TranslateInput = {
        store,
        adopt: false,
        now,
        position: () => undefined,
        addresses: { ingress: () => ingress, gateway: (_ns, name) => `127.77.40.${name.length}`, usable: () => true },
      };
      const output = translateGateway({ ...input, cache });
      const { statuses: _statuses, ...scratch } = translateGateway(input);
      expect(output).toMatchObject(scratch);
      return output;
    },
  };
}

const codesOf = ({ diagnostics }: TranslateOutput) => diagnostics.map(({ code }) => code);
const statusOf = ({ statuses }: TranslateOutput, name: string) => statuses.find(({ ref }) => ref.name === name);

describe('what is noticed', () => {
  it('a front door of Ingresses that opens and shuts on the address of a Gateway', () => {
    const { store, translate } = createWorld();
    store.put(resources.gateway, gateway('gw', { name: 'http', port: 80, protocol: 'HTTP' }));
    const ports = (...ingress: string[]) => translate(undefined, ingress).listeners.map(({ port }) => port);
    expect(ports()).toEqual([80]);
    expect(ports('127.77.40.2')).toEqual([]);
    expect(ports('127.77.40.9')).toEqual([80]);
    expect(ports('127.77.40.2')).toEqual([]);
    expect(ports()).toEqual([80]);
  });

  it('a certificate that expires, though no object has changed', () => {
    const { store, translate } = createWorld();
    store.put('secrets', secret('cert', 'brief'));
    store.put(resources.gateway, gateway('gw', https('cert')));
    expect(codesOf(translate('2020-01-15T00:00:00Z'))).not.toContain('FW6006');
    expect(codesOf(translate('2020-02-02T00:00:00Z'))).toContain('FW6006');
    expect(codesOf(translate('2020-01-15T00:00:00Z'))).not.toContain('FW6006');
  });

  it('a Secret that comes, gets another certificate, and goes', () => {
    const { store, translate } = createWorld();
    store.put(resources.gateway, gateway('gw', https('cert')));
    expect(translate().certificates).toEqual([]);
    store.put('secrets', secret('cert', 'shop'));
    const [first] = translate().certificates;
    store.put('secrets', secret('cert', 'wild'));
    const [second] = translate().certificates;
    expect(second!.chain).not.toBe(first!.chain);
    store.remove('secrets', 'shop/cert');
    expect(translate().certificates).toEqual([]);
  });

  it('authorities of clients in a ConfigMap that comes, changes and goes', () => {
    const { store, translate } = createWorld();
    const own = gateway('gw', https('cert'));
    const caCertificateRefs = [{ group: '', kind: 'ConfigMap', name: 'ca' }];
    Object.assign(own['spec'] as object, { tls: { frontend: { default: { validation: { caCertificateRefs } } } } });
    store.put('secrets', secret('cert', 'shop'));
    store.put(resources.gateway, own);
    const authorities = () => translate().listeners[0]?.tls?.clientValidation?.ca;
    const bundle = (certificate: string) => {
      const file = join(packageRoot, `test/golden/ingress/certificates/${certificate}.crt`);
      store.put('configmaps', core('ConfigMap', 'ca', { data: { 'ca.crt': readFileSync(file, 'utf8') } }));
      return authorities();
    };
    expect(authorities()).toBeUndefined();
    const [first, second] = [bundle('root'), bundle('middle')];
    expect(first).toContain('BEGIN CERTIFICATE');
    expect(second).not.toBe(first);
    store.remove('configmaps', 'shop/ca');
    expect(authorities()).toBeUndefined();
  });

  it('a ReferenceGrant for a certificate of another namespace that comes and goes', () => {
    const { store, translate } = createWorld();
    const { metadata, ...rest } = secret('cert', 'shop');
    store.put('secrets', { ...rest, metadata: { ...metadata, namespace: 'certs' } });
    const tls = { certificateRefs: [{ name: 'cert', namespace: 'certs' }] };
    store.put(resources.gateway, gateway('gw', { ...https('cert'), tls }));
    expect(codesOf(translate())).toContain('FW3105');
    const from = [{ group: 'gateway.networking.k8s.io', kind: 'Gateway', namespace: 'shop' }];
    const spec = { from, to: [{ group: '', kind: 'Secret' }] };
    store.put(resources.referenceGrant, object('ReferenceGrant', 'grant', { spec }, 'certs'));
    expect(translate().certificates).toHaveLength(1);
    store.remove(resources.referenceGrant, 'certs/grant');
    expect(translate().certificates).toEqual([]);
  });

  it('a label of a namespace that lets its routes attach', () => {
    const { store, translate } = createWorld();
    const namespaces = { from: 'Selector', selector: { matchLabels: { open: 'yes' } } };
    const label = (open: string) =>
      store.put('namespaces', {
        apiVersion: 'v1',
        kind: 'Namespace',
        metadata: { name: 'shop', labels: { open } },
      } as Unstructured);
    label('no');
    store.put(resources.gateway, gateway('gw', { ...http, allowedRoutes: { namespaces } }));
    store.put(routeResources.HTTPRoute, route('HTTPRoute', 'a', 'gw'));
    const hostnames = () => translate().listeners[0]!.hosts.map(({ hostname }) => hostname);
    expect(hostnames()).toEqual(['*']);
    label('yes');
    expect(hostnames()).toEqual(['a.example.com', '*']);
    label('no');
    expect(hostnames()).toEqual(['*']);
  });

  it('a Gateway that is renamed, and one that takes its place', () => {
    const { store, translate } = createWorld();
    store.put(routeResources.HTTPRoute, route('HTTPRoute', 'a', 'gw'));
    store.put(resources.gateway, gateway('other', http));
    expect(codesOf(translate())).toEqual(['FW3201']);
    store.put(resources.gateway, gateway('gw', http));
    expect(codesOf(translate())).toEqual([]);
    store.remove(resources.gateway, 'shop/gw');
    expect(codesOf(translate())).toEqual(['FW3201']);
  });

  it('a listener that is renamed, by the routes that name it', () => {
    const { store, translate } = createWorld();
    const named = route('HTTPRoute', 'a', 'gw');
    (named['spec'] as { parentRefs: object[] }).parentRefs = [{ name: 'gw', sectionName: 'http' }];
    store.put(routeResources.HTTPRoute, named);
    store.put(resources.gateway, gateway('gw', http));
    expect(codesOf(translate())).toEqual([]);
    store.put(resources.gateway, gateway('gw', { ...http, name: 'web' }));
    expect(codesOf(translate())).toEqual(['FW3202']);
  });
});

describe('what is left alone', () => {
  it('routes, hosts and sockets of other Gateways, when one Gateway changes', () => {
    const { store, translate } = createWorld();
    store.put(resources.gateway, gateway('gw', http));
    store.put(resources.gateway, gateway('other', http));
    store.put(routeResources.HTTPRoute, route('HTTPRoute', 'a', 'gw'));
    store.put(routeResources.HTTPRoute, route('HTTPRoute', 'b', 'other'));
    const before = translate();
    store.put(resources.gateway, gateway('other', { ...http, name: 'web' }));
    const after = translate();
    expect(statusOf(after, 'a')).toBe(statusOf(before, 'a'));
    expect(statusOf(after, 'b')).not.toBe(statusOf(before, 'b'));
    expect(after.listeners[0]).toBe(before.listeners[0]);
  });

  it('routes, hosts and statuses of other ListenerSets, when one set changes', () => {
    const { store, translate } = createWorld();
    const allowedListeners = { namespaces: { from: 'Same' } };
    store.put(
      resources.gateway,
      object('Gateway', 'gw', { spec: { gatewayClassName: 'fairway', allowedListeners, listeners: [http] } }),
    );
    const set = (name: string, hostname: string) =>
      object('ListenerSet', name, { spec: { parentRef: { name: 'gw' }, listeners: [{ ...http, hostname }] } });
    for (const name of ['one', 'two', 'three']) {
      store.put(resources.listenerSet, set(`set-${name}`, `${name}.example.com`));
      const own = route('HTTPRoute', name, 'gw');
      (own['spec'] as { parentRefs: object[] }).parentRefs = [{ kind: 'ListenerSet', name: `set-${name}` }];
      store.put(routeResources.HTTPRoute, own);
    }
    const hostsOf = ({ listeners }: TranslateOutput) =>
      new Map(listeners[0]!.hosts.map((host) => [host.hostname, host]));
    const before = translate();
    store.put(resources.listenerSet, set('set-two', '*.example.com'));
    const after = translate();
    for (const name of ['one', 'three', 'set-one', 'set-three'])
      expect(statusOf(after, name), name).toBe(statusOf(before, name));
    for (const name of ['two', 'set-two']) expect(statusOf(after, name), name).not.toBe(statusOf(before, name));
    expect(hostsOf(after).get('one.example.com')).toBe(hostsOf(before).get('one.example.com'));
    expect(hostsOf(after).get('*.example.com')).toBeDefined();
    store.remove(resources.listenerSet, 'shop/set-one');
    expect(codesOf(translate())).toEqual(['FW3201']);
  });

  it('sockets of TLS listeners, when an HTTPRoute changes', () => {
    const { store, translate } = createWorld();
    const tls = { name: 'tls', port: 8443, protocol: 'TLS', tls: { mode: 'Passthrough' } };
    store.put(resources.gateway, gateway('gw', http, tls));
    store.put(routeResources.HTTPRoute, route('HTTPRoute', 'a', 'gw'));
    store.put(routeResources.TLSRoute, route('TLSRoute', 't', 'gw'));
    const before = translate();
    store.put(routeResources.HTTPRoute, route('HTTPRoute', 'a', 'gw', { name: 'new' }));
    const after = translate();
    expect(after.streams).toBe(before.streams);
    expect(after.listeners).not.toBe(before.listeners);
    store.put(routeResources.TLSRoute, route('TLSRoute', 't', 'gw', { name: 'new' }));
    expect(translate().streams).not.toBe(before.streams);
  });
});

it('shows no more parents in the status of a route than it may hold, and leaves those of others where they are', () => {
  const { store, translate } = createWorld();
  const names = Array.from({ length: 32 }, (_, i) => `l${i}`);
  store.put(resources.gateway, gateway('gw', ...names.map((name, i) => ({ ...http, name, port: 8000 + i }))));
  const theirs = { parentRef: { name: 'theirs' }, controllerName: 'other.example/controller', conditions: [] };
  const many = route('HTTPRoute', 'a', 'gw');
  (many['spec'] as { parentRefs: object[] }).parentRefs = names.map((sectionName) => ({ name: 'gw', sectionName }));
  const stored = store.put(routeResources.HTTPRoute, { ...many, status: { parents: [theirs] } });
  const built = statusOf(translate(), 'a')!.build(stored, { listener: () => undefined });
  const { parents } = built as { parents: object[] };
  expect(parents).toHaveLength(32);
  expect(parents[0]).toBe(theirs);
});

describe('the status of a Gateway that is as it was', () => {
  interface Shown {
    conditions: { type: string; status: string; lastTransitionTime: string }[];
    listeners: { attachedRoutes: number }[];
  }

  function createGateway() {
    const { store, translate } = createWorld();
    let stored = store.put(resources.gateway, gateway('gw', http));
    /** Writes the status, as of a time, with what the data plane says of sockets. */
    const write = (now: string, answer: { bound: boolean; error?: string }): Shown => {
      const status = statusOf(translate(now), 'gw')!.build(stored, { listener: () => answer });
      if (status !== stored['status']) stored = store.put(resources.gateway, { ...stored, status });
      return status as Shown;
    };
    return { store, write };
  }

  const programmed = ({ conditions }: Shown) => conditions.find(({ type }) => type === 'Programmed')!;

  it('is the one that is stored when nothing is new', () => {
    const { write } = createGateway();
    write('2026-06-01T00:00:00Z', { bound: true });
    const before = write('2026-06-01T00:00:01Z', { bound: true });
    expect(write('2026-06-01T00:00:02Z', { bound: true })).toBe(before);
  });

  it('says that a socket was lost, and since when', () => {
    const { write } = createGateway();
    write('2026-06-01T00:00:00Z', { bound: true });
    const lost = programmed(write('2026-06-01T00:00:05Z', { bound: false, error: 'in use' }));
    expect(lost).toMatchObject({ status: 'False', lastTransitionTime: '2026-06-01T00:00:05Z' });
    const found = programmed(write('2026-06-01T00:00:07Z', { bound: true }));
    expect(found).toMatchObject({ status: 'True', lastTransitionTime: '2026-06-01T00:00:07Z' });
  });

  it('counts routes that come and go', () => {
    const { store, write } = createGateway();
    const attached = () => write('2026-06-01T00:00:00Z', { bound: true }).listeners[0]!.attachedRoutes;
    expect(attached()).toBe(0);
    store.put(routeResources.HTTPRoute, route('HTTPRoute', 'a', 'gw'));
    expect(attached()).toBe(1);
    store.remove(routeResources.HTTPRoute, 'shop/a');
    expect(attached()).toBe(0);
  });
});
