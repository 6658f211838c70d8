/**
 * A node of a cluster for the tests of `fairway node-cache`: three network namespaces, one with a Pod, one that is the
 * node, with the rules of a kube-proxy for the cluster's DNS Service, and one with the DNS server behind that Service.
 */
import type { ChildProcess } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import { packageRoot } from '../../src/base/package-root.ts';
import { eventually } from './eventually.ts';
import { createNamespaces, type Namespace } from './namespaces.ts';

/** The Service's cluster IPs, on the node once the cache runs, and the cache's own addresses. */
export const service = ['10.96.82.10', 'fd96:82::10'] as const;
export const local = ['169.254.82.10', 'fd00:82::10'] as const;
export const localIps = [...local, ...service];
export const upstream = ['10.82.2.53', 'fd82:2::53'] as const;

/** With both addresses before a port, which takes the first one. */
export const template = `cluster.local:53 {
    errors
    cache {
            success 9984 30
            denial 9984 5
    }
    reload
    loop
    bind __PILLAR__LOCAL__DNS__ __PILLAR__DNS__SERVER__
    forward . __PILLAR__CLUSTER__DNS__ {
            force_tcp
    }
    health __PILLAR__LOCAL__DNS__:8080
    ready 127.0.0.1:8181 {
            monitor continuously
    }
    prometheus __PROMETHEUS__ENDPOINT__
    }
.:53 {
    errors
    cache 30
    reload
    bind __PILLAR__LOCAL__DNS__ __PILLAR__DNS__SERVER__
    forward . __PILLAR__UPSTREAM__SERVERS__ {
            force_tcp
    }
    prometheus __PROMETHEUS__ENDPOINT__
    }
`;

/** Prints each query as \`PROTOCOL NAME TYPE\`; names with "nx" do not exist, names with "slow" take 700 ms. */
const serverScript = (library: string) => `
import { createSocket } from 'node:dgram';
import { createServer } from 'node:net';
import packet from ${JSON.stringify(library)};
function answer(query) {
  const [question] = query.questions;
  const { name, type } = question;
  const soa = { type: 'SOA', name: 'cluster.local', ttl: 5, data: { mname: 'ns.cluster.local', rname: 'root.cluster.local', serial: 1, refresh: 1, retry: 1, expire: 1, minimum: 5 } };
  const data = { A: '192.0.2.82', AAAA: '2001:db8::82' }[type];
  const nx = name.includes('nx');
  return { type: 'response', id: query.id, flags: packet.AUTHORITATIVE_ANSWER | (nx ? 3 : 0), questions: [question],
    answers: !nx && data ? [{ name, type, ttl: 30, data }] : [], authorities: nx || !data ? [soa] : [] };
}
function serve(protocol, query, send) {
  const [{ name, type }] = query.questions;
  console.log(protocol, name, type);
  setTimeout(() => send(answer(query)), name.includes('slow') ? 700 : 0);
}
for (const address of ${JSON.stringify(upstream)}) {
  const socket = createSocket(address.includes(':') ? 'udp6' : 'udp4');
  socket.on('message', (bytes, from) => serve('udp', packet.decode(bytes), (reply) => socket.send(packet.encode(reply), from.port, from.address)));
  socket.bind(53, address, () => console.log('listening'));
  createServer((stream) => {
    let left = Buffer.alloc(0);
    stream.on('error', () => {});
    stream.on('data', (bytes) => {
      left = Buffer.concat([left, bytes]);
      while (left.length >= 2 && left.length >= 2 + left.readUInt16BE(0)) {
        const end = 2 + left.readUInt16BE(0);
        serve('tcp', packet.streamDecode(left.subarray(0, end)), (reply) => stream.write(packet.streamEncode(reply)));
        left = left.subarray(end);
      }
    });
  }).listen(53, address);
}
`;

/** Asks the Service a new name every 2 ms until its input ends, each once; prints how many were asked and answered. */
const clientScript = (library: string) => `
import { createSocket } from 'node:dgram';
import packet from ${JSON.stringify(library)};
const missing = new Set();
let id = 0;
const sockets = ${JSON.stringify(service)}.map((address) => {
  const socket = createSocket(address.includes(':') ? 'udp6' : 'udp4');
  socket.on('message', (bytes) => missing.delete(packet.decode(bytes).id));
  socket.on('error', () => {});
  return (bytes) => socket.send(bytes, 53, address, () => {});
});
const timer = setInterval(() => {
  id++;
  missing.add(id);
  sockets[id % 2](packet.encode({ type: 'query', id, flags: packet.RECURSION_DESIRED, questions: [{ type: 'A', name: 'q' + id + '.cluster.local' }] }));
  if (id === 50) console.log('asking');
}, 2);
process.on('SIGTERM', () => {
  clearInterval(timer);
  setTimeout(() => { console.log(JSON.stringify({ asked: id, lost: [...missing] })); process.exit(0); }, 800);
});
`;

export interface Cache {
  readonly child: ChildProcess;
  readonly output: () => string;
  readonly ended: Promise<number | null>;
}

export type CachedNode = Awaited<ReturnType<typeof createCachedNode>>;

/** Makes it all; what was made before an error is removed again. */
export async function createCachedNode() {
  const namespaces = createNamespaces(`fw-nc-${process.pid}`);
  const folder = mkdtempSync(join(tmpdir(), 'node-cache-'));
  const configMap = join(folder, 'kube-dns');
  const [pod, node, dns] = [namespaces.add('pod'), namespaces.add('node'), namespaces.add('dns')];
  let asked = '';

  const path = (name: string) => join(folder, name);
  const library = pathToFileURL(join(packageRoot, 'node_modules/dns-packet/index.js')).href;
  const dig = async (from: Namespace, server: string, ...question: string[]) =>
    (await from.try('dig', `@${server}`, '+tries=1', '+time=2', ...question)).stdout;
  const short = async (from: Namespace, server: string, ...question: string[]) =>
    (await dig(from, server, '+short', ...question)).trim();

  function collect(child: ChildProcess): () => string {
    let text = '';
    for (const stream of [child.stdout!, child.stderr!])
      stream.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
      });
    return () => text;
  }

  function start(flags: readonly string[], environment: Record<string, string> = {}): Cache {
    const words = ['-localip', localIps.join(','), '-conf', path('Corefile'), `-basecorefile=${path('Corefile.base')}`];
    const more = ['--kubednscm', configMap, '-upstreamsvc', 'kube-dns-upstream', '-syncinterval', '300ms'];
    const child = node.spawn(process.execPath, [path('dist/main.js'), 'node-cache', ...words, ...more, ...flags], {
      KUBE_DNS_UPSTREAM_SERVICE_HOST: upstream[0],
      ...environment,
    });
    const ended = new Promise<number | null>((resolve) => child.on('exit', resolve));
    const cache = { child, ended, output: collect(child) };
    started.push(cache);
    return cache;
  }

  const ready = async () => (await node.try('curl', '-s', '-m2', 'http://127.0.0.1:9353/ready')).stdout;
  const metric = async (name: string) => {
    const { stdout } = await node.try('curl', '-s', '-m2', 'http://127.0.0.1:9353/metrics');
    return Number(
      stdout
        .split('\n')
        .find((line) => line.startsWith(`${name} `))
        ?.split(' ')[1],
    );
  };

  const started: Cache[] = [];
  /** What a test that failed half way left behind must not make the next one fail. */
  async function clean(): Promise<void> {
    for (const cache of started.splice(0)) {
      cache.child.kill('SIGKILL');
      await cache.ended;
    }
    const script = [
      'iptables -t raw -F; iptables -F; ip6tables -t raw -F; ip6tables -F',
      'nft delete table inet fairway_node_cache 2>/dev/null; nft delete table inet block 2>/dev/null',
      'ip link del nodelocaldns 2>/dev/null; true',
    ];
    node.run('sh', '-c', script.join('; '));
    writeFileSync(path('Corefile.base'), template);
    rmSync(join(configMap, 'stubDomains'), { force: true });
  }

  async function startReady(...flags: string[]): Promise<Cache> {
    const cache = start(flags);
    await eventually(
      async () => [await ready(), cache.child.exitCode, cache.output()] as const,
      ([page, code, output]) => {
        if (code !== null) throw new Error(`ended with ${code}: ${output}`);
        return page === 'OK';
      },
      10_000,
    );
    return cache;
  }

  function stop(cache: Cache): Promise<number | null> {
    cache.child.kill('SIGTERM');
    return cache.ended;
  }

  function addresses(): string[] {
    const shown = node.run('ip', '-json', 'addr', 'show');
    const links = JSON.parse(shown) as { ifname: string; addr_info: { local: string; prefixlen: number }[] }[];
    const found = links.find(({ ifname }) => ifname === 'nodelocaldns')?.addr_info ?? [];
    return found.map(({ local: text, prefixlen }) => `${text}/${prefixlen}`).sort();
  }

  /** Lines of the rules, whoever holds them, without the counters; each once when all is well. */
  const listings: Record<string, () => string[]> = {
    iptables: () =>
      ['iptables', 'ip6tables'].flatMap((tool) =>
        ['raw', 'filter'].flatMap((table) =>
          node
            .run(tool, '-t', table, '-S')
            .split('\n')
            .filter((line) => line.includes('NodeLocal DNS Cache'))
            .map((line) => `${table} ${line}`),
        ),
      ),
    nftables: () =>
      node
        .run('nft', '-s', 'list', 'ruleset')
        .split(/^table /m)
        .filter((text) => text.startsWith('inet fairway_node_cache '))
        .flatMap((text) => text.split(/^\tchain /m).slice(1))
        .flatMap((text) => text.split('\n').map((line) => `${text.slice(0, text.indexOf(' '))} ${line.trim()}`))
        .filter((line) => line.includes('NodeLocal DNS Cache')),
  };
  const allRules = () => [...listings.iptables!(), ...listings.nftables!()];

  /** How often the server behind the Service was asked; its output comes a moment after its answer. */
  const timesAsked = (text: string) => asked.split('\n').filter((line) => line.includes(text)).length;
  const isAsked = (text: string, times = 1) =>
    eventually(
      () => timesAsked(text),
      (found) => found === times,
    );

  /** What clients got that asked all the time. */
  async function keepAsking(during: () => Promise<void>): Promise<{ asked: number; lost: number[] }> {
    const client = pod.spawn(process.execPath, [path('client.mjs')]);
    const said = collect(client);
    await eventually(said, (text) => text.includes('asking'));
    await during();
    client.kill('SIGTERM');
    const found = await eventually(
      () => /\{.*\}/.exec(said()),
      (match) => match !== null,
    );
    return JSON.parse(found![0]);
  }

  async function setUp(): Promise<void> {
    await build({
      entryPoints: [join(packageRoot, 'src/cli/main.ts')],
      ...{ outdir: path('dist'), bundle: true, splitting: true, format: 'esm', platform: 'node', target: 'node20' },
      banner: {
        js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);",
      },
    });
    for (const name of ['package.json', 'data']) symlinkSync(join(packageRoot, name), path(name));
    mkdirSync(configMap);
    writeFileSync(path('Corefile.base'), template);
    writeFileSync(join(configMap, 'upstreamNameservers'), JSON.stringify([upstream[0]]));
    writeFileSync(path('server.mjs'), serverScript(library));
    writeFileSync(path('client.mjs'), clientScript(library));
    // Duplicate address detection would hold up neighbour discovery for two seconds.
    for (const each of [pod, node, dns])
      each.run('sysctl', '-qw', 'net.ipv6.conf.all.accept_dad=0', 'net.ipv6.conf.default.accept_dad=0');
    namespaces.join(pod, ['10.82.1.2/24', 'fd82:1::2/64'], node, ['10.82.1.1/24', 'fd82:1::1/64']);
    namespaces.join(dns, [`${upstream[0]}/24`, `${upstream[1]}/64`], node, ['10.82.2.1/24', 'fd82:2::1/64']);
    node.run('sysctl', '-qw', 'net.ipv4.ip_forward=1', 'net.ipv6.conf.all.forwarding=1');
    pod.run('ip', 'route', 'add', 'default', 'via', '10.82.1.1');
    pod.run('ip', '-6', 'route', 'add', 'default', 'via', 'fd82:1::1');
    dns.run('ip', 'route', 'add', 'default', 'via', '10.82.2.1');
    dns.run('ip', '-6', 'route', 'add', 'default', 'via', 'fd82:2::1');
    for (const [i, tool] of ['iptables', 'ip6tables'].entries())
      for (const chain of ['PREROUTING', 'OUTPUT'])
        for (const protocol of ['udp', 'tcp']) {
          const match = ['-A', chain, '-d', service[i]!, '-p', protocol, '--dport', '53'];
          node.run(tool, '-t', 'nat', ...match, '-j', 'DNAT', '--to-destination', upstream[i]!);
        }
    const server = dns.spawn(process.execPath, [path('server.mjs')]);
    const output = collect(server);
    server.stdout!.on('data', () => {
      asked = output();
    });
    await eventually(
      () => asked,
      (text) => text.split('listening').length === 3,
    );
  }

  function remove(): void {
    namespaces.remove();
    rmSync(folder, { recursive: true, force: true });
  }

  try {
    await setUp();
  } catch (error) {
    remove();
    throw error;
  }
  return {
    ...{ pod, node, configMap, path, collect, remove, clean },
    /** Starts the cache; with what it needs here, the flags given, and a sync interval of 300 ms. */
    start,
    /** Starts it and waits until it is ready. */
    startReady,
    stop,
    ...{ ready, metric, addresses, listings, allRules, dig, short, timesAsked, isAsked, keepAsking },
  };
}
