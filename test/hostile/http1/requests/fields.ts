/** RFC 9112 section 5 and RFC 9110 sections 5 and 7.2: field lines and Host. */
import { controls, delimiters, get, named, passed, post, type RequestCase, refused } from '../case.ts';

const names: readonly RequestCase[] = [
  ...delimiters
    .filter((one) => one !== ':')
    .map((one) => refused('9110 5.1', `name with ${one}`, get(`X${one}A: b\r\n`))),
  ...controls.map((code) =>
    refused('9110 5.1', `name with ${named(code)}`, get(`X${String.fromCharCode(code)}A: b\r\n`)),
  ),
  refused('9112 5', 'line without a colon', get('nonsense\r\n')),
  refused('9112 5', 'empty name', get(': a\r\n')),
  refused('9112 5', 'space inside a name', get('X A: b\r\n')),
  refused('9110 5.1', 'name with a byte of UTF-8', get('X\xc3: b\r\n')),
  refused('9112 5.1', 'space before the colon', get('X-A : b\r\n')),
  refused('9112 5.1', 'tab before the colon', get('X-A\t: b\r\n')),
  refused('9112 5.1', 'space before the colon of Host', 'GET / HTTP/1.1\r\nHost : a\r\n\r\n'),
  refused('9112 5.1', 'space before the colon of Content-Length', post('Content-Length : 5\r\n', 'hello')),
  refused(
    '9112 5.1',
    'tab before the colon of Transfer-Encoding',
    post('Transfer-Encoding\t: chunked\r\n', '0\r\n\r\n'),
  ),
  passed('9110 5.1', 'name with all token characters', get("!#$%&'*+-.^_`|~09aZ: b\r\n"), {
    has: ["!#$%&'*+-.^_`|~09aZ: b"],
  }),
  passed('9110 5.1', 'a name of 200 characters', get(`${'x'.repeat(200)}: b\r\n`)),
  passed('9110 5.1', 'names that are parts of objects', get('__proto__: a\r\nconstructor: b\r\ntoString: c\r\n'), {
    has: ['__proto__: a', 'constructor: b', 'toString: c'],
  }),
];

const values: readonly RequestCase[] = [
  ...controls.map((code) =>
    refused('9110 5.5', `value with ${named(code)}`, get(`X: a${String.fromCharCode(code)}b\r\n`)),
  ),
  refused('9110 5.5', 'NUL at the end of a value', get('X: a\0\r\n')),
  refused('9110 5.5', 'NUL alone', get('X: \0\r\n')),
  refused('9112 5.2', 'obs-fold', get('X: a\r\n b\r\n')),
  refused('9112 5.2', 'obs-fold with a tab', get('X: a\r\n\tb\r\n')),
  refused('9112 5.2', 'obs-fold of an empty line', get('X: a\r\n \r\n')),
  refused('9112 5.2', 'obs-fold in Host', 'GET / HTTP/1.1\r\nHost:\r\n a\r\n\r\n'),
  refused('9112 5.2', 'obs-fold in Transfer-Encoding', post('Transfer-Encoding:\r\n chunked\r\n', '0\r\n\r\n')),
  refused('9112 5.2', 'obs-fold in Content-Length', post('Content-Length: 1\r\n 0\r\n', 'helloworld')),
  refused('9112 2.2', 'white space before the first field', 'GET / HTTP/1.1\r\n X: a\r\nHost: a\r\n\r\n'),
  refused('9112 2.2', 'white space line before the first field', 'GET / HTTP/1.1\r\n \r\nHost: a\r\n\r\n'),
  passed('9110 5.5', 'obs-text in a value', get('X: \xc3\xbc\r\n'), { has: ['X: \xc3\xbc'] }),
  passed('9110 5.5', 'empty value', get('X:\r\n'), { has: ['X:'] }),
  passed('9110 5.5', 'value of white space', get('X: \t \r\n')),
  passed('9110 5.5', 'tab in a value', get('X: a\tb\r\n'), { has: ['X: a\tb'] }),
  passed('9112 5.1', 'no space after the colon', get('X:a\r\n')),
  passed('9112 5.1', 'white space around a value', get('X: \t a \t\r\n')),
  passed('9110 5.3', 'repeated lines keep their order', get('X: 1\r\nX: 2\r\n'), { has: ['X: 1', 'X: 2'] }),
];

const sizes: readonly RequestCase[] = [
  refused('6585 5', 'head over the limit', get(`X: ${'a'.repeat(5_000)}\r\n`), 431),
  refused('6585 5', 'head over the limit, unfinished', `GET / HTTP/1.1\r\nHost: a\r\nX: ${'a'.repeat(5_000)}`, 431),
  refused('6585 5', 'head over the limit by one name', get(`${'a'.repeat(5_000)}: b\r\n`), 431),
  refused(
    '6585 5',
    'head over the limit by its target alone',
    `GET /${'a'.repeat(1_000)} HTTP/1.1\r\nHost: a\r\nX: ${'a'.repeat(3_500)}`,
    431,
  ),
  refused('6585 5', 'too many fields', get('X: a\r\n'.repeat(30)), 431),
  refused('6585 5', 'one field too many', get('X: a\r\n'.repeat(20)), 431),
  passed('6585 5', 'as many fields as may be', get('X: a\r\n'.repeat(19))),
];

const hosts: readonly RequestCase[] = [
  refused('9112 3.2', 'no Host', 'GET / HTTP/1.1\r\n\r\n'),
  refused('9112 3.2', 'no Host, but other fields', 'GET / HTTP/1.1\r\nX: a\r\n\r\n'),
  refused('9112 3.2', 'Host twice', get('Host: b\r\n')),
  refused('9112 3.2', 'the same Host twice', get('Host: a\r\n')),
  refused('9112 3.2', 'Host twice in different cases', get('HOST: a\r\n')),
  refused('9112 3.2', 'Host twice, once empty', get('Host:\r\n')),
  refused('9112 3.2', 'Host twice in HTTP/1.0', 'GET / HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n'),
  ...[
    'a/b',
    'u@a',
    'a b',
    'a:b',
    'a:-1',
    'a:80:80',
    'a:123456',
    'a\\b',
    'a?b',
    'a#b',
    '[::1',
    '[::1]x',
    '[::1]]',
    '::1',
    '[]',
    '[g::1]',
    '[::1%25lo]',
    'a%',
    'a%zz',
    '<a>',
    '"a"',
    'http://a',
    'a\tb',
    'a, b',
    ':80',
  ].map((host) => refused('9110 7.2', `Host ${JSON.stringify(host)}`, `GET / HTTP/1.1\r\nHost: ${host}\r\n\r\n`)),
  refused('9110 7.2', 'Host of 256 characters', `GET / HTTP/1.1\r\nHost: ${'a'.repeat(256)}\r\n\r\n`),
  refused('9110 7.2', 'Host with obs-text', 'GET / HTTP/1.1\r\nHost: \xc3\xbc\r\n\r\n'),
  passed('9112 3.2', 'empty Host', 'GET / HTTP/1.1\r\nHost:\r\n\r\n'),
  ...['[2001:db8::1]:8080', '[::1]', 'a%2d.b', 'a:', 'a:80', 'A.B', 'a.', 'a_b', '127.0.0.1:1', '*'].map((host) =>
    passed('3986 3.2.2', `Host ${host}`, `GET / HTTP/1.1\r\nHost: ${host}\r\n\r\n`, { has: [`Host: ${host}`] }),
  ),
];

export const fields: readonly RequestCase[] = [...names, ...values, ...sizes, ...hosts];
