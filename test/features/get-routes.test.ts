/** `fairway get routes`: every compiled rule with its owner, rank, backends and status, from wherever objects come. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { load } from 'js-yaml';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { precedenceRule } from '../../src/insight/precedence.ts';
import type { RuleRow } from '../../src/insight/routes/types.ts';
import { openWorld } from '../../src/insight/sources.ts';
import { fairway } from '../support/command.ts';
import { canBind, eventually, openDoor, type TestDoor } from '../support/door.ts';
import {
  app,
  backendRef,
  gateway,
  gatewayVersion,
  httpRoute,
  ingress,
  type Manifest,
  namespace,
  path,
  stream,
} from '../support/manifests.ts';

const folder = mkdtempSync(join(tmpdir(), 'get-routes-'));
const file = join(folder, 'all.yaml');
afterAll(() => rmSync(folder, { recursive: true }));

const dated = (route: Manifest, day: number): Manifest => ({
  ...route,
  metadata: { ...(route['metadata'] as Manifest), creationTimestamp: `2026-01-0${day}T00:00:00Z` },
});
const to = (name: string, match: Manifest = {}) => ({ matches: [match], backendRefs: [backendRef(name)] });
const hostnames = ['a.example.com'];

const manifests = [
  namespace('far'),
  ...app('web', { replicas: 2 }),
  ...app('next'),
  ...app('none', { replicas: 0 }),
  gateway('gw', [
    { name: 'http', port: 80, protocol: 'HTTP' },
    { name: 'tcp', port: 9000, protocol: 'TCP' },
    { name: 'closed', port: 443, protocol: 'HTTPS', tls: { certificateRefs: [{ name: 'absent' }] } },
  ]),
  ingress('door', { 'i.example.com': [path('/', 'Prefix', 'web')] }),
  dated(
    httpRoute(
      'main',
      'gw',
      [
        {
          name: 'split',
          matches: [{ path: { value: '/split' } }],
          timeouts: { request: '5s' },
          filters: [{ type: 'RequestHeaderModifier', requestHeaderModifier: { set: [{ name: 'A', value: '1' }] } }],
          backendRefs: [backendRef('web', { weight: 3 }), backendRef('next'), backendRef('absent', { weight: 0 })],
        },
        to('none', { path: { type: 'Exact', value: '/exact' } }),
        to('web', { path: { type: 'RegularExpression', value: '/re.*' } }),
        to('web', { path: { value: '/long/path' } }),
        to('web', { path: { value: '/long' }, method: 'GET' }),
        to('web', { path: { value: '/long' }, headers: [{ name: 'x', value: '1' }] }),
        to('web', { path: { value: '/long' }, queryParams: [{ name: 'x', value: '1' }] }),
        to('web', { path: { value: '/long' } }),
        to('web', { path: { value: '/long' } }),
      ],
      { hostnames },
    ),
    1,
  ),
  dated(httpRoute('late', 'gw', [to('next', { path: { value: '/split' } })], { hostnames }), 2),
  dated(httpRoute('a-twin', 'gw', [to('next', { path: { value: '/split' } })], { hostnames }), 2),
  dated(httpRoute('wide', 'gw', [to('next')], { hostnames: ['*.example.com'] }), 1),
  httpRoute('shut', { name: 'gw', sectionName: 'closed' }, [to('web')], { hostnames }),
  {
    apiVersion: gatewayVersion,
    kind: 'TCPRoute',
    metadata: { name: 'db' },
    spec: { parentRefs: [{ name: 'gw', sectionName: 'tcp' }], rules: [{ backendRefs: [backendRef('web')] }] },
  },
  {
    apiVersion: gatewayVersion,
    kind: 'GRPCRoute',
    metadata: { name: 'calls' },
    spec: {
      ...{ parentRefs: [{ name: 'gw' }], hostnames },
      rules: [{ matches: [{ method: { service: 'shop.Orders', method: 'List' } }], backendRefs: [backendRef('web')] }],
    },
  },
];
beforeAll(() => writeFileSync(file, stream(...manifests)));

const rowsOf = async (...args: string[]): Promise<RuleRow[]> =>
  (JSON.parse((await fairway('get', 'routes', ...args, '-o', 'json')).text) as { items: RuleRow[] }).items;
const ofRoute = (rows: readonly RuleRow[], name: string) => rows.filter(({ owner }) => owner.name === name);

describe('get routes of files', () => {
  it('has one row for each match on each listener, ranked in the order in which they are tried', async () => {
    const rows = await rowsOf('-f', file);
    const http = rows.filter(({ listener, owner }) => listener?.endsWith(':80/HTTP') && owner.kind !== 'Ingress');
    expect(http.map(({ rank }) => rank)).toEqual(http.map((_, i) => i + 1));
    expect(http.map(({ owner, rule, ruleName }) => `${owner.name} ${ruleName ?? rule}`)).toEqual([
      ...['calls 0', 'main 1', 'main 2', 'main 3', 'main split', 'a-twin 0', 'late 0'],
      ...['main 4', 'main 5', 'main 6', 'main 7', 'main 8', 'wide 0'],
    ]);
  });

  it('tells weights, ready endpoints, filters and status of a rule', async () => {
    const [row] = ofRoute(await rowsOf('main', '-f', file), 'main').filter(({ ruleName }) => ruleName === 'split');
    expect(row).toMatchObject({
      owner: { kind: 'HTTPRoute', namespace: 'default', name: 'main' },
      ...{ rule: 0, match: 0, hostname: 'a.example.com', matches: 'path under /split', action: 'forward' },
      backends: [
        { namespace: 'default', service: 'web', port: 80, weight: 3, readyEndpoints: 2, endpoints: 2 },
        { service: 'next', weight: 1, readyEndpoints: 1, endpoints: 1 },
        { weight: 0, invalid: expect.stringContaining('the Service default/absent does not exist') },
      ],
      ...{ filters: ['request headers: set A: 1'], filterTypes: ['request-headers'], timeouts: 'request 5 s' },
      ...{ never: null, position: { file, line: expect.any(Number) } },
    });
    expect(row!.conditions.map(({ type, status, reason }) => `${type}=${status} ${reason}`)).toEqual([
      ...['Accepted=True Accepted', 'ResolvedRefs=False BackendNotFound', 'Programmed=True Programmed'],
    ]);
    const [empty] = (await rowsOf('main', '-f', file)).filter(({ rule }) => rule === 1);
    expect(empty!.backends).toMatchObject([{ service: 'none', readyEndpoints: 0, endpoints: 0 }]);
  });

  it('says of a rule that nothing gets to which one wins, and by which rule', async () => {
    const rows = await rowsOf('-f', file);
    const why = (name: string, rule = 0) => ofRoute(rows, name).find((row) => row.rule === rule)!.never;
    const wins = 'HTTPRoute default/main rule 0 has the same match and wins';
    expect(why('late')).toBe(`${wins}: the oldest route comes first, by creation timestamp`);
    expect(why('main', 8)).toBe(
      'HTTPRoute default/main rule 7 has the same match and wins: the first rule of a route comes first',
    );
    expect(why('shut')).toMatch(/^listener closed is closed: .*Secret default\/absent does not exist/);
  });

  it('a name or hostname shows those alone; one that is not there ends with 1', async () => {
    expect(new Set((await rowsOf('calls', '-f', file)).map(({ owner }) => owner.name))).toEqual(new Set(['calls']));
    expect((await rowsOf('*.example.com', '-f', file)).map(({ owner }) => owner.name)).toEqual(['wide']);
    expect(await fairway('get', 'routes', 'nobody', '-f', file)).toEqual({
      ...{ code: 1, text: 'No routes found in default namespace.\n' },
    });
    expect(await rowsOf('-n', 'far', '-f', file)).toEqual([]);
    await expect(fairway('get', 'routes', '-f', file, '-o', 'tree')).resolves.toMatchObject({ code: 2 });
  });

  it('a table fits 120 columns; wide cuts nothing; YAML is what JSON is', async () => {
    const { text } = await fairway('get', 'routes', '-f', file);
    expect(Math.max(...text.split('\n').map((line) => line.length))).toBeLessThanOrEqual(120);
    const wide = await fairway('get', 'routes', '-f', file, '-o', 'wide');
    expect(wide.text).toMatch(/^LISTENER +RANK +HOSTNAME +MATCH +OWNER +RULE +BACKENDS +FILTERS +STATUS\n/);
    expect(wide.text).toContain('web:80 ×3 2/2, next:80 ×1 1/1, invalid ×0');
    expect(wide.text).not.toContain('…');
    const yaml = await fairway('get', 'routes', '-f', file, '-o', 'yaml');
    expect((load(yaml.text) as { items: unknown }).items).toEqual(await rowsOf('-f', file));
  });
});

describe('the rule of precedence', () => {
  it('is one that speaks for the order of the plan, whichever two routes are compared', async () => {
    const world = await openWorld({ files: [file], nodeResolvConf: '' });
    const host = world.plan.listeners.flatMap(({ hosts }) => hosts).find((one) => one.hostname === hostnames[0])!;
    const told = (i: number, j: number) => precedenceRule(world, host.routes[i]!, host.routes[j]!, host.hostname);
    const neighbours = host.routes.slice(1).map((_, i) => told(i, i + 1));
    expect(neighbours).toEqual([
      'calls that a GRPCRoute takes are none of an HTTPRoute’s',
      'an Exact path comes before a regular expression, and that before a prefix',
      'an Exact path comes before a regular expression, and that before a prefix',
      'the longest path comes first',
      'the oldest route comes first, by creation timestamp',
      'of routes of one age the first by namespace/name comes first',
      'the longest path comes first',
      'a match of the method comes first',
      'the most header matches come first',
      'the most query parameter matches come first',
      'the first rule of a route comes first',
    ]);
  });

  it('of two hostnames is told too', async () => {
    const { text } = await fairway('explain', 'http://a.example.com/exact', '-f', file);
    expect(text).toContain(
      'HTTPRoute default/wide rule 0 match 0 on *.example.com: precedence: wants *.example.com; a.example.com is more specific',
    );
  });
});

if (!canBind) console.log('skipped: addresses of 127/8 cannot be bound');

describe.skipIf(!canBind)('get routes of an API', () => {
  let door: TestDoor;
  beforeAll(async () => {
    door = await openDoor(-8, { paths: [file] });
  });
  afterAll(() => door.close());

  it('has what files have, with the statuses that are written there', async () => {
    const server = door.summary.api;
    const programmed = (rows: readonly RuleRow[]) =>
      ofRoute(rows, 'db').flatMap(({ conditions }) => conditions.filter(({ type }) => type === 'Programmed'));
    const rows = await eventually(
      () => rowsOf('--server', server),
      (found) => programmed(found)[0]?.status === 'True',
    );
    /** Addresses are those of the instance, and nothing that came through an API has a place in a file. */
    const bare = (all: readonly RuleRow[]) =>
      JSON.stringify(all.map(({ position: _, ...row }) => row)).replace(/127(?:\.\d+){3}/g, 'ADDRESS');
    expect(bare(rows)).toEqual(bare(await rowsOf('-f', file)));
    const stored = door.store.get<{
      apiVersion: string;
      kind: string;
      metadata: { name: string };
      status: { parents: { conditions: unknown[] }[] };
    }>('tcproutes.gateway.networking.k8s.io', 'default/db');
    expect(stored!.status.parents[0]!.conditions).toContainEqual(
      expect.objectContaining(ofRoute(rows, 'db')[0]!.conditions[0]),
    );
  });

  it('by kubeconfig', async () => {
    const kubeconfig = join(folder, 'kubeconfig');
    const cluster = { name: 'up', cluster: { server: door.summary.api } };
    const context = { name: 'up', context: { cluster: 'up', user: 'up' } };
    const config = {
      apiVersion: 'v1',
      kind: 'Config',
      clusters: [cluster],
      contexts: [context],
      'current-context': 'up',
      users: [{ name: 'up', user: {} }],
    };
    writeFileSync(kubeconfig, JSON.stringify(config));
    expect(await rowsOf('--kubeconfig', kubeconfig)).toEqual(await rowsOf('--server', door.summary.api));
  });
});
