import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Condition, RequestFact, Template } from '../../routing/plan/plan.ts';
import { isFieldValue } from '../http1/characters.ts';
import { createFields, scanText } from '../http1/fields.ts';
import { distinguishedName } from './certificate.ts';
import { compileConditions } from './condition.ts';
import { compileLocation } from './location.ts';
import { compileResponseTemplate } from './response-template.ts';
import { compileTemplate, headerText, soundTemplate } from './template.ts';
import { type Asker, requestOf } from './testing.ts';

const lines = [
  'GET /a%20b/./c/?x=1&Y=a%26b&x=2& HTTP/1.1',
  'Host: Shop.Example:8080',
  'X-One: first',
  'x-one: second',
  'Cookie: sid=a,b; other=1',
  'Cookie: SID=later; lang = de',
];

const read = (template: Template, asker?: Asker, given = lines) =>
  soundTemplate(template).text(...requestOf(given, asker));
const fact = (name: RequestFact, asker?: Asker, more: readonly string[] = []) =>
  read([{ of: 'fact', fact: name }], asker, [...lines, ...more]);

describe('a template', () => {
  it('of texts alone is one constant', () => {
    expect(soundTemplate(['a', '', 'b', 'c']).constant).toBe('abc');
    expect(soundTemplate([]).constant).toBe('');
    expect(soundTemplate(['é']).constant).toBe('\xc3\xa9');
    expect(soundTemplate(['a', { of: 'query', name: 'x' }]).constant).toBeUndefined();
  });

  it.each<[Template, string]>([
    [[{ of: 'query', name: 'x' }], '1'],
    [[{ of: 'query', name: 'y' }], 'a%26b'],
    [[{ of: 'query', name: 'z' }], ''],
    [[{ of: 'header', name: 'x-one' }], 'first'],
    [[{ of: 'header', name: 'X-One' }], 'first'],
    [[{ of: 'header', name: 'host' }], 'Shop.Example:8080'],
    [[{ of: 'header', name: 'x-none' }], ''],
    [[{ of: 'cookie', name: 'sid' }], 'a,b'],
    [[{ of: 'cookie', name: 'lang' }], 'de'],
    [[{ of: 'cookie', name: 'none' }], ''],
    [[{ of: 'query', name: 'x' }, '-'], '1-'],
    [['<', { of: 'query', name: 'x' }, '>', { of: 'cookie', name: 'other' }, '!'], '<1>1!'],
  ])('%j is %j', (template, text) => expect(read(template)).toBe(text));

  it('cannot name the response before there is one', () => {
    expect(compileTemplate([{ of: 'response-header', name: 'etag' }])).toMatchObject({ ok: false });
  });

  it.each<[number, string]>([
    [0, '/v1/users/7'],
    [1, 'users'],
    [2, ''],
    [3, '7'],
    [4, ''],
  ])('has group %i of the path pattern', (group, text) => {
    const asker = {
      route: { match: { path: { type: 'regex', value: '/V1/([a-z]+)(x)?/([0-9]).*', ignoreCase: true } } },
    } as const;
    expect(read([{ of: 'capture', group }], asker, ['GET /v1/users/7?q HTTP/1.1', 'Host: a'])).toBe(text);
  });

  it('has groups of a pattern of its own', () => {
    const group = (pattern: string) => read([{ of: 'capture', group: 1, within: { pattern, ignoreCase: true } }]);
    expect(group('^/a%20B/(.)')).toBe('.');
    expect(group('^/b(.)')).toBe('');
    expect(compileTemplate([{ of: 'capture', group: 1, within: { pattern: '(' } }])).toMatchObject({ ok: false });
  });

  it('has no groups where the path of the route is no pattern', () => {
    const asker = { route: { match: { path: { type: 'prefix', value: '/a' } } } } as const;
    expect(read([{ of: 'capture', group: 1 }], asker)).toBe('');
    expect(read([{ of: 'capture', group: 0 }], asker)).toBe('/a%20b/./c/');
  });
});

describe('facts', () => {
  it.each<[RequestFact, string]>([
    ['url', 'http://Shop.Example:8080/a%20b/./c/?x=1&Y=a%26b&x=2&'],
    ['uri', '/a%20b/./c/?x=1&Y=a%26b&x=2&'],
    ['path', '/a%20b/./c/'],
    ['normal-path', '/a b/c/'],
    ['query', 'x=1&Y=a%26b&x=2&'],
    ['query-mark', '?'],
    ['method', 'GET'],
    ['scheme', 'http'],
    ['host', 'Shop.Example:8080'],
    ['hostname', 'shop.example'],
    ['client-address', '192.0.2.1'],
    ['listener-port', '80'],
    ['port', '80'],
    ['protocol', 'HTTP/1.1'],
    ['forwarded-for', ''],
    ['forwarded-for-appended', '192.0.2.1'],
    ['tls', ''],
    ['user', ''],
    ['escaped-uri', '%2Fa%2520b%2F.%2Fc%2F%3Fx%3D1%26Y%3Da%2526b%26x%3D2%26'],
    ['client-certificate', ''],
    ['client-certificate-verify', 'NONE'],
    ['client-certificate-subject', ''],
    ['client-certificate-issuer', ''],
  ])('%s is %j', (name, text) => expect(fact(name)).toBe(text));

  it('are what trusted proxies say', () => {
    const said = ['X-Forwarded-For: 198.51.100.7', 'X-Forwarded-Proto: https', 'X-Forwarded-Port: 8443'];
    const trusted = { trusted: true };
    expect(fact('client-address', trusted, said)).toBe('198.51.100.7');
    expect(fact('port', trusted, said)).toBe('8443');
    expect(fact('port', {}, said)).toBe('80');
    expect(fact('port', trusted, ['X-Forwarded-Port: 1;x'])).toBe('80');
    expect(fact('forwarded-for-appended', {}, said)).toBe('198.51.100.7, 192.0.2.1');
  });

  it('know whom credentials name, checked or not', () => {
    const basic = (text: string) => [`Authorization: Basic ${Buffer.from(text).toString('base64')}`];
    expect(fact('user', {}, basic('bob:secret'))).toBe('bob');
    expect(fact('user', {}, basic('grün:x'))).toBe('gr\xc3\xbcn');
    expect(fact('user', {}, basic('no colon'))).toBe('');
    expect(fact('user', {}, ['Authorization: Bearer Ym9iOng='])).toBe('');
  });

  it('know the last slash', () => {
    const target = (path: string) =>
      read([{ of: 'fact', fact: 'uri-without-slash' }], {}, [`GET ${path} HTTP/1.1`, 'Host: a']);
    expect(target('/')).toBe('');
    expect(target('/a/')).toBe('/a');
    expect(target('/a?b')).toBe('/a?b');
  });

  it('have one identity for a request', () => {
    const template = soundTemplate([{ of: 'fact', fact: 'request-id' }]);
    const request = requestOf(lines);
    const id = template.text(...request);
    expect(id).toMatch(/^[0-9a-f]{32}$/);
    expect(template.text(...request)).toBe(id);
    expect(template.text(...requestOf(lines))).not.toBe(id);
    expect(fact('request-id', {}, ['X-Request-ID: mine'])).toBe('mine');
  });

  it('write names as RFC 2253 does', () => {
    expect(distinguishedName('C=DE\nO=Bread\\, Butter + OU=x\nCN=Jürgen')).toBe(
      'CN=J\\C3\\BCrgen,OU=x+O=Bread\\, Butter,C=DE',
    );
    expect(distinguishedName(undefined)).toBe('');
  });
});

describe('conditions', () => {
  const holds = (...conditions: Condition[]) => {
    const compiled = compileConditions(conditions);
    if (!compiled.ok) throw new Error(compiled.error);
    return compiled.value.holds ? compiled.value.holds(...requestOf(lines)) : 'always';
  };
  const path: Template = [{ of: 'fact', fact: 'path' }];
  const one: Template = [{ of: 'header', name: 'x-one' }];
  const absent: Template = [{ of: 'header', name: 'x-none' }];

  it.each<[string, boolean | 'always', Condition[]]>([
    ['none', 'always', []],
    ['a text that is equal', true, [{ value: one, test: { type: 'equals', text: 'first' } }]],
    ['a text in another case', false, [{ value: one, test: { type: 'equals', text: 'First' } }]],
    ['the opposite', true, [{ value: one, test: { type: 'equals', text: 'First' }, not: true }]],
    ['nothing', true, [{ value: absent, test: { type: 'equals', text: '' } }]],
    ['a pattern', true, [{ value: one, test: { type: 'matches', pattern: 'ir' } }]],
    ['a pattern in another case', false, [{ value: one, test: { type: 'matches', pattern: '^FIRST$' } }]],
    ['a pattern in any case', true, [{ value: one, test: { type: 'matches', pattern: '^FIRST$', ignoreCase: true } }]],
    ['a text in a pattern', true, [{ value: one, test: { type: 'matches', pattern: 'irs' } }]],
    ['a text in a pattern in another case', false, [{ value: one, test: { type: 'matches', pattern: 'IRS' } }]],
    [
      'a text in a pattern in any case',
      true,
      [{ value: one, test: { type: 'matches', pattern: 'IRS', ignoreCase: true } }],
    ],
    ['something', true, [{ value: one, test: { type: 'present' } }]],
    ['something that is not there', false, [{ value: absent, test: { type: 'present' } }]],
    ['a path', true, [{ value: path, test: { type: 'under', paths: ['/x', '/a%20b/'] } }]],
    ['half a path', false, [{ value: path, test: { type: 'under', paths: ['/a'] } }]],
    ['any path', true, [{ value: path, test: { type: 'under', paths: ['/'] } }]],
    ['a constant that fits', 'always', [{ value: ['x'], test: { type: 'present' } }]],
    ['a constant that does not', false, [{ value: ['0'], test: { type: 'present' } }]],
    [
      'two of which one does not hold',
      false,
      [
        { value: one, test: { type: 'present' } },
        { value: path, test: { type: 'equals', text: '/' } },
      ],
    ],
  ])('%s', (_what, outcome, conditions) => expect(holds(...conditions)).toBe(outcome));

  describe('what patterns cost', () => {
    const costOf = (condition: Condition, asked = lines) => {
      const compiled = compileConditions([condition]);
      const [exchange, head] = requestOf(asked);
      const denial = compiled.ok ? compiled.value.charge?.(exchange, head) : undefined;
      return { steps: exchange.patternSteps, status: denial?.status };
    };

    it('is counted by the length of the text, also where it is not found', () => {
      const short = costOf({ value: one, test: { type: 'matches', pattern: '^x.y' } }, [
        'GET / HTTP/1.1',
        'Host: a',
        'X-One: ab',
      ]);
      const long = costOf({ value: one, test: { type: 'matches', pattern: '^x.y' } }, [
        'GET / HTTP/1.1',
        'Host: a',
        'X-One: abcde',
      ]);
      expect(short.steps).toBeGreaterThan(0);
      expect(long.steps).toBe(short.steps * 2);
      expect(long.status).toBeUndefined();
    });

    it('is nothing of a text, and of conditions that are none', () => {
      for (const test of [{ type: 'matches', pattern: 'bad bot/1' }, { type: 'present' }] as const)
        expect(costOf({ value: one, test }).steps).toBe(0);
    });

    it('has an end', () => {
      const asked = ['GET / HTTP/1.1', 'Host: a', `X-One: ${'a'.repeat(8_000)}`];
      expect(costOf({ value: one, test: { type: 'matches', pattern: '(?:a?){300}b' } }, asked).status).toBe(414);
    });
  });

  it('with a pattern that cannot be used are refused', () => {
    expect(compileConditions([{ value: one, test: { type: 'matches', pattern: '(?=x)' } }])).toMatchObject({
      ok: false,
    });
  });
});

describe('places to go to', () => {
  const place = (template: Template, asker: Asker = {}, relative = false, given = lines) => {
    const compiled = compileLocation(template, { relative });
    return compiled.ok && compiled.value(...requestOf(given, asker));
  };

  it('are made absolute', () => {
    expect(place(['/x'])).toBe('http://shop.example/x');
    expect(place(['/x'], { scheme: 'https', port: 8443 })).toBe('https://shop.example:8443/x');
    expect(place(['https://a/b c'])).toBe('https://a/b%20c');
    expect(place(['//x'], {}, false, ['GET / HTTP/1.0'])).toBe('/x');
  });

  it('escape what a group has of a decoded path, and leave what it has of another text', () => {
    const group = (fact: RequestFact) =>
      ({ of: 'capture', group: 1, within: { pattern: '^/go/(.*)', text: [{ of: 'fact', fact }] } }) as const;
    const turned = (fact: RequestFact) => {
      const compiled = compileLocation(['https://b/', group(fact)]);
      const [exchange, head] = requestOf(['GET /go/a%20b%3Fc?x=1 HTTP/1.1', 'Host: a']);
      head.normalPath = '/go/a b?c';
      return compiled.ok && compiled.value(exchange, head);
    };
    expect(turned('uri')).toBe('https://b/a%20b%3Fc?x=1');
    expect(turned('normal-path')).toBe('https://b/a%20b%3Fc');
  });

  it('undo escapes up to the first question mark, as rewrites of nginx do', () => {
    const turned = (path: string) => {
      const within = { pattern: '^/old/(.*)' };
      const compiled = compileLocation(['https://b/', { of: 'capture', group: 1, within }], { unescaped: true });
      const [exchange, head] = requestOf([`GET ${path} HTTP/1.1`, 'Host: a'], {});
      head.normalPath = decodeURIComponent(path);
      return compiled.ok && compiled.value(exchange, head);
    };
    expect(turned('/old/a%2Fb+c%20d')).toBe('https://b/a/b+c%20d');
    expect(turned('/old/a%3Fb%26c%3Fd')).toBe('https://b/a?b%26c%3Fd');
    expect(turned('/old/100%25')).toBe('https://b/100%25');
    expect(turned('/old/a%0Db')).toBe('https://b/a%0Db');
  });

  it('name no other host that a client has brought along', () => {
    const given = ['GET //evil.example/ HTTP/1.1', 'Host: a'];
    expect(place([{ of: 'fact', fact: 'path' }], {}, true, given)).toBe('/evil.example/');
    expect(place(['//cdn.example', { of: 'fact', fact: 'path' }], {}, true, given)).toBe(
      '//cdn.example//evil.example/',
    );
  });
});

it('templates of responses are bound to their request', () => {
  const fields = createFields(9);
  scanText(fields, 'ETag: "1"\r\nX: a\r\nx: b\r\n\r\n');
  const template: Template = ['<', { of: 'header', name: 'x-one' }, { of: 'response-header', name: 'X' }, '>'];
  const compiled = compileResponseTemplate(template);
  expect(compiled.constant).toBeUndefined();
  expect(compiled.bind(...requestOf(lines))(fields)).toBe('<firsta,b>');
  expect(compileResponseTemplate(['a', 'b']).constant!(fields)).toBe('ab');
  expect(compileResponseTemplate([{ of: 'response-header', name: 'etag' }]).constant!(fields)).toBe('"1"');
});

it('nothing breaks out of a header', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) =>
      isFieldValue(headerText(Buffer.from(text).toString('latin1'))),
    ),
  );
  expect(headerText(' a\r\nb\0\x7f ')).toBe('a%0D%0Ab%00%7F');
});
