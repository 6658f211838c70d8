/** What nginx makes of request targets and Host lines before anything else looks at them. */
import fc from 'fast-check';
import type { OracleCase } from '../harness/case.ts';
import type { Ask } from '../harness/client.ts';
import { ingress, location, nobody, prefix, rest, server } from '../harness/lines.ts';

const pieces = fc.constantFrom(
  ...[
    '/',
    '/',
    '/',
    '/a',
    '/b',
    '/keep',
    '.',
    '..',
    '/.',
    '/..',
    '//',
    '%2e',
    '%2E%2E',
    '%2f',
    '%2F',
    '%5c',
    '%00',
    '%',
  ],
  ...[
    '%zz',
    '%4',
    '%41',
    '%c3%a9',
    '%ff',
    '?',
    '?x=/../',
    '#f',
    '#',
    ';',
    '+',
    '\\',
    '*',
    '%25',
    '%2525',
    '%20',
    '%09',
  ],
  ...['%7f', '\x7f', '\x01', '\xe9', ':', '@', '&', '=', '...', 'a/', '../', './'],
);

const rawTargets: fc.Arbitrary<Ask> = fc
  .record({
    host: fc.constantFrom('a.test', 'r.test'),
    parts: fc.array(pieces, { maxLength: 7 }),
  })
  .map(({ host, parts }) => ({ host, target: `/${parts.join('')}` }));

const wholeTargets = ['http://a.test/keep/x', 'HTTP://A.TEST/a', 'http://b.test/a', 'https://a.test/a', 'http://a.test', 'http://a.test?x=1', '*', 'a.test/a', 'keep', '/a b', '', 'ftp://a.test/a']; // biome-ignore format: one line
const strangeHosts = ['a.test', 'A.TEST', 'a.test.', 'a.test:80', 'a.test:', 'a.test:x', 'a..test', '', '.', 'a_b.test', 'a.test/x', 'a.test\\x', '[::1]', '[::1]:80', 'a%2etest', 'other.test', 'a.test, b.test', 'a.test:99999', 'user@a.test']; // biome-ignore format: one line
const methods = ['GET', 'get', 'OPTIONS', 'TRACE', 'PROPFIND', 'BREW', 'A-B', 'PURGE', 'DELETE', 'MKCOL'];

export const normalisationCases: readonly OracleCase[] = [
  {
    name: 'normalisation',
    manifests:
      ingress({
        name: 'plain',
        rules: { 'a.test': [['Prefix', '/', 'alpha'], ['Prefix', '/keep', 'beta'], ['Exact', '/a', 'gamma']] }, // biome-ignore format: one line
      }) +
      ingress({
        name: 'rewritten',
        annotations: { 'rewrite-target': '/$1' },
        rules: { 'r.test': [['ImplementationSpecific', '/(.*)', 'alpha']] },
      }),
    nginx: {
      servers:
        nobody +
        server('a.test', prefix('/keep', 'beta') + location('= "/a"', 'gamma') + location('"/"', 'alpha')) +
        server(
          'r.test',
          location('~* "^/(.*)"', 'alpha', { before: 'rewrite "(?i)/(.*)" /$1 break;' }) +
            location('~* "^/"', 'nowhere', { before: 'rewrite "(?i)/" /$1 break;' }),
        ),
    },
    share: 6,
    always: [
      ...wholeTargets.map((target) => ({ host: 'a.test', target })),
      ...['a.test', 'r.test'].flatMap(
        (host) =>
        ['/a//b/../c%2Fd', '/a%2F..%2Fkeep', '/keep/%2e%2e/a', '/a/../../..', '/%2e%2e/a', '/a#b', '/keep%2Fx'].map((target) => ({ host, target })), // biome-ignore format: one line
      ),
    ],
    requests: rawTargets,
  },
  {
    name: 'hosts and methods',
    manifests: ingress({
      name: 'web',
      rules: { 'a.test': [['Prefix', '/', 'alpha']], '': [['Prefix', '/any', 'beta']] },
    }),
    nginx: { servers: server('_', prefix('/any', 'beta') + rest()) + server('a.test', location('"/"', 'alpha')) },
    always: [
      ...strangeHosts.flatMap((host) => [{ host, target: '/any/x' }, { host, target: '/other' }]), // biome-ignore format: one line
      ...methods.map((method) => ({ host: 'a.test', target: '/m', method })),
    ],
  },
];
