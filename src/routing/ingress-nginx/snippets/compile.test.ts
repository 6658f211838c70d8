import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compileSnippet, type SnippetPlace } from './compile.ts';
import { maxSnippetLength, parseSnippet } from './parse.ts';

function compiled(text: string, place: SnippetPlace = 'location') {
  const result = compileSnippet(text, place);
  if (!result.ok) throw new Error(`line ${result.error.line}: ${result.error.message}`);
  return result.value;
}

function faultOf(text: string, place: SnippetPlace = 'location') {
  const result = compileSnippet(text, place);
  return result.ok ? undefined : `${result.error.line} ${result.error.message}`;
}

const setting = (set: unknown[], more = {}) => ({ type: 'response-values', set, add: [], remove: [], ...more });

describe('snippets', () => {
  it('more_set_headers sets, clears and minds statuses', () => {
    expect(compiled('more_set_headers "X-A: one two" \'X-B:$host\';')).toEqual([
      setting([
        ['X-A', ['one two']],
        ['X-B', [{ of: 'fact', fact: 'hostname' }]],
      ]),
    ]);
    expect(compiled('more_set_headers "Server";')).toEqual([setting([], { remove: ['Server'] })]);
    expect(compiled('more_set_headers -s "404 500" "X-A: 1";')).toEqual([
      setting([['X-A', ['1']]], { statuses: [404, 500] }),
    ]);
    expect(faultOf('more_set_headers -t text/html "X: 1";')).toMatch(/^1 more_set_headers: -t is not understood/);
  });

  it('add_header adds, to some statuses unless always', () => {
    const [some] = compiled('add_header X-A 1;');
    expect(some).toMatchObject({ add: [['X-A', ['1']]], statuses: expect.arrayContaining([200, 304]) });
    const [all] = compiled('add_header Cache-Control "no-cache, private" always;');
    expect(all).toEqual(setting([], { add: [['Cache-Control', ['no-cache, private']]] }));
  });

  it('proxy_set_header and more_set_input_headers change the request', () => {
    expect(compiled('proxy_set_header X-User $http_x_user;\nmore_set_input_headers "X-B: b";')).toEqual([
      { type: 'request-values', set: [['X-User', [{ of: 'header', name: 'x-user' }]]] },
      { type: 'request-values', set: [['X-B', ['b']]] },
    ]);
  });

  it('more_clear_headers and proxy_hide_header remove', () => {
    expect(compiled('more_clear_headers Server "X-Powered-By";proxy_hide_header Via;')).toEqual([
      setting([], { remove: ['Server', 'X-Powered-By'] }),
      setting([], { remove: ['Via'] }),
    ]);
  });

  it('return answers and redirects', () => {
    expect(compiled('return 403;')).toEqual([expect.objectContaining({ type: 'respond', when: [], status: 403 })]);
    expect(compiled('return 200 "hello";')).toEqual([expect.objectContaining({ status: 200, body: ['hello'] })]);
    const location = ['https://', { of: 'fact', fact: 'hostname' }, { of: 'fact', fact: 'uri' }];
    expect(compiled('return 301 https://$host$request_uri;')).toEqual([
      expect.objectContaining({ status: 301, location }),
    ]);
    expect(compiled('return https://$host$request_uri;')).toEqual([expect.objectContaining({ status: 302, location })]);
    expect(faultOf('return 444;')).toBe('1 return: 444 would close the connection without an answer');
  });

  it.each([
    ['($http_x_old)', { type: 'present' }, false],
    ['($http_x_old = "a b")', { type: 'equals', text: 'a b' }, false],
    ['( $http_x_old != b )', { type: 'equals', text: 'b' }, true],
    ['($http_x_old ~ "^a")', { type: 'matches', pattern: '^a' }, false],
    ['($http_x_old !~* (a|b))', { type: 'matches', pattern: '(a|b)', ignoreCase: true }, true],
  ])('if %s', (condition, test, not) => {
    const value = [{ of: 'header', name: 'x-old' }];
    expect(compiled(`if ${condition} {\n return 403;\n}`)).toEqual([
      expect.objectContaining({ status: 403, when: [{ value, test, ...(not && { not }) }] }),
    ]);
  });

  it('groups of a condition are for the block', () => {
    expect(compiled('if ($http_x ~ "^(.)") { return 302 /$1; }')).toEqual([
      expect.objectContaining({
        location: ['/', { of: 'capture', group: 1, within: { pattern: '^(.)', text: [{ of: 'header', name: 'x' }] } }],
      }),
    ]);
  });

  it('rewrite redirects with a flag or an absolute place, and rewrites with break', () => {
    const group = { of: 'capture', group: 1, within: { pattern: '^/a/(.*)$' } };
    const when = [{ value: [{ of: 'fact', fact: 'normal-path' }], test: { type: 'matches', pattern: '^/a/(.*)$' } }];
    expect(compiled('rewrite ^/a/(.*)$ /b/$1 permanent;')).toEqual([
      {
        ...{ type: 'respond', status: 301, when, reason: 'a snippet of the Ingress redirects' },
        location: ['/b/', group, { of: 'fact', fact: 'query-mark' }, { of: 'fact', fact: 'query' }],
        unescaped: true,
      },
    ]);
    expect(compiled('rewrite ^/a/(.*)$ https://b.example/$1?;')).toEqual([
      expect.objectContaining({ status: 302, location: ['https://b.example/', group] }),
    ]);
    expect(compiled('rewrite ^/a/(.*)$ /b/$1 break;')).toEqual([
      { type: 'rewrite', path: { type: 'regex', pattern: '^/a/(.*)$', replacement: '/b/$1' } },
    ]);
    expect(faultOf('rewrite ^/a /b last;')).toMatch(/^1 rewrite: without a redirect/);
  });

  it('rewrite to a place with a query has the query of the request behind it, where there is one', () => {
    const query = { of: 'fact', fact: 'query' };
    const group = { of: 'capture', group: 1, within: { pattern: '^/a/(.*)$' } };
    const matches = { value: [{ of: 'fact', fact: 'normal-path' }], test: { type: 'matches', pattern: '^/a/(.*)$' } };
    const hasQuery = { value: [query], test: { type: 'equals', text: '' }, not: true };
    expect(compiled('rewrite ^/a/(.*)$ /b?c=$1 redirect;')).toEqual([
      expect.objectContaining({ when: [matches, hasQuery], location: ['/b?c=', group, '&', query] }),
      expect.objectContaining({ when: [matches], location: ['/b?c=', group] }),
    ]);
    expect(compiled('rewrite ^/a/(.*)$ /b?c=$1? redirect;')).toEqual([
      expect.objectContaining({ when: [matches], location: ['/b?c=', group] }),
    ]);
  });

  it('set makes a variable for what follows', () => {
    expect(compiled('set $where "$host:8443";\nreturn 302 https://$where/;')).toEqual([
      expect.objectContaining({ location: ['https://', { of: 'fact', fact: 'hostname' }, ':8443/'] }),
    ]);
  });

  it.each([
    [
      'more_set_headers "A: 1";\n\n# a word\nproxy_pass http://other;',
      '4 proxy_pass: this directive is not among those that are understood',
    ],
    ['lua_code;', '1 lua_code: this directive is not among those that are understood'],
    ['access_by_lua_block { ngx.say(1) }', '1 access_by_lua_block: Lua is not run'],
    ['return 200', '1 return is not ended by a ;'],
    ['if ($a) { return 200;', '1 the block of if is not closed'],
    ['return 200; }', '1 a } closes nothing'],
    ['{', '1 a { stands where a directive should begin'],
    [
      'if (-f $request_filename) { return 200; }',
      '1 if: "-f" is not one variable, which is all that a condition may look at',
    ],
    ['if ($http_a ~ "(?=x)") { return 200; }', expect.stringMatching(/^1 if: the pattern/)],
    ['if ($http_a = $http_b) { return 200; }', expect.stringMatching(/not with another variable/)],
    ['if ($http_a) { if ($http_b) { return 200; } }', expect.stringMatching(/nginx does not take an if inside/)],
    ['if ($http_a) { proxy_set_header A b; }', expect.stringMatching(/nginx does not take it inside of if/)],
    ['if ($http_a) { set $b c; }', expect.stringMatching(/set: inside of if it is not understood/)],
    ['add_header X-A "a\nb";', expect.stringMatching(/control characters/)],
    ['add_header "X A" b;', expect.stringMatching(/not the name of a header/)],
    ['return 200 $nothing;', '1 return: the variable $nothing is not known'],
    [`# ${'x'.repeat(maxSnippetLength)}`, expect.stringMatching(/longer than/)],
  ])('refuses %j with its line', (text, fault) => expect(faultOf(text)).toEqual(fault));

  it('takes less of a server and of the question to a service', () => {
    expect(faultOf('proxy_set_header A b;', 'server')).toMatch(/not among those/);
    expect(faultOf('return 200;', 'auth')).toMatch(/not among those/);
    expect(compiled('proxy_set_header A b;', 'auth')).toHaveLength(1);
  });

  it('never throws, and ends', () => {
    const bits = [
      'if',
      '(',
      ')',
      '{',
      '}',
      ';',
      '"',
      "'",
      '$',
      '${',
      'return',
      ' ',
      '\n',
      '\\',
      '#',
      '200',
      '$host',
      '~*',
    ];
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom(...bits), { maxLength: 60 }),
        (words) => void compileSnippet(words.join(''), 'location'),
      ),
    );
    fc.assert(fc.property(fc.string(), (text) => void parseSnippet(text)));
  });

  it('reads comments, quotes and escapes as nginx does', () => {
    const [first, second] = [
      compiled('more_set_headers "A: say \\"x\\"; {}"; # } "'),
      compiled("return 200 'it is \\'so\\'';"),
    ];
    expect(first).toEqual([setting([['A', ['say "x"; {}']]])]);
    expect(second).toEqual([expect.objectContaining({ body: ["it is 'so'"] })]);
  });
});
