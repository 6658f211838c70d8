/** The table has every annotation that ingress-nginx 1.15 takes, and no other. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { packageRoot } from '../../../base/package-root.ts';
import { nginxDocument } from './document.ts';
import { type NginxKey, nginxAnnotations, nginxGroups, rowOf } from './table.ts';

/** docs/user-guide/nginx-configuration/annotations-risk.md of ingress-nginx dbb11b9 (136 names), and two aliases. */
const names = `
  affinity affinity-canary-behavior affinity-mode allowlist-source-range app-root
  auth-always-set-cookie auth-cache-duration auth-cache-key auth-keepalive
  auth-keepalive-requests auth-keepalive-share-vars auth-keepalive-timeout auth-method
  auth-proxy-set-headers auth-realm auth-request-redirect auth-response-headers auth-secret
  auth-secret-type auth-signin auth-signin-redirect-param auth-snippet auth-tls-error-page
  auth-tls-match-cn auth-tls-pass-certificate-to-upstream auth-tls-secret auth-tls-verify-client
  auth-tls-verify-depth auth-type auth-url backend-protocol canary canary-by-cookie
  canary-by-header canary-by-header-pattern canary-by-header-value canary-weight
  canary-weight-total client-body-buffer-size configuration-snippet connection-proxy-header
  cors-allow-credentials cors-allow-headers cors-allow-methods cors-allow-origin
  cors-expose-headers cors-max-age custom-headers custom-http-errors default-backend
  denylist-source-range disable-proxy-intercept-errors enable-access-log enable-cors
  enable-global-auth enable-modsecurity enable-opentelemetry enable-owasp-core-rules
  enable-rewrite-log fastcgi-index fastcgi-params-configmap force-ssl-redirect
  from-to-www-redirect http2-push-preload limit-allowlist limit-burst-multiplier
  limit-connections limit-rate limit-rate-after limit-rpm limit-rps limit-whitelist
  load-balance mirror-host mirror-request-body mirror-target modsecurity-snippet
  modsecurity-transaction-id opentelemetry-operation-name opentelemetry-trust-incoming-span
  permanent-redirect permanent-redirect-code preserve-trailing-slash proxy-body-size
  proxy-buffer-size proxy-buffering proxy-buffers-number proxy-busy-buffers-size
  proxy-connect-timeout proxy-cookie-domain proxy-cookie-path proxy-http-version
  proxy-max-temp-file-size proxy-next-upstream proxy-next-upstream-timeout
  proxy-next-upstream-tries proxy-read-timeout proxy-redirect-from proxy-redirect-to
  proxy-request-buffering proxy-send-timeout proxy-ssl-ciphers proxy-ssl-name
  proxy-ssl-protocols proxy-ssl-secret proxy-ssl-server-name proxy-ssl-verify
  proxy-ssl-verify-depth relative-redirects rewrite-target satisfy server-alias
  server-snippet service-upstream session-cookie-change-on-failure
  session-cookie-conditional-samesite-none session-cookie-domain session-cookie-expires
  session-cookie-max-age session-cookie-name session-cookie-path session-cookie-samesite
  session-cookie-secure ssl-ciphers ssl-passthrough ssl-prefer-server-ciphers ssl-redirect
  stream-snippet temporal-redirect temporal-redirect-code upstream-hash-by
  upstream-hash-by-subset upstream-hash-by-subset-size upstream-vhost use-port-in-redirects
  use-regex whitelist-source-range x-forwarded-prefix
`
  .trim()
  .split(/\s+/);

const keys = Object.keys(nginxAnnotations) as NginxKey[];

it('has the 138 names', () => {
  expect(names).toHaveLength(138);
  expect([...keys].sort()).toEqual([...names].sort());
});

it('says of each that is not the same what is not', () => {
  const silent = keys.filter((key) => rowOf(key).verdict !== 'works' && !/\S{3}.*[.]$/.test(rowOf(key).note ?? ''));
  expect(silent).toEqual([]);
  expect(keys.filter((key) => rowOf(key).verdict === 'works' && rowOf(key).note !== undefined)).toEqual([]);
});

it('names others that are there', () => {
  const named = keys.flatMap((key) => [
    ...(rowOf(key).of ?? []),
    ...(rowOf(key).alias !== undefined ? [rowOf(key).alias!] : []),
  ]);
  expect(named.filter((name) => !names.includes(name))).toEqual([]);
});

it('has each in one chapter of the document', () => {
  expect(nginxGroups.flatMap(([, rows]) => Object.keys(rows)).sort()).toEqual([...keys].sort());
});

it('docs/ingress-nginx.md is what the table says (npm run docs)', () => {
  expect(readFileSync(join(packageRoot, 'docs/ingress-nginx.md'), 'utf8')).toBe(nginxDocument());
});
