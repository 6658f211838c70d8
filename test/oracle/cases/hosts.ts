/** Server names: exact ones, wildcards of one label, aliases, and the server for all others. */
import type { OracleCase } from '../harness/case.ts';
import { requests } from '../harness/generate.ts';
import { ingress, location, nobody, prefix, rest, server } from '../harness/lines.ts';

const paths = ['/', '/any', '/x', '/healthz'];

export const hostCases: readonly OracleCase[] = [
  {
    name: 'server names',
    manifests:
      ingress({
        name: 'one',
        rules: {
          '*.w.test': [['Prefix', '/', 'alpha']],
          'exact.w.test': [['Prefix', '/x', 'beta']],
          '*.deep.w.test': [['Prefix', '/', 'gamma']],
        },
      }) +
      ingress({
        name: 'two',
        annotations: { 'server-alias': 'alias.test,other.alias.test' },
        rules: { 'named.test': [['Prefix', '/', 'beta']] },
      }),
    nginx: {
      servers:
        nobody +
        server('"~^(?<subdomain>[\\w-]+)\\.deep\\.w\\.test$"', location('"/"', 'gamma')) +
        server('"~^(?<subdomain>[\\w-]+)\\.w\\.test$"', location('"/"', 'alpha')) +
        server('exact.w.test', prefix('/x', 'beta') + rest()) +
        server('named.test "alias.test" "other.alias.test"', location('"/"', 'beta')),
    },
    requests: requests({
      hosts: [
        ...['a.w.test', 'A.W.test', 'b.a.w.test', 'w.test', 'exact.w.test', 'EXACT.w.test:80', 'a.deep.w.test'],
        ...['deep.w.test', 'named.test', 'alias.test', 'other.alias.test', 'x.alias.test', 'a_b.w.test', 'a-b.w.test'],
        ...['nobody.test', 'a.w.test.'],
      ],
      paths,
    }),
  },
  {
    name: 'catch-all with a default backend',
    manifests:
      ingress({ name: 'fallback', otherwise: 'gamma' }) +
      ingress({ name: 'web', rules: { 'a.test': [['Prefix', '/x', 'alpha']] } }) +
      ingress({ name: 'own', otherwise: 'beta', rules: { 'b.test': [['Prefix', '/x', 'alpha']] } }),
    nginx: {
      servers:
        server('_', location('"/"', 'gamma')) +
        server('a.test', prefix('/x', 'alpha') + rest()) +
        server('b.test', prefix('/x', 'alpha') + location('"/"', 'beta')),
    },
    requests: requests({ hosts: ['a.test', 'b.test', 'c.test', '192.0.2.1'], paths }),
  },
  {
    name: 'rules without a host',
    manifests: ingress({ name: 'all', rules: { '': [['Prefix', '/any', 'beta']], 'a.test': [['Prefix', '/x', 'alpha']] } }), // biome-ignore format: one line
    nginx: {
      servers: server('_', prefix('/any', 'beta') + rest()) + server('a.test', prefix('/x', 'alpha') + rest()),
    },
    requests: requests({ hosts: ['a.test', 'c.test', '192.0.2.1'], paths }),
  },
  {
    name: 'the older Ingress has the path',
    manifests:
      ingress({ name: 'younger', created: '2026-02-01T00:00:00Z', rules: { 'a.test': [['Prefix', '/x', 'beta'], ['Prefix', '/y', 'beta']] } }) + // biome-ignore format: one line
      ingress({
        name: 'older',
        created: '2026-01-01T00:00:00Z',
        rules: {
          'a.test': [
            ['Prefix', '/x', 'alpha'],
            ['Exact', '/y', 'alpha'],
          ],
        },
      }) + // biome-ignore format: one line
      ingress({ name: 'same-a', created: '2026-03-01T00:00:00Z', rules: { 'a.test': [['Prefix', '/z', 'alpha']] } }) +
      ingress({ name: 'same-b', created: '2026-03-01T00:00:00Z', rules: { 'a.test': [['Prefix', '/z', 'gamma']] } }),
    nginx: {
      servers:
        nobody +
        server(
          'a.test',
          prefix('/x', 'alpha') +
            location('= "/y"', 'alpha') +
            location('"/y/"', 'beta') +
            // Of those made at the same second, the one whose name is last.
            prefix('/z', 'gamma') +
            rest(),
        ),
    },
    share: 0.5,
    requests: requests({ hosts: ['a.test'], paths: ['/x', '/y', '/y/', '/z', '/'] }),
  },
];
