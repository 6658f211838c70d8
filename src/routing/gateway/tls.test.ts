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
    const exact = { id: 'exact', names: ['a.example.com'] };
    expect(chooseBySni('a.example.com', [wildcard, exact])).toEqual([
      { serverName: 'a.example.com', certificate: 'exact' },
    ]);
    expect(chooseBySni('a.net', [any, wildcard])).toEqual([{ serverName: 'a.net', certificate: 'any' }]);
  });

  it('prefer a longer name of another certificate, within the hostname only', () => {
    expect(chooseBySni('*.example.com', [wildcard, api])).toEqual([
      { serverName: '*.example.com', certificate: 'wildcard', anyDepth: true },
      { serverName: 'api.example.com', certificate: 'api' },
      { serverName: 'a.b.example.com', certificate: 'api' },
    ]);
  });

  it('prefer the longer name in whatever order the certificates stand', () => {
    const exact = { id: 'exact', names: ['foo.example.com'] };
    const deep = { id: 'deep', names: ['*.b.example.com'] };
    expect(chooseBySni('*', [exact, wildcard])).toEqual([
      { serverName: '*', certificate: 'exact' },
      { serverName: '*.example.com', certificate: 'wildcard' },
      { serverName: 'foo.example.com', certificate: 'exact' },
    ]);
    expect(chooseBySni('*.example.com', [deep, wildcard, exact]).map(({ serverName }) => serverName)).toEqual([
      '*.example.com',
      '*.b.example.com',
      'foo.example.com',
    ]);
  });

  it('name nothing that is served so anyway', () => {
    expect(chooseBySni('*', [any])).toEqual([{ serverName: '*', certificate: 'any' }]);
    expect(chooseBySni('*', [])).toEqual([]);
  });
});
