/** Where things answer: the same example where ports below 1024 or addresses besides 127.0.0.1 cannot be had: it works where the summary says. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { chownSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, describe, expect, it } from 'vitest';
import { packageRoot } from '../../src/base/package-root.ts';
import { renderReady } from '../../src/cli/ready-table.ts';
import { clusterConfigOf } from '../../src/local/config.ts';
import type { Summary } from '../../src/local/summary.ts';
import { askDns } from '../support/dns.ts';
import { ask, canBind, openDoor, type TestDoor } from '../support/door.ts';
import { app, type Manifest, stream } from '../support/manifests.ts';

const example = join(packageRoot, 'examples/front-door');

/** Goes through every door that the summary tells of. */
async function walk({ ingress, gateways, services, dns }: Summary): Promise<void> {
  const [address] = ingress.addresses as [string];
  const front = await ask({ address, port: ingress.http, host: 'web.example.com' });
  expect(front.echo.pod).toMatch(/^web-frontend-/);
  const secure = await ask({ address, port: ingress.https, host: 'api.example.com', path: '/v1', tls: true });
  expect(secure.echo.pod).toMatch(/^api-v1-/);

  const gateway = gateways.find(({ name }) => name === 'external-gateway')!;
  const portOf = (listener: string) => gateway.listeners.find(({ name }) => name === listener)!.port;
  const [own] = gateway.addresses as [string];
  const canary = await ask({ address: own, port: portOf('http'), host: 'canary.example.com' });
  expect(canary.echo.pod).toMatch(/^api-v[12]-/);
  const legacy = { host: 'api.example.com', path: '/legacy/x', tls: true };
  expect((await ask({ address: own, port: portOf('https'), ...legacy })).echo.path).toBe('/v1/x');

  for (const name of ['api-v1', 'api-v2', 'web-frontend']) {
    const service = services.find((each) => each.namespace === 'default' && each.name === name)!;
    const [place] = service.ports[0]!.at as [string];
    const [host, port] = place.split(':') as [string, string];
    expect((await ask({ address: host, port: Number(port) })).echo.pod).toMatch(new RegExp(`^${name}-`));
    for (const server of dns) {
      const reply = await askDns(server, `${name}.default.svc.cluster.local`);
      expect(reply.data('A')).toEqual([service.clusterIP]);
    }
  }
  expect(dns).toHaveLength(2);
}

const codesOf = ({ diagnostics }: Summary) =>
  diagnostics.filter(({ severity }) => severity !== 'info').map(({ code }) => code);

describe.skipIf(!canBind)('fairway up --bind-mode', () => {
  let door: TestDoor;
  afterEach(() => door.close(0));

  it('high-ports: the same addresses, low ports moved up, and a word about it', async () => {
    door = await openDoor(16, { paths: [example], bindMode: 'high-ports' });
    expect(codesOf(door.summary)).toEqual(['FW5001']);
    expect(door.summary.ingress).toEqual({
      addresses: [door.config.ingressAddress],
      http: 8080,
      https: 8443,
      streams: [],
    });
    expect(door.summary.dns[0]).toEqual({ address: door.config.dnsAddress, port: 1053 });
    await walk(door.summary);
    const { clusterIP } = door.summary.services.find(({ name }) => name === 'api-v1')!;
    expect(renderReady(door.summary, door.store, 1)).toContain(`80/TCP at ${clusterIP}:8080`);
  });

  it('single-address: everything on 127.0.0.1, each at a port of its own', async () => {
    door = await openDoor(16, { paths: [example], bindMode: 'single-address' });
    expect(codesOf(door.summary)).toEqual(['FW5002']);
    const { ingress, gateways, services, dns } = door.summary;
    const addresses = [...ingress.addresses, ...gateways.flatMap((each) => each.addresses)];
    expect(new Set([...addresses, ...dns.map(({ address }) => address)])).toEqual(new Set(['127.0.0.1']));
    const places = services.flatMap(({ ports }) =>
      ports.flatMap(({ protocol, at }) => at.map((place) => `${protocol} ${place}`)),
    );
    expect(new Set(places).size).toBe(places.length);
    expect(places.length).toBeGreaterThan(3);
    await walk(door.summary);
  });

  it('native: nothing moves', async () => {
    door = await openDoor(16, { paths: [example], bindMode: 'native' });
    const web = door.summary.services.find(({ name }) => name === 'web-frontend')!;
    expect(web.ports).toEqual([{ name: 'http', port: 80, protocol: 'TCP', at: [`${web.clusterIP}:80`] }]);
    await walk(door.summary);
    expect(renderReady(door.summary, door.store, 1)).not.toContain(' at 127.');
  });
});

describe.skipIf(!canBind)('addresses', () => {
  const service = (name: string, spec: Manifest = {}): Manifest => ({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name },
    spec: { ports: [{ port: 80 }], ...spec },
  });
  const open = (...manifests: Manifest[]) => openDoor(16, { paths: ['-'], stdin: stream(...manifests) });
  const addressesIn = ({ summary }: TestDoor) =>
    Object.fromEntries(summary.services.map(({ name, clusterIP }) => [name, clusterIP]));

  it('are the same in every run, whatever else there is, and what is asked for is given', async () => {
    const prefix = clusterConfigOf(16).servicePrefix;
    const same = [
      service('web'),
      service('fixed', { clusterIP: `${prefix}.9.9` }),
      service('headless', { clusterIP: 'None' }),
      service('both', { ipFamilyPolicy: 'RequireDualStack', clusterIP: `${prefix}.9.10` }),
    ];
    const first = await open(...same);
    const before = addressesIn(first);
    await first.close(0);
    const second = await open(service('aaa'), ...same.toReversed(), service('zzz'));
    const after = addressesIn(second);
    await second.close(0);
    expect(after).toMatchObject(before);
    expect(before).toMatchObject({ fixed: `${prefix}.9.9`, headless: 'None', both: `${prefix}.9.10` });
    expect(new Set(Object.values(after)).size).toBe(Object.keys(after).length);
  });

  it('NodePorts answer on the node and on 127.0.0.1, load balancers where they are asked for', async () => {
    const { loadBalancerPrefix, nodeAddress } = clusterConfigOf(16);
    const wish = { type: 'LoadBalancer', loadBalancerIP: `${loadBalancerPrefix}.9.9` };
    const ports = [{ port: 80, targetPort: 'web', nodePort: 31616 }];
    const door = await open(...app('one', { service: { ...wish, ports } }));
    const pods = [];
    for (const [
      address,
      port,
    ] of [[nodeAddress, 31616], ['127.0.0.1', 31616], [`${loadBalancerPrefix}.9.9`, 80]] as const) // biome-ignore format: one line
      pods.push((await ask({ address, port })).echo.pod);
    const places = door.summary.services.find(({ name }) => name === 'one')!.ports[0]!.at;
    await door.close(0);
    expect(new Set(pods).size).toBe(1);
    expect(places.slice(1)).toEqual([`${loadBalancerPrefix}.9.9:80`, `${nodeAddress}:31616`, '127.0.0.1:31616']);
  });
});

/** The user `nobody`, who owns nothing. */
const nobody = { uid: 65534, gid: 65534 };
const fairway = join(packageRoot, 'bin/fairway.js');

/** Why `fairway up` cannot be tried as another user here; undefined when it can. */
function whyNotAsNobody(): string | undefined {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return 'only root can start a process of another user';
  if (!existsSync(join(packageRoot, 'dist/main.js'))) return 'dist is not built';
  if (Number(readFileSync('/proc/sys/net/ipv4/ip_unprivileged_port_start', 'utf8')) <= 80)
    return 'everybody may bind low ports on this machine';
  const { status } = spawnSync(process.execPath, [fairway, '--version'], { ...nobody, cwd: '/' });
  return status === 0 ? undefined : 'the user nobody cannot read this folder';
}

const reason = whyNotAsNobody();
if (reason) console.log(`skipped: fairway up without privilege: ${reason}`);

describe.skipIf(reason !== undefined)('fairway up as a user without privilege', () => {
  let child: ChildProcess;
  let folder: string;
  afterEach(async () => {
    child.kill('SIGKILL');
    rmSync(folder, { recursive: true });
  });

  it('finds out by itself what it may bind, works there, says so with a code, and ends cleanly', async () => {
    folder = mkdtempSync(join(tmpdir(), 'nobody-'));
    chownSync(folder, nobody.uid, nobody.gid);
    child = spawn(process.execPath, [fairway, 'up', example, '--json', '--no-watch', '--instance', '16'], {
      ...nobody,
      cwd: folder,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const ended = new Promise<number | null>((resolve) => child.on('exit', resolve));
    const events: { event: string }[] = [];
    for await (const line of createInterface({ input: child.stdout! })) {
      const event = JSON.parse(line) as { event: string };
      events.push(event);
      if (event.event !== 'ready') continue;
      const summary = event as unknown as Summary;
      expect(summary.ingress.http).toBe(8080);
      expect(codesOf(summary)).toEqual(['FW5001']);
      await walk(summary);
      child.kill('SIGINT');
    }
    expect(await ended).toBe(0);
    expect(events.at(-1)!.event).toBe('stopped');
  });
});
