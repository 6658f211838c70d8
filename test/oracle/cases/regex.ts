/** Regex mode, which one Ingress turns on for every path of its host: order, case, ends, and what others become. */
import type { OracleCase } from '../harness/case.ts';
import { requests } from '../harness/generate.ts';
import { ingress, location, nobody, rest, server } from '../harness/lines.ts';

/** What `/` is for a host in regex mode when no rule has it. */
const restOfRegex = (options = {}) => location('~* "^/"', 'nowhere', options);

export const regexCases: readonly OracleCase[] = [
  {
    name: 'regex mode of a host',
    manifests:
      ingress({
        name: 'patterns',
        annotations: { 'use-regex': 'true' },
        created: '2026-01-01T00:00:00Z',
        rules: {
          'a.test': [
            ['ImplementationSpecific', '/api/v[0-9]+', 'alpha'],
            ['ImplementationSpecific', '/files/(.*)\\.png', 'beta'],
            ['ImplementationSpecific', '/files/[a-m].*', 'gamma'],
            ['Prefix', '/foo/bar', 'gamma'],
          ],
        },
      }) +
      ingress({
        name: 'plain',
        created: '2026-01-02T00:00:00Z',
        rules: {
          'a.test': [
            ['Prefix', '/foo', 'alpha'],
            ['Exact', '/exact', 'beta'],
            ['ImplementationSpecific', '/impl', 'gamma'],
            ['Prefix', '/foo/b', 'beta'],
            ['Prefix', '/dots.d/', 'alpha'],
          ],
          'b.test': [['Prefix', '/foo', 'alpha']],
        },
      }),
    nginx: {
      servers:
        nobody +
        server(
          'a.test',
          location('~* "^/files/(.*)\\\\.png"', 'beta') +
            location('~* "^/files/[a-m].*"', 'gamma') +
            location('~* "^/api/v[0-9]+"', 'alpha') +
            location('~* "^/foo/bar"', 'gamma') +
            location('~* "^/dots.d/"', 'alpha') +
            location('~* "^/exact"', 'beta') +
            location('~* "^/foo/b/"', 'beta') +
            location('~* "^/foo/b"', 'beta') +
            location('~* "^/impl/"', 'gamma') +
            location('~* "^/impl"', 'gamma') +
            location('~* "^/foo/"', 'alpha') +
            location('~* "^/foo"', 'alpha') +
            restOfRegex(),
        ) +
        server('b.test', location('"/foo/"', 'alpha') + location('= "/foo"', 'alpha') + rest()),
    },
    share: 3,
    requests: requests({
      hosts: ['a.test', 'a.test', 'a.test', 'A.TEST', 'b.test'],
      paths: [
        ...['/api/v1', '/api/v22/users', '/api/v', '/API/V1', '/x/api/v1', '/files/a.png', '/files/z.png'],
        ...['/files/a.pngx', '/files/apng', '/files/z', '/FILES/B', '/files/', '/foo', '/foobar', '/foo/', '/foo/bar'],
        ...['/foo/barbar', '/Foo/Bar', '/foo/b', '/foo/bx', '/foo/b/', '/exact', '/exactly', '/EXACT/', '/impl'],
        ...['/implx', '/impl/x', '/dots.d', '/dotsxd/', '/dots.d/', '/'],
      ],
    }),
  },
  {
    name: 'regex order',
    always: [{ host: 'a.test', target: '/x/y/end%0A' }],
    manifests: ingress({
      name: 'order',
      annotations: { 'use-regex': 'true' },
      rules: {
        'a.test': [
          ['ImplementationSpecific', '/a', 'alpha'],
          ['ImplementationSpecific', '/a.', 'beta'],
          ['ImplementationSpecific', '/b', 'gamma'],
          ['ImplementationSpecific', '/ab', 'gamma'],
          ['ImplementationSpecific', '/(a|b)/c', 'alpha'],
          ['ImplementationSpecific', '/[ab]/.+', 'beta'],
          ['ImplementationSpecific', '/.*/end$', 'gamma'],
        ],
      },
    }),
    nginx: {
      servers:
        nobody +
        server(
          'a.test',
          // By length, then by the text, both falling: `/[ab]/.+` and `/.*/end$` have eight characters, as `/(a|b)/c` has.
          location('~* "^/[ab]/.+"', 'beta') +
            location('~* "^/.*/end$"', 'gamma') +
            location('~* "^/(a|b)/c"', 'alpha') +
            location('~* "^/ab"', 'gamma') +
            location('~* "^/a."', 'beta') +
            location('~* "^/b"', 'gamma') +
            location('~* "^/a"', 'alpha') +
            restOfRegex(),
        ),
    },
    requests: requests({
      hosts: ['a.test'],
      paths: [
        '/a',
        '/ab',
        '/ac',
        '/b',
        '/bb',
        '/a/c',
        '/b/c',
        '/a/',
        '/a/end',
        '/x/end',
        '/x/y/end',
        '/end',
        '/a/b/end/x',
      ],
    }),
  },
];
