/** Search-path waste, from single names to merged pages; a server counts it from real queries. */
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { createMetricsRegistry } from '../../base/metrics.ts';
import { createStore } from '../../kube/store/store.ts';
import type { KubeObject, Pod } from '../../kube/types/index.ts';
import { serveCorefile, type TestServer } from '../testing.ts';
import { createWasteLedger, type WasteEvent } from './ledger.ts';
import { groupId, mergeWaste, type WastePage } from './page.ts';
import { searchMissOf } from './search-miss.ts';
import { createTop } from './top.ts';
import { workloadOf } from './workload.ts';

const names = {
  hasNamespace: (namespace: string) => ['shop', 'default', 'dev'].includes(namespace),
  hasService: (namespace: string, name: string) => `${namespace}/${name}` === 'shop/mysql',
};
const zone = ['cluster', 'local'];
const missOf = (name: string, own?: string) => {
  const miss = searchMissOf(name.split('.').slice(0, -1), zone, own, names);
  return miss && `${miss.stage} ${name.split('.').slice(0, miss.labels).join('.')} ${miss.kind}`;
};

describe('a name that does not exist', () => {
  it.each([
    ['www.example.com.shop.svc.cluster.local.', '0 www.example.com external'],
    ['www.example.com.svc.cluster.local.', '1 www.example.com external'],
    ['www.example.com.cluster.local.', '2 www.example.com external'],
    ['example.com.shop.svc.cluster.local.', '0 example.com external'],
    ['example.com.cluster.local.', '2 example.com external'],
    ['api.example.dev.cluster.local.', '2 api.example.dev external'],
    ['_ldap._tcp.example.com.cluster.local.', '2 _ldap._tcp.example.com external'],
    ['web.shop.svc.cluster.local.shop.svc.cluster.local.', '0 web.shop.svc.cluster.local cluster'],
    ['web.shop.svc.cluster.local.cluster.local.', '2 web.shop.svc.cluster.local cluster'],
  ])('%s is waste', (name, expected) => {
    expect(missOf(name)).toBe(expected);
    expect(missOf(name, 'shop')).toBe(expected);
  });

  it.each([
    'web.shop.svc.cluster.local.',
    'web.svc.cluster.local.',
    'web.cluster.local.',
    'web.dev.shop.svc.cluster.local.',
    'web.dev.svc.shop.svc.cluster.local.',
    'web.dev.svc.svc.cluster.local.',
    'mysql-0.mysql.shop.svc.cluster.local.',
    'mysql-0.mysql.shop.svc.svc.cluster.local.',
    '_http._tcp.web.shop.svc.cluster.local.',
    '1-2-3-4.shop.pod.cluster.local.',
    'cluster.local.',
    'svc.cluster.local.',
    'www.example.com.',
  ])('%s is a miss of its own kind', (name) => {
    expect(missOf(name)).toBeUndefined();
    expect(missOf(name, 'shop')).toBeUndefined();
  });

  it('belongs to a search list only when the namespace is the client’s', () => {
    expect(missOf('www.example.com.default.svc.cluster.local.')).toBe('0 www.example.com external');
    expect(missOf('www.example.com.default.svc.cluster.local.', 'shop')).toBeUndefined();
  });
});

const pod = (metadata: Partial<Pod['metadata']>, status: Pod['status'] = {}): Pod => ({
  ...{ apiVersion: 'v1', kind: 'Pod', spec: { containers: [] }, status },
  metadata: { name: 'p', namespace: 'shop', ...metadata },
});
const owned = (kind: string, name: string, more: Partial<Pod['metadata']> = {}, ip?: string): Pod =>
  pod(
    { name: `${name}-x`, ownerReferences: [{ apiVersion: 'v1', kind, name, uid: 'u', controller: true }], ...more },
    ip ? { podIP: ip } : {},
  );

describe('the workload of a Pod', () => {
  it('is found by what the Pod says of itself', () => {
    const labels = { 'pod-template-hash': '5d4f8c7d9' };
    expect(workloadOf(owned('ReplicaSet', 'web-5d4f8c7d9', { labels }))).toBe('Deployment/web');
    expect(workloadOf(owned('ReplicaSet', 'bare'))).toBe('ReplicaSet/bare');
    expect(workloadOf(owned('StatefulSet', 'db'))).toBe('StatefulSet/db');
    expect(workloadOf(owned('DaemonSet', 'agent'))).toBe('DaemonSet/agent');
    expect(workloadOf(pod({ name: 'tool' }))).toBe('Pod/tool');
    expect(workloadOf(owned('Node', 'node-1', { name: 'kube-proxy-node-1' }))).toBe('Pod/kube-proxy-node-1');
    // 2026-01-01T00:00Z is minute 29,453,760.
    const creationTimestamp = '2026-01-01T00:00:05Z';
    expect(workloadOf(owned('Job', 'backup-29453760', { creationTimestamp }))).toBe('CronJob/backup');
    expect(workloadOf(owned('Job', 'import-20260101', { creationTimestamp }))).toBe('Job/import-20260101');
  });
});

describe('the most frequent', () => {
  it('are never missed, and never overcounted', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 30 }), { maxLength: 400 }),
        fc.integer({ min: 1, max: 10 }),
        (keys, capacity) => {
          const top = createTop(capacity, (key) => ({ key, queries: 0, error: 0 }));
          const truth = new Map<string, number>();
          for (const key of keys.map(String)) {
            top.count(key);
            truth.set(key, (truth.get(key) ?? 0) + 1);
          }
          const items = top.list();
          expect(items.length).toBeLessThanOrEqual(capacity);
          for (const { key, queries, error } of items) {
            expect(queries).toBeLessThanOrEqual(truth.get(key)!);
            expect(queries + error).toBeGreaterThanOrEqual(truth.get(key)!);
          }
          for (const [key, count] of truth) {
            if (items.some((item) => item.key === key)) continue;
            expect(count).toBeLessThanOrEqual(top.floor());
          }
        },
      ),
    );
  });
});

const event = (more: Partial<WasteEvent>): WasteEvent => {
  const who = { namespace: 'shop', workload: 'Deployment/web', address: '10.0.0.1', ...more };
  return { name: 'www.example.com.', kind: 'external', stage: 0, dots: 2, ...who, group: groupId(who) };
};
const ledgerOf = (events: readonly WasteEvent[], groups = 3, metrics = createMetricsRegistry(), now = () => 0) => {
  const ledger = createWasteLedger({ metrics, clock: { now } }, { groups, names: 2 });
  for (const one of events) ledger.count(one);
  return ledger;
};

describe('the ledger', () => {
  it('keeps raw counts by workload, stage, dots and name', () => {
    const page = ledgerOf([
      event({}),
      event({ stage: 1 }),
      event({ stage: 2, address: '10.0.0.2' }),
      event({ name: 'example.org.', dots: 1 }),
      event({ workload: '', namespace: '', address: '10.9.9.9', stage: 2 }),
      event({ workload: '', namespace: 'dev', address: '10.9.9.9', stage: 0 }),
    ]).page();
    expect(page).toMatchObject({ queries: 6, stages: [3, 1, 2], dots: [0, 1, 5, 0, 0, 0], floor: 0 });
    expect(page.groups).toEqual([
      {
        ...{ namespace: 'shop', workload: 'Deployment/web', address: '', queries: 4, error: 0 },
        ...{ stages: [2, 1, 1], dots: [0, 1, 3, 0, 0, 0] },
        names: [
          { name: 'www.example.com.', kind: 'external', queries: 3, error: 0 },
          { name: 'example.org.', kind: 'external', queries: 1, error: 0 },
        ],
      },
      expect.objectContaining({ namespace: 'dev', workload: '', address: '10.9.9.9', queries: 2 }),
    ]);
  });

  it('has as many series as groups, however many clients come', () => {
    const metrics = createMetricsRegistry();
    let now = 0;
    const ledger = ledgerOf([], 3, metrics, () => now);
    for (let i = 0; i < 500; i++) {
      now += 100;
      ledger.count(event({ workload: `Deployment/w${i % 50}` }));
      ledger.count(event({ workload: 'Deployment/busy' }));
    }
    const lines = metrics.expose().split('\n');
    const series = lines.filter((line) => line.startsWith('fairway_dns_search_waste_queries_total'));
    expect(series.length).toBeLessThanOrEqual(3);
    expect(series.some((line) => line.includes('Deployment/busy'))).toBe(true);
    expect(lines).toContain('fairway_dns_search_misses_total 1000');
    expect(ledger.page().groups).toHaveLength(3);
  });

  it('shows all of its series before it is full', () => {
    const metrics = createMetricsRegistry();
    ledgerOf(
      ['a', 'b', 'c', 'c'].map((w) => event({ workload: w })),
      3,
      metrics,
    );
    const text = metrics.expose();
    for (const [workload, count] of [
      ['a', 1],
      ['b', 1],
      ['c', 2],
    ])
      expect(text).toContain(
        `fairway_dns_search_waste_queries_total{namespace="shop",workload="${workload}"} ${count}\n`,
      );
  });
});

describe('pages of several processes', () => {
  it('add up to what one process would have counted', () => {
    const some = fc.record({
      workload: fc.constantFrom('', 'Deployment/a', 'Deployment/b'),
      address: fc.constantFrom('10.0.0.1', '10.0.0.2'),
      name: fc.constantFrom('a.example.', 'b.example.'),
      stage: fc.integer({ min: 0, max: 2 }),
    });
    fc.assert(
      fc.property(fc.array(some, { maxLength: 60 }), fc.integer({ min: 1, max: 4 }), (events, workers) => {
        const all = events.map((one) => event({ ...one, dots: 1 }));
        const shares = Array.from({ length: workers }, (_, w) => all.filter((_, i) => i % workers === w));
        const merged = mergeWaste(shares.map((share) => ledgerOf(share, 10).page()));
        const sorted = (page: WastePage) => ({
          ...page,
          groups: page.groups
            .map((group) => ({ ...group, names: [...group.names].sort((a, b) => (a.name < b.name ? -1 : 1)) }))
            .sort((a, b) => (`${a.workload}${a.address}` < `${b.workload}${b.address}` ? -1 : 1)),
        });
        expect(sorted(merged)).toEqual(sorted(ledgerOf(all, 10).page()));
        // It survives the way between processes.
        expect(mergeWaste(JSON.parse(JSON.stringify(shares.map((share) => ledgerOf(share, 10).page()))))).toEqual(
          merged,
        );
      }),
    );
  });

  it('say how much a group may have had where it was not listed', () => {
    const full = ledgerOf(
      ['a', 'b', 'c'].flatMap((w) => [event({ workload: w }), event({ workload: w })]),
      3,
    ).page();
    const other = ledgerOf([event({ workload: 'z' })], 3).page();
    expect(full.floor).toBe(2);
    const merged = mergeWaste([full, other]);
    expect(merged.queries).toBe(7);
    expect(merged.groups[0]).toMatchObject({ workload: 'z', queries: 1, error: 2 });
    expect(merged.floor).toBe(2);
  });

  it('make an empty page of none', () => {
    expect(mergeWaste([])).toMatchObject({ queries: 0, groups: [], floor: 0 });
  });
});

describe('a server', () => {
  const address = '127.82.7.1';
  const corefile = (extra = '') => `. {
    prometheus ${address}:9153
    kubernetes cluster.local {
        pods verified
    }
    ${extra}
}`;
  const store = createStore();
  const namespace = (name: string) =>
    store.put('namespaces', { apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
  namespace('shop');
  store.put('services', {
    ...{ apiVersion: 'v1', kind: 'Service', metadata: { name: 'web', namespace: 'shop' } },
    spec: { clusterIP: '10.96.0.7', ports: [{ port: 80 }] },
  } as KubeObject);
  store.put('pods', owned('ReplicaSet', 'web-abc', { labels: { 'pod-template-hash': 'abc' } }, '127.0.0.1'));
  const servers: TestServer[] = [];
  const serve = async (...args: Parameters<typeof serveCorefile>) => {
    const server = await serveCorefile(...args);
    servers.push(server);
    return server;
  };
  const waste = async (server: TestServer) => server.page(`${address}:9153`, '/fairway/dns-waste');
  afterAll(() => Promise.all(servers.map((server) => server.stop())));

  it('counts what its clients ask in vain, and nothing else', async () => {
    const server = await serve(corefile(), { address, store });
    for (const domain of ['shop.svc.cluster.local', 'svc.cluster.local', 'cluster.local'])
      expect(await server.answers(`WWW.example.com.${domain}.`)).toBe('NXDOMAIN');
    await server.answers('web.shop.svc.cluster.local.');
    await server.answers('nothing.shop.svc.cluster.local.');
    const { status, text } = await waste(server);
    expect(status).toBe(200);
    expect(JSON.parse(text)).toMatchObject({
      queries: 3,
      stages: [1, 1, 1],
      groups: [
        {
          ...{ namespace: 'shop', workload: 'Deployment/web', queries: 3 },
          names: [{ name: 'www.example.com.', kind: 'external', queries: 3 }],
        },
      ],
    });
    const metrics = (await server.page(`${address}:9153`, '/metrics')).text;
    expect(metrics).toContain('fairway_dns_search_waste_queries_total{namespace="shop",workload="Deployment/web"} 3\n');
    expect(metrics).toContain('fairway_dns_search_misses_total 3\n');
  });

  it('finds no waste where autopath answers the first query', async () => {
    const zoneFile = 'hosts {\n 192.0.2.1 www.example.com\n fallthrough\n}\nautopath @kubernetes';
    const server = await serve(corefile(zoneFile), { address, store });
    expect(await server.answers('www.example.com.shop.svc.cluster.local.')).toContain('192.0.2.1');
    expect(JSON.parse((await waste(server)).text).queries).toBe(0);
    await server.answers('gone.example.com.shop.svc.cluster.local.');
    expect(JSON.parse((await waste(server)).text).queries).toBe(1);
  });

  it('counts nothing when it is told not to', async () => {
    const server = await serve(corefile(), { address, store, waste: false });
    await server.answers('www.example.com.shop.svc.cluster.local.');
    const { status, text } = await waste(server);
    expect([status, JSON.parse(text).error]).toEqual([404, expect.stringContaining('--no-waste')]);
    expect((await server.page(`${address}:9153`, '/metrics')).text).not.toContain('search_waste');
  });
});
