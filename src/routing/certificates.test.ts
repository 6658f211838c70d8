import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createStore } from '../kube/store/store.ts';
import type { Secret } from '../kube/types/index.ts';
import { certificateDiagnostic, coversName, planCertificate, readTlsSecret } from './certificates.ts';

const folder = resolve(import.meta.dirname, '../../test/golden/ingress/certificates');
const pem = (file: string) => readFileSync(resolve(folder, file), 'utf8');
const base64 = (text: string) => Buffer.from(text).toString('base64');

function secret(crt: string, key: string, rest: Partial<Secret> = {}): Secret {
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { namespace: 'shop', name: 'tls' },
    type: 'kubernetes.io/tls',
    data: { 'tls.crt': base64(crt), 'tls.key': base64(key) },
    ...rest,
  };
}

function read(object: Secret | undefined, now = '2026-01-01T00:00:00Z') {
  const store = createStore();
  if (object) store.put('secrets', object);
  return readTlsSecret(store, 'shop', 'tls', undefined, now);
}

function good(object: Secret, now?: string) {
  const result = read(object, now);
  if (!result.ok) throw new Error(result.error.message);
  return result.value;
}

const warningsOf = (object: Secret, now?: string) => good(object, now).warnings.map(({ code }) => code);

describe('a TLS Secret', () => {
  it('yields chain, key, names, dates and fingerprint', () => {
    const certificate = good(secret(pem('shop.crt') + pem('middle.crt'), pem('shop.key')));
    expect(certificate).toMatchObject({
      id: 'shop/tls',
      chain: pem('shop.crt') + pem('middle.crt'),
      key: pem('shop.key'),
      names: ['shop.example.com', '*.shop.example.com'],
      notBefore: Date.UTC(2020, 0, 1),
      notAfter: Date.UTC(2120, 0, 1),
      fingerprint: expect.stringMatching(/^([0-9A-F]{2}:){31}[0-9A-F]{2}$/),
      source: { object: { apiVersion: 'v1', kind: 'Secret', namespace: 'shop', name: 'tls' } },
      warnings: [],
    });
    expect(Object.keys(planCertificate(certificate)).sort()).toEqual(['chain', 'id', 'key', 'source']);
  });

  it('lists addresses among the names', () => {
    expect(good(secret(pem('wild.crt'), pem('wild.key'))).names).toEqual(['*.example.com', 'example.com', '127.0.0.1']);
  });

  it('is served with a warning when out of its time', () => {
    const brief = secret(pem('brief.crt'), pem('brief.key'));
    expect(warningsOf(brief, '2020-01-15T00:00:00Z')).toEqual([]);
    expect(warningsOf(brief, '2020-03-01T00:00:00Z')).toEqual(['FW6006']);
    expect(warningsOf(brief, '2019-12-31T00:00:00Z')).toEqual(['FW6007']);
  });

  it('is served in order when its chain is not', () => {
    const shuffled = secret(pem('root.crt') + pem('middle.crt') + pem('shop.crt'), pem('shop.key'));
    expect(good(shuffled).chain).toBe(pem('shop.crt') + pem('middle.crt') + pem('root.crt'));
    expect(warningsOf(shuffled)).toEqual(['FW6008']);
  });

  it('is told from other types', () => {
    const data = { 'tls.crt': base64(pem('wild.crt')), 'tls.key': base64(pem('wild.key')) };
    expect(warningsOf(secret('', '', { type: 'Opaque', data }))).toEqual(['FW6010']);
  });

  it('names its host in the common name where that is all it has', () => {
    const legacy = secret(pem('legacy.crt'), pem('legacy.key'));
    expect(good(legacy).names).toEqual(['legacy.example.com']);
    expect(warningsOf(legacy)).toEqual(['FW6011']);
  });

  it.each<[string, Secret | undefined, string, RegExp]>([
    ['missing', undefined, 'FW6001', /shop\/tls does not exist/],
    ['without data', secret('', '', { data: undefined }), 'FW6002', /has no tls.crt$/],
    ['with other keys', secret('', '', { data: { 'ca.crt': 'eA==' } }), 'FW6002', /its keys are ca.crt/],
    ['without a key', secret('', '', { data: { 'tls.crt': base64(pem('wild.crt')) } }), 'FW6002', /no tls.key/],
    ['with a number', secret('', '', { data: { 'tls.crt': 7 } as never }), 'FW6002', /no tls.crt/],
    [
      'with PEM not in base64',
      secret('', '', { data: { 'tls.crt': pem('wild.crt'), 'tls.key': 'eA==' } }),
      'FW6003',
      /stringData/,
    ],
    ['with garbage', secret('', '', { data: { 'tls.crt': '%%%', 'tls.key': 'eA==' } }), 'FW6003', /not base64/],
    ['without PEM', secret('hello', pem('wild.key')), 'FW6003', /no PEM certificate/],
    [
      'with a broken certificate',
      secret(pem('wild.crt').replace(/MII.{20}/, 'AAAA'), pem('wild.key')),
      'FW6003',
      /certificate 1/,
    ],
    ['with an endless chain', secret(pem('wild.crt').repeat(101), pem('wild.key')), 'FW6003', /100 at most/],
    [
      'with a broken key',
      secret(pem('wild.crt'), '-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n'),
      'FW6004',
      /tls.key/,
    ],
    [
      'with a locked key',
      secret(pem('wild.crt'), '-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n'),
      'FW6004',
      /passphrase/,
    ],
    ["with another's key", secret(pem('wild.crt'), pem('shop.key')), 'FW6005', /\*\.example\.com/],
  ])('%s is refused', (_name, object, code, message) => {
    const result = read(object);
    expect(result).toMatchObject({ ok: false, error: { code, message: expect.stringMatching(message), hint: expect.stringMatching(/./) } }); // biome-ignore format: one line
    const at = { object: { apiVersion: 'v1', kind: 'Ingress', name: 'web' }, fieldPath: 'spec.tls[0].secretName' };
    expect(result.ok || certificateDiagnostic(result.error, at)).toMatchObject({ code, severity: 'error', ...at });
  });

  it('is read once as long as it stays the same', () => {
    const store = createStore();
    store.put('secrets', secret(pem('wild.crt'), pem('wild.key')));
    const chains = [1, 2].map(() => readTlsSecret(store, 'shop', 'tls'));
    expect(chains[0]).toEqual(chains[1]);
    store.put('secrets', secret(pem('shop.crt'), pem('shop.key')));
    expect(readTlsSecret(store, 'shop', 'tls')).not.toEqual(chains[0]);
  });
});

describe('names of a certificate', () => {
  it.each([
    ['shop.example.com', true],
    ['Shop.Example.com', true],
    ['a.example.org', true],
    ['a.b.example.org', false],
    ['example.org', false],
    ['*.example.org', true],
    ['*.example.com', false],
    ['.example.org', false],
    ['example.net', false],
  ])('cover %s: %s', (host, expected) => {
    expect(coversName(['shop.example.com', '*.example.org'], host)).toBe(expected);
  });
});
