/** Certificates of clients, and TLS to backends, with Secrets that hold what they should. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { packageRoot } from '../../../base/package-root.ts';
import type { Backend } from '../../plan/plan.ts';
import { judge, secret } from './testing.ts';

const pem = (file: string) => readFileSync(join(packageRoot, 'test/golden/ingress/certificates', file), 'utf8');
const ca = secret('ca', { 'ca.crt': pem('root.crt') });
/** The certificate itself is taken out, so that clients cannot say it. */
const identity = ['ssl-client-cert', 'ssl-client-verify', 'ssl-client-subject-dn', 'ssl-client-issuer-dn'];

describe('certificates of clients', () => {
  const asked = (annotations: Readonly<Record<string, string>>, objects = [ca]) =>
    judge({ 'auth-tls-secret': 'shop/ca', ...annotations }, { objects });

  it('are required, and who it is goes to backend and service', () => {
    const judged = asked({ 'auth-url': 'http://gate.auth.svc/' });
    expect(judged.policy.filters.server).toEqual([
      { type: 'client-certificate', mode: 'required', validation: 'ca-secret/shop/ca' },
    ]);
    expect(judged.secrets).toEqual(['shop/ca']);
    expect(judged.told).toEqual([]);
    const [headers] = judged.policy.filters.content;
    const names = headers?.type === 'request-values' ? headers.set.map(([name]) => name) : [];
    expect(names.slice(-4)).toEqual(identity);
    const [auth] = judged.policy.filters.access;
    const asking = auth?.type === 'external-auth' && auth.protocol === 'http' ? auth.values?.map(([name]) => name) : [];
    expect(asking).toEqual(['X-Auth-Request-Redirect', 'X-Forwarded-Proto', ...identity]);
  });

  it.each([
    ['optional', 'optional'],
    ['optional_no_ca', 'any'],
  ])('%s', (said, mode) => {
    const { policy } = asked({ 'auth-tls-verify-client': said, 'auth-tls-verify-depth': '3' });
    expect(policy.filters.server).toMatchObject([{ mode, validation: 'ca-secret/shop/ca/depth-3' }]);
  });

  it('off asks for none', () => {
    expect(asked({ 'auth-tls-verify-client': 'off' }).policy.filters.server).toEqual([]);
  });

  it('error page, subject, and the certificate itself', () => {
    const { policy } = asked({
      ...{ 'auth-tls-error-page': 'https://shop.example/sorry', 'auth-tls-match-cn': 'CN=partner-.*' },
      'auth-tls-pass-certificate-to-upstream': 'true',
    });
    const subject = [{ of: 'fact', fact: 'client-certificate-subject' }];
    expect(policy.filters.server).toMatchObject([
      { type: 'client-certificate', errorPage: 'https://shop.example/sorry' },
      {
        ...{ type: 'respond', status: 403, body: ['client certificate unauthorized'] },
        when: [{ value: subject, test: { type: 'matches', pattern: 'CN=partner-.*' }, not: true }],
      },
    ]);
    const [headers] = policy.filters.content;
    expect(headers?.type === 'request-values' && headers.set.map(([name]) => name)).toContain('ssl-client-cert');
  });
});

describe('TLS to backends', () => {
  const backend: Backend = {
    ...{ id: 'shop/web:80', namespace: 'shop', service: 'web', port: 80, protocol: 'http1' },
    source: { object: { apiVersion: 'v1', kind: 'Service', namespace: 'shop', name: 'web' } },
  };
  const both = secret('both', { 'ca.crt': pem('root.crt'), 'tls.crt': pem('shop.crt'), 'tls.key': pem('shop.key') });
  const tlsOf = (annotations: Readonly<Record<string, string>>) => {
    const asked = { 'backend-protocol': 'HTTPS', 'proxy-ssl-secret': 'shop/both', ...annotations };
    const judged = judge(asked, { objects: [both] });
    expect(judged.told).toEqual([]);
    return judged.policy.backendVariant?.(backend).tls;
  };

  it('shows a certificate, and verifies none unless asked to', () => {
    const tls = tlsOf({});
    expect(tls).toMatchObject({ serverName: '', verify: false, minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2' });
    expect(tls?.clientCertificate).toMatchObject({ id: 'shop/both', chain: expect.stringContaining('CERTIFICATE') });
    expect(tls).not.toHaveProperty('verifyName');
  });

  it('as asked for', () => {
    const tls = tlsOf({
      ...{ 'proxy-ssl-verify': 'on', 'proxy-ssl-verify-depth': '2', 'proxy-ssl-name': 'inner.example' },
      ...{
        'proxy-ssl-server-name': 'on',
        'proxy-ssl-protocols': 'TLSv1.3 TLSv1.2',
        'proxy-ssl-ciphers': 'HIGH:!aNULL',
      },
    });
    expect(tls).toMatchObject({
      ...{ serverName: 'inner.example', verifyName: 'inner.example', verify: true, depth: 2 },
      ...{ minVersion: 'TLSv1.2', maxVersion: 'TLSv1.3', ciphers: 'HIGH:!aNULL' },
    });
    expect(tls?.ca).toContain('BEGIN CERTIFICATE');
    expect(tlsOf({ 'proxy-ssl-verify': 'on' })).toMatchObject({ serverName: '', verifyName: 'web.shop.svc', depth: 1 });
  });
});
