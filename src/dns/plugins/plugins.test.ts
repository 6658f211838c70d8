/** What each small plugin does to queries and answers, through real sockets. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { createStore } from '../../kube/store/store.ts';
import type { KubeObject } from '../../kube/types/index.ts';
import { parseNetwork } from '../corefile/values.ts';
import { serveCorefile, type TestServer } from '../testing.ts';
import { addressBytes } from '../wire/address.ts';
import { recordText } from '../wire/records.ts';
import { embed } from './dns64/dns64.ts';

const address = '127.81.2.1';
const open: TestServer[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((server) => server.stop()));
});

/** A server with these lines in its only block. */
async function serve(lines: string, options: Partial<Parameters<typeof serveCorefile>[1]> = {}): Promise<TestServer> {
  const server = await serveCorefile(`. {\n${lines}\n}\n`, { address, ...options });
  open.push(server);
  return server;
}

const answering = (value = '192.0.2.1') => `template IN A {\n answer "{{ .Name }} 60 IN A ${value}"\n}`;
const edns = (options: { code: number; data: Uint8Array }[] = [], udpSize = 1232) => ({
  edns: { udpSize, version: 0, dnssecOk: false, options },
});

describe('hosts', () => {
  it('answers from lines and files, in both directions, and follows the file', async () => {
    const file = join(mkdtempSync(join(tmpdir(), 'hosts-')), 'hosts');
    writeFileSync(file, '192.0.2.10 Box.test # comment\nbroken line\n');
    const server = await serve(
      `hosts ${file} {\n 192.0.2.11 a.test b.test\n 2001:db8::1 a.test\n ttl 60\n reload 50ms\n fallthrough\n}\nwhoami`,
    );
    expect(await server.answers('box.test')).toBe('NOERROR box.test. 60 A 192.0.2.10');
    expect(await server.answers('a.test', 'AAAA')).toBe('NOERROR a.test. 60 AAAA 2001:db8::1');
    expect(await server.answers('b.test', 'AAAA')).toBe('NOERROR');
    expect(await server.answers('11.2.0.192.in-addr.arpa', 'PTR')).toBe(
      'NOERROR 11.2.0.192.in-addr.arpa. 60 PTR a.test. 11.2.0.192.in-addr.arpa. 60 PTR b.test.',
    );
    expect((await server.ask('other.test')).additional).toHaveLength(2);
    writeFileSync(file, '192.0.2.12 box.test longer.test\n');
    const end = performance.now() + 3000;
    while (!(await server.answers('box.test')).includes('192.0.2.12') && performance.now() < end);
    expect(await server.answers('longer.test')).toContain('192.0.2.12');
  });

  it('says SERVFAIL for names that it does not have, without fallthrough', async () => {
    const server = await serve('hosts /nowhere {\n 192.0.2.11 a.test\n no_reverse\n}');
    expect(await server.answers('c.test')).toBe('SERVFAIL');
    expect(await server.answers('11.2.0.192.in-addr.arpa', 'PTR')).toBe('REFUSED');
  });
});

describe('rewrite', () => {
  it.each<[string, string, string, string, string]>([
    ['an exact name, and back', 'rewrite name a.test b.test', 'a.test', 'A', 'NOERROR a.test. 60 A 192.0.2.1'],
    ['only that name', 'rewrite name a.test b.other', 'x.a.test', 'A', 'NOERROR x.a.test. 60 A 192.0.2.1'],
    [
      'a suffix, and back',
      'rewrite stop name suffix .old.test .new.test answer auto',
      'x.old.test',
      'A',
      'NOERROR x.old.test. 60 A 192.0.2.1',
    ],
    [
      'a suffix, one way',
      'rewrite name suffix .old.test .new.test',
      'x.old.test',
      'A',
      'NOERROR x.new.test. 60 A 192.0.2.1',
    ],
    ['a prefix', 'rewrite name prefix old- new-', 'old-x.test', 'A', 'NOERROR new-x.test. 60 A 192.0.2.1'],
    ['a substring', 'rewrite name substring b c', 'abba.test', 'A', 'NOERROR acca.test. 60 A 192.0.2.1'],
    [
      'a pattern, with an answer rule',
      'rewrite stop {\n name regex (.*)-(us)\\.test\\.$ {2}.{1}.new\n answer name (.*)\\.(.*)\\.new\\.$ {2}-{1}.test\n}',
      'ftp-us.test',
      'A',
      'NOERROR ftp-us.test. 60 A 192.0.2.1',
    ],
    [
      'in turn',
      'rewrite continue name a.test b.test\nrewrite name b.test c.test',
      'a.test',
      'A',
      'NOERROR a.test. 60 A 192.0.2.1',
    ],
    ['a type', 'rewrite type TXT A', 'a.test', 'TXT', 'NOERROR a.test. 60 A 192.0.2.1'],
    ['a TTL', 'rewrite ttl a.test 5-30', 'a.test', 'A', 'NOERROR a.test. 30 A 192.0.2.1'],
    ['a TTL by suffix', 'rewrite ttl suffix test 100-', 'a.test', 'A', 'NOERROR a.test. 100 A 192.0.2.1'],
    ['an rcode', 'rewrite rcode regex .* REFUSED NXDOMAIN', 'a.test', 'MX', 'NXDOMAIN'],
    ['a name that cannot be', 'rewrite name regex (.*)\\.test\\.$ {1}..x', 'a.test', 'A', 'SERVFAIL'],
  ])('changes %s', async (_, rule, name, type, expected) => {
    const server = await serve(`${rule}\n${answering()}`);
    expect(await server.answers(name, type)).toBe(expected);
  });

  it('gives aliases another target, with its records', async () => {
    const server = await serve(
      'rewrite cname exact old.test new.test\ntemplate IN A {\n match ^a\\.test\\.$\n answer "{{ .Name }} 60 IN CNAME old.test."\n fallthrough\n}\nhosts /nowhere {\n 192.0.2.3 new.test\n 192.0.2.2 old.test\n}',
    );
    expect(await server.answers('a.test')).toBe('NOERROR a.test. 60 CNAME new.test. new.test. 3600 A 192.0.2.3');
  });

  it('adds options to queries on their way to an upstream', async () => {
    const upstream = await serve('nsid me\nwhoami');
    const server = await serve(
      `rewrite edns0 nsid set\nrewrite edns0 local set 0xffee {qname}\nforward . ${address}:${upstream.port()}`,
    );
    expect((await server.ask('a.test')).rcode).toBe(0);
    await expect(serve('rewrite edns0 local set 0xffee {nonsense}')).rejects.toThrow('unsupported variable name');
    await expect(serve('rewrite answer name a b')).rejects.toThrow('response rewrites must begin with a name rule');
  });
});

describe('template', () => {
  it.each<[string, string, string, string]>([
    [
      'groups',
      'match ^ip-(?P<a>[0-9]+)-(?P<b>[0-9]+)\\.test\\.$\n answer "{{ .Name }} 60 IN A 10.0.{{ .Group.a }}.{{ index .Match 2 }}"',
      'ip-3-4.test',
      'NOERROR ip-3-4.test. 60 A 10.0.3.4',
    ],
    [
      'functions and pipelines',
      'match ^x(?P<h>[0-9a-f]{2})\\.test\\.$\n answer "{{ .Name }} 60 IN A 10.0.0.{{ parseInt .Group.h 16 8 | printf `%d` }}"',
      'xff.test',
      'NOERROR xff.test. 60 A 10.0.0.255',
    ],
    [
      'conditions and variables',
      'answer "{{ $n := .Name }}{{ if eq .Type `A` }}{{ $n }} 60 IN A 192.0.2.7{{ else }}bad{{ end }}"',
      'a.test',
      'NOERROR a.test. 60 A 192.0.2.7',
    ],
    ['an rcode', 'rcode NXDOMAIN', 'a.test', 'NXDOMAIN'],
    ['what does not match', 'match ^b\\.\n answer "{{ .Name }} 60 IN A 192.0.2.7"', 'a.test', 'SERVFAIL'],
    ['a record that is none', 'answer "{{ .Name }} 60 IN A nonsense"', 'a.test', 'SERVFAIL'],
    ['a missing group', 'answer "{{ .Name }} 60 IN A {{ index .Match 7 }}"', 'a.test', 'SERVFAIL'],
  ])('makes answers of %s', async (_, lines, name, expected) => {
    const server = await serve(`template IN A test {\n ${lines}\n}`);
    expect(await server.answers(name)).toBe(expected);
  });

  it('refuses templates that cannot be', async () => {
    await expect(serve('template IN A {\n answer "{{ .Name "\n}')).rejects.toThrow('could not compile template');
    await expect(serve('template IN A {\n answer "{{ nonsense }}"\n}')).rejects.toThrow(
      'function "nonsense" not defined',
    );
    await expect(serve('template IN A {\n match (\n}')).rejects.toThrow('Corefile:3');
  });
});

describe('acl', () => {
  it('blocks, filters and drops by type and source', async () => {
    const server = await serve(
      `acl {\n allow type A net 127.0.0.1/32\n block type MX\n filter type TXT net 127.0.0.0/8\n drop type SRV\n}\n${answering()}\nwhoami`,
    );
    expect(await server.answers('a.test')).toContain('192.0.2.1');
    expect(await server.ask('a.test', 'MX', edns())).toMatchObject({ rcode: 5, edns: { options: [{ code: 15 }] } });
    expect(await server.ask('a.test', 'TXT', edns())).toMatchObject({ rcode: 0, answers: [] });
    await expect(server.ask('a.test', 'SRV', { timeoutMs: 200 })).rejects.toThrow('no answer');
    const counted = server.server.metrics.expose();
    for (const name of ['blocked', 'filtered', 'dropped', 'allowed'])
      expect(counted).toMatch(new RegExp(`^coredns_acl_${name}_requests_total\\{.*\\} [1-9]`, 'm'));
  });
});

describe('small plugins', () => {
  it('any answers ANY with HINFO', async () => {
    const [record] = (await (await serve('any\nwhoami')).ask('a.test', 'ANY')).answers;
    expect(record).toMatchObject({ type: 13, ttl: 8482 });
    expect(Buffer.from((record!.data as { bytes: Uint8Array }).bytes).toString('latin1')).toBe(
      '\rANY obsoleted\fSee RFC 8482',
    );
  });

  it('nsid tells who asks', async () => {
    const server = await serve('nsid box one\nwhoami');
    const asked = await server.ask('a.test', 'A', edns([{ code: 3, data: new Uint8Array(0) }]));
    expect(Buffer.from(asked.edns!.options[0]!.data).toString()).toBe('box one');
    expect((await server.ask('a.test', 'A', edns())).edns?.options).toEqual([]);
  });

  it('minimal leaves out what is not needed, header sets flags, local knows localhost', async () => {
    const server = await serve(
      'local\nminimal\nheader {\n response set ra\n response clear aa\n}\ntemplate IN A {\n answer "{{ .Name }} 60 IN A 192.0.2.1"\n additional "x.test. 60 IN A 192.0.2.2"\n}',
    );
    expect(await server.ask('a.test')).toMatchObject({
      additional: [],
      recursionAvailable: true,
      authoritative: false,
    });
    expect(await server.answers('localhost')).toBe('NOERROR localhost. 604800 A 127.0.0.1');
    expect(await server.answers('localhost.example', 'AAAA')).toBe('NOERROR localhost.example. 604800 AAAA ::1');
    expect(await server.answers('1.0.0.127.in-addr.arpa', 'PTR')).toContain('localhost.');
    expect(await server.answers('9.9.9.127.in-addr.arpa', 'PTR')).toBe('NXDOMAIN');
  });

  it('bufsize makes larger answers come over TCP', async () => {
    const many = Array.from({ length: 60 }, (_, i) => `answer "{{ .Name }} 60 IN A 192.0.2.${i}"`).join('\n');
    const server = await serve(`bufsize 512\ntemplate IN A {\n${many}\n}`);
    expect((await server.ask('a.test', 'A', edns([], 4096))).truncated).toBe(true);
    expect((await server.ask('a.test', 'A', { tcp: true })).answers).toHaveLength(60);
  });

  it('cancel ends the wait, and errors tells why, once in a while', async () => {
    const server = await serve(
      'cancel 100ms\nerrors {\n consolidate 5s ".*no answer.*" warning show_first\n}\nerratic {\n delay 1 5s\n}',
    );
    for (let i = 0; i < 3; i++) expect(await server.answers('a.test')).toBe('SERVFAIL');
    expect(server.logs).toEqual(['[WARNING] plugin/errors: 2 a.test. A: no answer in 100 ms']);
    await server.stop();
    expect(server.logs[1]).toBe("[WARNING] plugin/errors: 3 errors like '.*no answer.*' occurred in last 5s");
  });

  it('erratic drops, truncates and delays by turns', async () => {
    const server = await serve('erratic {\n drop 2\n}');
    expect(await server.answers('a.test')).toBe('NOERROR a.test. 0 A 192.0.2.53');
    await expect(server.ask('a.test', 'A', { timeoutMs: 150 })).rejects.toThrow('no answer');
    expect(await (await serve('erratic {\n truncate 1\n}')).ask('a.test')).toMatchObject({ truncated: true });
  });

  it('log writes the common format, by zone and class', async () => {
    const server = await serve(
      `log test {\n class denial\n}\nlog other "{name} {rcode} {>rflags}"\ntemplate IN A gone.test {\n rcode NXDOMAIN\n}\n${answering()}`,
    );
    await server.ask('a.test');
    await server.ask('gone.test');
    await server.ask('a.other');
    expect(server.logs[0]).toMatch(
      /^\[INFO\] 127\.0\.0\.1:\d+ - \d+ "A IN gone\.test\. udp 27 false 512" NXDOMAIN qr,aa,rd 27 0\.\d+s$/,
    );
    expect(server.logs[1]).toBe('[INFO] a.other. NOERROR qr,aa,rd');
    expect(server.logs).toHaveLength(2);
  });

  it('loadbalance turns addresses around, aliases first, preferred networks before all', async () => {
    const lines = [
      'answer "{{ .Name }} 60 IN CNAME b.test."',
      ...[1, 2, 3, 4].map((i) => `answer "b.test. 60 IN A 192.0.2.${i}"`),
      'answer "b.test. 60 IN A 198.51.100.1"',
    ];
    const server = await serve(
      `loadbalance round_robin {\n prefer 198.51.100.0/24\n}\ntemplate IN A a.test {\n${lines.join('\n')}\n}`,
    );
    const orders = new Set<string>();
    for (let i = 0; i < 30; i++) {
      const { answers } = await server.ask('a.test');
      const [alias, first, ...rest] = answers.filter(({ name }, i) => i === 0 || name === 'b.test.').map(recordText);
      expect([alias, first]).toEqual(['a.test. 60 CNAME b.test.', 'b.test. 60 A 198.51.100.1']);
      orders.add(rest.join());
    }
    expect(orders.size).toBeGreaterThan(3);
  });

  it('loadbalance by weights prefers the heavy one', async () => {
    const file = join(mkdtempSync(join(tmpdir(), 'weights-')), 'weights');
    writeFileSync(file, 'a.test\n192.0.2.1 255\n192.0.2.2 1\n');
    const server = await serve(
      `loadbalance weighted ${file}\nhosts /nowhere {\n 192.0.2.2 a.test\n 192.0.2.1 a.test\n}`,
    );
    let first = 0;
    for (let i = 0; i < 60; i++)
      if ((await server.answers('a.test')).startsWith('NOERROR a.test. 3600 A 192.0.2.1')) first++;
    expect(first).toBeGreaterThan(50);
    writeFileSync(file, 'a.test\n192.0.2.1 256\n');
    await expect(serve(`loadbalance weighted ${file}`)).rejects.toThrow('line 2: not a weight');
  });

  it('timeouts ends idle connections and bounds queries on one', async () => {
    const server = await serve('timeouts {\n idle 1s\n maxtcpqueries 1\n}\nwhoami');
    expect((await server.ask('a.test', 'A', { tcp: true })).additional).toHaveLength(2);
    await expect(serve('timeouts {\n read 0\n}')).rejects.toThrow('between 1s and 24h');
  });
});

describe('autopath', () => {
  it('finds in one query what a walk of the search list would find', async () => {
    const conf = join(mkdtempSync(join(tmpdir(), 'resolv-')), 'resolv.conf');
    writeFileSync(conf, 'nameserver 127.0.0.1\nsearch a.test b.test\n');
    const gone = 'template IN ANY a.test {\n rcode NXDOMAIN\n}';
    const server = await serve(
      `autopath ${conf}\n${gone}\nhosts /nowhere {\n 192.0.2.1 web.b.test\n 192.0.2.2 www.example\n fallthrough\n}\ntemplate IN ANY . {\n match ^nope\n rcode NXDOMAIN\n fallthrough\n}`,
    );
    expect(await server.answers('web.a.test')).toBe(
      'NOERROR web.a.test. 3600 CNAME web.b.test. web.b.test. 3600 A 192.0.2.1',
    );
    expect(await server.answers('www.example.a.test')).toBe(
      'NOERROR www.example.a.test. 3600 CNAME www.example. www.example. 3600 A 192.0.2.2',
    );
    expect(await server.answers('nope.a.test')).toBe('NXDOMAIN');
    expect(server.server.metrics.expose()).toContain('coredns_autopath_success_total{server="dns://:53"} 2');
  });

  it('knows the search list of a Pod by its address', async () => {
    const store = createStore();
    const put = (resource: string, object: object) => store.put(resource, object as KubeObject);
    put('namespaces', { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop' } });
    put('pods', {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'client', namespace: 'shop' },
      status: { phase: 'Running', podIP: '127.0.0.1' },
    });
    const lines =
      'autopath @kubernetes\nkubernetes cluster.local {\n pods verified\n}\nhosts /nowhere {\n 192.0.2.2 www.example\n fallthrough\n}';
    const server = await serve(lines, { store });
    const found = (await server.ask('www.example.shop.svc.cluster.local')).answers.map(recordText);
    expect(found.at(-1)).toBe('www.example. 3600 A 192.0.2.2');
    expect(await server.answers('www.example.other.svc.cluster.local')).toBe('NXDOMAIN');
  });

  it('does a walk once, until a name on its way comes to be or its answer has run out', async () => {
    const store = createStore();
    const put = (resource: string, object: object) => store.put(resource, object as KubeObject);
    put('pods', {
      ...{ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'client', namespace: 'team' } },
      status: { phase: 'Running', podIP: '127.0.0.1' },
    });
    const clock = { at: 1_800_000_000_000 };
    const lines =
      'prometheus :9153\nautopath @kubernetes\nkubernetes cluster.local {\n pods verified\n}\ncache 30\ntemplate IN A shop {\n answer "{{ .Name }} 60 IN A 192.0.2.9"\n}';
    const server = await serve(lines, { store, clock: { now: () => clock.at } });
    const ask = () => server.answers('web.shop.team.svc.cluster.local');
    const external = (ttl: number) =>
      `NOERROR web.shop.team.svc.cluster.local. ${ttl} CNAME web.shop. web.shop. ${ttl} A 192.0.2.9`;
    const counted = (what: string) =>
      Number(new RegExp(`^${what}\\{[^}]*\\} (\\d+)$`, 'm').exec(server.server.metrics.expose())?.[1]);
    for (let i = 0; i < 3; i++) expect(await ask()).toBe(external(30));
    clock.at += 10_000;
    expect(await ask()).toBe(external(20));
    expect(counted('coredns_autopath_success_total')).toBe(4);
    expect(counted('coredns_template_matches_total')).toBe(1);
    clock.at += 25_000;
    expect(await ask()).toBe(external(30));
    for (let i = 0; i < 3; i++) await ask();
    put('services', {
      ...{ apiVersion: 'v1', kind: 'Service', metadata: { name: 'web', namespace: 'shop' } },
      spec: { clusterIP: '10.96.0.7', ports: [{ port: 80 }] },
    });
    expect(await ask()).toContain('web.shop.svc.cluster.local. 5 A 10.96.0.7');
  });
});

describe('dns64', () => {
  it('makes AAAA records where there are none', async () => {
    const server = await serve(
      'dns64 {\n allow_ipv4\n}\nhosts /nowhere {\n 192.0.2.33 four.test\n 192.0.2.34 both.test\n 2001:db8::1 both.test\n}',
    );
    expect(await server.answers('four.test', 'AAAA')).toBe('NOERROR four.test. 600 AAAA 64:ff9b::c000:221');
    expect(await server.answers('both.test', 'AAAA')).toBe('NOERROR both.test. 3600 AAAA 2001:db8::1');
    expect(await server.answers('four.test')).toBe('NOERROR four.test. 3600 A 192.0.2.33');
    const plain = await serve('dns64\nhosts /nowhere {\n 192.0.2.33 four.test\n}');
    expect(await plain.answers('four.test', 'AAAA')).toBe('NOERROR');
    await expect(serve('dns64 64:ff9b::/95')).rejects.toThrow('the prefix length must be one of');
  });

  it.each([
    ['2001:db8::/32', '2001:db8:c000:221::'],
    ['2001:db8:100::/40', '2001:db8:1c0:2:21::'],
    ['2001:db8:122::/48', '2001:db8:122:c000:2:2100::'],
    ['2001:db8:122:300::/56', '2001:db8:122:3c0:0:221::'],
    ['2001:db8:122:344::/64', '2001:db8:122:344:c0:2:2100:0'],
    ['2001:db8:122:344::/96', '2001:db8:122:344::c000:221'],
  ])('embeds addresses in %s as RFC 6052 has it', (prefix, expected) => {
    expect(embed(parseNetwork(prefix)!, addressBytes('192.0.2.33')!)).toBe(expected);
  });
});

describe('tls', () => {
  it('is needed for tls:// zones', async () => {
    await expect(serveCorefile('tls://. {\n whoami\n}', { address })).rejects.toThrow("needs the plugin 'tls'");
  });

  it('serves and is asked over TLS', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'tls-'));
    const [key, cert] = [join(folder, 'key'), join(folder, 'crt')];
    const wanted = ['-subj', '/CN=dns.test', '-addext', 'subjectAltName=DNS:dns.test', '-days', '2', '-nodes'];
    execFileSync(
      'openssl',
      [
        'req',
        '-x509',
        '-newkey',
        'ec',
        '-pkeyopt',
        'ec_paramgen_curve:prime256v1',
        ...wanted,
        '-keyout',
        key,
        '-out',
        cert,
      ],
      { stdio: 'ignore' },
    );
    const upstream = await serveCorefile(`tls://. {\n tls ${cert} ${key}\n ${answering()}\n}`, { address });
    open.push(upstream);
    const to = `tls://${address}:${upstream.port()}%dns.test`;
    const trusting = await serve(`forward . ${to} {\n tls ${cert}\n}`);
    for (let i = 0; i < 3; i++) expect(await trusting.answers(`a${i}.test`)).toBe(`NOERROR a${i}.test. 60 A 192.0.2.1`);
    expect(trusting.server.metrics.expose()).toMatch(/coredns_proxy_conn_cache_hits_total\{.*proto="tcp"\} 2/);
    const wary = await serve(`forward . ${to} {\n max_connect_attempts 1\n}`);
    expect(await wary.answers('a.test')).toBe('SERVFAIL');
  });
});
