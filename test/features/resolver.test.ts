/** `fairway resolvconf` and `fairway lookup` over examples/front-door: each dnsPolicy, both C libraries. */
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { packageRoot } from '../../src/base/package-root.ts';
import { createAsker } from '../../src/insight/ask.ts';
import { type LookupResult, lookup } from '../../src/insight/lookup/lookup.ts';
import { renderLookup } from '../../src/insight/lookup/render.ts';
import type { Libc } from '../../src/insight/lookup/resolver-config.ts';
import { resolvConfOf } from '../../src/insight/pod.ts';
import { openWorld } from '../../src/insight/sources.ts';
import type { World } from '../../src/insight/world.ts';
import { canBind } from '../support/door.ts';
import { startUpstream } from '../support/upstream.ts';

const upstreamAddress = '127.77.17.53';
const nodeResolvConf = `nameserver ${upstreamAddress}\nsearch node.example corp.example\noptions rotate ndots:3\n`;

let world: World;
beforeAll(async () => {
  world = await openWorld({ files: [join(packageRoot, 'examples/front-door')], nodeResolvConf });
});

function textOf(pod: string): string {
  const conf = resolvConfOf(world, `default/${pod}`);
  if (!conf.ok) throw new Error(conf.error);
  return conf.value.text;
}

const clusterFile = `search default.svc.cluster.local svc.cluster.local cluster.local node.example corp.example
nameserver 127.96.0.10
options ndots:5
`;

describe('resolv.conf of a Pod', () => {
  it.each([
    ['dns-cluster-first', clusterFile],
    ['dns-host-net', clusterFile],
    [
      'dns-default',
      `search node.example corp.example\nnameserver ${upstreamAddress}\noptions rotate ndots:3\n`,
    ], // biome-ignore format: one line
    ['dns-none', 'search default.svc.cluster.local\nnameserver 127.96.0.10\noptions ndots:2\n'],
  ])('%s', (pod, file) => {
    expect(textOf(pod)).toBe(file);
  });

  it('of a Pod that is not there is told as such', () => {
    expect(resolvConfOf(world, 'default/nobody')).toMatchObject({ ok: false });
  });
});

if (!canBind) console.log('skipped: lookups need a resolver of their own on port 53');

describe.skipIf(!canBind)('what a name costs a Pod', () => {
  let upstream: Awaited<ReturnType<typeof startUpstream>>;
  beforeAll(async () => {
    upstream = await startUpstream(upstreamAddress);
  });
  afterAll(() => upstream.close());

  async function look(pod: string, name: string, libc: Libc = 'glibc'): Promise<LookupResult> {
    const asker = createAsker(world, { network: true });
    const result = await lookup({ name, resolvConf: textOf(pod), ask: asker.ask, libc });
    await asker.close();
    return result;
  }

  it.each([
    // pod, name, library, queries sent, of them in vain, what it came to
    ['dns-cluster-first', 'api-v1', 'glibc', 2, 0, 'api-v1.default.svc.cluster.local.'],
    ['dns-cluster-first', 'api-v1', 'musl', 2, 0, 'api-v1.default.svc.cluster.local.'],
    ['dns-cluster-first', 'api-v1.default', 'glibc', 4, 2, 'api-v1.default.svc.cluster.local.'],
    ['dns-host-net', 'mysql-0.mysql', 'glibc', 2, 0, 'mysql-0.mysql.default.svc.cluster.local.'],
    ['dns-cluster-first', 'api-v1.default.svc.cluster.local', 'glibc', 12, 10, 'api-v1.default.svc.cluster.local.'],
    ['dns-cluster-first', 'api-v1.default.svc.cluster.local.', 'glibc', 2, 0, 'api-v1.default.svc.cluster.local.'],
    ['dns-cluster-first', 'www.example.org', 'glibc', 12, 10, 'www.example.org.'],
    ['dns-cluster-first', 'www.example.org', 'musl', 12, 10, 'www.example.org.'],
    ['dns-none', 'www.example.org', 'glibc', 2, 0, 'www.example.org.'],
    ['dns-none', 'missing.example.org', 'glibc', 4, undefined, undefined],
    ['dns-none', 'missing.example.org', 'musl', 2, undefined, undefined],
    ['dns-default', 'www.example.org', 'glibc', 6, 4, 'www.example.org.'],
    ['dns-default', 'api-v1', 'glibc', 6, undefined, undefined],
  ] as const)('%s: %s, with %s', async (pod, name, libc, queries, wasted, foundAs) => {
    const result = await look(pod, name, libc);
    expect([result.queries, result.foundAs]).toEqual([queries, foundAs]);
    if (wasted !== undefined) expect(result.wasted).toBe(wasted);
    expect(result.outcome === 'found').toBe(foundAs !== undefined);
    const sent = result.steps.flatMap((step) => step.queries);
    expect(sent).toHaveLength(queries);
  });

  it('really asks the resolver of the node, as often as it says', async () => {
    const before = upstream.asked.length;
    await look('dns-default', 'www.example.org');
    expect(upstream.asked.slice(before).sort()).toEqual(
      ['www.example.org', 'www.example.org.corp.example', 'www.example.org.node.example'].flatMap((name) => [
        `UDP ${name} A`,
        `UDP ${name} AAAA`,
      ]),
    );
  });

  it('advises a trailing dot, and the ndots that would do, where queries are wasted', async () => {
    const result = await look('dns-cluster-first', 'www.example.org');
    expect(result.advice).toEqual([
      { kind: 'trailing dot', write: 'www.example.org.', queries: 2 },
      { kind: 'ndots', write: 'ndots:2', queries: 2 },
    ]);
    expect(renderLookup(result)).toContain('write "www.example.org." with the trailing dot: 2 queries instead of 12');
    expect((await look('dns-cluster-first', 'www.example.org.')).advice).toEqual([]);
    expect((await look('dns-cluster-first', 'api-v1')).advice).toEqual([]);
  });

  it('advises no trailing dot for a name that leads nowhere in any form', async () => {
    expect((await look('dns-default', 'api-v1')).advice).toEqual([]);
  });
});
