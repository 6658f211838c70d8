/** The commands themselves: `fairway up --no-gateway`, two `fairway gateway`, and signals. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { packageRoot } from '../../src/base/package-root.ts';
import { clusterConfigOf } from '../../src/local/config.ts';
import { ask, canBind, eventually } from '../support/door.ts';
import { app, backendRef, gateway, httpRoute, stream } from '../support/manifests.ts';
import { sendTraffic } from '../support/replica.ts';

if (!canBind) console.log('skipped: the front door on its own addresses needs Linux and root');

const fairway = join(packageRoot, 'bin/fairway.js');
const instance = 6;
const addresses = ['127.77.90.1', '127.77.90.2'] as const;
const [steady, slow] = ['steady.example.com', 'slow.example.com'] as const;

interface Started {
  readonly child: ChildProcess;
  readonly output: () => string;
  readonly ended: Promise<number | null>;
}

describe.skipIf(!canBind)('fairway gateway as processes', () => {
  const folder = mkdtempSync(join(tmpdir(), 'gateway-process-'));
  const manifests = join(folder, 'manifests.yaml');
  const children: Started[] = [];
  let gateways: Started[] = [];
  let backend: Server;
  let api = '';

  function start(...words: string[]): Started {
    const child = spawn(process.execPath, [fairway, ...words], { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] });
    let text = '';
    for (const out of [child.stdout!, child.stderr!]) out.on('data', (chunk: Buffer) => (text += chunk.toString()));
    const started = {
      ...{ child, output: () => text },
      ended: new Promise<number | null>((resolve) => child.on('exit', resolve)),
    };
    children.push(started);
    return started;
  }

  const startGateway = (address: string): Started =>
    start(
      ...['gateway', '--server', api, '--listen', address, '--address', '192.0.2.8'],
      ...['--health', `${address}:8082`, '--lease-duration', '3', '--drain-timeout', '10'],
    );
  const health = async (address: string, path: string): Promise<number> => {
    const answer = await fetch(`http://${address}:8082${path}`).catch(() => undefined);
    return answer?.status ?? 0;
  };
  const ready = (address: string) =>
    eventually(
      () => health(address, '/ready'),
      (status) => status === 200,
      15_000,
    );
  const lease = async () => {
    const answer = await fetch(`${api}/apis/coordination.k8s.io/v1/namespaces/default/leases/fairway-gateway`);
    return ((await answer.json()) as { spec?: { holderIdentity?: string; leaseTransitions?: number } }).spec;
  };
  const leads = ({ output }: Started) => output().includes('this replica leads: it writes');

  beforeAll(async () => {
    backend = createServer((_, response) => setTimeout(() => response.end('late'), 700));
    await new Promise<void>((resolve) => backend.listen(8080, '127.77.90.9', resolve));
    const routes = { [steady]: 'web', [slow]: 'slow' };
    const documents = Object.entries(routes).map(([host, name]) =>
      httpRoute(name, 'door', [{ backendRefs: [backendRef(name)] }], { hostnames: [host] }),
    );
    writeFileSync(manifests, stream(...app('web'), ...app('slow'), gateway('door'), ...documents));
    const up = start(
      ...['up', manifests, '--json', '--no-gateway', '--no-watch', '--instance', String(instance)],
      ...['--api-port', '0', '--dns-port', '0', '--backend', 'default/slow=127.77.90.9:8080'],
    );
    const line = await eventually(
      () => up.output().split('\n')[0]!,
      (text) => text.includes('"ready"'),
      20_000,
    );
    api = (JSON.parse(line) as { api: string }).api;
    // The front door of this cluster stays shut: that is the gateways' to open.
    await expect(ask({ address: clusterConfigOf(instance).ingressAddress })).rejects.toThrow('ECONNREFUSED');
    gateways = addresses.map(startGateway);
    for (const address of addresses) await ready(address);
  }, 60_000);
  afterAll(async () => {
    for (const { child } of children) child.kill('SIGKILL');
    await Promise.all(children.map(({ ended }) => ended));
    backend?.close();
    rmSync(folder, { recursive: true });
  });

  it('go on when the leader is killed, and end with grace when they are asked to', async () => {
    await eventually(
      () => gateways.filter(leads).length,
      (count) => count === 1,
    );
    const leader = gateways.findIndex(leads);
    const other = 1 - leader;
    const traffic = sendTraffic(addresses[other]!, steady);
    const before = await lease();
    const killedAt = performance.now();
    gateways[leader]!.child.kill('SIGKILL');
    await eventually(() => leads(gateways[other]!), Boolean, 8000);
    // Its Lease runs out after 3 s; another candidate looks every 0.6 to 1.3 s.
    expect(performance.now() - killedAt).toBeLessThan(6000);
    expect((await lease())?.leaseTransitions).toBe((before?.leaseTransitions ?? 0) + 1);
    expect(await health(addresses[other]!, '/live')).toBe(200);
    expect(await traffic.stop()).toEqual({});

    const late = ask({ address: addresses[other]!, host: slow });
    await new Promise((resume) => setTimeout(resume, 200));
    const last = gateways[other]!;
    last.child.kill('SIGTERM');
    await eventually(
      () => health(addresses[other]!, '/ready'),
      (status) => status === 503 || status === 0,
    );
    expect((await late).text).toBe('late');
    expect(await last.ended).toBe(0);
    expect((await lease())?.holderIdentity).toBe('');
  });

  it('refuses flags that would say nothing', async () => {
    const { ended, output } = start('up', manifests, '--no-gateway', '--workers', '2');
    expect(await ended).toBe(2);
    expect(output()).toContain('--workers says nothing with --no-gateway');
  });
});
