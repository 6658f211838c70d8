/** Snippets: what they answer, where they redirect, and how groups of their patterns are written. */
import type { OracleCase } from '../harness/case.ts';
import { mostlyGet, requests } from '../harness/generate.ts';
import { ingress, location, nobody, server } from '../harness/lines.ts';

const permitted = `apiVersion: v1
kind: ConfigMap
metadata: {name: ingress-nginx-controller, namespace: ingress-nginx}
data: {allow-snippet-annotations: "true", annotations-risk-level: Critical}
---
`;

const snippet = [
  'if ($request_uri ~* "^/go/(.*)") { return 301 https://go.example/$1; }',
  'if ($http_x_stop = "1") { return 418 stop; }',
  'rewrite ^/old/(.*)$ https://new.example/$1 permanent;',
  'rewrite ^/loc/(.*)$ /new/$1 redirect;',
  'rewrite ^/bare/(.*)$ https://new.example/$1? redirect;',
  'rewrite ^/ask/(.*)$ /z?y=$1 redirect;',
  'rewrite ^/far/(.*)$ https://new.example/z?y=$1 permanent;',
  'rewrite ^/drop/(.*)$ /z?y=$1? redirect;',
].join(' ');

const rest = ['a%20b%3Fc', 'x', 'a%2Fb', '%C3%BC', 'a%20b%26c', 'd%2B+&', ''];

export const snippetCases: readonly OracleCase[] = [
  {
    name: 'redirects of snippets',
    manifests:
      permitted +
      ingress({
        name: 'snippet',
        annotations: { 'configuration-snippet': snippet },
        rules: { 'snippet.test': [['Prefix', '/', 'alpha']] },
      }),
    nginx: { servers: nobody + server('snippet.test', location('"/"', 'alpha', { before: snippet })) },
    always: ['go', 'old', 'loc', 'bare', 'ask', 'far', 'drop', 'other'].flatMap((first) =>
      rest.flatMap((end) =>
        ['', '?', '?x=1'].map((query) => ({
          host: 'snippet.test',
          target: `/${first}/${end}${query}`,
        })),
      ),
    ),
    requests: requests({ hosts: ['snippet.test'], paths: ['/go/a', '/loc/b', '/x'], methods: mostlyGet }),
    share: 0.2,
  },
];
