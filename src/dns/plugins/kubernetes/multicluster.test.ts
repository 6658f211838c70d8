/** Names of a clusterset: the answers of CoreDNS 1.14 for the same imports. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { serveCorefile, type TestServer } from '../../testing.ts';
import { recordText } from '../../wire/records.ts';
import { createTestCluster, httpPort, type TestCluster } from './cluster.fixture.ts';

const run = promisify(execFile);
const zone = 'clusterset.local.';
const ns = `testns.svc.${zone}`;
const soa = new RegExp(`^${zone} 5 SOA ns.dns.${zone} hostmaster.${zone} \\d+ 7200 1800 86400 5$`);
let cluster: TestCluster;
let server: TestServer;

const from = (name: string, id: string) => ({
  'multicluster.kubernetes.io/service-name': name,
  'multicluster.kubernetes.io/source-cluster': id,
});
const ips = (...all: string[]) => all.map((address) => ({ addresses: [address] }));

beforeAll(async () => {
  cluster = createTestCluster();
  cluster.namespace('testns');
  cluster.namespace('other');
  const ports = [httpPort];
  cluster.serviceImport('testns', 'svc1', { type: 'ClusterSetIP', ips: ['10.0.0.1'], ports });
  cluster.serviceImport('testns', 'svcempty', { type: 'ClusterSetIP', ips: ['10.0.0.2'], ports });
  cluster.serviceImport('testns', 'svc6', { type: 'ClusterSetIP', ips: ['1234:abcd::1'], ports });
  cluster.serviceImport('testns', 'pending', { type: 'ClusterSetIP', ports });
  cluster.serviceImport('testns', 'dual', { type: 'ClusterSetIP', ips: ['10.0.0.3', '10::3'], ports });
  cluster.serviceImport('testns', 'hdls1', { type: 'Headless', ips: ['10.9.9.9'], ports });
  cluster.serviceImport('testns', 'hdlsprtls', { type: 'Headless', ports: [] });
  cluster.serviceImport('testns', 'nobody', { type: 'Headless', ports });
  cluster.slice('testns', 'svc1', [{ addresses: ['172.0.0.1'], hostname: 'ep1a' }], {
    labels: from('svc1', 'cluster1'),
  });
  const named = (address: string) => ({ addresses: [address], hostname: 'dup-name' });
  const hdls1 = [...ips('172.0.0.2', '172.0.0.3'), named('172.0.0.4'), named('172.0.0.5')];
  cluster.slice('testns', 'hdls1', [...hdls1, ...ips('5678:abcd::1', '5678:abcd::2')], {
    labels: from('hdls1', 'Cluster1'),
  });
  cluster.slice('testns', 'hdlsprtls', ips('172.0.0.20'), { labels: from('hdlsprtls', 'cluster2'), ports: [] });
  // The cluster's own Services and slices are no part of the clusterset.
  cluster.service('testns', 'local', { clusterIP: '10.96.0.1', ports });
  cluster.service('testns', 'svc1', { clusterIP: '10.96.0.2', ports });
  cluster.slice('testns', 'nobody', ips('172.9.9.9'), { name: 'own-slice' });
  server = await serveCorefile(
    `. {\n kubernetes cluster.local clusterset.local in-addr.arpa {\n multicluster clusterset.local\n zonal\n }\n}`,
    { address: '127.82.2.1', store: cluster.store },
  );
});
afterAll(() => server.stop());

describe('a clusterset', () => {
  it.each<[string, string, string]>([
    [`svc1.${ns}`, 'A', `svc1.${ns} 5 A 10.0.0.1`],
    [`svcempty.${ns}`, 'A', `svcempty.${ns} 5 A 10.0.0.2`],
    [`svc6.${ns}`, 'AAAA', `svc6.${ns} 5 AAAA 1234:abcd::1`],
    [`dual.${ns}`, 'AAAA', `dual.${ns} 5 AAAA 10::3`],
    [`svc1.${ns}`, 'SRV', `svc1.${ns} 5 SRV 0 100 80 svc1.${ns}`],
    [`_http._tcp.dual.${ns}`, 'SRV', `_http._tcp.dual.${ns} 5 SRV 0 50 80 dual.${ns}`],
    [
      `hdls1.${ns}`,
      'A',
      ['172.0.0.2', '172.0.0.3', '172.0.0.4', '172.0.0.5'].map((ip) => `hdls1.${ns} 5 A ${ip}`).join(' '),
    ],
    [`5678-abcd--2.cluster1.hdls1.${ns}`, 'AAAA', `5678-abcd--2.cluster1.hdls1.${ns} 5 AAAA 5678:abcd::2`],
    [
      `dup-name.cluster1.hdls1.${ns}`,
      'A',
      ['172.0.0.4', '172.0.0.5'].map((ip) => `dup-name.cluster1.hdls1.${ns} 5 A ${ip}`).join(' '),
    ],
    [`172-0-0-20.cluster2.hdlsprtls.${ns}`, 'A', `172-0-0-20.cluster2.hdlsprtls.${ns} 5 A 172.0.0.20`],
    [`hdlsprtls.${ns}`, 'A', `hdlsprtls.${ns} 5 A 172.0.0.20`],
    [`ep1a.cluster1.svc1.${ns}`, 'A', `ep1a.cluster1.svc1.${ns} 5 A 172.0.0.1`],
    [`dns-version.${zone}`, 'TXT', `dns-version.${zone} 28800 TXT "1.1.0"`],
  ])('has %s %s', async (name, type, expected) => {
    expect(await server.answers(name, type)).toBe(`NOERROR ${expected}`);
  });

  it('names the cluster of each endpoint in SRV, with glue', async () => {
    const { answers, additional } = await server.ask(`_http._tcp.hdls1.${ns}`, 'SRV', { tcp: true });
    const labels = ['172-0-0-2', '172-0-0-3', 'dup-name', '5678-abcd--1', '5678-abcd--2'];
    expect(answers.map(recordText)).toEqual(
      labels.map((label) => `_http._tcp.hdls1.${ns} 5 SRV 0 16 80 ${label}.cluster1.hdls1.${ns}`),
    );
    expect(additional.map(recordText)).toEqual(
      [
        ['172-0-0-2', 'A 172.0.0.2'],
        ['172-0-0-3', 'A 172.0.0.3'],
        ['dup-name', 'A 172.0.0.4'],
        ['dup-name', 'A 172.0.0.5'],
        ['5678-abcd--1', 'AAAA 5678:abcd::1'],
        ['5678-abcd--2', 'AAAA 5678:abcd::2'],
      ].map(([label, data]) => `${label}.cluster1.hdls1.${ns} 5 ${data}`),
    );
  });

  it.each<[number, string, string]>([
    [0, `svc1.${ns}`, 'AAAA'],
    [0, `svc1.${ns}`, 'TXT'],
    [0, `svc1.${ns}`, 'SOA'],
    [0, `pending.${ns}`, 'A'],
    [0, `hdlsprtls.${ns}`, 'SRV'],
    [0, zone, 'A'],
    [0, `svc.${zone}`, 'A'],
    [0, ns, 'NS'],
    [0, `other.svc.${zone}`, 'A'],
    [3, `svc0.${ns}`, 'AAAA'],
    [3, `local.${ns}`, 'A'],
    [3, `nobody.${ns}`, 'A'],
    [3, `svc0.missing.svc.${zone}`, 'A'],
    [3, `5678-abcd--1.hdls1.${ns}`, 'AAAA'],
    [3, `172-0-0-2.cluster2.hdls1.${ns}`, 'A'],
    [3, `bogus.cluster1.hdls1.${ns}`, 'A'],
    [3, `a.b.c.hdls1.${ns}`, 'A'],
    [3, `a.pin._zone.hdls1.${ns}`, 'A'],
    [3, `foo.${zone}`, 'NS'],
  ])('answers rcode %i for %s %s', async (code, name, type) => {
    const { rcode, answers, authority, authoritative } = await server.ask(name, type);
    expect({ rcode, answers, authoritative }).toEqual({ rcode: code, answers: [], authoritative: true });
    expect(authority.map(recordText)).toEqual([expect.stringMatching(soa)]);
  });

  it('stands beside the names of the cluster itself', async () => {
    expect(await server.answers('local.testns.svc.cluster.local')).toContain('10.96.0.1');
    expect(await server.answers('svc1.testns.svc.cluster.local')).toContain('10.96.0.2');
    expect(await server.answers('svc6.testns.svc.cluster.local', 'AAAA')).toBe('NXDOMAIN');
    expect(await server.answers('1.0.96.10.in-addr.arpa', 'PTR')).toContain('PTR local.testns.svc.cluster.local.');
    expect(await server.answers('1.0.0.10.in-addr.arpa', 'PTR')).toBe('NXDOMAIN');
  });

  it('follows its imports and the clusters behind them', async () => {
    const name = `moving.${ns}`;
    expect(await server.answers(name)).toBe('NXDOMAIN');
    cluster.serviceImport('testns', 'moving', { type: 'ClusterSetIP', ips: ['10.0.0.8'], ports: [httpPort] });
    expect(await server.answers(name)).toContain('10.0.0.8');
    cluster.serviceImport('testns', 'moving', { type: 'Headless', ports: [httpPort] });
    expect(await server.answers(name)).toBe('NXDOMAIN');
    const labels = from('moving', 'east');
    cluster.slice('testns', 'moving', ips('172.1.0.1'), { labels });
    expect(await server.answers(name)).toContain('172.1.0.1');
    cluster.slice('testns', 'moving', ips('172.1.0.2'), { labels: { ...labels, ...from('moving', 'west') } });
    expect(await server.answers(`172-1-0-2.west.${name}`)).toContain('172.1.0.2');
    expect(await server.answers(`172-1-0-2.east.${name}`)).toBe('NXDOMAIN');
    cluster.store.remove('serviceimports.multicluster.x-k8s.io', 'testns/moving');
    expect(await server.answers(name)).toBe('NXDOMAIN');
  });
});

describe('multicluster', () => {
  it('hides empty imports when told to, and objects of other shapes harm nothing', async () => {
    const odd = createTestCluster();
    odd.namespace('a');
    odd.serviceImport('a', 'empty', { type: 'ClusterSetIP', ips: ['10.0.0.1'], ports: [httpPort] });
    odd.serviceImport('a', 'bare', undefined as unknown as object);
    odd.serviceImport('a', 'broken', { type: 'ClusterSetIP', ips: ['none', '10.0.0.9'], ports: [{ port: 80 }] });
    const text = '. {\n kubernetes clusterset.local {\n multicluster clusterset.local\n IGNORE\n }\n}';
    const start = (ignore: string) =>
      serveCorefile(text.replace('IGNORE', ignore), { address: '127.82.2.1', store: odd.store });
    const [strict, plain] = await Promise.all([start('ignore empty_service'), start('ttl 5')]);
    expect(await strict.answers('empty.a.svc.clusterset.local')).toBe('NXDOMAIN');
    expect(await plain.answers('empty.a.svc.clusterset.local')).toContain('10.0.0.1');
    expect(await plain.answers('bare.a.svc.clusterset.local')).toBe('NOERROR');
    expect(await plain.answers('broken.a.svc.clusterset.local')).toContain('10.0.0.9');
    await Promise.all([strict.stop(), plain.stop()]);
  });

  it('asks the API for imports only when it is on, and says when it does nothing', async () => {
    const asked: unknown[] = [];
    const open = (options: string) =>
      serveCorefile(`. {\n kubernetes cluster.local {\n ${options}\n }\n}`, {
        address: '127.82.2.1',
        openObjects(access) {
          asked.push(access.serviceImports);
          return { store: createTestCluster().store, synced: () => true, close: () => {} };
        },
      });
    const servers = [await open('multicluster cluster.local'), await open('multicluster')];
    expect(asked).toEqual([true, undefined]);
    expect(servers[1]!.logs.join()).toContain('multicluster without zones does nothing');
    await Promise.all(servers.map((each) => each.stop()));
  });

  it('is transferred whole, endpoints with their clusters', async ({ skip }) => {
    if (!(await run('dig', ['-v']).catch(() => undefined))) skip('dig is not installed');
    const own = await serveCorefile(
      '. {\n transfer {\n to *\n }\n kubernetes clusterset.local {\n multicluster clusterset.local\n }\n}',
      { address: '127.82.2.1', store: cluster.store },
    );
    const args = ['@127.82.2.1', '-p', `${own.port()}`, '+noall', '+answer', 'clusterset.local', 'AXFR'];
    const { stdout } = await run('dig', args);
    const lines = stdout.split('\n').map((line) => line.replace(/\s+/g, ' '));
    expect(lines).toContain(`svc1.${ns} 5 IN A 10.0.0.1`);
    expect(lines).toContain(`172-0-0-2.cluster1.hdls1.${ns} 5 IN A 172.0.0.2`);
    expect(lines).toContain(`_http._tcp.svc1.${ns} 5 IN SRV 0 100 80 svc1.${ns}`);
    expect(stdout).not.toContain('local.testns');
    await own.stop();
  });
});
