/** Redirects that plain nginx makes: permanent and temporal ones, the root of an application. */
import type { OracleCase } from '../harness/case.ts';
import { requests } from '../harness/generate.ts';
import { ingress, location, nobody, prefix, rest, server } from '../harness/lines.ts';

function redirecting(host: string, annotations: Readonly<Record<string, string>>): string {
  return ingress({ name: host.replace('.test', ''), annotations, rules: { [host]: [['Prefix', '/old', 'alpha']] } });
}

/** All of the host, since what no rule takes has the annotations of its first Ingress. */
function redirected(host: string, line: string): string {
  return server(host, prefix('/old', 'alpha', { before: line }) + rest({ before: line }));
}

export const redirectCases: readonly OracleCase[] = [
  {
    name: 'permanent and temporal redirects',
    manifests:
      redirecting('moved.test', { 'permanent-redirect': 'https://www.example.com' }) +
      redirecting('code.test', {
        'permanent-redirect': 'https://www.example.com/a?b=c',
        'permanent-redirect-code': '308',
      }) + // biome-ignore format: one line
      redirecting('bad-code.test', {
        'permanent-redirect': 'https://www.example.com',
        'permanent-redirect-code': '404',
      }) + // biome-ignore format: one line
      redirecting('now.test', { 'temporal-redirect': 'https://www.example.com/now' }) +
      redirecting('now-code.test', {
        'temporal-redirect': 'https://www.example.com',
        'temporal-redirect-code': '307',
      }) + // biome-ignore format: one line
      redirecting('both.test', { 'temporal-redirect': 'https://t.example', 'permanent-redirect': 'https://p.example' }),
    nginx: {
      servers:
        nobody +
        redirected('moved.test', 'return 301 https://www.example.com;') +
        redirected('code.test', 'return 308 https://www.example.com/a?b=c;') +
        redirected('bad-code.test', 'return 301 https://www.example.com;') +
        redirected('now.test', 'return 302 https://www.example.com/now;') +
        redirected('now-code.test', 'return 307 https://www.example.com;') +
        redirected('both.test', 'return 302 https://t.example;'),
    },
    requests: requests({
      hosts: ['moved.test', 'code.test', 'bad-code.test', 'now.test', 'now-code.test', 'both.test'],
      paths: ['/old', '/old/x', '/', '/other'],
    }),
  },
  {
    name: 'app-root',
    manifests: ingress({
      name: 'app',
      annotations: { 'app-root': '/app1' },
      rules: { 'a.test': [['Prefix', '/', 'alpha']], 'b.test': [['Prefix', '/x', 'beta']] },
    }),
    nginx: {
      servers:
        nobody +
        server('a.test', `if ($uri = /) { return 302 $scheme://$http_host/app1; }${location('"/"', 'alpha')}`) +
        server('b.test', `if ($uri = /) { return 302 $scheme://$http_host/app1; }${prefix('/x', 'beta')}${rest()}`),
    },
    requests: requests({
      hosts: ['a.test', 'a.test:8080', 'A.Test', 'b.test'],
      paths: ['/', '/', '/app1', '/x', '/..', '//'],
    }),
  },
  {
    // Written in Lua there, and in plain directives here.
    name: 'redirects to https and to www',
    manifests:
      ingress({ name: 'safe', annotations: { 'force-ssl-redirect': 'true' }, rules: { 'safe.test': [['Prefix', '/x', 'alpha'], ['Exact', '/.well-known/acme-challenge/token', 'beta']] } }) + // biome-ignore format: one line
      ingress({ name: 'slash', annotations: { 'force-ssl-redirect': 'true', 'preserve-trailing-slash': 'true' }, rules: { 'slash.test': [['Prefix', '/', 'alpha']] } }) + // biome-ignore format: one line
      ingress({ name: 'port', annotations: { 'force-ssl-redirect': 'true', 'use-port-in-redirects': 'true' }, rules: { 'port.test': [['Prefix', '/', 'alpha']] } }) + // biome-ignore format: one line
      ingress({ name: 'www', annotations: { 'from-to-www-redirect': 'true' }, rules: { 'site.test': [['Prefix', '/', 'alpha']], 'www.other.test': [['Prefix', '/', 'beta']] } }), // biome-ignore format: one line
    nginx: {
      http: `map $request_uri $stripped { default $request_uri; "~^(?<kept>.*)/$" $kept; }
  map $http_host $portless { default $http_host; "~^(?<name>[^:]*):" $name; }`,
      servers:
        nobody +
        server(
          'safe.test',
          `${location('= "/.well-known/acme-challenge/token"', 'beta')} location / { return 308 https://$portless$stripped; }`,
        ) +
        server('slash.test', 'location / { return 308 https://$portless$request_uri; }') +
        server('port.test', 'location / { return 308 https://$portless:443$stripped; }') +
        server('site.test', location('"/"', 'alpha')) +
        server('www.site.test', 'return 308 $scheme://site.test:80$stripped;') +
        server('www.other.test', location('"/"', 'beta')) +
        server('other.test', 'return 308 $scheme://www.other.test:80$stripped;'),
    },
    requests: requests({
      hosts: ['safe.test', 'Safe.Test:8080', 'slash.test', 'port.test', 'site.test', 'www.site.test', 'WWW.site.test:80', 'other.test', 'www.other.test'], // biome-ignore format: one line
      paths: ['/', '/x', '/x/', '/x/y', '/.well-known/acme-challenge/token', '/a%20b', '/other'],
    }),
  },
];
