/** How long changes of endpoints took to be served, as a histogram. */
import { afterEach, describe, expect, it } from 'vitest';
import { serveCorefile, type TestServer } from '../../testing.ts';
import { createTestCluster } from './cluster.fixture.ts';

const metric = 'coredns_kubernetes_dns_programming_duration_seconds';
const open: TestServer[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((server) => server.stop()));
});

const start = Date.parse('2026-05-01T10:00:00.000Z');

async function serve(options = 'ttl 5') {
  const cluster = createTestCluster();
  const state = { synced: true, now: start };
  cluster.namespace('a');
  cluster.service('a', 'web', { clusterIP: '10.0.0.1' });
  cluster.service('a', 'db', { clusterIP: 'None' });
  const server = await serveCorefile(
    '. {\n kubernetes cluster.local {\n startup_timeout 10ms\n OPTIONS\n }\n}'.replace('OPTIONS', options),
    {
      address: '127.82.2.4',
      clock: { now: () => state.now },
      openObjects: () => ({ store: cluster.store, synced: () => state.synced, close: () => {} }),
    },
  );
  open.push(server);
  let turn = 0;
  /** Endpoints changed at a time after the start, s. */
  const change = (service: string, text: string, namespace = 'a') =>
    cluster.slice(namespace, service, [{ addresses: [`172.0.0.${++turn}`] }], {
      annotations: { 'endpoints.kubernetes.io/last-change-trigger-time': text },
    });
  const lines = () =>
    server.server.metrics
      .expose()
      .split('\n')
      .filter((line) => line.startsWith(metric));
  return { cluster, server, state, change, lines };
}

const at = (ms: number) => new Date(start + ms).toISOString();

describe('DNS programming latency', () => {
  it('is counted by kind of Service, from 1 ms to 524 s', async () => {
    const { change, lines, state } = await serve();
    change('web', at(-3));
    state.now = start + 1000;
    change('db', at(500));
    change('db', '2026-05-01T12:00:00.5+02:00');
    const found = lines();
    expect(found).toContain(`${metric}_count{service_kind="cluster_ip"} 1`);
    expect(found).toContain(`${metric}_sum{service_kind="cluster_ip"} 0.003`);
    expect(found).toContain(`${metric}_bucket{service_kind="cluster_ip",le="0.002"} 0`);
    expect(found).toContain(`${metric}_bucket{service_kind="cluster_ip",le="0.004"} 1`);
    expect(found).toContain(`${metric}_count{service_kind="headless_with_selector"} 2`);
    expect(found).toContain(`${metric}_sum{service_kind="headless_with_selector"} 1`);
    const bounds = found.flatMap((line) => /cluster_ip",le="([^"]+)"/.exec(line)?.[1] ?? []);
    expect(bounds).toEqual([...Array.from({ length: 20 }, (_, i) => String(0.001 * 2 ** i)), '+Inf']);
  });

  it('leaves out what was there before, what has no time, no Service, or is gone', async () => {
    const { change, cluster, lines, server, state } = await serve();
    state.synced = false;
    change('web', at(-3_600_000));
    state.synced = true;
    cluster.slice('a', 'web', [{ addresses: ['172.0.0.99'] }]);
    change('ghost', at(-5));
    change('db', 'yesterday');
    cluster.store.remove('endpointslices.discovery.k8s.io', 'a/web-1');
    expect(lines()).toEqual([]);
    expect(server.logs.join()).toContain('a/db-1');
  });

  it('counts a change once, and none of what is hidden or merely comes into view', async () => {
    const { change, cluster, lines } = await serve('namespace_labels shown=yes');
    cluster.namespace('a', { shown: 'yes' });
    cluster.namespace('b');
    cluster.service('b', 'web', { clusterIP: '10.0.0.2' });
    change('web', at(-3));
    change('web', at(-3));
    change('web', at(-3_600_000), 'b');
    cluster.namespace('b', { shown: 'yes' });
    expect(lines()).toContain(`${metric}_count{service_kind="cluster_ip"} 1`);
  });

  it('is not below zero when the clocks of two machines differ', async () => {
    const { change, lines } = await serve();
    change('web', at(60_000));
    expect(lines()).toContain(`${metric}_sum{service_kind="cluster_ip"} 0`);
  });
});
