import { describe, expect, it } from 'vitest';
import { backendHopDetails, backendTlsDetails } from './backend-tls.ts';

const source = { object: { apiVersion: 'v1', kind: 'BackendTLSPolicy', namespace: 'shop', name: 'web' } };
const tls = { serverName: 'web.example', verify: true, ca: 'system', subjectAltNames: [], source } as const;

describe('TLS to a backend, explained', () => {
  it.each([
    [tls, /server name web\.example; certificate verified: for web\.example, by an authority of the system/],
    [{ ...tls, ca: '-----BEGIN' }, /by an authority of the policy/],
    [{ ...tls, subjectAltNames: [{ type: 'uri', value: 'spiffe://a/b' } as const] }, /for uri:spiffe:\/\/a\/b, by/],
    [{ ...tls, verify: false }, /not verified: any is taken/],
  ])('%j', (given, expected) => {
    expect(backendTlsDetails(given)).toEqual([expect.stringMatching(expected)]);
  });

  it('says where requests without TLS go on without it', () => {
    expect(backendHopDetails({})).toEqual([]);
    expect(backendHopDetails({ tls })).toEqual(backendTlsDetails(tls));
    expect(backendHopDetails({ tls, tlsAsListener: true }).at(-1)).toMatch('plain HTTP for requests');
  });
});
