/** The table of a door with Ingresses of ingress-nginx: its ports, and URLs that can be asked for. */
import { expect, it } from 'vitest';
import { createAsker } from '../insight/ask.ts';
import { lookup } from '../insight/lookup/lookup.ts';
import { resolvConfOf } from '../insight/pod.ts';
import { openWorld } from '../insight/sources.ts';
import { createStore, type StoreReader } from '../kube/store/store.ts';
import type { KubeObject } from '../kube/types/index.ts';
import { defaultClusterConfig } from '../local/config.ts';
import { type Summary, summarise } from '../local/summary.ts';
import { emptyPlan, type Listener, type Plan, type StreamListener } from '../routing/plan/plan.ts';
import { renderReady } from './ready-table.ts';

const address = defaultClusterConfig.ingressAddress;
const source = { object: { apiVersion: 'v1', kind: 'ConfigMap', namespace: 'ingress-nginx', name: 'tcp-services' } };

function stream(port: number, protocol: 'TCP' | 'UDP', backend?: string): StreamListener {
  const share = { weight: 1, source, ...(backend === undefined ? { invalid: 'no Service' } : { backend }) };
  const route = { id: `${port}`, serverName: '*', tls: 'none', backends: [share], source } as const;
  return { id: `${address}:${port}/${protocol}`, address, port, protocol, routes: [route], sources: [source] };
}

const https: Listener = {
  ...{ id: `${address}:443/HTTPS`, address, port: 443, protocol: 'HTTPS', hosts: [], sources: [] },
  tls: {
    certificates: [
      { serverName: '*', certificate: 'self-signed' },
      { serverName: 'covered.example.com', certificate: 'default/wild' },
      { serverName: 'bare.example.com', certificate: 'self-signed' },
    ],
  },
};

const passed: StreamListener = {
  ...{ id: `${address}:443/TLS`, address, port: 443, protocol: 'TLS', sources: [] },
  routes: [{ id: 'v', serverName: 'vault.example.com', tls: 'passthrough', backends: [], source }],
};

const database = {
  id: 'shop/database:5432/TCP',
  namespace: 'shop',
  service: 'database',
  port: 5432,
  protocol: 'tcp',
  source,
} as const;

const plan: Plan = {
  ...emptyPlan,
  listeners: [https],
  streams: [passed, stream(5432, 'TCP', database.id), stream(5514, 'UDP')],
  backends: { [database.id]: database },
};

const backend = { service: { name: 'web', port: { number: 80 } } };
const ingress = (name: string, host: string, path = '/', annotations = {}): KubeObject =>
  ({
    ...{ apiVersion: 'networking.k8s.io/v1', kind: 'Ingress', metadata: { name, namespace: 'default', annotations } },
    spec: {
      tls: [{ secretName: 'wild' }],
      rules: [{ host, http: { paths: [{ path, pathType: 'Prefix', backend }] } }],
    },
  }) as KubeObject;

function summaryOf(store: StoreReader): Summary {
  const bind = { map: (at: string, port: number) => ({ address: at, port }), describe: () => [] };
  const where = { api: 'http://127.0.0.1:1', dns: [], metrics: undefined, diagnostics: [] };
  return summarise({ store, plan, config: defaultClusterConfig, bind: bind as never, ...where });
}

function rendered(...ingresses: KubeObject[]): { table: string; streams: unknown } {
  const store = createStore();
  for (const one of ingresses) store.put('ingresses.networking.k8s.io', one);
  const summary = summaryOf(store);
  return { table: renderReady(summary, store, 1, true, plan), streams: summary.ingress.streams };
}

it('has the ports of the ConfigMaps of ingress-nginx, and where they lead', () => {
  const { table, streams } = rendered();
  expect(table).toMatch(
    /Doors\n {2}Ingress +127[.0-9]+ +80\/HTTP,443\/HTTPS\n {4}shop\/database:5432 +5432\/TCP\n {4}leads nowhere +5514\/UDP\n/,
  );
  expect(streams).toEqual([
    { port: 5432, protocol: 'TCP', to: 'shop/database:5432' },
    { port: 5514, protocol: 'UDP', to: null },
  ]);
});

it('has https for hosts with a certificate, whoever names it, and for those that TLS goes past', () => {
  const { table } = rendered(
    ingress('a', 'covered.example.com'),
    ingress('b', 'bare.example.com'),
    ingress('c', 'vault.example.com'),
  );
  for (const url of ['https://covered.example.com/', 'http://bare.example.com/', 'https://vault.example.com/'])
    expect(table).toContain(`  ${url} `);
});

it('has paths that can be asked for, and none of canaries', () => {
  const { table } = rendered(
    ingress('a', 'bare.example.com', '/api(/|$)(.*)'),
    ingress('b', 'bare.example.com', '/next', { 'nginx.ingress.kubernetes.io/canary': 'true' }),
  );
  expect(table).toContain('http://bare.example.com/api ');
  expect(table).not.toContain('/next');
});

const tried = (table: string) => /npx fairway lookup (?<name>\S+) --pod (?<pod>\S+)/.exec(table)?.groups;

it.each(['ingress-nginx', 'front-door', 'routes'])('has a lookup that finds its name: %s', async (example) => {
  const world = await openWorld({ files: [`examples/${example}`] });
  const groups = tried(renderReady(summaryOf(world.store), world.store, 1));
  const { name = '', pod = '' } = groups ?? {};
  const conf = resolvConfOf(world, pod);
  const asker = createAsker(world, { network: false });
  const { outcome } = await lookup({ name, resolvConf: conf.ok ? conf.value.text : '', ask: asker.ask, libc: 'glibc' });
  await asker.close();
  expect({ pod, name, outcome }).toEqual({ pod, name, outcome: 'found' });
});

const pod = (namespace: string, name: string, spec = {}): KubeObject =>
  ({ apiVersion: 'v1', kind: 'Pod', metadata: { name, namespace }, spec: { containers: [], ...spec } }) as KubeObject;
const service = (namespace: string, name: string): KubeObject =>
  ({ apiVersion: 'v1', kind: 'Service', metadata: { name, namespace }, spec: { clusterIP: '10.0.0.1' } }) as KubeObject;

it('looks up the Service of another namespace by both names, and never as a Pod that does not ask the cluster', () => {
  const store = createStore();
  store.put('services', service('pay', 'ledger'));
  store.put('pods', pod('pay', 'a', { hostNetwork: true }));
  store.put('pods', pod('pay', 'b', { dnsPolicy: 'Default' }));
  expect(tried(renderReady(summaryOf(store), store, 1))).toBeUndefined();
  store.put('pods', pod('shop', 'c'));
  expect(tried(renderReady(summaryOf(store), store, 1))).toEqual({ name: 'ledger.pay', pod: 'shop/c' });
  store.put('services', service('shop', 'web'));
  expect(tried(renderReady(summaryOf(store), store, 1))).toEqual({ name: 'web', pod: 'shop/c' });
});
