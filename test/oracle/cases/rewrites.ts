/** rewrite-target: captures, what is not found, absolute targets, queries, and x-forwarded-prefix. */
import type { OracleCase } from '../harness/case.ts';
import { requests } from '../harness/generate.ts';
import { ingress, location, nobody, type PathRow, rest, server } from '../harness/lines.ts';

/** A server whose one rule has a rewrite-target. The rest of the host gets the annotations of its first Ingress too. */
function rewritten(host: string, path: string, target: string, more = ''): string {
  const lines = (pattern: string) => `rewrite "(?i)${pattern}" ${target} break;${more}`;
  return server(
    host,
    location(`~* "^${path}"`, 'alpha', { before: lines(path) }) +
      location('~* "^/"', 'nowhere', { before: lines('/') }),
  );
}

function rewriting(host: string, row: PathRow, annotations: Readonly<Record<string, string>>): string {
  return ingress({ name: host.replace('.test', ''), annotations, rules: { [host]: [row] } });
}

const specific = (path: string): PathRow => ['ImplementationSpecific', path, 'alpha'];

export const rewriteCases: readonly OracleCase[] = [
  {
    name: 'rewrite-target',
    manifests:
      rewriting('strip.test', specific('/something(/|$)(.*)'), { 'rewrite-target': '/$2', 'use-regex': 'true' }) +
      rewriting('one.test', specific('/api/(.*)'), { 'rewrite-target': '/v1/$1' }) +
      rewriting('root.test', ['Prefix', '/app', 'alpha'], { 'rewrite-target': '/' }) +
      rewriting('whole.test', ['Prefix', '/', 'alpha'], { 'rewrite-target': '/new' }) +
      rewriting('swap.test', specific('/([a-z]+)/([0-9]+)'), { 'rewrite-target': '/$2/$1/$3' }) +
      rewriting('same.test', ['Prefix', '/same', 'alpha'], { 'rewrite-target': '/same' }) +
      rewriting('bare.test', specific('/x/(.*)'), { 'rewrite-target': 'y/$1' }),
    nginx: {
      servers:
        nobody +
        rewritten('strip.test', '/something(/|$)(.*)', '/$2') +
        rewritten('one.test', '/api/(.*)', '/v1/$1') +
        rewritten('swap.test', '/([a-z]+)/([0-9]+)', '/$2/$1/$3') +
        rewritten('bare.test', '/x/(.*)', 'y/$1') +
        // With one rewrite-target that is the path of the rule, `/` of the same Ingress still is in regex mode.
        server(
          'root.test',
          location('~* "^/app"', 'alpha', { before: 'rewrite "(?i)/app" / break;' }) + location('~* "^/"', 'nowhere'),
        ) +
        server('whole.test', location('~* "^/"', 'alpha', { before: 'rewrite "(?i)/" /new break;' })) +
        // A target that is the path rewrites nothing there; but what is below is a location of its own by then, whose path
        // ends in a slash and is not the target.
        server(
          'same.test',
          location('~* "^/same/"', 'alpha', { before: 'rewrite "(?i)/same/" /same break;' }) +
            location('~* "^/same"', 'alpha') +
            location('~* "^/"', 'nowhere', { before: 'rewrite "(?i)/" /same break;' }),
        ),
    },
    share: 5,
    requests: requests({
      hosts: ['strip.test', 'strip.test', 'one.test', 'one.test', 'root.test', 'whole.test', 'swap.test', 'same.test', 'bare.test'], // biome-ignore format: one line
      paths: [
        ...['/something', '/something/', '/something/new', '/somethingelse', '/SomeThing/New', '/a/something/b', '/'],
        ...['/api/', '/api/users/1', '/API/Users', '/api', '/x/api/y', '/app', '/app/x', '/apple', '/abc/12'],
        ...[
          '/abc/12/more',
          '/ABC/7',
          '/same',
          '/same/x',
          '/x/1',
          '/something/a%20b',
          '/api/a%2Fb',
          '/api/%C3%A9?q=%20',
        ],
        ...['/api/a+b%2B', '/something/%25', '/api/%3Fno=query', '/something/%23', '/api/a;b=c', '/something/a%5Cb'],
      ],
    }),
  },
  {
    name: 'rewrite-target to somewhere else',
    manifests:
      rewriting('away.test', specific('/old/(.*)'), { 'rewrite-target': 'https://new.example/$1' }) +
      rewriting('plain.test', specific('/old/(.*)'), { 'rewrite-target': 'http://new.example:8080/$1' }),
    nginx: {
      servers:
        nobody +
        rewritten('away.test', '/old/(.*)', 'https://new.example/$1') +
        rewritten('plain.test', '/old/(.*)', 'http://new.example:8080/$1'),
    },
    requests: requests({
      hosts: ['away.test', 'plain.test'],
      paths: ['/old/', '/old/a/b', '/old/a%20b', '/OLD/x', '/old', '/', '/other', '/old/%C3%A9', '/old/a%2Fb%3Fc'],
    }),
  },
  {
    name: 'x-forwarded-prefix',
    manifests:
      rewriting('with.test', specific('/app(/|$)(.*)'), { 'rewrite-target': '/$2', 'x-forwarded-prefix': '/app' }) +
      rewriting('without.test', ['Prefix', '/app', 'alpha'], { 'x-forwarded-prefix': '/app' }),
    nginx: {
      servers:
        nobody +
        rewritten('with.test', '/app(/|$)(.*)', '/$2', ' proxy_set_header X-Forwarded-Prefix "/app";') +
        server('without.test', location('"/app/"', 'alpha') + location('= "/app"', 'alpha') + rest()),
    },
    share: 0.5,
    requests: requests({ hosts: ['with.test', 'without.test'], paths: ['/app', '/app/x', '/'] }),
  },
];
