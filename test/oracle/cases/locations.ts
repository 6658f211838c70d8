/** How paths of Ingresses become locations: exact ones, prefixes with their twin, the longest first. */
import type { OracleCase } from '../harness/case.ts';
import { requests, someHeaders } from '../harness/generate.ts';
import { ingress, location, nobody, prefix, rest, server } from '../harness/lines.ts';

export const locationCases: readonly OracleCase[] = [
  {
    name: 'locations',
    manifests: ingress({
      name: 'web',
      rules: {
        'a.test': [
          ['Exact', '/exact', 'alpha'],
          ['Exact', '/dir/', 'gamma'],
          ['Prefix', '/foo', 'beta'],
          ['Prefix', '/foo/bar', 'gamma'],
          ['Prefix', '/slash/', 'alpha'],
          // Taken for Prefix, before anything else looks at it.
          ['ImplementationSpecific', '/impl', 'alpha'],
          ['ImplementationSpecific', '/impl/long', 'beta'],
          ['Prefix', '/both', 'alpha'],
          ['Exact', '/both', 'beta'],
        ],
        'b.test': [
          ['Prefix', '/', 'alpha'],
          ['Prefix', '/foo', 'beta'],
        ],
      },
    }),
    nginx: {
      servers:
        nobody +
        server(
          'a.test',
          location('= "/exact"', 'alpha') +
            location('= "/dir/"', 'gamma') +
            prefix('/foo/bar', 'gamma') +
            prefix('/foo', 'beta') +
            prefix('/slash/', 'alpha') +
            prefix('/impl/long', 'beta') +
            prefix('/impl', 'alpha') +
            location('= "/both"', 'beta') +
            location('"/both/"', 'alpha') +
            rest(),
        ) +
        server('b.test', prefix('/foo', 'beta') + location('"/"', 'alpha')),
    },
    share: 4,
    requests: requests({
      hosts: ['a.test', 'a.test', 'a.test', 'b.test', 'A.Test', 'a.test:80', 'b.test:8080', 'c.test'],
      paths: [
        ...['/', '/exact', '/dir', '/dir/', '/foo', '/foo/', '/foo/bar', '/foo/bar/x', '/foo/barx', '/foox', '/FOO'],
        ...['/slash', '/slash/', '/slash/a', '/impl', '/implx', '/impl/', '/impl/long', '/impl/longer', '/both'],
        ...['/both/', '/both/x', '/other'],
      ],
      headers: someHeaders,
    }),
  },
  {
    name: 'relative redirects',
    manifests: ingress({
      name: 'web',
      annotations: { 'relative-redirects': 'true' },
      rules: { 'a.test': [['Prefix', '/slash/', 'alpha']] },
    }),
    nginx: {
      servers:
        nobody + server('a.test', `${prefix('/slash/', 'alpha', { before: 'absolute_redirect off;' })}${rest()}`),
    },
    share: 0.3,
    requests: requests({ hosts: ['a.test'], paths: ['/slash', '/slash/', '/'] }),
  },
];
