/**
 * The check list of the Kubernetes DNS specification 1.1.0, row by row in both address families, and the semantics
 * that CoreDNS adds. Asked and answered in wire format through the whole chain; dns-packet reads the answers.
 */
import packetCodec, { type Answer, type RecordType } from 'dns-packet';
import { afterAll, describe, expect, it } from 'vitest';
import { createStore } from '../../kube/store/store.ts';
import type { KubeObject } from '../../kube/types/index.ts';
import { createClusterDns } from '../cluster-dns.ts';
import { reverseName } from '../wire/address.ts';

const store = createStore();
const namespace = (name: string) =>
  store.put('namespaces', { apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
const service = (name: string, spec: object) =>
  store.put('services', {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name, namespace: 'shop' },
    spec,
  } as KubeObject);
const slice = (name: string, of: string, addressType: string, endpoints: object[], ports: object[]) =>
  store.put('endpointslices.discovery.k8s.io', {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { name, namespace: 'shop', labels: { 'kubernetes.io/service-name': of } },
    addressType,
    endpoints,
    ports,
  } as KubeObject);

const http = { name: 'http', port: 80, protocol: 'TCP' };
const https = { name: 'https', port: 443, protocol: 'TCP' };
namespace('shop');
namespace('empty');
service('web', { clusterIP: '10.96.0.7', clusterIPs: ['10.96.0.7', 'fd00:96::7'], ports: [http, https] });
slice('web-4', 'web', 'IPv4', [{ addresses: ['10.244.0.7'] }], [http]);
service('dns', { clusterIP: '10.96.0.10', ports: [{ name: 'dns', port: 53, protocol: 'UDP' }] });
service('v4only', { clusterIP: '10.96.0.8', ports: [{ port: 80 }] });
service('pending', { clusterIP: '', ports: [http] });
service('db', { clusterIP: 'None', clusterIPs: ['None'], ports: [http] });
const dbEndpoints = (a: string, b: string, c: string) => [
  { addresses: [a], hostname: 'db-0', conditions: { ready: true } },
  { addresses: [b], hostname: 'db-1' },
  { addresses: [c], hostname: 'db-2', conditions: { ready: false } },
];
slice('db-4', 'db', 'IPv4', dbEndpoints('10.244.0.10', '10.244.0.11', '10.244.0.12'), [http, https]);
slice('db-6', 'db', 'IPv6', dbEndpoints('fd00:244::10', 'fd00:244::11', 'fd00:244::12'), [http, https]);
service('anon', { clusterIP: 'None' });
slice('anon-4', 'anon', 'IPv4', [{ addresses: ['10.244.1.1'] }], []);
slice('anon-6', 'anon', 'IPv6', [{ addresses: ['fd00:244::'] }], []);
service('unready', { clusterIP: 'None', ports: [http] });
slice('unready-4', 'unready', 'IPv4', [{ addresses: ['10.244.2.1'], conditions: { ready: false } }], [http]);
service('tolerant', { clusterIP: 'None', publishNotReadyAddresses: true, ports: [http] });
slice('tolerant-4', 'tolerant', 'IPv4', [{ addresses: ['10.244.2.2'], conditions: { ready: false } }], [http]);
slice('fqdn', 'anon', 'FQDN', [{ addresses: ['not.an.address'] }], []);
const external = (name: string, externalName: string) => service(name, { type: 'ExternalName', externalName });
external('ext', 'www.example.org');
external('alias', 'web.shop.svc.cluster.local');
external('alias2', 'ALIAS.shop.svc.cluster.local.');
external('nowhere', 'missing.shop.svc.cluster.local');
external('self', 'self.shop.svc.cluster.local');
external('ring-a', 'ring-b.shop.svc.cluster.local');
external('ring-b', 'ring-a.shop.svc.cluster.local');
external('ip', '192.0.2.1');
external('broken', 'a..b');
external('unreachable', 'www.example.net');

const dns = createClusterDns({
  store,
  clusterDomain: 'cluster.local',
  listen: [{ address: '10.96.0.10', port: 53 }],
  upstreams: [],
  clock: { now: () => 1_700_000_000_000 },
});
dns.changeFrontDoorNames(new Map([['www.example.org', ['203.0.113.5', '2001:db8::5']]]));
afterAll(() => dns.close());

function show(answer: Answer): string {
  const data = answer.type === 'TXT' ? String(answer.data) : 'data' in answer ? answer.data : undefined;
  if (answer.type === 'SRV') {
    const { priority, weight, port, target } = answer.data;
    return `SRV ${priority} ${weight} ${port} ${target}`;
  }
  if (answer.type === 'SOA') {
    const { mname, rname, serial, refresh, retry, expire, minimum } = answer.data;
    return `SOA ${answer.name} ${answer.ttl} ${mname} ${rname} ${serial} ${refresh} ${retry} ${expire} ${minimum}`;
  }
  return `${answer.type} ${String(data)}`;
}

async function ask(name: string, type: RecordType) {
  const query = packetCodec.encode({ type: 'query', id: 1, questions: [{ type, name: name.replace(/\.$/, '') }] });
  const bytes = await dns.answer(query);
  const reply = packetCodec.decode(Buffer.from(bytes!));
  return {
    rcode: (reply as unknown as { rcode: string }).rcode,
    aa: reply.flag_aa,
    answers: reply.answers!.map(show),
    authority: reply.authorities!.map(show),
    additional: reply.additionals!.map((a) => `${a.name} ${show(a)}`),
    owners: reply.answers!.map((a) => a.name),
    ttls: reply.answers!.map((a) => ('ttl' in a ? a.ttl : undefined)),
  };
}

const zone = 'cluster.local';
const svc = `shop.svc.${zone}`;
const soa = `SOA ${zone} 5 ns.dns.${zone} hostmaster.${zone} 1700000000 7200 1800 86400 5`;

describe('specification 1.1.0', () => {
  const rows: [string, string, RecordType, string[]][] = [
    ['2.2 schema version', `dns-version.${zone}`, 'TXT', ['TXT 1.1.0']],
    ['2.3.1 A', `web.${svc}`, 'A', ['A 10.96.0.7']],
    ['2.3.1 AAAA', `web.${svc}`, 'AAAA', ['AAAA fd00:96::7']],
    ['2.3.2 SRV', `_https._tcp.web.${svc}`, 'SRV', [`SRV 0 50 443 web.${svc}`]],
    ['2.3.3 PTR IPv4', reverseName('10.96.0.7')!, 'PTR', [`PTR web.${svc}`]],
    ['2.3.3 PTR IPv6', reverseName('fd00:96::7')!, 'PTR', [`PTR web.${svc}`]],
    ['2.4.1 A of all ready endpoints', `db.${svc}`, 'A', ['A 10.244.0.10', 'A 10.244.0.11']],
    ['2.4.1 AAAA of all ready endpoints', `db.${svc}`, 'AAAA', ['AAAA fd00:244::10', 'AAAA fd00:244::11']],
    ['2.4.1 A of one endpoint', `db-1.db.${svc}`, 'A', ['A 10.244.0.11']],
    ['2.4.1 AAAA of one endpoint', `db-1.db.${svc}`, 'AAAA', ['AAAA fd00:244::11']],
    ['2.4.1 A of an endpoint without hostname', `10-244-1-1.anon.${svc}`, 'A', ['A 10.244.1.1']],
    ['2.4.1 AAAA of an endpoint without hostname', `fd00-244--0.anon.${svc}`, 'AAAA', ['AAAA fd00:244::']],
    ['2.4.1 not ready, tolerated', `tolerant.${svc}`, 'A', ['A 10.244.2.2']],
    ['2.4.2 SRV', `_http._tcp.db.${svc}`, 'SRV', [`SRV 0 25 80 db-0.db.${svc}`, `SRV 0 25 80 db-1.db.${svc}`]],
    ['2.4.3 PTR IPv4', reverseName('10.244.0.11')!, 'PTR', [`PTR db-1.db.${svc}`]],
    ['2.4.3 PTR IPv6', reverseName('fd00:244::11')!, 'PTR', [`PTR db-1.db.${svc}`]],
    ['2.5 CNAME and A', `ext.${svc}`, 'A', ['CNAME www.example.org', 'A 203.0.113.5']],
    ['2.5 CNAME and AAAA', `ext.${svc}`, 'AAAA', ['CNAME www.example.org', 'AAAA 2001:db8::5']],
    ['2.5 CNAME alone', `ext.${svc}`, 'CNAME', ['CNAME www.example.org']],
    ['case does not matter', `WEB.Shop.SVC.Cluster.Local`, 'A', ['A 10.96.0.7']],
  ];
  it.each(rows)('%s: %s %s', async (_, name, type, answers) => {
    const reply = await ask(name, type);
    expect(reply).toMatchObject({ rcode: 'NOERROR', aa: true, answers, authority: [] });
    expect(reply.owners[0]).toBe(name.replace(/\.$/, ''));
    expect(reply.ttls).toEqual(answers.map(() => (type === 'TXT' ? 28_800 : 5)));
  });

  it('SRV brings the addresses of its targets, both families, each once', async () => {
    expect((await ask(`_http._tcp.web.${svc}`, 'SRV')).additional).toEqual([
      `web.${svc} A 10.96.0.7`,
      `web.${svc} AAAA fd00:96::7`,
    ]);
    expect((await ask(`_https._tcp.db.${svc}`, 'SRV')).additional).toEqual([
      `db-0.db.${svc} A 10.244.0.10`,
      `db-1.db.${svc} A 10.244.0.11`,
      `db-0.db.${svc} AAAA fd00:244::10`,
      `db-1.db.${svc} AAAA fd00:244::11`,
    ]);
  });
});

describe('what CoreDNS adds', () => {
  const rows: [string, string, RecordType, string[]][] = [
    ['underscores may be missing', `https.tcp.web.${svc}`, 'SRV', [`SRV 0 50 443 web.${svc}`]],
    ['a Service has SRV for all ports', `web.${svc}`, 'SRV', [`SRV 0 25 80 web.${svc}`, `SRV 0 25 443 web.${svc}`]],
    ['addresses at a port name', `_http._tcp.web.${svc}`, 'A', ['A 10.96.0.7']],
    ['endpoints of ClusterIP Services', `10-244-0-7.web.${svc}`, 'A', ['A 10.244.0.7']],
    ['PTR of their endpoints', reverseName('10.244.0.7')!, 'PTR', [`PTR 10-244-0-7.web.${svc}`]],
    ['Pod names', `10-244-9-9.shop.pod.${zone}`, 'A', ['A 10.244.9.9']],
    ['Pod names of IPv6', `fd00-244--9.shop.pod.${zone}`, 'AAAA', ['AAAA fd00:244::9']],
    ['SOA at the apex', zone, 'SOA', [soa]],
    ['NS at the apex', zone, 'NS', [`NS dns.${svc}`]],
    ['the address of ns.dns', `ns.dns.${zone}`, 'A', ['A 10.96.0.10']],
    ['aliases inside the zone', `alias2.${svc}`, 'A', [`CNAME alias.${svc}`, `CNAME web.${svc}`, 'A 10.96.0.7']],
  ];
  it.each(rows)('%s: %s %s', async (_, name, type, answers) => {
    expect(await ask(name, type)).toMatchObject({ rcode: 'NOERROR', aa: true, answers, authority: [] });
  });

  it('NS brings glue', async () => {
    expect((await ask(zone, 'NS')).additional).toEqual([`dns.${svc} A 10.96.0.10`]);
  });
});

describe('negative answers', () => {
  const nodata: [string, RecordType][] = [
    [zone, 'A'],
    [`svc.${zone}`, 'A'],
    [`pod.${zone}`, 'AAAA'],
    [svc, 'A'],
    [`empty.svc.${zone}`, 'TXT'],
    [`shop.pod.${zone}`, 'A'],
    [`v4only.${svc}`, 'AAAA'],
    [`anon.${svc}`, 'SRV'],
    [`pending.${svc}`, 'A'],
    [`web.${svc}`, 'MX'],
    [`web.${svc}`, 'TXT'],
    [`web.${svc}`, 'NS'],
    [`web.${svc}`, 'CNAME'],
    [`missing.${svc}`, 'SOA'],
    [`ext.${svc}`, 'SRV'],
    [`unreachable.${svc}`, 'A'],
    [`nowhere.${svc}`, 'A'],
    [`self.${svc}`, 'A'],
    [`ring-a.${svc}`, 'AAAA'],
    [`10-244-9-9.shop.pod.${zone}`, 'AAAA'],
    [`dns-version.${zone}`, 'A'],
  ];
  it.each(nodata)('no such record: %s %s', async (name, type) => {
    expect(await ask(name, type)).toMatchObject({ rcode: 'NOERROR', aa: true, answers: [], authority: [soa] });
  });

  const nxdomain: [string, RecordType][] = [
    [`missing.${svc}`, 'A'],
    [`foo.${zone}`, 'A'],
    [`missing.svc.${zone}`, 'A'],
    [`web.missing.svc.${zone}`, 'A'],
    [`unready.${svc}`, 'A'],
    [`db-2.db.${svc}`, 'A'],
    [`_ftp._tcp.web.${svc}`, 'SRV'],
    [`_http._udp.web.${svc}`, 'SRV'],
    [`a._http._tcp.web.${svc}`, 'SRV'],
    [`_http._tcp.ext.${svc}`, 'SRV'],
    [`x.ext.${svc}`, 'A'],
    [`ip.${svc}`, 'A'],
    [`broken.${svc}`, 'A'],
    [`*.${svc}`, 'A'],
    [`not-an-ip.shop.pod.${zone}`, 'A'],
    [`10-244-9-9.missing.pod.${zone}`, 'A'],
    [`x.10-244-9-9.shop.pod.${zone}`, 'A'],
  ];
  it.each(nxdomain)('no such name: %s %s', async (name, type) => {
    expect(await ask(name, type)).toMatchObject({ rcode: 'NXDOMAIN', aa: true, answers: [], authority: [soa] });
  });

  it('reverse names that are not ours are passed on, here to nobody', async () => {
    expect((await ask(reverseName('192.0.2.9')!, 'PTR')).rcode).toBe('SERVFAIL');
  });

  it('transfers are refused', async () => {
    expect((await ask(zone, 'AXFR')).rcode).toBe('REFUSED');
  });

  it('findings name ExternalNames that lead nowhere', () => {
    const found = dns.diagnostics().filter(({ code }) => code === 'FW4001' || code === 'FW4002');
    expect(found.map(({ code, object }) => `${code} ${object?.name}`).sort()).toEqual([
      'FW4001 ring-a',
      'FW4001 ring-b',
      'FW4001 self',
      'FW4002 broken',
      'FW4002 ip',
    ]);
    expect(found.find(({ object }) => object?.name === 'ring-a')?.message).toContain(
      'ring-a.shop.svc -> ring-b.shop.svc -> ring-a.shop.svc.cluster.local.',
    );
  });
});
