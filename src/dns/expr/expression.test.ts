/** The expression language: what expr-lang's definition says, and that no input gets past its bounds. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeQuery } from '../wire/ask.ts';
import { parseQuery } from '../wire/query.ts';
import { compileExpression, type Surroundings, type Value } from './expression.ts';
import { type QuerySubject, queryFunctions } from './query-functions.ts';
import { any, int, string } from './types.ts';

const bare: Surroundings<null> = { functions: new Map(), variables: new Map() };

function resultOf(source: string): unknown {
  const compiled = compileExpression(source, bare);
  if (!compiled.ok) throw new Error(compiled.error);
  const found = compiled.value.evaluate(null);
  if (!found.ok) throw new Error(`at query time: ${found.error}`);
  return plain(found.value);
}

const plain = (value: Value): unknown =>
  value instanceof Map
    ? Object.fromEntries([...value].map(([key, item]) => [key, plain(item)]))
    : Array.isArray(value)
      ? value.map(plain)
      : value;

describe('an expression', () => {
  it.each<[string, unknown]>([
    ['0x2A + 0o52 + 0b101010 + 1_000', 1126],
    ['.5 + 1e2', 100.5],
    ["'a\\u0041\\x42\\'\\n'", "aAB'\n"],
    ['"it" + `s \\n ``raw``` ', 'its \\n `raw`'],
    ['[1, 2, [3],]', [1, 2, [3]]],
    ['{a: 1, "b": [2], 3: nil}', { a: 1, b: [2], 3: null }],
    ['7 / 2', 3.5],
    ['-7 % 3', -1],
    ['2 ** 3 ** 2', 512],
    ['-2 ^ 2', -4],
    ['1 + 2 * 3 - 4', 3],
    ['1 < 2 and not (2 >= 3) && !false || false', true],
    ['1 < 2 < 3', true],
    ['1 < 3 < 2', false],
    ['1 == 1.0', true],
    ['[1, [2]] == [1, [2]] and {a: 1} != {a: 2}', true],
    ['"a" in ["a", "b"]', true],
    ['"c" not in ["a", "b"]', true],
    ['"a" in {a: 1}', true],
    ['"abc" contains "b" and "abc" startsWith "a" and "abc" endsWith "c"', true],
    ['"abc" not contains "x"', true],
    ["'foo.example.' matches '^foo\\\\..*\\\\.$'", true],
    ['"a" not matches "^b"', true],
    ['1..3', [1, 2, 3]],
    ['3..1', []],
    ['true ? 1 : 2', 1],
    ['false ? 1 : true ? 2 : 3', 2],
    ['if 1 > 2 { "a" } else if 2 > 1 { "b" } else { "c" }', 'b'],
    ['nil ?? "x"', 'x'],
    ['{a: {b: 1}}.a.b', 1],
    ['{a: nil}.a?.b.c', null],
    ['[1, 2, 3][-1]', 3],
    ['[1, 2, 3, 4, 5][1:-1]', [2, 3, 4]],
    ['"hello"[1:3]', 'el'],
    ['"A,B" | lower() | split(",")', ['a', 'b']],
    ['let x = 4; let y = x * 2; x + y', 12],
    ['1; 2; 3;', 3],
    ['// a comment\n 1 /* and another */ + 1', 2],
    ['trim("  a ") + trim("__b__", "_")', 'ab'],
    ['trimPrefix("HelloWorld", "Hello") + trimSuffix("HelloWorld", "World")', 'WorldHello'],
    ['upper("a") + lower("B")', 'Ab'],
    ['split("a,b,c", ",", 2)', ['a', 'b,c']],
    ['split("a,b", ",", 0)', []],
    ['splitAfter("a,b,c", ",", 2)', ['a,', 'b,c']],
    ['replace("a-b-c", "-", ".") + replace("a-b-c", "-", ".", 1)', 'a.b.ca.b-c'],
    ['repeat("Hi", 3)', 'HiHiHi'],
    ['indexOf("apple pie", "pie") + lastIndexOf("apple pie apple", "apple")', 16],
    ['hasPrefix("ab", "a") and hasSuffix("ab", "b")', true],
    ['join(["a", "b"], "-") + join(["c", "d"])', 'a-bcd'],
    ['len("größe") + len([1, 2]) + len({a: 1})', 8],
    ['int("123") + int(1.9)', 124],
    ['float("1.5") + 1', 2.5],
    ['string(1.5) + string([1, "a"]) + string(nil) + string({b: 1, a: true})', '1.5[1 a]<nil>map[a:true b:1]'],
    ['[abs(-5), ceil(1.2), floor(1.8), round(-1.5)]', [5, 2, 1, -2]],
    ['max(5, [7, 1]) + min(5, 7)', 12],
    ['mean([1, 2, 3]) + median([3, 1, 2, 4])', 4.5],
    ['all([1, 2], # > 0) and any([1, 2], {# > 1}) and one([1, 2], # == 2) and none([1], # > 1)', true],
    ['filter(0..9, # % 2 == 0)', [0, 2, 4, 6, 8]],
    ['map([{a: 1}, {a: 2}], .a + #index)', [1, 3]],
    ['count([true, false, true]) + count([1, 2, 3], # > 1)', 4],
    ['find([1, 2, 3, 4], # > 2)', 3],
    ['[findIndex([1, 2], # == 2), findLast([1, 2], # > 0), findLastIndex([1, 2], # == 9)]', [1, 2, -1]],
    ['reduce(1..9, #acc + #)', 45],
    ['reduce([], #acc + #, 7)', 7],
    ['sum([1, 2, 3]) + sum(["a", "bb"], len(#))', 9],
    ['[first([1, 2]), last([1, 2]), first([])]', [1, 2, null]],
    ['take(reverse(sort([3, 1, 4])), 2)', [4, 3]],
    ['sort(["b", "a"], "desc")', ['b', 'a']],
    ['uniq(concat([1, 2], flatten([2, [1, [3]]])))', [1, 2, 3]],
    ['keys({a: 1}) == ["a"] and values({a: 1}) == [1] and get([1], 5) == nil', true],
    [
      '[bitand(10, 12), bitor(10, 12), bitxor(10, 12), bitnand(10, 12), bitnot(10), bitshl(45, 2), bitshr(45, 2)]',
      [8, 14, 6, 2, -11, 180, 11],
    ],
    ['any([[1], [2, 3]], any(#, # == 3))', true],
    ['map([1, 2], {let x = #; sum([1, 10], # * x)})', [11, 22]],
  ])('%s', (source, expected) => {
    expect(resultOf(source)).toEqual(expected);
  });

  it.each<[string, string]>([
    ['', 'unexpected end of expression at column 1'],
    ['1 +', 'unexpected end of expression at column 4'],
    ['1 2', 'unexpected token "2" at column 3'],
    ['foo', 'unknown name foo at column 1'],
    ['1 + "a"', 'invalid operation: + (mismatched types int and string) at column 3'],
    ['not 1 == 2', 'invalid operation: not (mismatched type int) at column 1'],
    ['1 == "a"', 'invalid operation: == (mismatched types int and string) at column 3'],
    ['1 in ["a"]', 'invalid operation: in (mismatched types int and []string) at column 3'],
    ['1 and true', 'invalid operation: and (mismatched types int and bool) at column 3'],
    ['"a" matches "("', 'matches: error parsing regexp: missing closing ): `(` at column 5'],
    ["'abc", 'literal not terminated at column 1'],
    ["'\\q'", 'invalid char escape \\q at column 1'],
    ['/* abc', 'unclosed comment at column 1'],
    ['12abc', 'bad number syntax: "12a" at column 1'],
    ['9007199254740993', 'integer literal is too large at column 1'],
    ['a @ b', 'unrecognized character: @ at column 3'],
    ['1 ?? 2 + 3', '+ and ?? cannot be mixed without parentheses at column 8'],
    ['uper("a")', 'unknown name uper; did you mean upper? at column 1'],
    ['now()', 'the function now is not supported by Fairway at column 1'],
    ['upper()', 'not enough arguments to call upper at column 1'],
    ['upper("a", "b")', 'too many arguments to call upper at column 1'],
    ['upper(1)', 'cannot use int as argument 1 of upper (type string) at column 1'],
    ['filter([1], #)', 'predicate should return boolean (got int) at column 13'],
    ['#', 'unexpected token "#" at column 1'],
    ['"a".upper()', 'no value has a method upper at column 5'],
    ['"abc"[0]', 'type string has no field 0 at column 6'],
    ['1 ? 2 : 3', 'non-bool expression (type int) used as condition at column 3'],
    ['let len = 1; len', 'cannot redeclare len at column 5'],
    [`${'('.repeat(200)}1${')'.repeat(200)}`, 'nested more than 100 deep at column 101'],
    [Array(1200).fill('1').join('+'), 'more than 1000 nodes at column 1000'],
    [`"${'a'.repeat(10_000)}"`, 'longer than 10000 characters'],
    ['1\n + ~2', 'unrecognized character: ~ at line 2, column 4'],
  ])('%# is refused when it is read, with its place', (source, expected) => {
    const compiled = compileExpression(source, bare);
    expect(compiled.ok ? 'accepted' : compiled.error).toBe(expected);
  });

  it.each<[string, string]>([
    ['1 % 0', 'integer divide by zero'],
    ['[1][3]', 'index out of range: 3 (array length is 1)'],
    ['9007199254740991 + 1', 'an integer is too large'],
    ['reduce([], #acc)', 'reduce of empty array with no initial value'],
    ['int("x")', 'invalid operation: int(string)'],
    ['{a: nil}.a + 1', 'invalid operation: + (mismatched types nil and int)'],
    ['repeat("abc", 65536)', 'repeat: too many times'],
    ['1..100000', 'an array is too long'],
    ['any(1..9999, any(1..9999, # < 0))', 'the expression takes too much work'],
    ['reduce(1..100, #acc + #acc, "ab")', 'a string is too long'],
    ['map(1..9999, 1..9999)', 'the expression takes too much work'],
  ])('%s fails at query time and says why', (source, expected) => {
    const compiled = compileExpression(source, bare);
    if (!compiled.ok) throw new Error(compiled.error);
    const found = compiled.value.evaluate(null);
    expect(found.ok ? 'a value' : found.error).toBe(expected);
  });

  it('takes variables and functions of its surroundings', () => {
    const surroundings: Surroundings<string> = {
      functions: new Map([
        ['twice', { takes: ['string'], gives: string, run: (context, [text]) => `${context}${text}${text}` }],
      ]),
      variables: new Map([
        ['n', int],
        ['x', any],
      ]),
    };
    const compiled = compileExpression('twice("ab") + string(n + x)', surroundings);
    if (!compiled.ok) throw new Error(compiled.error);
    const variables = new Map<string, Value>([
      ['n', 1],
      ['x', 2],
    ]);
    expect(compiled.value.evaluate('>', variables)).toEqual({ ok: true, value: '>abab3' });
    expect(compiled.value.evaluate('>', new Map<string, Value>([['x', 'text']])).ok).toBe(false);
    const bad = compileExpression('twice(n)', surroundings);
    expect(bad.ok ? '' : bad.error).toContain('cannot use int as argument 1 of twice');
  });
});

describe('the functions about a query', () => {
  const parsed = parseQuery(
    encodeQuery('WWW.Example.org.', 28, { id: 77, edns: { udpSize: 1400, version: 0, dnssecOk: true, options: [] } }),
  );
  if (!parsed.ok) throw new Error('not a query');
  const subject: QuerySubject = {
    query: parsed.query,
    client: { address: '2001:db8::7', port: 4000, protocol: 'udp', local: { address: '192.0.2.53', port: 53 } },
    metadata: (label) => ({ 'kubernetes/client-namespace': 'shop' })[label],
  };
  const ask = (source: string, about = subject) => {
    const compiled = compileExpression(source, { functions: queryFunctions, variables: new Map() });
    if (!compiled.ok) throw new Error(compiled.error);
    return compiled.value.evaluate(about);
  };

  it('read what CoreDNS’ view lists', () => {
    expect(
      ask(
        '[name(), type(), class(), proto(), client_ip(), port(), server_ip(), server_port(), string(id()), string(do()), string(bufsize()), string(opcode())]',
      ),
    ).toEqual({
      ok: true,
      value: [
        ...['www.example.org.', 'AAAA', 'IN', 'udp', '2001:db8::7', '4000', '192.0.2.53', '53'],
        ...['77', 'true', '1400', '0'],
      ],
    });
    expect(ask('size()')).toEqual({ ok: true, value: parsed.query.packet.length });
    expect(ask("metadata('kubernetes/client-namespace') == 'shop' and metadata('x') == ''")).toMatchObject({
      value: true,
    });
    const overTls: QuerySubject = { ...subject, client: { ...subject.client, protocol: 'tls' } };
    expect(ask('proto() + string(bufsize())', overTls)).toMatchObject({ value: 'tcp65535' });
  });

  it('find addresses in networks', () => {
    expect(ask("incidr(client_ip(), '2001:db8::/32') and not incidr(client_ip(), '10.0.0.0/8')")).toMatchObject({
      value: true,
    });
    expect(ask("incidr('::ffff:10.1.2.3', '10.0.0.0/8')")).toMatchObject({ value: true });
    expect(ask("incidr('x', '10.0.0.0/8')").ok).toBe(false);
    expect(ask("incidr('10.0.0.1', '10.0.0.1')").ok).toBe(false);
    expect(() => ask("name() matches metadata('x')")).toThrow('must not depend on the query');
  });
});

describe('any text', () => {
  const surroundings = { functions: queryFunctions, variables: new Map() };
  const words = [
    ...['name()', 'type()', '"a"', "'b\\\\.'", '1', '2.5', 'nil', 'true', '[', ']', '(', ')', '{', '}', ',', ':', '?'],
    ...[
      '+',
      '-',
      '*',
      '/',
      '%',
      '**',
      '==',
      '<',
      'in',
      'not',
      'and',
      'or',
      '??',
      '?.',
      '.',
      '..',
      '|',
      ';',
      '#',
      '#acc',
    ],
    ...[
      'let',
      'x',
      '=',
      'if',
      'else',
      'matches',
      'contains',
      'any(',
      'map(',
      'reduce(',
      'filter(',
      'split(',
      'repeat(',
    ],
    ...['len(', 'sort(', 'int(', '1..9999', 'incidr(', 'metadata('],
  ];
  const subject: QuerySubject = {
    query: (parseQuery(encodeQuery('a.test.', 1)) as { query: QuerySubject['query'] }).query,
    client: { address: '192.0.2.1', port: 1, protocol: 'udp' },
    metadata: () => undefined,
  };

  it('is a value, a failure or refused, and nothing else', () => {
    let evaluated = 0;
    const text = fc.oneof(
      fc.string({ maxLength: 60 }),
      fc.array(fc.constantFrom(...words), { maxLength: 14 }).map((parts) => parts.join(' ')),
    );
    fc.assert(
      fc.property(text, (source) => {
        const compiled = compileExpression(source, surroundings);
        if (!compiled.ok) return compiled.error.length > 0;
        evaluated++;
        const found = compiled.value.evaluate(subject);
        return found.ok || found.error.length > 0;
      }),
      { numRuns: 4000 },
    );
    expect(evaluated).toBeGreaterThan(20);
  });

  it('calculates as JavaScript does', () => {
    const tree = fc.letrec<{ node: { text: string; value: number } }>((tie) => ({
      node: fc.oneof(
        { maxDepth: 5 },
        fc.integer({ min: 0, max: 99 }).map((n) => ({ text: String(n), value: n })),
        fc.tuple(tie('node'), fc.constantFrom('+', '-', '*'), tie('node')).map(([a, operator, b]) => ({
          text: `(${a.text} ${operator} ${b.text})`,
          value: { '+': a.value + b.value, '-': a.value - b.value, '*': a.value * b.value }[operator]!,
        })),
      ),
    })).node;
    fc.assert(
      fc.property(tree, ({ text, value }) => {
        fc.pre(Number.isSafeInteger(value) && text.length < 500);
        const compiled = compileExpression(`${text} == ${value < 0 ? `(${value})` : value}`, bare);
        return compiled.ok && compiled.value.evaluate(null).ok;
      }),
      { numRuns: 300 },
    );
  });

  it('keeps texts whole that are quoted', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 40 }), (text) => {
        const escaped = text.replace(/[\\']/g, (char) => `\\${char}`).replaceAll('\n', '\\n');
        const compiled = compileExpression(`'${escaped}'`, bare);
        const found = compiled.ok ? compiled.value.evaluate(null) : compiled;
        return found.ok && found.value === text;
      }),
    );
  });
});
