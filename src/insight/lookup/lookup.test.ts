/** The queries of glibc and musl, from what their sources do. */
import { describe, expect, it } from 'vitest';
import { createClusterDns } from '../../dns/cluster-dns.ts';
import { recordType } from '../../dns/wire/numbers.ts';
import { addressRecord } from '../../dns/wire/records.ts';
import { createStore } from '../../kube/store/store.ts';
import type { KubeObject } from '../../kube/types/index.ts';
import { type Ask, askThrough } from './exchange.ts';
import { type LookupInput, lookup } from './lookup.ts';
import { renderLookup } from './render.ts';
import { readResolverConfig } from './resolver-config.ts';

const resolvConf =
  'search shop.svc.cluster.local svc.cluster.local cluster.local\nnameserver 127.96.0.10\noptions ndots:5\n';
type Said = string | number | 'silence' | 'nodata';

/** A nameserver that knows A records (or an rcode, `nodata`, `silence`) by name; everything else does not exist. */
function fake(known: Record<string, Said>, perServer: Record<string, Record<string, Said>> = {}): Ask {
  return async (name, type, server) => {
    const said = perServer[server]?.[name] ?? known[name];
    if (said === undefined) return { rcode: 3, answers: [] };
    if (said === 'silence') return undefined;
    if (typeof said === 'number') return { rcode: said, answers: [] };
    const has = said !== 'nodata' && type === recordType.A;
    return { rcode: 0, answers: has ? [addressRecord(name, 5, said)] : [] };
  };
}

async function tried(name: string, known: Record<string, Said>, more: Partial<LookupInput> = {}) {
  const result = await lookup({ name, resolvConf, ask: fake(known), ...more });
  const { outcome, queries, wasted, steps } = result;
  return { outcome, queries, wasted, names: steps.map((step) => step.name), result };
}

const local = (name: string) => ['shop.svc.', 'svc.', ''].map((part) => `${name}.${part}cluster.local.`);

describe('glibc', () => {
  it('asks A and AAAA for each name of the search list, and stops at the first found', async () => {
    const { result, ...rest } = await tried('web', { 'web.shop.svc.cluster.local.': '10.0.0.1' });
    expect(rest).toEqual({ outcome: 'found', queries: 2, wasted: 0, names: ['web.shop.svc.cluster.local.'] });
    expect(result.answers).toEqual(['web.shop.svc.cluster.local. 5 A 10.0.0.1']);
    expect(result.advice).toEqual([]);
  });

  it('comes to names outside last, and says what would avoid that', async () => {
    const { result, ...rest } = await tried('www.example.org', { 'www.example.org.': '192.0.2.1' });
    expect(rest).toEqual({
      outcome: 'found',
      queries: 8,
      wasted: 6,
      names: [...local('www.example.org'), 'www.example.org.'],
    });
    expect(result.advice).toEqual([
      { kind: 'trailing dot', write: 'www.example.org.', queries: 2 },
      { kind: 'ndots', write: 'ndots:2', queries: 2 },
    ]);
  });

  it('keeps the promises of its advice', async () => {
    const known = { 'www.example.org.': '192.0.2.1', 'db.other.svc.cluster.local.': '10.0.0.1' };
    for (const name of ['www.example.org', 'db.other']) {
      const { advice, outcome } = (await tried(name, known)).result;
      expect(advice.length).toBeGreaterThan(0);
      for (const { kind, write, queries } of advice) {
        const changed = kind === 'ndots' ? { resolvConf: resolvConf.replace('ndots:5', write) } : {};
        const after = await tried(kind === 'ndots' ? name : write, known, changed);
        expect({ outcome: after.outcome, queries: after.queries, wasted: after.wasted }).toEqual({
          outcome,
          queries,
          wasted: 0,
        });
      }
    }
  });

  it('asks only for a name with a trailing dot', async () => {
    expect((await tried('www.example.org.', {})).names).toEqual(['www.example.org.']);
  });

  it('asks names with enough dots as they are first, and then searches', async () => {
    const name = 'a.b.c.d.e.f';
    expect((await tried(name, {})).names).toEqual([`${name}.`, ...local(name)]);
    expect((await tried(name, { [`${name}.`]: '192.0.2.1' })).queries).toBe(2);
  });

  it('goes on past names without data and servers that fail, but not past other failures', async () => {
    const [first, second, third] = local('web') as [string, string, string];
    expect((await tried('web', { [first]: 'nodata', [second]: '10.0.0.1' })).names).toEqual([first, second]);
    const servfail = await tried('web', { [first]: 2, [second]: '10.0.0.1' });
    expect(servfail).toMatchObject({ names: [first, second], queries: 6, wasted: 4 });
    expect((await tried('web', { [first]: 5 })).names).toEqual([first, 'web.']);
    expect((await tried('web', { [first]: 'silence' })).names).toEqual([first, 'web.']);
    expect((await tried('web', { [third]: 'nodata' })).outcome).toBe('no data');
    expect((await tried('web', {})).outcome).toBe('not found');
  });

  it('asks the next nameserver when one fails, in as many rounds as attempts', async () => {
    const two = resolvConf.replace('nameserver 127.96.0.10', 'nameserver 127.96.0.10\nnameserver 192.0.2.53');
    const name = 'web.shop.svc.cluster.local.';
    const ask = fake({ [name]: '10.0.0.1' }, { '127.96.0.10': { [name]: 2 } });
    const { steps } = (await tried(name, {}, { resolvConf: two, ask })).result;
    expect(steps[0]!.queries.map(({ server }) => server)).toEqual([
      '127.96.0.10',
      '127.96.0.10',
      '192.0.2.53',
      '192.0.2.53',
    ]);
    expect((await tried(name, { [name]: 'silence' }, { resolvConf: two })).queries).toBe(8);
    expect((await tried(name, { [name]: 2 }, { resolvConf: `${two}options attempts:3\n` })).queries).toBe(12);
  });

  it('heeds the root in the search list, and no-tld-query', async () => {
    const root = { resolvConf: 'search . a.example\nnameserver 192.0.2.1\n' };
    expect((await tried('web', {}, root)).names).toEqual(['web.', 'web.a.example.']);
    const noTld = { resolvConf: 'search a.example\nnameserver 192.0.2.1\noptions no-tld-query\n' };
    expect((await tried('web', {}, noTld)).names).toEqual(['web.a.example.']);
  });

  it('sends nothing for addresses and for names that cannot be', async () => {
    expect(await tried('192.0.2.1', {})).toMatchObject({ outcome: 'found', queries: 0 });
    const long = `${'a'.repeat(60)}.${'b'.repeat(60)}.${'c'.repeat(60)}.${'d'.repeat(58)}`;
    const { steps } = (await tried(long, { [`${long}.`]: '192.0.2.1' })).result;
    expect(steps.map(({ queries, outcome }) => [queries.length, outcome])).toEqual([
      [0, 'failed'],
      [2, 'found'],
    ]);
  });

  it('searches for other types too', async () => {
    expect(await tried('_http._tcp.web', {}, { type: recordType.SRV })).toMatchObject({ queries: 4, wasted: 3 });
  });
});

describe('musl', () => {
  const musl = { libc: 'musl' } as const;

  it('never searches for names with enough dots', async () => {
    const two = { ...musl, resolvConf: resolvConf.replace('ndots:5', 'ndots:2') };
    expect((await tried('www.example.org', {}, two)).names).toEqual(['www.example.org.']);
    expect((await tried('web.other', {}, two)).names).toEqual([...local('web.other'), 'web.other.']);
  });

  it('stops at a name without data, and at a server that fails', async () => {
    const [first, second] = local('web') as [string, string];
    expect(await tried('web', { [first]: 'nodata', [second]: '10.0.0.1' }, musl)).toMatchObject({
      outcome: 'no data',
      names: [first],
    });
    expect(await tried('web', { [first]: 2 }, musl)).toMatchObject({ outcome: 'server failure', names: [first] });
  });

  it('asks all nameservers at the same time', async () => {
    const two = resolvConf.replace('nameserver 127.96.0.10', 'nameserver 127.96.0.10\nnameserver 192.0.2.53');
    const known = { 'web.shop.svc.cluster.local.': '10.0.0.1' };
    expect(await tried('web', known, { ...musl, resolvConf: two })).toMatchObject({ queries: 4, wasted: 0 });
  });

  it('does not search for other types', async () => {
    expect((await tried('web', {}, { ...musl, type: recordType.SRV })).names).toEqual(['web.']);
  });
});

describe('resolv.conf as libraries read it', () => {
  it('has limits of its own', () => {
    const text = `${[1, 2, 3, 4].map((i) => `nameserver 192.0.2.${i}`).join('\n')}\nnameserver x\ndomain a.example b.example\noptions ndots:99 attempts:99\n`;
    expect(readResolverConfig(text, 'glibc')).toEqual({
      nameservers: ['192.0.2.1', '192.0.2.2', '192.0.2.3'],
      search: ['a.example'],
      ndots: 15,
      attempts: 5,
      noTldQuery: false,
    });
    expect(readResolverConfig('', 'glibc')).toMatchObject({ nameservers: ['127.0.0.1'], ndots: 1, search: [] });
  });

  it('loses a search line of 255 characters with musl', () => {
    const text = `search ${'x'.repeat(248)}\nnameserver 192.0.2.1\n`;
    expect(readResolverConfig(text, 'musl').search).toEqual([]);
    expect(readResolverConfig(text, 'glibc').search).toHaveLength(1);
  });
});

it('asks the DNS of the cluster itself, and renders what happened', async () => {
  const store = createStore();
  store.put('services', {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'web', namespace: 'other' },
    spec: { clusterIP: '10.96.0.7', ports: [{ port: 80 }] },
  } as KubeObject);
  const dns = createClusterDns({ store, clusterDomain: 'cluster.local', listen: [], upstreams: [] });
  const ask = askThrough((query) => dns.answer(query));
  const result = await lookup({ name: 'web.other', resolvConf, ask });
  await dns.close();
  expect(renderLookup(result)).toBe(
    [
      'web.other A AAAA (glibc, ndots:5, search shop.svc.cluster.local svc.cluster.local cluster.local, nameserver 127.96.0.10)',
      '  1. web.other.shop.svc.cluster.local.  A NXDOMAIN, AAAA NXDOMAIN  (search shop.svc.cluster.local)',
      '  2. web.other.svc.cluster.local.       A 10.96.0.7, AAAA no data  (search svc.cluster.local)',
      'found as web.other.svc.cluster.local. after 4 queries, 2 of them wasted',
      '  web.other.svc.cluster.local. 5 A 10.96.0.7',
      'advice:',
      '  write "web.other.svc.cluster.local." with the trailing dot: 2 queries instead of 4',
      '',
    ].join('\n'),
  );
});
