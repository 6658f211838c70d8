/** What a user does with sessionPersistence of an HTTPRoute: clients stay with a Pod, through rollouts of others and canaries. */
import { execFile, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { explain } from '../../src/insight/explain/explain.ts';
import { parseRequest } from '../../src/insight/explain/request.ts';
import { openWorld } from '../../src/insight/sources.ts';
import type { HTTPRoute } from '../../src/kube/types/index.ts';
import { apiOf, ask, canBind, conditionsOf, eventually, openDoor, type TestDoor } from '../support/door.ts';
import { app, backendRef, gateway, httpRoute, type Manifest, stream } from '../support/manifests.ts';

const under = (value: string) => ({ matches: [{ path: { type: 'PathPrefix', value } }] });
const rule = (path: string, sessionPersistence: Manifest, backendRefs: readonly Manifest[] = [backendRef('web')]) => ({
  ...under(path),
  sessionPersistence,
  backendRefs,
});
const canary = (weights: readonly [number, number]) =>
  ['web', 'next'].map((name, i) => backendRef(name, { weight: weights[i] }));

const rules = (weights: readonly [number, number]) => [
  rule('/a', { sessionName: 'shared' }),
  rule('/b', { sessionName: 'shared' }),
  rule('/canary', {}, canary(weights)),
  rule('/permanent', { sessionName: 'p', absoluteTimeout: '5m', cookieConfig: { lifetimeType: 'Permanent' } }),
  rule('/header', { sessionName: 'X-Session', type: 'Header' }),
];
const manifests = [
  ...app('web', { replicas: 3 }),
  ...app('next', { replicas: 2 }),
  gateway('gw'),
  httpRoute('sessions', 'gw', rules([7, 3])),
];

const hasCurl = spawnSync('curl', ['--version']).status === 0;

describe.skipIf(!canBind)('sessionPersistence', () => {
  let door: TestDoor;
  const address = () => door.summary.gateways.find(({ name }) => name === 'gw')!.addresses[0]!;
  const get = async (path: string, headers: Record<string, string> = {}) => {
    const answer = await ask({ address: address(), path, headers });
    const set = answer.headers['set-cookie']?.[0];
    return { ...answer, pod: answer.echo.pod, set, pair: set?.split(';')[0] };
  };
  const route = '/apis/gateway.networking.k8s.io/v1/namespaces/default/httproutes/sessions';

  beforeAll(async () => {
    door = await openDoor(11, { paths: ['-'], stdin: stream(...manifests) });
  });
  afterAll(() => door?.close(0));

  it('is accepted, and nothing is said against it', () => {
    const { status } = door.store.get<HTTPRoute>('httproutes.gateway.networking.k8s.io', 'default/sessions')!;
    expect(conditionsOf(status?.parents[0]?.conditions)).toEqual([
      'Accepted=True(Accepted)',
      'ResolvedRefs=True(ResolvedRefs)',
    ]);
    expect(door.diagnostics().filter(({ code }) => code.startsWith('FW33'))).toEqual([]);
  });

  it('keeps a client on its Pod: one cookie, without an end, and then fifty requests', async () => {
    const first = await get('/a/1');
    expect(first.set).toMatch(/^shared=[\w-]+; Path=\/a; SameSite=Lax; HttpOnly$/);
    for (let i = 0; i < 50; i++) {
      const next = await get('/a/2', { cookie: first.pair! });
      expect([next.pod, next.set]).toEqual([first.pod, undefined]);
    }
  });

  it('shares no session between rules, not even under one name', async () => {
    const first = await get('/a');
    const there = await get('/b', { cookie: first.pair! });
    expect(there.set).toMatch(/^shared=[\w-]+; Path=\/b;/);
    expect(there.pair).not.toBe(first.pair);
  });

  it('lets new clients follow the weights and keeps the others, whatever becomes of the weights', async () => {
    const clients = [];
    for (let i = 0; i < 20; i++) clients.push(await get('/canary'));
    expect(clients.filter(({ pod }) => pod.startsWith('next-'))).toHaveLength(6);
    await apiOf(door).patch(route, { spec: { rules: rules([1, 0]) } });
    await eventually(
      async () => Promise.all(Array.from({ length: 12 }, () => get('/canary'))),
      (answers) => answers.every(({ pod }) => pod.startsWith('web-')),
    );
    for (const { pair, pod } of clients) expect((await get('/canary', { cookie: pair! })).pod).toBe(pod);
  });

  it('lets a cookie last where it is to last', async () => {
    const { set } = await get('/permanent');
    expect(set).toMatch(/; Max-Age=300; /);
    const expires = Date.parse(/; Expires=([^;]+)/.exec(set!)![1]!);
    expect(Math.abs(expires - Date.now() - 300_000)).toBeLessThan(10_000);
  });

  it('works with a header instead of a cookie', async () => {
    const first = await get('/header');
    expect(first.set).toBeUndefined();
    const session = first.headers['x-session'] as string;
    for (let i = 0; i < 6; i++) expect((await get('/header', { 'x-session': session })).pod).toBe(first.pod);
  });

  it.skipIf(!hasCurl)('is understood by curl’s cookie jar, path and all', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'sessions-'));
    const jar = join(folder, 'jar');
    try {
      const pods: string[] = [];
      for (const path of ['/a/1', '/a/2', '/a', '/a/3']) {
        const args = ['-s', '-m', '5', '-b', jar, '-c', jar, `http://${address()}${path}`];
        const { stdout } = await promisify(execFile)('curl', args);
        pods.push((JSON.parse(stdout) as { pod: string }).pod);
      }
      expect(new Set(pods).size).toBe(1);
      expect(readFileSync(jar, 'utf8')).toMatch(/^#HttpOnly_[0-9.]+\tFALSE\t\/a\tFALSE\t0\tshared\t/m);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('goes on at another Pod when its own is deleted', async () => {
    const first = await get('/a');
    await apiOf(door).remove(`/api/v1/namespaces/default/pods/${first.pod}`);
    const moved = await eventually(
      () => get('/a', { cookie: first.pair! }),
      ({ pod }) => pod !== first.pod,
    );
    expect(moved.status).toBe(200);
    for (let i = 0; i < 6; i++) expect((await get('/a', { cookie: moved.pair! })).pod).toBe(moved.pod);
  });

  it('is shown by explain', async () => {
    const stdin = stream(...manifests);
    const world = await openWorld({ files: ['-'], stdin, nodeResolvConf: 'nameserver 192.0.2.53\n' });
    const request = parseRequest({ url: 'http://gw.example/permanent' });
    if (!request.ok) throw new Error(request.error);
    const { steps } = await explain(world, request.value);
    expect(steps.flatMap(({ details }) => details)).toContain(
      'sessions by cookie p (path /permanent), on the endpoint that each began on, for at most 300 s',
    );
  });
});
