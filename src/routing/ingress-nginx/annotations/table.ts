/** Every annotation that ingress-nginx takes, by its name after the prefix: what its values are and what becomes of it. */
import { addressRows, basicAuthRows, clientTlsRows, corsRows, externalAuthRows, limitRows } from './access.ts';
import { affinityRows, backendTlsRows, balanceRows, proxyRows, serverRows, tracingRows } from './backend.ts';
import type { NginxAnnotation } from './entry.ts';
import { canaryRows, firewallRows, mirrorRows, redirectRows, rewriteRows, snippetRows } from './routing.ts';
import type { ValueReader } from './values.ts';

export const nginxPrefix = 'nginx.ingress.kubernetes.io/';

export const nginxAnnotations = {
  ...rewriteRows,
  ...redirectRows,
  ...canaryRows,
  ...basicAuthRows,
  ...externalAuthRows,
  ...clientTlsRows,
  ...addressRows,
  ...limitRows,
  ...corsRows,
  ...proxyRows,
  ...backendTlsRows,
  ...affinityRows,
  ...balanceRows,
  ...mirrorRows,
  ...serverRows,
  ...snippetRows,
  ...firewallRows,
  ...tracingRows,
};

type Rows = typeof nginxAnnotations;
export type NginxKey = keyof Rows;

/** What an Ingress asks for, by the name after the prefix; what it does not, or wrongly, is absent. Aliases are under what they stand for. */
export type Asked = { readonly [Key in NginxKey]?: Rows[Key] extends ValueReader<infer T> ? T : never };

export const isNginxKey = (name: string): name is NginxKey => Object.hasOwn(nginxAnnotations, name);

export const rowOf = (key: NginxKey): NginxAnnotation<unknown> => nginxAnnotations[key];

/** What a row notes, outside of its document. */
export const noteOf = (key: NginxKey): string | undefined =>
  rowOf(key).note?.replace(/\[([^\]]+)\]\(#[^)]*\)/g, '"$1" in docs/ingress-nginx.md');

/** Chapters of the document, in its order. */
export const nginxGroups: readonly (readonly [
  title: string,
  rows: Readonly<Record<string, NginxAnnotation<unknown>>>,
])[] = [
  ['Paths and errors', rewriteRows],
  ['Redirects', redirectRows],
  ['Canaries', canaryRows],
  ['Basic auth', basicAuthRows],
  ['External auth', externalAuthRows],
  ['Client certificates', clientTlsRows],
  ['Addresses', addressRows],
  ['Limits', limitRows],
  ['CORS', corsRows],
  ['Backends', proxyRows],
  ['TLS to backends', backendTlsRows],
  ['Sessions', affinityRows],
  ['Balancing', balanceRows],
  ['Copies of requests', mirrorRows],
  ['TLS and logs', serverRows],
  ['Snippets', snippetRows],
  ['Web application firewall', firewallRows],
  ['Tracing', tracingRows],
];
