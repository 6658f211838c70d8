/** The CEL library: what rules of public CustomResourceDefinitions call, with the answers that Kubernetes gives. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compileExpression } from './environment.ts';
import { redirectCalls, usesIdentifier } from './source.ts';
import { celName, convertAny } from './values.ts';

function run(expression: string, self: unknown = null): unknown {
  const program = compileExpression(expression);
  if (program instanceof Error) throw program;
  return program.run({ self: convertAny(self) });
}

describe('expressions that hold', () => {
  it.each([
    ["isIP('10.0.0.1') && isIP('::1') && !isIP('10.0.0') && !isIP('fe80::1%eth0') && !isIP('::ffff:1.2.3.4')"],
    ["ip('10.0.0.1').family() == 4 && ip('fd00::1').family() == 6"],
    ["ip('127.0.0.1').isLoopback() && ip('0.0.0.0').isUnspecified() && ip('169.254.1.1').isLinkLocalUnicast()"],
    [
      "ip('224.0.0.1').isLinkLocalMulticast() && ip('ff02::1').isLinkLocalMulticast() && ip('8.8.8.8').isGlobalUnicast()",
    ],
    ["ip.isCanonical('::1') && !ip.isCanonical('0:0::1')"],
    ["ip('::1') == ip('0::1') && string(ip('0::1')) == '::1'"],
    ["isCIDR('10.0.0.0/8') && !isCIDR('10.0.0.0') && !isCIDR('10.0.0.0/33')"],
    ["cidr('10.0.0.0/8').containsIP('10.255.1.2') && !cidr('10.0.0.0/8').containsIP(ip('11.0.0.1'))"],
    ["!cidr('10.0.0.0/8').containsIP('fd00::1')"],
    ["cidr('10.0.0.0/8').containsCIDR('10.1.0.0/16') && !cidr('10.1.0.0/16').containsCIDR(cidr('10.0.0.0/8'))"],
    ["cidr('10.1.2.3/8').masked() == cidr('10.0.0.0/8') && cidr('fd00::/8').prefixLength() == 8"],
    ["string(cidr('10.1.2.3/8')) == '10.1.2.3/8' && cidr('10.1.2.3/8').ip() == ip('10.1.2.3')"],
    ["isURL('https://example.com:8080/a?b=1') && isURL('/path') && !isURL('example.com') && !isURL('a b')"],
    ["url('https://example.com:8080/a%20b?c=1&c=2').getHost() == 'example.com:8080'"],
    ["url('https://[::1]:80/').getHostname() == '::1' && url('http://a:81').getPort() == '81'"],
    ["url('https://a/x%20y').getEscapedPath() == '/x%20y' && url('https://a').getScheme() == 'https'"],
    ["url('/p?c=1&c=2').getQuery() == {'c': ['1', '2']} && url('/p').getHost() == ''"],
    ["'abc'.matches('^a.c$') && 'xabcx'.matches('abc') && 'ABC'.matches('(?i)^abc$')"],
    [
      "'a1b22'.find('[0-9]+') == '1' && 'a1b22'.findAll('[0-9]+') == ['1', '22'] && 'a1b22'.findAll('[0-9]', 2).size() == 2",
    ],
    ["'abc'.find('x') == ''"],
    ["[1, 2, 2].isSorted() && !['b', 'a'].isSorted() && [].isSorted()"],
    ['[1, 2, 3].sum() == 6 && [1.5, 2.5].sum() == 4.0 && [].sum() == 0'],
    ["[duration('1s'), duration('2s')].sum() == duration('3s')"],
    ["[3, 1, 2].min() == 1 && ['a', 'c'].max() == 'c'"],
    ["['a', 'b', 'a'].indexOf('a') == 0 && ['a', 'b', 'a'].lastIndexOf('a') == 2 && [1].indexOf(5) == -1"],
    ['sets.contains([1, 2], [2]) && sets.equivalent([1, 1], [1]) && !sets.intersects([1], [2])'],
    ["'abc'.charAt(1) == 'b' && 'aXbX'.replace('X', '$&') == 'a$&b$&' && 'aaa'.replace('a', 'b', 2) == 'bba'"],
    ["'%s has %d (%.1f%%)'.format(['x', 3, 1.25]) == 'x has 3 (1.3%)'"],
    ["format.dns1123Label().validate('ok') == null && format.dns1123Label().validate('Not OK').hasValue()"],
    ["format.named('dns1035Label').value().validate('1a').value().size() == 1 && !format.named('nope').hasValue()"],
    ["format.labelValue().validate('A_b') == null && format.qualifiedName().validate('a/b/c').hasValue()"],
    ["format.dns1123LabelPrefix().validate('pod-') == null && format.uuid().validate('x').hasValue()"],
    ['has(self.items[0].name) && !has(self.items[0].size) && has(self.?items)'],
    ["'matches(has(x))'.startsWith('matches') // has(1)"],
    ["self.items.all(i, i.name != '') && self.labels.exists(k, k == 'a') && self.labels['a'] == 'b'"],
    ["duration('1h30m') > duration('89m') && timestamp('2024-01-01T00:00:00Z') < timestamp('2024-01-02T00:00:00Z')"],
    ["size('日本😀') == 3 && 'a,b'.split(',') == ['a', 'b'] && ['a', 'b'].join('-') == 'a-b'"],
    ["self.?missing.orValue('x') == 'x'"],
    ['type(1) == int && dyn(1) == 1.0'],
  ])('%s', (expression) => {
    expect(run(expression, { items: [{ name: 'n' }], labels: { a: 'b' } })).toBe(true);
  });
});

describe('errors', () => {
  it.each([
    ["self.matches('[')", 'x', /invalid regular expression/],
    ["ip('x').family() == 4", null, /IP address "x" parse error/i],
    ['[].min() == 1', null, /min called on empty list/],
    ['self.x == 1', {}, /No such key: x/],
    ["'%d'.format([]) == ''", null, /out of range/],
    ['has(self.a.b)', {}, /No such key: a/],
  ])('%s', (expression, self, message) => {
    expect(() => run(expression, self)).toThrow(message);
  });

  it.each([['self.'], ['self.nope()'], ['unknownVariable == 1'], ["quantity('1') == 1"], ['has(self)']])(
    'does not compile: %s',
    (expression) => {
      expect(compileExpression(expression)).toBeInstanceOf(Error);
    },
  );
});

describe('source', () => {
  it('redirects calls only', () => {
    expect(redirectCalls("has(a.b) && x.matches('has(') && has.c && 'matches(' == matches")).toBe(
      "hasField(a.b) && x.matchesPattern('has(') && has.c && 'matches(' == matches",
    );
    expect(redirectCalls('a.has(x) + r"""x.matches("y")""" + b . matches (c)')).toBe(
      'a.has(x) + r"""x.matches("y")""" + b . matchesPattern (c)',
    );
    expect(redirectCalls(String.raw`'it\'s has(x)' + has(y)`)).toBe(String.raw`'it\'s has(x)' + hasField(y)`);
  });

  it('finds variables outside of strings', () => {
    expect(usesIdentifier('self == oldSelf', 'oldSelf')).toBe(true);
    expect(usesIdentifier("self == 'oldSelf' // oldSelf", 'oldSelf')).toBe(false);
    expect(usesIdentifier('self.oldSelfie', 'oldSelf')).toBe(false);
  });

  it('takes any text without throwing', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 60 }), (text) => {
        const program = compileExpression(text);
        if (!(program instanceof Error)) expect(typeof program.type).toBe('string');
      }),
    );
  });
});

describe('field names', () => {
  it.each([
    ['namespace', '__namespace__'],
    ['a-b', 'a__dash__b'],
    ['a.b/c', 'a__dot__b__slash__c'],
    ['a__b', 'a__underscores__b'],
    ['plain', 'plain'],
  ])('%s is %s', (field, name) => {
    expect(celName(field)).toBe(name);
  });
});
