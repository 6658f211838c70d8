/** Whole servers from Corefiles: routing, defaults of distributions, reload, stop. */
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { createStore } from '../../kube/store/store.ts';
import type { KubeObject } from '../../kube/types/index.ts';
import { serveCorefile, type TestServer } from '../testing.ts';

const address = '127.81.1.1';
const open: TestServer[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((server) => server.stop()));
});

async function serve(text: string, options: Partial<Parameters<typeof serveCorefile>[1]> = {}): Promise<TestServer> {
  const server = await serveCorefile(text, { address, ...options });
  open.push(server);
  return server;
}

const fixed = (zone: string, value: string) => `${zone} {
  template IN ANY {
    answer "{{ .Name }} 60 IN A ${value}"
  }
}
`;

function cluster() {
  const store = createStore();
  const put = (resource: string, object: object) => store.put(resource, object as KubeObject);
  put('namespaces', { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop' } });
  put('services', {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'web', namespace: 'shop' },
    spec: { clusterIP: '10.96.0.7', ports: [{ name: 'http', port: 80 }] },
  });
  return { store, put };
}

describe('routing', () => {
  it('takes the longest zone of a listener, the root last, and refuses the rest', async () => {
    const text = fixed('example.org', '192.0.2.1') + fixed('a.example.org example.net', '192.0.2.2');
    const server = await serve(text);
    expect(await server.answers('x.example.org')).toBe('NOERROR x.example.org. 60 A 192.0.2.1');
    expect(await server.answers('x.A.example.org')).toBe('NOERROR x.A.example.org. 60 A 192.0.2.2');
    expect(await server.answers('example.net')).toContain('192.0.2.2');
    expect(await server.answers('xexample.net')).toBe('REFUSED');
    const rooted = await serve(text + fixed('.', '192.0.2.9'));
    expect(await rooted.answers('elsewhere.test')).toContain('192.0.2.9');
  });

  it('sends DS queries to the zone above when that is served too', async () => {
    const block = (zone: string, value: string) =>
      `${zone} {\n template IN DS {\n answer "{{ .Name }} 60 IN TXT ${value}"\n }\n}\n`;
    const server = await serve(
      block('example.org', 'parent') + block('a.example.org', 'child') + block('net', 'other'),
    );
    expect(await server.answers('a.example.org', 'DS')).toContain('"parent"');
    expect(await server.answers('x.a.example.org', 'DS')).toContain('"parent"');
    expect(await server.answers('a.net', 'DS')).toContain('"other"');
  });

  it('serves the reverse zones of networks, and one listener for each port', async () => {
    const server = await serve(`${fixed('10.0.0.0/23', '192.0.2.1')}${fixed('example.org:5300', '192.0.2.2')}`);
    expect(await server.answers('9.1.0.10.in-addr.arpa')).toContain('192.0.2.1');
    expect(await server.answers('9.2.0.10.in-addr.arpa')).toBe('REFUSED');
    expect(await server.answers('example.org', 'A', { door: 'dns://:5300', tcp: true })).toContain('192.0.2.2');
    expect(await server.answers('example.org', 'A', { door: 'dns://:53' })).toBe('REFUSED');
  });

  it('refuses other classes, unless chaos is there', async () => {
    const plain = await serve('. {\n whoami\n}');
    expect(await plain.answers('version.bind', 'TXT', { class: 3 })).toBe('REFUSED');
    const chaos = await serve('. {\n chaos Corefile-1 me you\n}');
    expect((await chaos.ask('version.bind', 'TXT', { class: 3 })).answers[0]).toMatchObject({
      class: 3,
      data: { kind: 'txt', strings: ['Corefile-1'] },
    });
  });

  it.each<[string, string, string]>([
    ['a zone twice', '.:53 {\n}\n.:53 {\n}\n', 'Corefile:3: cannot serve dns://.:53 - it is already defined'],
    ['a zone here and everywhere', '. {\n bind 127.0.0.1\n}\n. {\n}\n', 'cannot serve dns://.:53'],
    ['a plugin that is not served', '. {\n dnssec\n}', "Corefile:2: the plugin 'dnssec' is not supported by Fairway"],
    ['a transport that is not served', 'quic://. {\n}', 'Corefile:1: quic:// is not supported'],
    [
      'a bad option',
      '. {\n cache {\n prefetsh 1\n }\n}',
      "Corefile:3: unknown property 'prefetsh' of cache; did you mean 'prefetch'?",
    ],
    ['kubernetes twice', '. {\n kubernetes a\n kubernetes b\n}', 'Corefile:3: kubernetes may be used only once'],
    ['no upstream', '. {\n forward .\n}', 'Corefile:2: wrong argument count for forward'],
  ])('refuses %s', async (_, text, message) => {
    await expect(serve(text)).rejects.toThrow(message);
  });
});

describe('the default Corefiles', () => {
  const fixture = (name: string) => readFileSync(join(import.meta.dirname, `../corefile/fixtures/${name}`), 'utf8');

  it('of kubeadm: names, readiness, health, metrics', async () => {
    const { store } = cluster();
    const resolver = await serve(fixed('.', '198.51.100.7'));
    const text = fixture('kubeadm')
      .replace('/etc/resolv.conf', `${address}:${resolver.port()}`)
      .replace('lameduck 5s', 'lameduck 200ms');
    const server = await serve(text, { store });
    expect(await server.answers('web.shop.svc.cluster.local')).toBe(
      'NOERROR web.shop.svc.cluster.local. 30 A 10.96.0.7',
    );
    expect(await server.answers('nope.shop.svc.cluster.local')).toBe('NXDOMAIN');
    expect(await server.answers('7.0.96.10.in-addr.arpa', 'PTR')).toContain('web.shop.svc.cluster.local.');
    expect(await server.answers('www.example.com')).toBe('NOERROR www.example.com. 30 A 198.51.100.7');
    expect(await server.answers('www.example.com')).toMatch(/^NOERROR www\.example\.com\. (30|29) A 198\.51\.100\.7$/);
    expect(await server.page(':8181', '/ready')).toEqual({ status: 200, text: 'OK' });
    expect(await server.page(':8080', '/health')).toEqual({ status: 200, text: 'OK' });
    const { text: metrics } = await server.page(':9153', '/metrics');
    expect(metrics).toContain(
      'coredns_dns_requests_total{server="dns://:53",zone=".",view="",proto="udp",family="1",type="A"} 4',
    );
    expect(metrics).toContain(
      'coredns_dns_responses_total{server="dns://:53",zone=".",view="",rcode="NXDOMAIN",plugin="kubernetes"} 1',
    );
    expect(metrics).toContain('coredns_cache_hits_total{server="dns://:53",type="success",zones=".",view=""} 1');
    expect(metrics).toContain('coredns_plugin_enabled{server="dns://:53",zone=".",view="",name="kubernetes"} 1');
    expect(metrics).toMatch(
      /coredns_proxy_request_duration_seconds_count\{proxy_name="forward",to="127\.81\.1\.1:\d+",rcode="NOERROR"\} [12]/,
    );
    const began = performance.now();
    const stopping = server.stop();
    expect((await server.page(':8181', '/ready')).status).toBe(503);
    expect(await server.answers('web.shop.svc.cluster.local')).toContain('10.96.0.7');
    await stopping;
    expect(performance.now() - began).toBeGreaterThan(190);
  });

  it('of AKS: names that are nobody’s, answered without asking anybody', async () => {
    const { store } = cluster();
    const text = fixture('aks').replace('/etc/resolv.conf', '127.81.1.250').replace('lameduck 5s', 'lameduck 1ms');
    const server = await serve(text, { store });
    expect(await server.answers('a.b.c.d.internal.cloudapp.net')).toBe('NXDOMAIN');
    expect(await server.answers('x.reddog.microsoft.com', 'AAAA')).toBe('NXDOMAIN');
    expect(await server.answers('web.shop.svc.cluster.local')).toContain('10.96.0.7');
    expect(server.logs.join('\n')).toContain('No files matching import glob pattern: custom/*.override');
  });

  it('of the node-local cache: forwards over TCP and keeps what comes', async () => {
    const seen: string[] = [];
    const upstream = await serve(
      `. {\n log . "{proto} {name}"\n template IN A {\n answer "{{ .Name }} 60 IN A 192.0.2.1"\n }\n}`,
      {
        log: (_, line) => seen.push(line),
      },
    );
    const server = await serve(fixture('node-local').replaceAll('127.81.3.99', `${address}:${upstream.port()}`));
    const door = 'dns://127.81.3.20:53';
    const ask = () => server.answers('web.shop.svc.cluster.local', 'A', { door });
    expect(await ask()).toBe('NOERROR web.shop.svc.cluster.local. 30 A 192.0.2.1');
    expect(await ask()).toContain('192.0.2.1');
    expect(seen.filter((line) => line.includes('web.shop'))).toEqual(['tcp web.shop.svc.cluster.local.']);
  });

  it('of EKS and k3s start', async () => {
    const { store } = cluster();
    for (const name of ['eks', 'k3s']) {
      const server = await serve(
        fixture(name).replace('lameduck 5s', 'lameduck 1ms').replace('/etc/resolv.conf', '127.81.1.250'),
        { store },
      );
      expect(await server.answers('web.shop.svc.cluster.local')).toContain('10.96.0.7');
    }
  });
});

describe('reload', () => {
  it('puts a changed Corefile into service without losing a query, and keeps the old one when it is broken', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'corefile-'));
    const file = join(folder, 'Corefile');
    writeFileSync(file, fixed('.', '192.0.2.1'));
    const server = await serve('', { file, text: undefined });
    let asking = true;
    const seen = new Map<string, number>();
    const asker = (async () => {
      while (asking) {
        const answer = await server.answers('a.test');
        seen.set(answer, (seen.get(answer) ?? 0) + 1);
      }
    })();
    expect(await server.server.reload()).toEqual({ changed: false });
    for (const value of ['192.0.2.2', '192.0.2.3', '192.0.2.4']) {
      writeFileSync(file, fixed('.', value) + fixed('other.test:54', value));
      expect(await server.server.reload()).toEqual({ changed: true });
      expect(await server.answers('a.test')).toContain(value);
    }
    expect(server.server.doors().map(({ name }) => name)).toEqual(['dns://:53', 'dns://:54']);
    writeFileSync(file, fixed('.', '192.0.2.5') + '. {\n nonsense\n}');
    expect((await server.server.reload()).error).toContain("Unknown directive 'nonsense'");
    expect(await server.answers('a.test')).toContain('192.0.2.4');
    asking = false;
    await asker;
    expect([...seen.keys()].every((answer) => /192\.0\.2\.[1-4]$/.test(answer))).toBe(true);
  });
});

describe('loop', () => {
  it('is found, with its cause', async () => {
    const server = await serve('. {\n loop\n forward . 127.81.1.77:5377\n}', {
      mapAddress: () => ({ host: '127.81.1.77', port: 5377 }),
    });
    const end = performance.now() + 5000;
    while (server.fatal.length === 0 && performance.now() < end) await new Promise((resume) => setTimeout(resume, 20));
    expect(server.fatal).toHaveLength(1);
    expect(server.fatal[0]).toMatch(
      /^Loop \(127\.0\.0\.1:\d+ -> 127\.81\.1\.77:5377\) detected for zone "\.": 127\.81\.1\.77:5377 is this server itself\. Name other resolvers/,
    );
    expect(server.logs.join('\n')).toContain('127.81.1.77:5377 is this server itself');
  });
});
