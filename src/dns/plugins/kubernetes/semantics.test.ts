/** Which answer a name gets, row by row as CoreDNS 1.14 gives it: through a server, with everything in the message. */
import { afterEach, describe, expect, it } from 'vitest';
import { serveCorefile, type TestServer } from '../../testing.ts';
import type { Message } from '../../wire/message.ts';
import { recordText } from '../../wire/records.ts';
import { createTestCluster, httpPort, type TestCluster } from './cluster.fixture.ts';

const address = '127.82.2.5';
const zone = 'cluster.local.';
const svc = `testns.svc.${zone}`;
const ports = [httpPort];
const open: TestServer[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((server) => server.stop()));
});

function objects(): TestCluster {
  const cluster = createTestCluster();
  cluster.namespace('testns');
  cluster.namespace('podns');
  cluster.namespace('kube-system');
  cluster.service('testns', 'svc1', { clusterIP: '10.0.0.1', ports });
  cluster.service('testns', 'external', { type: 'ExternalName', externalName: 'ext.interwebs.test' });
  cluster.service('testns', 'hdls', { clusterIP: 'None', ports });
  cluster.pod('podns', 'foo', ['10.240.0.1', 'fd00::240:1']);
  return cluster;
}

interface Serving {
  readonly zones?: string;
  readonly options?: string;
  /** Lines of the block beside the plugin. */
  readonly beside?: string;
  readonly cluster?: TestCluster;
  readonly synced?: () => boolean;
}

async function serve({ zones = 'cluster.local', options = 'ttl 5', beside = '', ...rest }: Serving = {}) {
  const { cluster = objects(), synced = () => true } = rest;
  const server = await serveCorefile(`. {\n bind ${address}\n kubernetes ${zones} {\n ${options}\n }\n ${beside}\n}`, {
    address,
    clock: { now: () => 1_499_347_823_000 },
    openObjects: () => ({ store: cluster.store, synced, close: () => {} }),
  });
  open.push(server);
  return server;
}

const soaOf = (name: string, ttl = 5, minimum = ttl) =>
  `${name} ${ttl} SOA ns.dns.${name} hostmaster.${name} 1499347823 7200 1800 86400 ${minimum}`;

/** The whole of a message: rcode, AA, and the records of each section. */
function whole({ rcode, authoritative, answers, authority, additional }: Message) {
  const text = (records: Message['answers']) => records.map(recordText);
  return { rcode, authoritative, answers: text(answers), authority: text(authority), additional: text(additional) };
}

const negative = (rcode: number, name = zone) => ({
  ...{ rcode, authoritative: true, answers: [], authority: [soaOf(name)], additional: [] },
});

describe('negative answers of kubernetes', () => {
  it.each<[number, string, string]>([
    [0, zone, 'A'],
    [0, zone, 'HINFO'],
    [0, zone, 'SRV'],
    [0, `svc.${zone}`, 'NS'],
    [0, `pod.${zone}`, 'A'],
    [0, svc, 'NS'],
    [0, `svc1.${svc}`, 'AAAA'],
    [0, `svc1.${svc}`, 'MX'],
    [0, `svc1.${svc}`, 'PTR'],
    [0, `svc1.${svc}`, 'HTTPS'],
    [0, `svc0.${svc}`, 'SOA'],
    [0, `external.${svc}`, 'SRV'],
    [0, `external.${svc}`, 'TXT'],
    [3, `foo.${zone}`, 'NS'],
    [3, `foo.svc.${zone}`, 'A'],
    [3, `svc0.${svc}`, 'TXT'],
    [3, `endpoint.external.${svc}`, 'CNAME'],
    [3, `a.b.external.${svc}`, 'CNAME'],
    [3, `*.${svc}`, 'A'],
    [3, `any.testns.svc.${zone}`, 'A'],
    [3, `svc1.*.svc.${zone}`, 'A'],
    [3, `hdls.${svc}`, 'A'],
    [3, `100.0.0.10.${zone}`, 'PTR'],
    [3, `podns.pod.${zone}`, 'A'],
    [3, `10-240-0-1.podns.pod.${zone}`, 'A'],
  ])('are rcode %i with one SOA record: %s %s', async (rcode, name, type) => {
    expect(whole(await (await serve()).ask(name, type))).toEqual(negative(rcode));
  });

  it('keep an SOA record at most 300 seconds, and say its own TTL in it', async () => {
    const long = await serve({ options: 'ttl 3600' });
    expect((await long.ask(`svc0.${svc}`)).authority.map(recordText)).toEqual([soaOf(zone, 300, 3600)]);
    const none = await serve({ options: 'ttl 0' });
    expect((await none.ask(`svc0.${svc}`)).authority.map(recordText)).toEqual([soaOf(zone, 0)]);
  });

  it('keep the case of the question in the zone', async () => {
    const message = await (await serve()).ask('not-a-service.testns.svc.ClUsTeR.lOcAl.');
    expect(message.authority.map(recordText)).toEqual([soaOf('ClUsTeR.lOcAl.')]);
    expect((await (await serve()).ask('Cluster.local.', 'SOA')).answers.map(recordText)).toEqual([
      soaOf('Cluster.local.'),
    ]);
  });

  it('are transfers refused, where no plugin hands zones out', async () => {
    const server = await serve();
    for (const type of ['AXFR', 'IXFR']) expect(await server.answers(zone, type, { tcp: true })).toBe('REFUSED');
  });
});

describe('Pods', () => {
  const four = `10-240-0-1.podns.pod.${zone}`;
  const six = `fd00--240-1.podns.pod.${zone}`;

  it.each<[string, string, string, string]>([
    ['insecure', `172-0-0-2.podns.pod.${zone}`, 'A', 'A 172.0.0.2'],
    ['insecure', four, 'A', 'A 10.240.0.1'],
    ['verified', four, 'A', 'A 10.240.0.1'],
    ['verified', six, 'AAAA', 'AAAA fd00::240:1'],
    ['verified', `fd00-0-0-0-0-0-240-1.podns.pod.${zone}`, 'AAAA', 'AAAA fd00::240:1'],
  ])('%s have %s %s', async (mode, name, type, data) => {
    const server = await serve({ options: `pods ${mode}` });
    expect(await server.answers(name, type)).toBe(`NOERROR ${name} 5 ${data}`);
  });

  it.each<[string, number, string, string]>([
    ['insecure', 0, `podns.pod.${zone}`, 'A'],
    ['insecure', 0, four, 'AAAA'],
    ['insecure', 3, `blah.podns.pod.${zone}`, 'A'],
    ['insecure', 3, `blah.podns.pod.${zone}`, 'HINFO'],
    ['insecure', 3, `blah.pod-nons.pod.${zone}`, 'A'],
    ['insecure', 3, `1-2-3-4.pod-nons.pod.${zone}`, 'A'],
    ['verified', 0, `podns.pod.${zone}`, 'A'],
    ['verified', 0, six, 'A'],
    ['verified', 3, `pod-nons.pod.${zone}`, 'A'],
    ['verified', 3, `172-0-0-2.podns.pod.${zone}`, 'A'],
    ['verified', 3, `10-240-0-1.testns.pod.${zone}`, 'A'],
  ])('%s give rcode %i for %s %s', async (mode, rcode, name, type) => {
    const server = await serve({ options: `pods ${mode}` });
    expect(whole(await server.ask(name, type))).toEqual(negative(rcode));
  });
});

describe('the name servers of a zone', () => {
  const names = async (server: TestServer, name = zone) => {
    const { answers, additional } = await server.ask(name, 'NS');
    return { answers: answers.map(recordText), additional: additional.map(recordText) };
  };

  it('are this server under its own name when no Service leads to it', async () => {
    const server = await serve({ zones: 'cluster.local in-addr.arpa' });
    expect(await names(server)).toEqual({
      answers: [`${zone} 5 NS ns.dns.${zone}`],
      additional: [`ns.dns.${zone} 5 A ${address}`],
    });
    expect(await server.answers(`ns.dns.${zone}`)).toBe(`NOERROR ns.dns.${zone} 5 A ${address}`);
    expect(await server.answers(`ns.dns.${zone}`, 'AAAA')).toBe('NOERROR');
    expect((await names(server, 'in-addr.arpa.')).answers).toEqual(['in-addr.arpa. 5 NS ns.dns.in-addr.arpa.']);
    expect(await server.answers('ns.dns.in-addr.arpa.')).toBe(`NOERROR ns.dns.in-addr.arpa. 5 A ${address}`);
  });

  it('are the Services that lead to it, with the addresses of all', async () => {
    const cluster = objects();
    const dns = `kube-system.svc.${zone}`;
    cluster.service('kube-system', 'dns', { clusterIPs: ['10.0.0.111', '10::111'], ports });
    cluster.service('kube-system', 'hdls-dns', { clusterIP: 'None', ports });
    for (const service of ['dns', 'hdls-dns'])
      cluster.slice('kube-system', service, [{ addresses: [address] }, { addresses: ['10.244.0.21'] }]);
    const server = await serve({ cluster, zones: 'cluster.local in-addr.arpa' });
    const servers = [`dns.${dns}`, `127-82-2-5.hdls-dns.${dns}`, `10-244-0-21.hdls-dns.${dns}`];
    const additional = [
      `dns.${dns} 5 A 10.0.0.111`,
      `dns.${dns} 5 AAAA 10::111`,
      `127-82-2-5.hdls-dns.${dns} 5 A ${address}`,
      `10-244-0-21.hdls-dns.${dns} 5 A 10.244.0.21`,
    ];
    expect(await names(server)).toEqual({ answers: servers.map((name) => `${zone} 5 NS ${name}`), additional });
    expect(await names(server, 'in-addr.arpa.')).toEqual({
      answers: servers.map((name) => `in-addr.arpa. 5 NS ${name}`),
      additional,
    });
    expect(await server.answers(`ns.dns.${zone}`, 'AAAA')).toBe(`NOERROR ns.dns.${zone} 5 AAAA 10::111`);
  });
});

describe('reverse names', () => {
  const ptr = (name: string, ...targets: string[]) =>
    ['NOERROR', ...targets.map((target) => `${name} 5 PTR ${target}.${zone}`)].join(' ');

  async function reverse(options = 'ttl 5') {
    const cluster = objects();
    cluster.service('testns', 'a', { clusterIP: '192.168.1.100', ports });
    cluster.service('testns', 'b', { clusterIP: 'None', ports });
    cluster.slice('testns', 'a', [
      { addresses: ['10.0.0.100'], hostname: 'ep1a' },
      { addresses: ['10.0.0.99'], hostname: 'double-ep' },
      { addresses: ['192.168.1.100'], hostname: 'shadowed' },
    ]);
    cluster.slice('testns', 'b', [
      { addresses: ['10.0.0.99'], hostname: 'double-ep' },
      { addresses: ['1234:abcd::1'] },
    ]);
    return serve({ cluster, options, zones: 'cluster.local 10.0.0.0/16 168.192.in-addr.arpa. ip6.arpa.' });
  }

  it.each<[string, ...string[]]>([
    ['100.0.0.10.in-addr.arpa.', 'ep1a.a.testns.svc'],
    ['100.1.168.192.in-addr.arpa.', 'a.testns.svc'],
    ['99.0.0.10.in-addr.arpa.', 'double-ep.a.testns.svc', 'double-ep.b.testns.svc'],
    ['1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.d.c.b.a.4.3.2.1.ip6.arpa.', '1234-abcd--1.b.testns.svc'],
  ])('%s', async (name, ...targets) => {
    expect(await (await reverse()).answers(name, 'PTR')).toBe(ptr(name, ...targets));
  });

  it.each<[number, string, string, string]>([
    [3, '101.0.0.10.in-addr.arpa.', 'PTR', '0.10.in-addr.arpa.'],
    [3, 'svc1.testns.svc.0.10.in-addr.arpa.', 'A', '0.10.in-addr.arpa.'],
    [3, 'x.ip6.arpa.', 'PTR', 'ip6.arpa.'],
    [0, '100.0.0.10.in-addr.arpa.', 'TXT', '0.10.in-addr.arpa.'],
    [0, '101.0.0.10.in-addr.arpa.', 'SOA', '0.10.in-addr.arpa.'],
    [0, '0.10.in-addr.arpa.', 'A', '0.10.in-addr.arpa.'],
  ])('give rcode %i with the SOA record of their zone: %s %s', async (rcode, name, type, of) => {
    expect(whole(await (await reverse()).ask(name, type))).toEqual(negative(rcode, of));
  });

  it('have an SOA record at the apex of their zone', async () => {
    const { answers } = await (await reverse()).ask('0.10.in-addr.arpa', 'SOA');
    expect(answers.map(recordText)).toEqual([soaOf('0.10.in-addr.arpa.')]);
  });
});

describe('until all objects are read', () => {
  it('answers what is known, and SERVFAIL with the SOA record instead of NXDOMAIN', async () => {
    const server = await serve({ synced: () => false, options: 'startup_timeout 20ms' });
    expect(await server.answers(`svc1.${svc}`)).toBe(`NOERROR svc1.${svc} 5 A 10.0.0.1`);
    expect(whole(await server.ask(`svc1.${svc}`, 'AAAA'))).toEqual(negative(0));
    expect(whole(await server.ask(`svc0.${svc}`))).toEqual(negative(2));
    expect(server.logs.join()).toContain('starting server with unsynced Kubernetes API');
  });

  it('passes unknown names on all the same, where it falls through', async () => {
    const server = await serve({
      synced: () => false,
      options: 'startup_timeout 20ms\n fallthrough',
      beside: 'hosts {\n 192.0.2.7 svc0.testns.svc.cluster.local\n }',
    });
    expect(await server.answers(`svc0.${svc}`)).toContain('192.0.2.7');
  });

  it('lets no cache keep the failure', async () => {
    let synced = false;
    const cluster = objects();
    const server = await serve({ cluster, synced: () => synced, options: 'startup_timeout 20ms', beside: 'cache 30' });
    expect(await server.answers(`late.${svc}`)).toBe('SERVFAIL');
    cluster.service('testns', 'late', { clusterIP: '10.0.0.9', ports });
    synced = true;
    expect(await server.answers(`late.${svc}`)).toContain('10.0.0.9');
  });
});

describe('ExternalName', () => {
  const ext = `external.${svc}`;
  const alias = `${ext} 5 CNAME ext.interwebs.test.`;
  const template = (answer: string, type = 'A') =>
    `template IN ${type} interwebs.test {\n answer "{{ .Name }} 60 IN ${type} ${answer}"\n }`;

  it.each<[string, string, string, string]>([
    ['the address it leads to', template('1.2.3.4'), 'A', `NOERROR ${alias} ext.interwebs.test. 60 A 1.2.3.4`],
    ['the alias alone when its target has no such record', template('1.2.3.4'), 'CNAME', `NOERROR ${alias}`],
    ['nothing when the target cannot be found', 'template IN A interwebs.test {\n rcode SERVFAIL\n }', 'A', 'NOERROR'],
    ['nothing when nobody knows its zone', '', 'A', 'NOERROR'],
  ])('has %s', async (_, beside, type, expected) => {
    expect(await (await serve({ beside })).answers(ext, type)).toBe(expected);
  });

  it('leads to other zones of the plugin, a clusterset among them', async () => {
    const cluster = objects();
    cluster.serviceImport('testns', 'far', { type: 'ClusterSetIP', ips: ['10.9.0.1'], ports });
    const target = 'far.testns.svc.clusterset.local.';
    cluster.service('testns', 'abroad', { type: 'ExternalName', externalName: target });
    const server = await serve({
      ...{ cluster, zones: 'cluster.local clusterset.local', options: 'multicluster clusterset.local' },
    });
    expect(await server.answers(`abroad.${svc}`)).toBe(
      `NOERROR abroad.${svc} 5 CNAME ${target} ${target} 5 A 10.9.0.1`,
    );
  });

  it('passes on that a response was cut short', async () => {
    const many = Array.from({ length: 5000 }, (_, i) => `10.1.${i >> 8}.${i & 255} ext.interwebs.test`).join('\n');
    const server = await serve({ beside: `hosts {\n ${many}\n fallthrough\n }` });
    expect(await server.ask(ext, 'A', { tcp: true })).toMatchObject({ truncated: true, rcode: 0 });
  });
});

describe('SRV', () => {
  async function endpoints(count: number) {
    const cluster = objects();
    const all = Array.from({ length: count }, (_, i) => ({ addresses: [`10.2.${i >> 8}.${i & 255}`] }));
    cluster.slice('testns', 'hdls', all);
    const server = await serve({ cluster });
    return (await server.ask(`_http._tcp.hdls.${svc}`, 'SRV', { tcp: true })).answers.map(({ data }) => data);
  }

  it.each([
    [1, 100],
    [3, 33],
    [6, 16],
    [100, 1],
    [150, 1],
  ])('gives each of %i endpoints the weight %i', async (count, weight) => {
    const answers = await endpoints(count);
    expect(answers).toHaveLength(count);
    for (const data of answers) expect(data).toMatchObject({ kind: 'srv', priority: 0, weight, port: 80 });
  });

  it('names a target and port once, though several addresses share it', async () => {
    const cluster = objects();
    const twins = ['10.2.0.1', '10.2.0.2'].map((each) => ({ addresses: [each], hostname: 'twin' }));
    cluster.slice('testns', 'hdls', twins);
    const { answers, additional } = await (await serve({ cluster })).ask(`hdls.${svc}`, 'SRV');
    expect(answers.map(recordText)).toEqual([`hdls.${svc} 5 SRV 0 50 80 twin.hdls.${svc}`]);
    expect(additional.map(recordText)).toEqual([`twin.hdls.${svc} 5 A 10.2.0.1`, `twin.hdls.${svc} 5 A 10.2.0.2`]);
  });
});

describe('kubernetes', () => {
  it('may serve the root zone', async () => {
    const server = await serve({ zones: '.' });
    expect(await server.answers('svc1.testns.svc', 'SRV')).toBe(
      'NOERROR svc1.testns.svc. 5 SRV 0 100 80 svc1.testns.svc.',
    );
    expect((await server.ask('nope.testns.svc')).authority.map(recordText)).toEqual([
      '. 5 SOA ns.dns. hostmaster. 1499347823 7200 1800 86400 5',
    ]);
    expect((await server.ask('.', 'NS')).answers.map(recordText)).toEqual(['. 5 NS ns.dns.']);
  });

  it('answers from the longest of nested zones', async () => {
    const cluster = objects();
    cluster.serviceImport('testns', 'svc1', { type: 'ClusterSetIP', ips: ['10.9.0.1'], ports });
    const server = await serve({
      ...{ cluster, zones: 'local set.local', options: 'multicluster set.local' },
    });
    expect(await server.answers('svc1.testns.svc.local')).toContain('10.0.0.1');
    expect(await server.answers('svc1.testns.svc.set.local')).toContain('10.9.0.1');
    expect((await server.ask('nope.testns.svc.set.local')).authority.map(recordText)).toEqual([soaOf('set.local.')]);
  });

  it('says that of several endpoints only the first is used', async () => {
    const server = await serve({ options: 'endpoint http://a http://b' });
    expect(server.logs.join()).toContain('only the first endpoint is used: http://a');
  });
});
