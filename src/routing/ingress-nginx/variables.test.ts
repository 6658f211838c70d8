import { describe, expect, it } from 'vitest';
import { constantText, parseTemplate } from './variables.ts';

const read = (...given: Parameters<typeof parseTemplate>) => {
  const result = parseTemplate(...given);
  return result.ok ? result.value : result.error;
};

describe('text with variables of nginx', () => {
  it('is read into facts of the request', () => {
    expect(read('https://$host$request_uri')).toEqual([
      'https://',
      { of: 'fact', fact: 'hostname' },
      { of: 'fact', fact: 'uri' },
    ]);
  });

  it('takes names in braces and what follows them', () => {
    expect(read(`a$\{scheme}b`)).toEqual(['a', { of: 'fact', fact: 'scheme' }, 'b']);
  });

  it('finds names of headers, cookies and parameters in names', () => {
    expect(read('$http_user_agent$cookie_session$arg_page')).toEqual([
      { of: 'header', name: 'user-agent' },
      { of: 'cookie', name: 'session' },
      { of: 'query', name: 'page' },
    ]);
  });

  it('knows those that the documents of ingress-nginx make keys of', () => {
    expect(read('$remote_user$binary_remote_addr')).toEqual([
      { of: 'fact', fact: 'user' },
      { of: 'fact', fact: 'client-address' },
    ]);
  });

  it('says which variable it does not know', () => {
    expect(read('$host/$secret')).toBe('the variable $secret is not known');
    expect(read('100 $')).toBe('a $ stands alone');
    expect(read('$constructor')).toBe('the variable $constructor is not known');
  });

  it('knows headers of the response only where there is one', () => {
    expect(read('$upstream_http_etag')).toBe('the variable $upstream_http_etag is not known');
    expect(read('$upstream_http_etag', { response: true })).toEqual([{ of: 'response-header', name: 'etag' }]);
  });

  it('takes one digit for a group, and groups that the pattern does not have for nothing', () => {
    expect(read('/$12-$3', { captures: 2 })).toEqual(['/', { of: 'capture', group: 1 }, '2-']);
  });

  it('puts what is known beforehand into the text', () => {
    expect(read('$namespace/$service_name', { locals: { namespace: ['shop'], service_name: ['web'] } })).toEqual([
      'shop/web',
    ]);
  });

  it('tells constants from templates', () => {
    expect(constantText([])).toBe('');
    expect(constantText(['a'])).toBe('a');
    expect(constantText(['a', { of: 'fact', fact: 'uri' }])).toBeUndefined();
  });
});
