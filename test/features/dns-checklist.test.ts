/**
 * The check list of the Kubernetes DNS specification 1.1.0, asked by dig: from manifests and from the API of a running
 * front door, over IPv4 and over IPv6, over UDP and over TCP. One table for all.
 */
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openApiSource } from '../../src/dns/objects/api-source.ts';
import type { ApiAccess, ObjectSource } from '../../src/dns/plugins/setup.ts';
import { type CorefileServer, createCorefileServer } from '../../src/dns/server/corefile-server.ts';
import type { Pod } from '../../src/kube/types/index.ts';
import { clusterConfigOf } from '../../src/local/config.ts';
import { openManifestStore } from '../../src/local/manifest-store.ts';
import { digVersion } from '../support/dig.ts';
import { canBind, openDoor } from '../support/door.ts';
import { type Manifest, namespace, stream } from '../support/manifests.ts';

const run = promisify(execFile);
const instance = 23;
const config = clusterConfigOf(instance);
const zone = 'cluster.local';
const shop = `shop.svc.${zone}`;
const address = '127.82.4.30';
const hasIPv6 = await new Promise<boolean>((resolve) => {
  const server = createServer();
  server.once('error', () => resolve(false));
  server.listen(0, '::1', () => server.close(() => resolve(true)));
});

const web4 = `${config.servicePrefix}.5.7`;
const web6 = 'fd00:96::507';
const dual = { ipFamilyPolicy: 'RequireDualStack', ipFamilies: ['IPv4', 'IPv6'] };

const service = (name: string, spec: Manifest): Manifest => ({
  ...{ apiVersion: 'v1', kind: 'Service', metadata: { name, namespace: 'shop' } },
  spec,
});
const port = (number: number, name?: string, protocol = 'TCP') => ({ port: number, protocol, ...(name && { name }) });

/** EndpointSlices of a Service without selector, one for each family. */
function slices(
  of: string,
  ports: readonly Manifest[],
  endpoints: readonly { hostname?: string; v4: string; v6: string; ready?: boolean }[],
): Manifest[] {
  return (['IPv4', 'IPv6'] as const).map((addressType) => ({
    ...{ apiVersion: 'discovery.k8s.io/v1', kind: 'EndpointSlice', addressType },
    metadata: {
      name: `${of}-${addressType.toLowerCase()}`,
      namespace: 'shop',
      labels: { 'kubernetes.io/service-name': of },
    },
    ports: ports.map(({ port: number, name = '', protocol = 'TCP' }) => ({ port: number, name, protocol })),
    endpoints: endpoints.map(({ hostname, v4, v6, ready = true }) => ({
      addresses: [addressType === 'IPv4' ? v4 : v6],
      conditions: { ready },
      ...(hostname && { hostname }),
    })),
  }));
}

const httpPort = [port(80, 'http')];
const manifests: Manifest[] = [
  namespace('shop'),
  service('web', {
    ...dual,
    clusterIP: web4,
    clusterIPs: [web4, web6],
    ports: [port(80, 'http'), port(53, 'dns', 'UDP')],
  }),
  service('unnamed', { ...dual, ports: [port(8080)] }),
  service('nodes', { ...dual, clusterIP: 'None', ports: httpPort }),
  ...slices('nodes', httpPort, [
    { hostname: 'a', v4: '192.0.2.1', v6: '2001:db8::1' },
    { hostname: 'b', v4: '192.0.2.2', v6: '2001:db8::2' },
    { hostname: 'twin', v4: '192.0.2.3', v6: '2001:db8::3' },
    { hostname: 'twin', v4: '192.0.2.4', v6: '2001:db8::4' },
    { hostname: 'late', v4: '192.0.2.5', v6: '2001:db8::5', ready: false },
  ]),
  service('bare', { ...dual, clusterIP: 'None', ports: [port(8080)] }),
  ...slices('bare', [port(8080)], [{ v4: '192.0.2.10', v6: '2001:db8::10' }]),
  service('unready', { ...dual, clusterIP: 'None', ports: httpPort }),
  ...slices('unready', httpPort, [{ hostname: 'x', v4: '192.0.2.20', v6: '2001:db8::20', ready: false }]),
  service('db', { ...dual, clusterIP: 'None', selector: { app: 'db' }, ports: [port(5432, 'sql')] }),
  {
    ...{ apiVersion: 'apps/v1', kind: 'StatefulSet', metadata: { name: 'db', namespace: 'shop' } },
    spec: {
      ...{ serviceName: 'db', replicas: 2, selector: { matchLabels: { app: 'db' } } },
      template: {
        metadata: { labels: { app: 'db' } },
        spec: { containers: [{ name: 'main', image: 'example.com/db:1', ports: [{ containerPort: 5432 }] }] },
      },
    },
  },
  service('ext', { type: 'ExternalName', externalName: 'www.example.org' }),
  service('alias', { type: 'ExternalName', externalName: `web.${shop}` }),
];

/** Addresses of Pods that were given out, by name. */
type Pods = (name: string) => { readonly v4: string; readonly v6: string };

type Row = [what: string, question: string[], expected: string[] | ((pods: Pods) => string[])];

const rows: Row[] = [
  ['2.1 any case', [`WEB.Shop.SVC.Cluster.Local`, 'A'], [`A ${web4}`]],
  ['2.2 schema version', [`dns-version.${zone}`, 'TXT'], ['TXT "1.1.0"']],
  ['2.3.1 ClusterIP, A', [`web.${shop}`, 'A'], [`A ${web4}`]],
  ['2.3.1 ClusterIP, AAAA', [`web.${shop}`, 'AAAA'], [`AAAA ${web6}`]],
  ['2.3.2 ClusterIP, SRV of a TCP port', [`_http._tcp.web.${shop}`, 'SRV'], [`SRV 0 50 80 web.${shop}.`]],
  ['2.3.2 ClusterIP, SRV of a UDP port', [`_dns._udp.web.${shop}`, 'SRV'], [`SRV 0 50 53 web.${shop}.`]],
  ['2.3.2 ClusterIP, no SRV of another port', [`_http._udp.web.${shop}`, 'SRV'], ['NXDOMAIN']],
  ['2.3.2 ClusterIP, no SRV of an unnamed port', [`_8080._tcp.unnamed.${shop}`, 'SRV'], ['NXDOMAIN']],
  ['2.3.3 ClusterIP, PTR IPv4', ['-x', web4], [`PTR web.${shop}.`]],
  ['2.3.3 ClusterIP, PTR IPv6', ['-x', web6], [`PTR web.${shop}.`]],
  [
    '2.4.1 headless, A of all ready endpoints',
    [`nodes.${shop}`, 'A'],
    ['A 192.0.2.1', 'A 192.0.2.2', 'A 192.0.2.3', 'A 192.0.2.4'],
  ],
  [
    '2.4.1 headless, AAAA of all ready endpoints',
    [`nodes.${shop}`, 'AAAA'],
    ['AAAA 2001:db8::1', 'AAAA 2001:db8::2', 'AAAA 2001:db8::3', 'AAAA 2001:db8::4'],
  ],
  ['2.4.1 headless, nobody ready, A', [`unready.${shop}`, 'A'], ['NXDOMAIN']],
  ['2.4.1 headless, nobody ready, AAAA', [`unready.${shop}`, 'AAAA'], ['NXDOMAIN']],
  ['2.4.1 headless, A of a hostname', [`a.nodes.${shop}`, 'A'], ['A 192.0.2.1']],
  ['2.4.1 headless, AAAA of a hostname', [`b.nodes.${shop}`, 'AAAA'], ['AAAA 2001:db8::2']],
  ['2.4.1 headless, A of a hostname that several have', [`twin.nodes.${shop}`, 'A'], ['A 192.0.2.3', 'A 192.0.2.4']],
  [
    '2.4.1 headless, AAAA of a hostname that several have',
    [`twin.nodes.${shop}`, 'AAAA'],
    ['AAAA 2001:db8::3', 'AAAA 2001:db8::4'],
  ],
  ['2.4.1 headless, a hostname that is not ready', [`late.nodes.${shop}`, 'A'], ['NXDOMAIN']],
  ['2.4.1 headless, A of an endpoint without hostname', [`192-0-2-10.bare.${shop}`, 'A'], ['A 192.0.2.10']],
  [
    '2.4.1 headless, AAAA of an endpoint without hostname',
    [`2001-db8--10.bare.${shop}`, 'AAAA'],
    ['AAAA 2001:db8::10'],
  ],
  ['2.4.1 StatefulSet, A of a Pod', [`db-1.db.${shop}`, 'A'], (pods) => [`A ${pods('db-1').v4}`]],
  ['2.4.1 StatefulSet, AAAA of a Pod', [`db-1.db.${shop}`, 'AAAA'], (pods) => [`AAAA ${pods('db-1').v6}`]],
  ['2.4.1 StatefulSet, A of all', [`db.${shop}`, 'A'], (pods) => [`A ${pods('db-0').v4}`, `A ${pods('db-1').v4}`]],
  [
    '2.4.1 StatefulSet, AAAA of all',
    [`db.${shop}`, 'AAAA'],
    (pods) => [`AAAA ${pods('db-0').v6}`, `AAAA ${pods('db-1').v6}`],
  ],
  [
    '2.4.2 headless, SRV',
    [`_http._tcp.nodes.${shop}`, 'SRV'],
    ['a', 'b', 'twin'].map((host) => `SRV 0 12 80 ${host}.nodes.${shop}.`),
  ],
  [
    '2.4.2 StatefulSet, SRV',
    [`_sql._tcp.db.${shop}`, 'SRV'],
    ['db-0', 'db-1'].map((host) => `SRV 0 25 5432 ${host}.db.${shop}.`),
  ],
  ['2.4.2 headless, no SRV of an unnamed port', [`_8080._tcp.bare.${shop}`, 'SRV'], ['NXDOMAIN']],
  ['2.4.3 headless, PTR IPv4', ['-x', '192.0.2.1'], [`PTR a.nodes.${shop}.`]],
  ['2.4.3 headless, PTR IPv6', ['-x', '2001:db8::1'], [`PTR a.nodes.${shop}.`]],
  ['2.4.3 headless, PTR of a hostname that several have', ['-x', '192.0.2.4'], [`PTR twin.nodes.${shop}.`]],
  ['2.5 ExternalName, CNAME and A', [`ext.${shop}`, 'A'], ['A 203.0.113.5', 'CNAME www.example.org.']],
  ['2.5 ExternalName, CNAME and AAAA', [`ext.${shop}`, 'AAAA'], ['AAAA 2001:db8:f::5', 'CNAME www.example.org.']],
  ['2.5 ExternalName, into the cluster', [`alias.${shop}`, 'A'], [`A ${web4}`, `CNAME web.${shop}.`]],
  ['2.5 ExternalName, into the cluster, IPv6', [`alias.${shop}`, 'AAAA'], [`AAAA ${web6}`, `CNAME web.${shop}.`]],
  ['no such name', [`missing.${shop}`, 'A'], ['NXDOMAIN']],
  ['no such record', [`web.${shop}`, 'MX'], ['NOERROR']],
];

const corefile = (access: string) => `.:0 {
    bind ${[address, ...(hasIPv6 ? ['::1'] : [])].join(' ')}
    errors
    hosts {
        203.0.113.5 www.example.org
        2001:db8:f::5 www.example.org
        fallthrough
    }
    kubernetes ${zone} in-addr.arpa ip6.arpa {
        ${access}
        fallthrough in-addr.arpa ip6.arpa
    }
}
`;

/** `TYPE DATA` of each answer, sorted; the rcode alone when there is none. */
async function dig(server: { address: string; port: number }, question: readonly string[]): Promise<string[]> {
  const args = [
    `@${server.address}`,
    '-p',
    String(server.port),
    '+tries=2',
    '+time=3',
    '+noall',
    '+comments',
    '+answer',
  ];
  const { stdout } = await run('dig', [...args, ...question]);
  const answers = stdout.split('\n').filter((line) => line !== '' && !line.startsWith(';'));
  const found = answers.map((line) => line.split(/\s+/).slice(3).join(' '));
  return found.length > 0 ? found.sort() : [/status: (\w+)/.exec(stdout)?.[1] ?? stdout];
}

interface Running {
  readonly pods: Pods;
  readonly server: CorefileServer;
  readonly problems: string[];
  stop(): Promise<void>;
}

async function serve(access: string, openObjects: (wanted: ApiAccess) => ObjectSource | { error: string }) {
  const problems: string[] = [];
  const server = createCorefileServer({
    ...{ file: 'Corefile', text: corefile(access), openObjects },
    log: (_, line) => problems.push(line),
    onFatal: (reason) => problems.push(reason),
  });
  const started = await server.start();
  if (!started.ok) throw new Error(started.error);
  return { server, problems };
}

function podAddresses(pods: readonly Pod[]): Pods {
  return (name) => {
    const found = pods.find(({ metadata }) => metadata.namespace === 'shop' && metadata.name === name);
    const ips = (found?.status?.podIPs ?? []).map(({ ip }) => ip);
    return { v4: ips.find((ip) => !ip.includes(':')) ?? 'none', v6: ips.find((ip) => ip.includes(':')) ?? 'none' };
  };
}

async function fromManifests(): Promise<Running> {
  const folder = mkdtempSync(join(tmpdir(), 'dns-checklist-'));
  const file = join(folder, 'manifests.yaml');
  writeFileSync(file, stream(...manifests));
  const opened = await openManifestStore({
    paths: [file],
    config,
    onError(error) {
      throw error;
    },
  });
  expect(opened.diagnostics().filter(({ severity }) => severity === 'error')).toEqual([]);
  const running = await serve('', () => ({ store: opened.store, synced: () => true, close: () => {} }));
  return {
    ...running,
    pods: podAddresses(opened.store.list('pods') as unknown as Pod[]),
    async stop() {
      await running.server.stop();
      await opened.close();
      rmSync(folder, { recursive: true });
    },
  };
}

async function fromApi(): Promise<Running> {
  const door = await openDoor(instance, { paths: ['-'], stdin: stream(...manifests) });
  const problems: string[] = [];
  const running = await serve(`endpoint ${door.summary.api}`, (access) =>
    openApiSource(access, { onError: (message) => problems.push(message) }),
  );
  const response = await fetch(`${door.summary.api}/api/v1/pods`);
  const { items } = (await response.json()) as { items: Pod[] };
  return {
    ...running,
    problems,
    pods: podAddresses(items),
    async stop() {
      await running.server.stop();
      await door.close(0);
    },
  };
}

if (!digVersion) console.warn('skipped: there is no dig here');
if (!canBind) console.warn('skipped: needs Linux and root, to bind addresses of 127/8 and low ports');
if (!hasIPv6) console.warn('skipped over IPv6: ::1 cannot be bound here');

describe.skipIf(!digVersion || !canBind).each<[string, () => Promise<Running>]>([
  ['manifests', fromManifests],
  ['the API of a running front door', fromApi],
])('from %s', (_, start) => {
  let running: Running;
  beforeAll(async () => {
    running = await start();
  });
  afterAll(async () => {
    await running.stop();
    expect(running.problems).toEqual([]);
  });

  const at = (host: string) => running.server.doors().find((door) => door.address === host)!;

  it.each(rows)('%s: dig %j', async (_what, question, expected) => {
    const wanted = [...(typeof expected === 'function' ? expected(running.pods) : expected)].sort();
    const asked = [dig(at(address), question), dig(at(address), ['+tcp', ...question])];
    if (hasIPv6) asked.push(dig(at('::1'), question), dig(at('::1'), ['+tcp', ...question]));
    for (const answers of await Promise.all(asked)) expect(answers).toEqual(wanted);
  });
});
