/** `fairway dns` against a Kubernetes API: the kubernetes plugin serves what the API of a running front door holds. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { get } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createMetricsRegistry } from '../../src/base/metrics.ts';
import { packageRoot } from '../../src/base/package-root.ts';
import { createApiSources } from '../../src/dns/objects/api-source.ts';
import type { ApiAccess } from '../../src/dns/plugins/setup.ts';
import { type CorefileServer, createCorefileServer } from '../../src/dns/server/corefile-server.ts';
import type { EndpointSlice, Service } from '../../src/kube/types/index.ts';
import { askDns } from '../support/dns.ts';
import { canBind, eventually, openDoor, type TestDoor } from '../support/door.ts';
import { type FaultProxy, httpAnswer, openFaultProxy, statusBody } from '../support/fault-proxy.ts';

const address = '127.82.3.20';
const manifestAddress = '127.82.3.21';
const server = { address, port: 1053 };
const slicesName = 'endpointslices.discovery.k8s.io';

describe.skipIf(!canBind)('fairway dns with an API server', () => {
  let door: TestDoor;
  let proxy: FaultProxy;
  let folder: string;
  let file: string;
  let dns: CorefileServer | undefined;
  let problems: string[] = [];
  /** First lines of the requests that reached the API. */
  let asked: string[] = [];

  beforeAll(async () => {
    door = await openDoor(22, { paths: [join(packageRoot, 'examples/front-door')] });
    folder = mkdtempSync(join(tmpdir(), 'dns-api-'));
    file = join(folder, 'Corefile');
  });
  afterAll(async () => {
    await door?.close(0);
    rmSync(folder, { recursive: true });
  });
  beforeEach(async () => {
    proxy = await openFaultProxy(door.summary.api);
    problems = [];
    asked = [];
    proxy.faults = watchful();
  });
  afterEach(async () => {
    await dns?.stop();
    dns = undefined;
    await proxy.close();
  });

  /** Faults that also note what is asked. */
  function watchful(faults: FaultProxy['faults'] = {}): FaultProxy['faults'] {
    return {
      ...faults,
      answer(line, head) {
        if (/^(GET|POST) /.test(line)) asked.push(line);
        return faults.answer?.(line, head);
      },
    };
  }

  const corefile = (options: string, more = '') =>
    writeFileSync(
      file,
      `.:1053 {\n bind ${address}\n${more} kubernetes cluster.local in-addr.arpa ip6.arpa {\n  endpoint ${proxy.url}\n  ${options}\n }\n}\n`,
    );

  async function start(options = 'pods insecure', more = ''): Promise<CorefileServer> {
    corefile(options, more);
    const metrics = createMetricsRegistry();
    const sources = createApiSources({ onError: (message) => problems.push(message), metrics });
    dns = createCorefileServer({
      ...{ file, metrics, defaultPort: 1053 },
      openObjects: (access: ApiAccess) => sources.open(access),
      log: (level, line) => level !== 'info' && problems.push(line),
      onFatal: (reason) => problems.push(reason),
    });
    const started = await dns.start();
    if (!started.ok) throw new Error(started.error);
    return dns;
  }

  const services = () => `${door.summary.api}/api/v1/namespaces/default/services`;
  const send = (method: string, url: string, body?: object) =>
    fetch(url, {
      method,
      headers: { 'content-type': method === 'PATCH' ? 'application/merge-patch+json' : 'application/json' },
      ...(body && { body: JSON.stringify(body) }),
    });
  const make = (name: string) =>
    send('POST', services(), {
      ...{ apiVersion: 'v1', kind: 'Service', metadata: { name }, spec: { ports: [{ port: 80 }] } },
    });
  const remove = (name: string) => send('DELETE', `${services()}/${name}`);
  const rcode = async (name: string) => (await askDns(server, `${name}.default.svc.cluster.local`)).rcode;
  const exists = (name: string) =>
    eventually(
      () => rcode(name),
      (code) => code === 'NOERROR',
      10_000,
    );
  const gone = (name: string) =>
    eventually(
      () => rcode(name),
      (code) => code === 'NXDOMAIN',
      10_000,
    );

  it('answers what the API holds, from the first query on', async () => {
    await start('pods verified');
    const service = door.summary.services.find(({ name }) => name === 'api-v1')!;
    expect((await askDns(server, 'api-v1.default.svc.cluster.local')).data('A')).toEqual([service.clusterIP]);
    expect((await askDns(server, 'mysql.default.svc.cluster.local')).data('A')).toHaveLength(2);
    expect((await askDns(server, 'nothing.default.svc.cluster.local')).rcode).toBe('NXDOMAIN');
  });

  it('follows a Service that is made and deleted through the API', async () => {
    await start();
    expect((await make('fresh')).status).toBe(201);
    await exists('fresh');
    await remove('fresh');
    await gone('fresh');
    expect(problems).toEqual([]);
  });

  /** Names that the objects of the store have, and some that they have not. */
  function questions(): [string, 'A' | 'AAAA' | 'SRV' | 'PTR' | 'CNAME'][] {
    const all: [string, 'A' | 'AAAA' | 'SRV' | 'PTR' | 'CNAME'][] = [];
    for (const { metadata, spec } of door.store.list<Service>('services')) {
      const name = `${metadata.name}.${metadata.namespace}.svc.cluster.local`;
      for (const type of ['A', 'AAAA', 'SRV', 'CNAME'] as const) all.push([name, type]);
      for (const port of spec.ports ?? []) all.push([`_${port.name ?? 'http'}._tcp.${name}`, 'SRV']);
      for (const ip of spec.clusterIPs ?? []) if (/^\d/.test(ip)) all.push([reverse(ip), 'PTR']);
    }
    for (const { metadata, endpoints } of door.store.list<EndpointSlice>(slicesName)) {
      const of = `${metadata.labels?.['kubernetes.io/service-name']}.${metadata.namespace}.svc.cluster.local`;
      for (const { addresses, hostname } of endpoints) {
        for (const text of addresses.filter((ip) => !ip.includes(':'))) {
          all.push([`${text.replaceAll('.', '-')}.${of}`, 'A'], [reverse(text), 'PTR']);
          all.push([`${text.replaceAll('.', '-')}.${metadata.namespace}.pod.cluster.local`, 'A']);
        }
        if (hostname) all.push([`${hostname}.${of}`, 'A'], [`${hostname}.${of}`, 'AAAA']);
      }
    }
    return [...all, ['default.svc.cluster.local', 'A'], ['nowhere.svc.cluster.local', 'A']];
  }
  const reverse = (ip: string) => `${ip.split('.').reverse().join('.')}.in-addr.arpa`;

  it.each(['pods verified', 'endpoint_pod_names'])(
    'answers with %s just what it answers from whole objects',
    async (options) => {
      await start(options);
      const whole = createCorefileServer({
        file: 'Corefile',
        text: `.:1053 {\n bind ${manifestAddress}\n kubernetes cluster.local in-addr.arpa ip6.arpa {\n  ${options}\n }\n}\n`,
        openObjects: () => ({ store: door.store, synced: () => true, close: () => undefined }),
        log: () => undefined,
        onFatal: (reason) => problems.push(reason),
      });
      expect(await whole.start()).toMatchObject({ ok: true });
      const asking = questions();
      expect(asking.length).toBeGreaterThan(60);
      const told = async (at: string, [name, type]: (typeof asking)[number]) => {
        const reply = await askDns({ address: at, port: 1053 }, name, type);
        return `${name} ${type} ${reply.rcode} ${reply.data(type).sort()}`;
      };
      const answered: string[] = [];
      try {
        for (const question of asking) {
          answered.push(await told(address, question));
          expect(answered.at(-1)).toBe(await told(manifestAddress, question));
        }
      } finally {
        await whole.stop();
      }
      expect(answered.filter((text) => / NOERROR \S/.test(text)).length).toBeGreaterThan(20);
    },
    30_000,
  );

  it('answers on while the API is away, cut off, slow or full of refusals, and catches up', async () => {
    await start();
    await exists('api-v1');
    const expired = httpAnswer(410, statusBody(410, 'Expired'));
    const busy = httpAnswer(429, statusBody(429, 'TooManyRequests'), { 'retry-after': '1' });
    let cuts = 300;
    const troubles: [string, FaultProxy['faults']][] = [
      ['away', { down: true }],
      ['cut', { cutAfter: () => (cuts += 211) }],
      ['slow', { pieces: 64 }],
      ['expired', { answer: (line) => (line.includes('watch=true') ? expired : undefined) }],
      ['busy', { answer: () => busy }],
    ];
    for (const [name, faults] of troubles) {
      proxy.faults = watchful(faults);
      proxy.cut();
      await make(`during-${name}`);
      if (name !== 'away') await remove(`during-${troubles[0]![0]}`);
      // A second of trouble: what was known is answered all the time.
      for (let i = 0; i < 20; i++) {
        expect(await rcode('api-v1'), name).toBe('NOERROR');
        await new Promise((resume) => setTimeout(resume, 50));
      }
      proxy.faults = watchful();
      await exists(`during-${name}`);
    }
    await gone('during-away');
    for (const [name] of troubles) await remove(`during-${name}`);
    for (const [name] of troubles) await gone(`during-${name}`);
  }, 60_000);

  it('tells of its requests and mirrors in /metrics', async () => {
    const page = `${address}:19153`;
    await start('pods verified', ` prometheus ${page}\n`);
    await exists('api-v1');
    const text = await new Promise<string>((resolve, reject) => {
      get(`http://${page}/metrics`, (response) => {
        let body = '';
        response.on('data', (chunk) => (body += chunk)).on('end', () => resolve(body));
      }).on('error', reject);
    });
    const host = new URL(proxy.url).host;
    const value = (series: string) =>
      Number(
        text
          .split('\n')
          .find((line) => line.startsWith(`${series} `))
          ?.split(' ')[1],
      );
    expect(
      value(`coredns_kubernetes_rest_client_requests_total{code="200",method="GET",host="${host}"}`),
    ).toBeGreaterThan(4);
    expect(
      value(`coredns_kubernetes_rest_client_request_duration_seconds_count{verb="GET",host="${host}"}`),
    ).toBeGreaterThan(4);
    expect(
      value(`coredns_kubernetes_rest_client_rate_limiter_duration_seconds_count{verb="GET",host="${host}"}`),
    ).toBeGreaterThan(4);
    for (const resource of ['services', slicesName, 'namespaces', 'pods']) {
      expect(value(`fairway_kubernetes_objects{resource="${resource}"}`)).toBe(door.store.list(resource).length);
      expect(value(`fairway_kubernetes_unsynced{resource="${resource}"}`)).toBe(0);
      expect(value(`fairway_kubernetes_staleness_seconds{resource="${resource}"}`)).toBeLessThan(30);
      expect(value(`fairway_kubernetes_received_bytes_total{resource="${resource}"}`)).toBeGreaterThan(100);
      expect(value(`fairway_kubernetes_lists_total{resource="${resource}"}`)).toBe(1);
    }
  });

  it('lets the server select: one namespace by its path, labels, Pods that run', async () => {
    await start('namespaces default\n labels app=web\n pods verified');
    const lists = () => asked.filter((line) => line.includes('limit='));
    expect(
      lists()
        .map((line) => line.split(' ')[1]!.split('?')[0])
        .sort(),
    ).toEqual([
      '/api/v1/namespaces',
      '/api/v1/namespaces/default/pods',
      '/api/v1/namespaces/default/services',
      '/apis/discovery.k8s.io/v1/namespaces/default/endpointslices',
    ]);
    for (const line of lists()) {
      const { searchParams } = new URL(line.split(' ')[1]!, 'http://api');
      const ofNamespaces = line.includes('/api/v1/namespaces?');
      expect(searchParams.get('labelSelector')).toBe(ofNamespaces ? null : 'app=web');
      const fields = ofNamespaces
        ? 'metadata.name=default'
        : line.includes('/pods?')
          ? 'status.phase!=Succeeded,status.phase!=Failed,status.phase!=Unknown'
          : null;
      expect(searchParams.get('fieldSelector')).toBe(fields);
    }
    expect(await rcode('mysql')).toBe('NXDOMAIN');
  });

  it('keeps its objects over a reload, and reads anew what the new Corefile asks for', async () => {
    const server_ = await start();
    await exists('api-v1');
    const lists = () => asked.filter((line) => line.includes('limit=')).length;
    const before = lists();
    corefile('pods insecure', ' loadbalance\n');
    expect(await server_.reload()).toEqual({ changed: true });
    expect(await rcode('api-v1')).toBe('NOERROR');
    expect(lists()).toBe(before);
    corefile('pods verified', ' loadbalance\n');
    expect(await server_.reload()).toEqual({ changed: true });
    expect(await rcode('api-v1')).toBe('NOERROR');
    expect(lists()).toBeGreaterThan(before);
    await make('after-reload');
    await exists('after-reload');
    await remove('after-reload');
  });

  it('holds its requests back as apiserver_qps and apiserver_burst say', async () => {
    const begun = performance.now();
    await start('apiserver_qps 10\n apiserver_burst 1\n apiserver_max_inflight 1');
    await exists('api-v1');
    // Two looks at what is served, three lists and three watches: all but the first wait for their tenth of a second.
    await eventually(
      () => asked.length,
      (count) => count >= 8,
    );
    expect(performance.now() - begun).toBeGreaterThan(680);
  });
});
