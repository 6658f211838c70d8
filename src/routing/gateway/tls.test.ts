import { describe, expect, it } from 'vitest';
import { chooseBySni } from './tls.ts';

const any = { id: 'any', names: ['x.org', 'deep.y.org'] };
const wildcard = { id: 'wildcard', names: ['*.example.com'] };
const api = { id: 'api', names: ['api.example.com', 'a.b.example.com', 'elsewhere.net'] };

describe('certificates by SNI', () => {
  it('serve the hostname of the listener with the certificate made for it', () => {
    expect(chooseBySni('*.example.com', [any, wildcard])[0]).toEqual({
      serverName: '*.example.com',
      certificate: 'wildcard',
      anyDepth: true,
    });
    expect(chooseBySni('a.net', [any, wildcard])).toEqual([{ serverName: 'a.net', certificate: 'any' }]);
  });

  it('prefer a longer name of another certificate, within the hostname only', () => {
    expect(chooseBySni('*.example.com', [wildcard, api])).toEqual([
      { serverName: '*.example.com', certificate: 'wildcard', anyDepth: true },
      { serverName: 'api.example.com', certificate: 'api' },
      { serverName: 'a.b.example.com', certificate: 'api' },
    ]);
  });

  it('name nothing that is served so anyway', () => {
    expect(chooseBySni('*', [any])).toEqual([{ serverName: '*', certificate: 'any' }]);
    expect(chooseBySni('*', [])).toEqual([]);
  });
});
