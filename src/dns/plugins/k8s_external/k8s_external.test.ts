/** Names of Services outside the cluster: the answers of CoreDNS 1.14 for the same objects, and where they differ. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { serveCorefile, type TestServer } from '../../testing.ts';
import { recordText } from '../../wire/records.ts';
import { createTestCluster, httpPort, type TestCluster } from '../kubernetes/cluster.fixture.ts';

const run = promisify(execFile);
const address = '127.82.2.3';
const ns = 'testns.example.com.';
const soa = /^example\.com\. 5 SOA ns1\.dns\.example\.com\. hostmaster\.dns\.example\.com\. \d+ 7200 1800 86400 5$/;
const ports = [httpPort];

function ingress(...given: object[]): object {
  return { status: { loadBalancer: { ingress: given } } };
}

function objects(): TestCluster {
  const cluster = createTestCluster();
  cluster.namespace('testns');
  cluster.namespace('hidden');
  cluster.service('testns', 'svc1', { clusterIP: '10.0.0.1', externalIPs: ['1.2.3.4'], ports });
  cluster.service('testns', 'svc6', { clusterIP: '10.0.0.3', externalIPs: ['1:2::5'], ports });
  cluster.service(
    'testns',
    'svc11',
    { type: 'LoadBalancer', clusterIP: '10.0.0.4', ports },
    ingress({ ip: '2.3.4.5' }),
  );
  cluster.service(
    'testns',
    'svc12',
    { type: 'LoadBalancer', clusterIP: '10.0.0.5', ports },
    ingress({ hostname: 'dummy.hostname' }),
  );
  cluster.service(
    'testns',
    'elb',
    { type: 'LoadBalancer', clusterIP: '10.0.0.6', ports },
    ingress({ hostname: 'lb.cloud.test' }, { hostname: 'lb2.cloud.test' }),
  );
  cluster.service(
    'testns',
    'mixed',
    { type: 'LoadBalancer', clusterIP: '10.0.0.7', externalIPs: ['1.2.3.9', '1.2.3.9'], ports },
    ingress({ ip: '1.2.3.8' }, { hostname: 'lb.cloud.test' }, { ip: '2001:db8::8' }, {}),
  );
  cluster.service('testns', 'inside', { clusterIP: '10.0.0.8', ports });
  cluster.service('testns', 'portless', { clusterIP: '10.0.0.9', externalIPs: ['1.2.3.7'] });
  cluster.service('testns', 'svc-headless', { clusterIP: 'None', ports });
  cluster.service('testns', 'headless-out', { clusterIP: 'None', externalIPs: ['1.2.3.6'], ports });
  cluster.service('hidden', 'svc', { clusterIP: '10.0.0.10', externalIPs: ['1.2.3.10'], ports });
  cluster.slice('testns', 'svc-headless', [
    { addresses: ['1.2.3.4'], hostname: 'endpoint-svc-0' },
    { addresses: ['1.2.3.5'], hostname: 'endpoint-svc-1' },
  ]);
  cluster.slice('testns', 'headless-out', [{ addresses: ['172.0.0.9'] }]);
  cluster.slice('testns', 'inside', [{ addresses: ['172.0.0.8'], hostname: 'in' }]);
  return cluster;
}

const hosts =
  'hosts {\n 192.0.2.1 lb.cloud.test\n 2001:db8::1 lb.cloud.test\n 192.0.2.2 lb2.cloud.test\n fallthrough\n }';

async function serve(options: string, cluster: TestCluster, more = {}): Promise<TestServer> {
  const text = `. {
 bind 127.82.2.3
 kubernetes cluster.local {
  namespaces testns
 }
 k8s_external example.com in-addr.arpa ip6.arpa {
  ${options}
 }
 ${hosts}
}`;
  return serveCorefile(text, { address, store: cluster.store, ...more });
}

let server: TestServer;
beforeAll(async () => {
  server = await serve('headless', objects());
});
afterAll(() => server.stop());

const open: TestServer[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((each) => each.stop()));
});

const endpoint = (i: number) => `endpoint-svc-${i}.svc-headless.${ns}`;

describe('k8s_external', () => {
  it.each<[string, string, string[], string[]?]>([
    [`svc1.${ns}`, 'A', ['A 1.2.3.4']],
    [`SVC1.TestNS.Example.com.`, 'A', ['A 1.2.3.4']],
    [`svc1.${ns}`, 'SRV', [`SRV 0 100 80 svc1.${ns}`], [`svc1.${ns} 5 A 1.2.3.4`]],
    [`_http._tcp.svc1.${ns}`, 'SRV', [`SRV 0 100 80 svc1.${ns}`], [`svc1.${ns} 5 A 1.2.3.4`]],
    [`svc6.${ns}`, 'AAAA', ['AAAA 1:2::5']],
    [`_http._tcp.svc6.${ns}`, 'SRV', [`SRV 0 100 80 svc6.${ns}`], [`svc6.${ns} 5 AAAA 1:2::5`]],
    [`svc11.${ns}`, 'A', ['A 2.3.4.5']],
    [`_http._tcp.svc11.${ns}`, 'SRV', [`SRV 0 100 80 svc11.${ns}`], [`svc11.${ns} 5 A 2.3.4.5`]],
    [`svc12.${ns}`, 'A', ['CNAME dummy.hostname.']],
    [`svc12.${ns}`, 'CNAME', ['CNAME dummy.hostname.']],
    [`svc12.${ns}`, 'SRV', ['SRV 0 100 80 dummy.hostname.']],
    [`_http._tcp.svc12.${ns}`, 'SRV', ['SRV 0 100 80 dummy.hostname.']],
    [`headless-out.${ns}`, 'A', ['A 1.2.3.6']],
    [`portless.${ns}`, 'A', ['A 1.2.3.7']],
    [`mixed.${ns}`, 'A', ['A 1.2.3.9', 'A 1.2.3.8']],
    [`mixed.${ns}`, 'AAAA', ['AAAA 2001:db8::8']],
    [endpoint(0), 'A', ['A 1.2.3.4']],
    [endpoint(1), 'A', ['A 1.2.3.5']],
    [endpoint(0), 'SRV', [`SRV 0 100 80 ${endpoint(0)}`], [`${endpoint(0)} 5 A 1.2.3.4`]],
    [`svc-headless.${ns}`, 'A', ['A 1.2.3.4', 'A 1.2.3.5']],
    [`in.inside.${ns}`, 'A', ['A 172.0.0.8']],
    ['4.3.2.1.in-addr.arpa.', 'PTR', [`PTR svc1.${ns}`]],
    ['8.3.2.1.in-addr.arpa.', 'PTR', [`PTR mixed.${ns}`]],
    ['8.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa.', 'PTR', [`PTR mixed.${ns}`]],
    ['ns1.dns.example.com.', 'A', [`A ${address}`]],
  ])('answers %s %s', async (name, type, data, additional = []) => {
    const message = await server.ask(name, type);
    expect(message.answers.map(recordText)).toEqual(data.map((text) => `${name} 5 ${text}`));
    expect(message.additional.map(recordText)).toEqual(additional);
    expect(message).toMatchObject({ rcode: 0, authoritative: true, authority: [] });
  });

  it.each([`svc-headless.${ns}`, `_http._tcp.svc-headless.${ns}`])('shares %s SRV among endpoints', async (name) => {
    const { answers, additional } = await server.ask(name, 'SRV');
    expect(answers.map(recordText)).toEqual([0, 1].map((i) => `${name} 5 SRV 0 50 80 ${endpoint(i)}`));
    expect(additional.map(recordText)).toEqual([`${endpoint(0)} 5 A 1.2.3.4`, `${endpoint(1)} 5 A 1.2.3.5`]);
  });

  it('follows the host name of a load balancer, in both families, and gives one alias only', async () => {
    const alias = `elb.${ns} 5 CNAME lb.cloud.test.`;
    expect(await server.answers(`elb.${ns}`, 'A')).toBe(`NOERROR ${alias} lb.cloud.test. 3600 A 192.0.2.1`);
    expect(await server.answers(`elb.${ns}`, 'AAAA')).toBe(`NOERROR ${alias} lb.cloud.test. 3600 AAAA 2001:db8::1`);
    const { answers, additional } = await server.ask(`_http._tcp.elb.${ns}`, 'SRV');
    expect(answers.map(recordText)).toEqual(
      ['lb', 'lb2'].map((host) => `_http._tcp.elb.${ns} 5 SRV 0 50 80 ${host}.cloud.test.`),
    );
    expect(additional.map(recordText).sort()).toEqual([
      'lb.cloud.test. 3600 A 192.0.2.1',
      'lb.cloud.test. 3600 AAAA 2001:db8::1',
      'lb2.cloud.test. 3600 A 192.0.2.2',
    ]);
  });

  it.each<[number, string, string]>([
    [0, `svc1.${ns}`, 'PTR'],
    [3, `not-existing.${ns}`, 'PTR'],
    [3, `*._not-udp-or-tcp.svc1.${ns}`, 'SRV'],
    [0, `svc1.${ns}`, 'AAAA'],
    [0, `svc1.${ns}`, 'TXT'],
    [0, `elb.${ns}`, 'MX'],
    [0, `portless.${ns}`, 'SRV'],
    [3, `svc0.${ns}`, 'A'],
    [3, `svc0.${ns}`, 'AAAA'],
    [3, 'svc0.svc-nons.example.com.', 'A'],
    [3, 'svc.hidden.example.com.', 'A'],
    [3, `inside.${ns}`, 'A'],
    [3, `a.b.c.svc1.${ns}`, 'A'],
    [3, `nobody.svc-headless.${ns}`, 'A'],
    [0, ns, 'A'],
    [0, ns, 'SOA'],
    [0, 'example.com.', 'SRV'],
    [0, 'example.com.', 'A'],
    [0, 'dns.example.com.', 'SRV'],
    [0, 'dns.example.com.', 'NS'],
    [0, 'ns1.dns.example.com.', 'SRV'],
    [0, 'ns1.dns.example.com.', 'NS'],
    [0, 'ns1.dns.example.com.', 'AAAA'],
    [3, 'ns2.dns.example.com.', 'A'],
    [3, 'a.ns1.dns.example.com.', 'A'],
  ])('answers rcode %i without records for %s %s', async (code, name, type) => {
    const { rcode, answers, authority, authoritative } = await server.ask(name, type);
    expect({ rcode, answers, authoritative }).toEqual({ rcode: code, answers: [], authoritative: true });
    expect(authority.map(recordText)).toEqual([expect.stringMatching(soa)]);
  });

  it('has reverse names for its external addresses alone', async () => {
    expect(await server.answers('4.3.2.1.in-addr.arpa', 'A')).toBe('NOERROR');
    expect(await server.answers('5.3.2.1.in-addr.arpa', 'PTR')).toBe('NXDOMAIN');
    expect(await server.answers('1.0.0.10.in-addr.arpa', 'PTR')).toBe('NXDOMAIN');
    expect(await server.answers('10.3.2.1.in-addr.arpa', 'PTR')).toBe('NXDOMAIN');
    expect((await server.ask('in-addr.arpa', 'SOA')).answers.map(recordText)).toEqual([
      expect.stringMatching(/^in-addr\.arpa\. 5 SOA ns1\.dns\.in-addr\.arpa\. hostmaster\.dns\.in-addr\.arpa\. /),
    ]);
  });

  it('is a zone with SOA and a name server at its apex', async () => {
    expect((await server.ask('example.com', 'SOA')).answers.map(recordText)).toEqual([expect.stringMatching(soa)]);
    const { answers, additional } = await server.ask('example.com', 'NS');
    expect(answers.map(recordText)).toEqual(['example.com. 5 NS ns1.dns.example.com.']);
    expect(additional.map(recordText)).toEqual([`ns1.dns.example.com. 5 A ${address}`]);
  });

  it('names its server by the external address of the Service in front of it', async () => {
    const cluster = objects();
    cluster.service('testns', 'dns', { clusterIP: '10.0.0.53', ports });
    cluster.slice('testns', 'dns', [{ addresses: [address] }]);
    const own = await serve('apex names', cluster);
    open.push(own);
    expect(await own.answers('ns1.names.example.com')).toBe('NOERROR');
    cluster.service('testns', 'dns', { clusterIP: '10.0.0.53', externalIPs: ['192.0.2.53'], ports });
    expect(await own.answers('ns1.names.example.com')).toBe('NOERROR ns1.names.example.com. 5 A 192.0.2.53');
    expect((await own.ask('example.com', 'NS')).answers.map(recordText)).toEqual([
      'example.com. 5 NS ns1.names.example.com.',
    ]);
  });

  it('follows the objects, and its serial with them', async () => {
    const cluster = objects();
    const now = { at: 1_700_000_000_000 };
    const own = await serve('headless\n ttl 7', cluster, { clock: { now: () => now.at } });
    open.push(own);
    const serial = async () => {
      const data = (await own.ask('example.com', 'SOA')).answers[0]?.data;
      return data?.kind === 'soa' ? data.serial : 0;
    };
    expect(await serial()).toBe(1_700_000_000);
    now.at += 10_000;
    cluster.service('testns', 'inside', { clusterIP: '10.0.0.99', ports });
    expect(await serial()).toBe(1_700_000_000);
    cluster.service('testns', 'inside', { clusterIP: '10.0.0.99', externalIPs: ['9.9.9.9'], ports });
    expect(await own.answers(`inside.${ns}`)).toBe(`NOERROR inside.${ns} 7 A 9.9.9.9`);
    expect(await serial()).toBe(1_700_000_010);
    now.at += 10_000;
    cluster.slice('testns', 'svc-headless', [{ addresses: ['1.2.3.44'] }]);
    expect(await own.answers(`svc-headless.${ns}`)).toContain('1.2.3.44');
    expect(await serial()).toBe(1_700_000_020);
    cluster.store.remove('services', 'testns/inside');
    expect(await own.answers(`inside.${ns}`)).toBe('NXDOMAIN');
    expect(await own.answers('9.9.9.9.in-addr.arpa', 'PTR')).toBe('NXDOMAIN');
  });

  it('without headless shows external addresses alone', async () => {
    const own = await serve('ttl 0', objects());
    open.push(own);
    expect(await own.answers(`svc-headless.${ns}`)).toBe('NXDOMAIN');
    expect(await own.answers(endpoint(0))).toBe('NXDOMAIN');
    expect(await own.answers(`headless-out.${ns}`)).toBe(`NOERROR headless-out.${ns} 0 A 1.2.3.6`);
  });

  it('passes unknown names on with fallthrough, and nothing else', async () => {
    const own = await serve('fallthrough', objects());
    open.push(own);
    // To hosts, which has nothing to say, and on to nobody.
    expect(await own.answers(`svc0.${ns}`)).toBe('REFUSED');
    expect(await own.answers(`svc1.${ns}`, 'TXT')).toBe('NOERROR');
    expect(await own.answers('ns2.dns.example.com')).toBe('NXDOMAIN');
    expect(await own.answers('1.2.0.192.in-addr.arpa', 'PTR')).toContain('PTR lb.cloud.test.');
  });

  it('says SERVFAIL instead of NXDOMAIN until all objects are read', async () => {
    const { store } = objects();
    let synced = false;
    const own = await serveCorefile(
      '. {\n kubernetes cluster.local {\n startup_timeout 20ms\n }\n k8s_external example.com\n}',
      { address, openObjects: () => ({ store, synced: () => synced, close: () => {} }) },
    );
    open.push(own);
    const { rcode, authority } = await own.ask(`svc0.${ns}`);
    expect([rcode, ...authority.map(recordText)]).toEqual([2, expect.stringMatching(soa)]);
    expect(await own.answers(`svc1.${ns}`)).toContain('1.2.3.4');
    synced = true;
    expect(await own.answers(`svc0.${ns}`)).toBe('NXDOMAIN');
  });

  it('serves the root zone when its block does', async () => {
    const own = await serveCorefile('. {\n kubernetes cluster.local\n k8s_external\n}', {
      ...{ address, store: objects().store },
    });
    open.push(own);
    expect(await own.answers('svc1.testns', 'SRV')).toBe('NOERROR svc1.testns. 5 SRV 0 100 80 svc1.testns.');
    expect((await own.ask('nope.testns')).authority.map(recordText)).toEqual([
      expect.stringMatching(/^\. 5 SOA ns1\.dns\. hostmaster\.dns\. /),
    ]);
  });

  it.each([
    ['apex a.b', 'apex must be one DNS label'],
    ['ttl 3601', 'ttl must be in range [0, 3600]'],
    ['headless yes', 'wrong argument count for headless'],
    ['upstream', "unknown property 'upstream'"],
  ])('refuses %j', async (options, message) => {
    await expect(serve(options, objects())).rejects.toThrow(message);
  });

  it('needs the kubernetes plugin in its block', async () => {
    await expect(serveCorefile('. {\n k8s_external example.org\n whoami\n}', { address })).rejects.toThrow(
      'Corefile:2: k8s_external: kubernetes plugin not loaded',
    );
  });
});

describe('a transfer of the zone', () => {
  let digMissing = false;
  beforeAll(async () => {
    digMissing = await run('dig', ['-v']).then(
      () => false,
      () => true,
    );
  });

  /** Records as dig shows them, without class and serial. */
  async function axfr(of: TestServer, zone: string): Promise<string[]> {
    const { stdout } = await run('dig', [`@${address}`, '-p', `${of.port()}`, '+noall', '+answer', zone, 'AXFR']);
    const lines = stdout.split('\n').filter((line) => line && !line.startsWith(';'));
    return lines.map((line) =>
      line
        .replace(/\s+/g, ' ')
        .replace(' IN ', ' ')
        .replace(/(hostmaster\S+) \d+/, '$1'),
    );
  }

  it('has every record that the zone answers, between two SOA records', async ({ skip }) => {
    if (digMissing) skip('dig is not installed');
    const text = `. {
 bind ${address}
 transfer example.com {
  to *
 }
 kubernetes cluster.local {
  namespaces testns
 }
 k8s_external example.com {
  headless
 }
}`;
    const own = await serveCorefile(text, { address, store: objects().store });
    open.push(own);
    const lines = await axfr(own, 'example.com');
    const soaLine = 'example.com. 5 SOA ns1.dns.example.com. hostmaster.dns.example.com. 7200 1800 86400 5';
    expect([lines[0], lines.at(-1)]).toEqual([soaLine, soaLine]);
    const records = (owner: string, ...data: string[]) => data.map((text) => `${owner} 5 ${text}`);
    const named = (service: string, ...data: string[]) => [
      ...records(`${service}.${ns}`, ...data, `SRV 0 100 80 ${service}.${ns}`),
      ...records(`_http._tcp.${service}.${ns}`, `SRV 0 100 80 ${service}.${ns}`),
    ];
    const alias = (service: string, target: string) => records(`${service}.${ns}`, `CNAME ${target}`);
    const half = [0, 1].map((i) => `SRV 0 50 80 ${endpoint(i)}`);
    const quarters = [`SRV 0 25 80 mixed.${ns}`, 'SRV 0 25 80 lb.cloud.test.'];
    expect(lines.slice(1, -1).sort()).toEqual(
      [
        ...records('example.com.', 'NS ns1.dns.example.com.'),
        ...records('ns1.dns.example.com.', `A ${address}`),
        ...named('svc1', 'A 1.2.3.4'),
        ...named('svc6', 'AAAA 1:2::5'),
        ...named('svc11', 'A 2.3.4.5'),
        ...named('headless-out', 'A 1.2.3.6'),
        ...alias('svc12', 'dummy.hostname.'),
        ...records(`_http._tcp.svc12.${ns}`, 'SRV 0 100 80 dummy.hostname.'),
        ...alias('elb', 'lb.cloud.test.'),
        ...records(`_http._tcp.elb.${ns}`, 'SRV 0 50 80 lb.cloud.test.', 'SRV 0 50 80 lb2.cloud.test.'),
        ...records(`portless.${ns}`, 'A 1.2.3.7'),
        ...records(`mixed.${ns}`, 'A 1.2.3.9', 'A 1.2.3.8', 'AAAA 2001:db8::8', ...quarters),
        ...records(`_http._tcp.mixed.${ns}`, ...quarters),
        ...records(`svc-headless.${ns}`, 'A 1.2.3.4', 'A 1.2.3.5', ...half),
        ...records(`_http._tcp.svc-headless.${ns}`, ...half),
        ...[0, 1].flatMap((i) => records(endpoint(i), `A 1.2.3.${4 + i}`, `SRV 0 100 80 ${endpoint(i)}`)),
      ].sort(),
    );
  });
});
