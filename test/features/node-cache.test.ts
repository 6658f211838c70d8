/** `fairway node-cache` on a node of its own, with Pods that ask, and a cluster's DNS behind it. */
import { existsSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import {
  type Cache,
  type CachedNode,
  createCachedNode,
  local,
  localIps,
  service,
  template,
  upstream,
} from '../support/cached-node.ts';
import { eventually } from '../support/eventually.ts';
import { namespacesFault } from '../support/namespaces.ts';

const fault = namespacesFault('iptables', 'ip6tables', 'iptables-restore', 'nft', 'dig', 'curl', 'sysctl', 'flock');
if (fault) console.log(`skipped: fairway node-cache in network namespaces: ${fault}`);

/** The iptables that knows no nftables. */
const legacy = ['/usr/sbin/xtables-legacy-multi', '/sbin/xtables-legacy-multi'].find((file) => existsSync(file));
if (!fault && !legacy) console.log('skipped: iptables-legacy, which is not installed');

const rulesPerFamily = 24;

describe.skipIf(fault !== undefined)('fairway node-cache', () => {
  let here: CachedNode;
  beforeAll(async () => {
    here = await createCachedNode();
  });
  afterAll(() => here?.remove());
  const clean = () => here.clean();

  it('is needed here: without it the Service is reached through connection tracking', async () => {
    expect(await here.short(here.pod, service[0], 'a.cluster.local', '-b', '10.82.1.2#40000')).toBe('192.0.2.82');
    // Neighbour discovery of the fresh links takes a moment.
    await eventually(
      () => here.short(here.pod, service[1], 'a.cluster.local', 'AAAA', '+time=1'),
      (answer) => answer === '2001:db8::82',
      10_000,
    );
  });

  describe.each(['iptables', 'nftables'])('with rules held by %s', (kind) => {
    let cache: Cache;
    const rules = () => here.listings[kind]!();
    let first: string[];
    beforeAll(async () => {
      cache = await here.startReady('-rules', kind);
      await eventually(here.allRules, (all) => all.length === rules().length);
      first = rules();
    });
    afterAll(clean);

    it('has its addresses and every rule of both families once', () => {
      expect(here.addresses()).toEqual([...localIps].map((ip) => `${ip}/${ip.includes(':') ? 128 : 32}`).sort());
      expect(new Set(first).size).toBe(first.length);
      expect(first).toHaveLength(kind === 'iptables' ? 2 * rulesPerFamily : 14);
    });

    it('answers Pods and programs of the node, in both families, over UDP and TCP', async () => {
      for (const from of [here.pod, here.node])
        for (const server of service) {
          const name = `${from.name}.${kind}.cluster.local`;
          expect(await here.short(from, server, name)).toBe('192.0.2.82');
          expect(await here.short(from, server, name, 'AAAA', '+tcp')).toBe('2001:db8::82');
        }
      for (const server of local) expect(await here.short(here.node, server, 'a.cluster.local')).toBe('192.0.2.82');
    });

    it('asks the cluster’s DNS over TCP, and upstreams of the ConfigMap over UDP', async () => {
      expect(await here.dig(here.pod, service[0], `t.${kind}.cluster.local`)).toContain('NOERROR');
      await here.isAsked(`tcp t.${kind}.cluster.local A`);
      expect(here.timesAsked(`udp t.${kind}.cluster.local`)).toBe(0);
      expect(await here.dig(here.pod, service[0], `t.${kind}.example`)).toContain('NOERROR');
      await here.isAsked(`udp t.${kind}.example A`);
    });

    it('remembers names that do not exist', async () => {
      for (let i = 0; i < 3; i++)
        expect(await here.dig(here.pod, service[i % 2]!, `nx.${kind}.cluster.local`)).toContain('status: NXDOMAIN');
      await here.isAsked(`nx.${kind}.cluster.local`);
    });

    it('keeps its packets out of connection tracking', async () => {
      const counted = () => here.node.run('sh', '-c', 'iptables -t raw -nvL OUTPUT; nft list ruleset');
      const tracked = () => here.node.run('sh', '-c', 'cat /proc/net/nf_conntrack 2>/dev/null || true');
      expect(await here.short(here.pod, upstream[0], 'a.cluster.local', '-b', '10.82.1.2#40000')).toBe('192.0.2.82');
      expect(await here.short(here.pod, service[0], 'a.cluster.local', '-b', '10.82.1.2#40001')).toBe('192.0.2.82');
      if (tracked().includes('sport=40000')) expect(tracked()).not.toContain('sport=40001');
      else console.log('skipped: no /proc/net/nf_conntrack; counters are read instead');
      expect(counted()).toMatch(
        kind === 'iptables' ? /^\s*[1-9]\d* .*NOTRACK/m : /counter packets [1-9]\d* .* notrack/,
      );
    });

    it('changes nothing while all is well', async () => {
      const handles = () => here.node.run('nft', '-a', 'list', 'ruleset').replace(/packets \d+ bytes \d+/g, '');
      const before = handles();
      await new Promise((resume) => setTimeout(resume, 1000));
      expect(handles()).toBe(before);
    });

    it('puts back what others take away or add', async () => {
      const whole = [...first].sort();
      if (kind === 'iptables') {
        here.node.run('iptables', '-t', 'raw', '-F', 'OUTPUT');
        here.node.run('ip6tables', '-F', 'INPUT');
        const twice = rules().find((line) => line.includes('PREROUTING'))!;
        here.node.run('sh', '-c', `iptables -t raw ${twice.replace('raw -A', '-A')}`);
      } else here.node.run('nft', 'flush', 'chain', 'inet', 'fairway_node_cache', 'output');
      await eventually(
        () => here.metric('fairway_nodecache_repairs_total{what="rules"}'),
        (times) => times > 0,
      );
      await eventually(
        () => rules().sort(),
        (now) => now.join() === whole.join(),
      );
      here.node.run('ip', 'link', 'del', 'nodelocaldns');
      await eventually(here.addresses, (now) => now.length === 4);
      expect(await here.short(here.pod, service[1], 'a.cluster.local')).toBe('192.0.2.82');
      expect(await here.metric('fairway_nodecache_repairs_total{what="interface"}')).toBe(1);
    });

    it('doubles nothing when it is killed and started again', async () => {
      cache.child.kill('SIGKILL');
      await cache.ended;
      expect(rules()).toHaveLength(first.length);
      cache = await here.startReady('-rules', kind);
      expect(rules().sort()).toEqual([...first].sort());
      expect(here.addresses()).toHaveLength(4);
    });

    it('loses no query when it stops, and leaves nothing behind', async () => {
      const slow = `slow.${kind}.cluster.local`;
      let answer: Promise<string> | undefined;
      const result = await here.keepAsking(async () => {
        answer = here.short(here.pod, service[0], slow);
        await here.isAsked(slow);
        expect(await here.stop(cache)).toBe(0);
        expect(here.allRules()).toEqual([]);
        expect(here.addresses()).toEqual([]);
      });
      expect(await answer).toBe('192.0.2.82');
      expect(result.asked).toBeGreaterThan(50);
      expect(result.lost).toEqual([]);
    });
  });

  describe('on its own', () => {
    afterEach(clean);

    it('loses no query when it starts', async () => {
      let cache: Cache | undefined;
      const result = await here.keepAsking(async () => {
        cache = await here.startReady('-health-port=8080');
        const before = here.timesAsked('tcp q');
        await eventually(
          () => here.timesAsked('tcp q'),
          (now) => now > before + 50,
        );
      });
      expect(result.lost).toEqual([]);
      expect((await here.node.try('curl', '-s', `http://${local[0]}:8080/health`)).stdout).toBe('OK');
      expect((await here.node.try('curl', '-s', 'http://127.0.0.1:8181/ready')).stdout).toBe('OK');
      expect(await here.stop(cache!)).toBe(0);
    });

    it('leaves interface and rules to the next process with -skipteardown', async () => {
      const cache = await here.startReady('-skipteardown');
      expect(await here.stop(cache)).toBe(0);
      expect(here.allRules()).toHaveLength(2 * rulesPerFamily);
      expect(here.addresses()).toHaveLength(4);
      expect(await here.stop(await here.startReady())).toBe(0);
      expect(here.allRules()).toEqual([]);
    });

    it('cleans up after an earlier process that used the other tool', async () => {
      const earlier = await here.startReady('-rules=nftables');
      earlier.child.kill('SIGKILL');
      await earlier.ended;
      expect(here.listings.nftables!()).toHaveLength(14);
      const cache = await here.startReady();
      await eventually(here.listings.nftables!, (left) => left.length === 0);
      expect(here.listings.iptables!()).toHaveLength(2 * rulesPerFamily);
      expect(await here.stop(cache)).toBe(0);
    });

    it.skipIf(!legacy)('works with the older iptables, and waits for the lock that another program holds', async () => {
      const tools = here.path('legacy');
      mkdirSync(tools);
      for (const tool of ['iptables', 'ip6tables', 'iptables-restore', 'ip6tables-restore'])
        symlinkSync(legacy!, join(tools, tool));
      const environment = { PATH: `${tools}:${process.env.PATH}`, XTABLES_LOCKFILE: here.path('xtables.lock') };
      const holder = here.node.spawn('flock', [here.path('xtables.lock'), 'sh', '-c', 'echo held; sleep 1']);
      const said = here.collect(holder);
      await eventually(said, (text) => text.includes('held'));
      const cache = here.start(['-rules', 'iptables'], environment);
      await eventually(cache.output, (text) => text.includes('rules are in force'), 12_000);
      expect(holder.exitCode).toBe(0);
      const listing = () =>
        here.node.run('sh', '-c', 'iptables-legacy -t raw -S; ip6tables-legacy -t raw -S; iptables-legacy -S');
      const ours = () =>
        listing()
          .split('\n')
          .filter((line) => line.includes('NodeLocal DNS Cache'));
      expect(ours()).toHaveLength(16 + 16 + 8);
      expect(new Set(ours()).size).toBe(40);
      await new Promise((resume) => setTimeout(resume, 700));
      expect(ours()).toHaveLength(40);
      expect(await here.metric('coredns_nodecache_setup_errors_total{errortype="iptables_lock"}')).toBe(0);
      expect(await here.stop(cache)).toBe(0);
      expect(ours()).toEqual([]);
    });

    it('installs no rules when its port is taken, and says what is', async () => {
      const holder = "require('dgram').createSocket('udp4').bind(53, '0.0.0.0', () => console.log('held'))";
      const other = here.node.spawn(process.execPath, ['-e', holder]);
      const said = here.collect(other);
      await eventually(said, (text) => text.includes('held'));
      const cache = here.start(['-rules', 'iptables']);
      expect(await cache.ended).toBe(1);
      expect(cache.output()).toMatch(/cannot listen on dns:\/\/169\.254\.82\.10:53: .*EADDRINUSE/);
      expect(here.allRules()).toEqual([]);
      expect(here.addresses()).toEqual([]);
      other.kill('SIGKILL');
    });

    it('leaves no rules of a killed process when it cannot start, and names the line that is wrong', async () => {
      const earlier = await here.startReady();
      earlier.child.kill('SIGKILL');
      await earlier.ended;
      writeFileSync(here.path('Corefile.base'), `${template}\nbroken.example:53 {\n    nosuchplugin\n}\n`);
      const cache = here.start([]);
      expect(await cache.ended).toBe(1);
      expect(cache.output()).toMatch(/fairway: .*Corefile:\d+: Unknown directive 'nosuchplugin'/);
      expect(here.allRules()).toEqual([]);
      expect(here.addresses()).toEqual([]);
    });

    it('takes the rules away while it cannot answer, and is not ready', async () => {
      const cache = await here.startReady();
      expect(here.allRules()).toHaveLength(2 * rulesPerFamily);
      const block = 'add table inet block; add chain inet block in { type filter hook input priority -5; }; ';
      here.node.run('nft', `${block} add rule inet block in ip daddr ${local[0]} tcp dport 53 reject with tcp reset`);
      await eventually(here.allRules, (left) => left.length === 0, 12_000);
      expect(await here.ready()).toBe('rules');
      expect((await here.node.try('curl', '-s', 'http://127.0.0.1:8181/ready')).stdout).toBe('rules');
      expect(await here.short(here.pod, service[0], 'past.cluster.local')).toBe('192.0.2.82');
      await here.isAsked('udp past.cluster.local');
      here.node.run('nft', 'delete table inet block');
      await eventually(here.ready, (page) => page === 'OK', 12_000);
      expect(here.allRules()).toHaveLength(2 * rulesPerFamily);
      expect(await here.stop(cache)).toBe(0);
    });

    it('follows the ConfigMap without losing a query, and keeps the last good one', async () => {
      const cache = await here.startReady('-configinterval=1');
      const errors = (times: number) =>
        eventually(
          () => here.metric('coredns_nodecache_setup_errors_total{errortype="configmap"}'),
          (found) => found === times,
        );
      const updates = (stubs: number, times: number) =>
        eventually(cache.output, (text) => text.split(`Updated Corefile with ${stubs} `).length === times + 1);
      await updates(0, 1);
      const result = await here.keepAsking(async () => {
        writeFileSync(join(here.configMap, 'stubDomains'), JSON.stringify({ 'corp.example': [`[${upstream[1]}]:53`] }));
        await updates(1, 1);
        expect(await here.short(here.pod, service[0], 'www.corp.example')).toBe('192.0.2.82');
        writeFileSync(join(here.configMap, 'stubDomains'), '{ "corp.example": [');
        await errors(1);
        writeFileSync(here.path('Corefile.base'), `${template}\nbroken.example:53 {\n    nosuchplugin\n}\n`);
        cache.child.kill('SIGUSR1');
        await errors(2);
        expect(cache.output()).toMatch(/Corefile:\d+: .*nosuchplugin/);
        expect(await here.short(here.pod, service[0], 'mail.corp.example')).toBe('192.0.2.82');
      });
      expect(result.lost).toEqual([]);
      writeFileSync(here.path('Corefile.base'), template);
      rmSync(join(here.configMap, 'stubDomains'));
      await updates(0, 2);
      expect(await here.stop(cache)).toBe(0);
    });
  });
});
