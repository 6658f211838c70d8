/** The DNS autoscaler against a real API: Deployments follow the Nodes, the parameters, and one leader. */
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { packageRoot } from '../../src/base/package-root.ts';
import { type Autoscaler, type AutoscalerOptions, createAutoscaler } from '../../src/dns/autoscaler/autoscaler.ts';
import { parseTargets } from '../../src/dns/autoscaler/targets.ts';
import { createKubeClient, type KubeClient } from '../../src/kube/client/client.ts';
import { plainConfig } from '../../src/kube/client/config.ts';
import { createResourceClient } from '../../src/kube/client/resource-client.ts';
import { createResourceRegistry } from '../../src/kube/resources.ts';
import type { KubeObject } from '../../src/kube/types/index.ts';
import { openManifestStore } from '../../src/local/manifest-store.ts';
import { canBind, eventually, openDoor, type TestDoor } from '../support/door.ts';
import { type FaultProxy, httpAnswer, openFaultProxy, statusBody } from '../support/fault-proxy.ts';
import { app, stream } from '../support/manifests.ts';

interface ConfigMap extends KubeObject {
  data?: Record<string, string>;
}
interface Deployment extends KubeObject {
  spec: { replicas?: number };
}

const registry = createResourceRegistry();
const linear = (params: object) => ({ linear: JSON.stringify(params) });

describe.skipIf(!canBind)('dns-autoscaler against fairway up', () => {
  let door: TestDoor;
  let client: KubeClient;
  let running: { scaler: Autoscaler; logs: string[]; fatal: string[] }[] = [];
  const clients: KubeClient[] = [];
  const proxies: FaultProxy[] = [];
  let named = 0;

  const maps = () => createResourceClient<ConfigMap>(client, registry.byName('configmaps')!);
  const nodes = () => createResourceClient<KubeObject>(client, registry.byName('nodes')!);
  const deployments = () => createResourceClient<Deployment>(client, registry.byName('deployments.apps')!);

  beforeAll(async () => {
    door = await openDoor(24, { paths: ['-'], stdin: stream(...app('dns'), ...app('other')) });
    client = createKubeClient({ config: plainConfig(door.summary.api) });
    for (const name of ['a', 'b', 'c']) await addNode(name);
  });
  afterEach(async () => {
    await Promise.all(running.map(({ scaler }) => scaler.stop()));
    running = [];
    for (const one of clients.splice(0)) one.close();
    await Promise.all(proxies.splice(0).map((proxy) => proxy.close()));
  });
  afterAll(async () => {
    client?.close();
    await door?.close();
  });

  /** 2 allocatable cores, Ready, in the pool "test". */
  async function addNode(name: string, spec: object = {}): Promise<void> {
    const made = await nodes().create({
      ...{ apiVersion: 'v1', kind: 'Node', metadata: { name, labels: { pool: 'test' } }, spec },
    } as KubeObject);
    if (!made.ok) throw new Error(made.error.message);
    const status = { allocatable: { cpu: '2' }, conditions: [{ type: 'Ready', status: 'True' }] };
    const written = await nodes().mergePatch({ name }, { status }, { subresource: 'status' });
    if (!written.ok) throw new Error(written.error.message);
  }

  async function start(options: Partial<AutoscalerOptions> & { text?: string } = {}) {
    const { text = 'deployment/dns', ...rest } = options;
    const targets = parseTargets(text, 'default');
    if (!targets.ok) throw new Error(targets.error);
    const logs: string[] = [];
    const fatal: string[] = [];
    const scaler = createAutoscaler({
      ...{
        client,
        namespace: 'default',
        configMap: `scale-${++named}`,
        targets: targets.value,
        nodeLabels: 'pool=test',
      },
      ...{ pollMs: 30, log: (level, line) => logs.push(`${level} ${line}`), onFatal: (reason) => fatal.push(reason) },
      mapAddress: () => ({ host: '127.82.6.9', port: 0 }),
      ...rest,
    });
    running.push({ scaler, logs, fatal });
    const started = await scaler.start();
    if (!started.ok) throw new Error(started.error);
    const at = scaler.door()!;
    const page = async (path: string) => {
      const response = await fetch(`http://${at.host}:${at.port}${path}`);
      return { status: response.status, text: await response.text() };
    };
    return { scaler, logs, fatal, page, configMap: `scale-${named}` };
  }

  async function replicasOf(name: string): Promise<number | undefined> {
    const found = await deployments().get({ namespace: 'default', name });
    return found.ok ? found.value.spec.replicas : undefined;
  }
  const scaledTo = (name: string, replicas: number) =>
    eventually(
      () => replicasOf(name),
      (found) => found === replicas,
    );

  async function setParams(name: string, data: Record<string, string>): Promise<void> {
    await eventually(
      () => maps().get({ namespace: 'default', name }),
      ({ ok }) => ok,
    );
    const written = await maps().mergePatch(
      { namespace: 'default', name },
      { data: { linear: null, ladder: null, ...data } },
    );
    if (!written.ok) throw new Error(written.error.message);
  }

  it('makes the ConfigMap, scales to the Nodes of a label, and follows both', async () => {
    const { configMap, page, logs } = await start({ defaultParams: linear({ nodesPerReplica: 1 }) });
    await scaledTo('dns', 3);
    const made = await maps().get({ namespace: 'default', name: configMap });
    expect(made.ok && made.value.data).toEqual({ linear: '{"nodesPerReplica":1}' });

    await addNode('d');
    await scaledTo('dns', 4);
    await nodes().mergePatch({ name: 'd' }, { spec: { unschedulable: true } });
    await scaledTo('dns', 3);
    await setParams(configMap, linear({ nodesPerReplica: 1, includeUnschedulableNodes: true }));
    await scaledTo('dns', 4);
    await setParams(configMap, { ladder: '{"coresToReplicas":[[0,1],[6,2],[7,5]]}' });
    await scaledTo('dns', 2);
    await nodes().delete({ name: 'd' });

    expect(
      logs.some((line) => line.startsWith('info deployment/dns: 4 -> 2 replicas (nodes: 3 of 4 schedulable')),
    ).toBe(true);
    expect((await page('/healthz')).status).toBe(200);
    expect((await page('/last-poll')).status).toBe(200);
    const { text } = await page('/metrics');
    expect(text).toContain('fairway_dns_autoscaler_expected_replicas 2');
    expect(text).toContain('fairway_dns_autoscaler_leader 1');
    expect(text).toMatch(/fairway_dns_autoscaler_updates_total\{target="deployment\/dns"\} [4-9]/);
    expect(text).toMatch(/fairway_dns_autoscaler_polls_total\{result="failure"\} 0/);
  });

  it('brings the Pods of the Deployment with it', async () => {
    await start({ defaultParams: linear({ nodesPerReplica: 1 }) });
    const pods = () => door.store.list('pods').filter(({ metadata }) => metadata.labels?.app === 'dns').length;
    await eventually(pods, (count) => count === 3);
  });

  it('keeps the last good parameters, says so, and counts', async () => {
    const { configMap, logs, page, fatal } = await start({
      defaultParams: linear({ nodesPerReplica: 1 }),
      maxFailures: 3,
    });
    await scaledTo('dns', 3);
    await eventually(
      () => logs,
      (lines) => lines.some((line) => line.startsWith('info parameters: ')),
    );
    await setParams(configMap, { linear: '{"nodesPerReplica": -1}' });
    await eventually(
      () => page('/last-poll'),
      ({ status, text }) => status === 500 && text.includes('nodesPerReplica: -1'),
    );
    await addNode('e');
    await scaledTo('dns', 4);
    expect(logs.filter((line) => line.includes('cannot be used'))).toEqual([
      "error the ConfigMap's parameters cannot be used: linear: invalid negative value for nodesPerReplica: -1; the last good ones stay in force",
    ]);
    expect((await page('/metrics')).text).toContain('fairway_dns_autoscaler_bad_params_total 1');
    await setParams(configMap, linear({ nodesPerReplica: 2 }));
    await scaledTo('dns', 2);
    expect((await page('/last-poll')).status).toBe(200);
    expect(fatal).toEqual([]);
    await nodes().delete({ name: 'e' });
  });

  it('scales several targets, also when one of them is not there', async () => {
    const { logs } = await start({
      text: 'deployment/gone,deployment/dns,deployment/other',
      defaultParams: linear({ nodesPerReplica: 3, min: 5 }),
    });
    await scaledTo('dns', 5);
    await scaledTo('other', 5);
    expect(logs.some((line) => line.startsWith('error deployment/gone: ') && line.includes('not found'))).toBe(true);
  });

  it('gives up after --max-sync-failures, and not before', async () => {
    const { fatal, page } = await start({ maxFailures: 2 });
    await eventually(
      () => fatal.length,
      (count) => count === 1,
    );
    expect(fatal[0]).toMatch(/^2 polls in a row failed, the last one: .*configmaps.*not found/);
    expect((await page('/last-poll')).status).toBe(500);
    expect((await page('/healthz')).status).toBe(200);
  });

  it('lets one of two scale, and the other one take over at once', async () => {
    const election = (identity: string) => ({
      name: 'scaler',
      identity,
      retryMs: 400,
      renewDeadlineMs: 6000,
      leaseMs: 9000,
    });
    const params = linear({ nodesPerReplica: 1 });
    const first = await start({ election: election('first'), defaultParams: params });
    await eventually(() => first.scaler.isLeader(), Boolean);
    await scaledTo('dns', 3);
    const second = await start({ election: election('second'), defaultParams: linear({ nodesPerReplica: 1, min: 7 }) });
    await eventually(
      () => second.logs,
      (logs) => logs.includes('info first leads'),
    );
    expect(second.scaler.isLeader()).toBe(false);
    expect(await replicasOf('dns')).toBe(3);
    expect((await second.page('/metrics')).text).toContain('fairway_dns_autoscaler_leader 0');
    await first.scaler.stop();
    await scaledTo('dns', 7);
    expect(second.scaler.isLeader()).toBe(true);
  });

  it('has a manifest that an API server takes', async () => {
    const manifest = await openManifestStore({
      paths: [join(packageRoot, 'deploy/dns-autoscaler.yaml')],
      onError: (error) => {
        throw error;
      },
    });
    expect(manifest.diagnostics().filter(({ severity }) => severity !== 'info')).toEqual([]);
    expect(manifest.store.list('deployments.apps').map(({ metadata }) => metadata.name)).toEqual(['dns-autoscaler']);
    await manifest.close();
  });

  it('scales without an election where Leases are forbidden', async () => {
    const proxy = await openFaultProxy(door.summary.api);
    proxies.push(proxy);
    proxy.faults.answer = (line) =>
      line.includes('/leases') ? httpAnswer(403, statusBody(403, 'Forbidden', 'no leases')) : undefined;
    const throughProxy = createKubeClient({ config: plainConfig(proxy.url), retries: 0 });
    clients.push(throughProxy);
    const { logs } = await start({
      client: throughProxy,
      election: { name: 'forbidden', identity: 'x', retryMs: 20 },
      defaultParams: linear({ nodesPerReplica: 1, min: 6 }),
    });
    await scaledTo('dns', 6);
    expect(logs.filter((line) => line.includes('scaling without an election'))).toHaveLength(1);
  });
});
