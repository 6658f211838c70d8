/** RFC 9112 sections 2 and 3: the request line, the target, line ends around them. */
import { closing, controls, delimiters, get, named, passed, type RequestCase, refused } from '../case.ts';

const line = (text: string) => `${text}\r\nHost: a\r\n\r\n`;

const shapes: readonly RequestCase[] = [
  refused('9112 3', 'no version', line('GET /')),
  refused('9112 3', 'nothing but a method', line('GET')),
  refused('9112 3', 'method and space', line('GET ')),
  refused('9112 3', 'two spaces before the target', line('GET  / HTTP/1.1')),
  refused('9112 3', 'two spaces before the version', line('GET /  HTTP/1.1')),
  refused('9112 3', 'tab as first separator', line('GET\t/ HTTP/1.1')),
  refused('9112 3', 'tab as second separator', line('GET /\tHTTP/1.1')),
  refused('9112 3', 'vertical tab as separator', line('GET\x0b/ HTTP/1.1')),
  refused('9112 3', 'form feed as separator', line('GET /\x0cHTTP/1.1')),
  refused('9112 3', 'no-break space as separator', line('GET\xa0/ HTTP/1.1')),
  refused('9112 3', 'space before the method', line(' GET / HTTP/1.1')),
  refused('9112 3', 'tab before the method', line('\tGET / HTTP/1.1')),
  refused('9112 3', 'space after the version', line('GET / HTTP/1.1 ')),
  refused('9112 3', 'word after the version', line('GET / HTTP/1.1 x')),
  refused('9112 3', 'two targets', line('GET /a /b HTTP/1.1')),
  refused('9112 3', 'no target', line('GET  HTTP/1.1')),
  refused('9112 3', 'a response for a request', 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n'),
  refused('8446 4.1.2', 'TLS on a plain port', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03'),
  refused('9112 2.2', 'byte order mark', line('\xef\xbb\xbfGET / HTTP/1.1')),
];

const methods: readonly RequestCase[] = [
  ...delimiters.map((one) => refused('9110 9.1', `method with ${one}`, line(`GE${one}T / HTTP/1.1`))),
  ...controls.map((code) =>
    refused('9110 9.1', `method with ${named(code)}`, line(`GE${String.fromCharCode(code)}T / HTTP/1.1`)),
  ),
  refused('9110 9.1', 'method with a byte of UTF-8', line('G\xc3\x89T / HTTP/1.1')),
  refused('9110 9.1', 'endless method', line(`${'A'.repeat(100)} / HTTP/1.1`), 501),
  refused('9110 9.1', 'endless method without an end', 'A'.repeat(3_000), 501),
  refused('9112 3.2.3', 'CONNECT', line('CONNECT a:443 HTTP/1.1'), 501),
  refused('9112 3.2.3', 'CONNECT with an origin-form target', line('CONNECT / HTTP/1.1'), 501),
  refused('9112 3.2.3', 'authority-form with GET', line('GET a:443 HTTP/1.1')),
  passed('9110 9.1', 'unknown method', line('FETCH! / HTTP/1.1')),
  passed('9110 9.1', 'method in lower case is another method', line('get / HTTP/1.1')),
  passed('9110 9.3.8', 'TRACE', line('TRACE / HTTP/1.1')),
];

const targets: readonly RequestCase[] = [
  ...controls.map((code) =>
    refused('9112 3.2', `target with ${named(code)}`, line(`GET /a${String.fromCharCode(code)}b HTTP/1.1`)),
  ),
  refused('9112 3.2', 'space in the target', line('GET /a b HTTP/1.1')),
  refused('9112 3.2', 'tab in the target', line('GET /a\tb HTTP/1.1')),
  refused('3986 2.1', 'raw UTF-8 in the target', line('GET /\xc3\xbc HTTP/1.1')),
  refused('3986 2.1', 'byte 0xff in the target', line('GET /\xff HTTP/1.1')),
  refused('9112 3.2', 'fragment in the target', line('GET /a#b HTTP/1.1')),
  refused('9112 3.2', 'fragment in the query', line('GET /a?b#c HTTP/1.1')),
  refused('9112 3.2.1', 'target without a slash', line('GET a HTTP/1.1')),
  refused('9112 3.2.1', 'target that is a query', line('GET ?a HTTP/1.1')),
  refused('9112 3.2.1', 'target that is a backslash', line('GET \\a HTTP/1.1')),
  refused('9112 3.2.4', 'asterisk with GET', line('GET * HTTP/1.1')),
  refused('9112 3.2.4', 'asterisk and more', line('OPTIONS *a HTTP/1.1')),
  refused('9110 15.5.15', 'long target', line(`GET /${'a'.repeat(2_000)} HTTP/1.1`), 414),
  refused('9110 15.5.15', 'long query', line(`GET /?${'a'.repeat(2_000)} HTTP/1.1`), 414),
  refused('9110 15.5.15', 'long target without an end', `GET /${'a'.repeat(2_000)}`, 414),
  refused('9110 15.5.15', 'long absolute-form', line(`GET http://a/${'a'.repeat(2_000)} HTTP/1.1`), 414),
  ...['/a//b', '//a', '/?', '/a?b?c', '/;a=b', '/%2e%2e/a', '/%41', '/a%2fb', "/!$&'()*+,;=:@-._~"].map((target) =>
    passed('3986 3.3', `target ${target} byte for byte`, line(`GET ${target} HTTP/1.1`), {
      line: `GET ${target} HTTP/1.1`,
    }),
  ),
];

const absolute: readonly RequestCase[] = [
  refused('9112 3.2.2', 'absolute-form of another scheme', line('GET ftp://a/ HTTP/1.1')),
  refused('9112 3.2.2', 'absolute-form without a host', line('GET http:///a HTTP/1.1')),
  refused('9112 3.2.2', 'absolute-form with one slash', line('GET http:/a HTTP/1.1')),
  refused('9112 3.2.2', 'absolute-form without slashes', line('GET http:a HTTP/1.1')),
  refused('9110 4.2.4', 'absolute-form with user information', line('GET http://u@a/ HTTP/1.1')),
  refused('9110 4.2.4', 'absolute-form with a password', line('GET http://u:p@a/ HTTP/1.1')),
  refused('3986 3.2.2', 'absolute-form with a backslash in its host', line('GET http://a\\b/ HTTP/1.1')),
  refused('3986 3.2.3', 'absolute-form with a port that is none', line('GET http://a:x/ HTTP/1.1')),
  refused('9112 3.2', 'absolute-form without Host', 'GET http://a/ HTTP/1.1\r\n\r\n'),
  refused('9112 3.2', 'absolute-form with two Hosts', 'GET http://a/ HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n'),
  passed('9112 3.2.2', 'absolute-form of the same host', line('GET http://a/x?y HTTP/1.1'), {
    line: 'GET /x?y HTTP/1.1',
    has: ['Host: a'],
  }),
  passed('9112 3.2.2', 'absolute-form outranks Host', line('GET http://b:81/x?y HTTP/1.1'), {
    line: 'GET /x?y HTTP/1.1',
    has: ['Host: b:81'],
    lacks: /^host: a$/im,
  }),
  passed('9112 3.2.2', 'absolute-form with a query and no path', line('GET http://a?y HTTP/1.1'), {
    line: 'GET /?y HTTP/1.1',
  }),
  passed('9112 3.2.2', 'absolute-form with nothing behind the host', line('GET http://a HTTP/1.1'), {
    line: 'GET / HTTP/1.1',
  }),
  passed('9110 4.2.3', 'absolute-form with its scheme in upper case', line('GET HTTP://a/x HTTP/1.1'), {
    line: 'GET /x HTTP/1.1',
  }),
];

const versions: readonly RequestCase[] = [
  refused('9112 2.3', 'HTTP/0.9', 'GET /\r\n'),
  refused('9112 2.3', 'HTTP/0.9 by name', line('GET / HTTP/0.9'), 505),
  refused('9112 2.3', 'HTTP/2.0', line('GET / HTTP/2.0'), 505),
  refused('9112 2.3', 'HTTP/3.0', line('GET / HTTP/3.0'), 505),
  refused('9113 3.4', 'what only begins like the preface of HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\rX', 505),
  ...[
    'http/1.1',
    'Http/1.1',
    'HTTP/1.10',
    'HTTP/11.1',
    'HTTP/1',
    'HTTP/1.',
    'HTTP/.1',
    'HTTP/1.x',
    'HTTP/+1.1',
    'HTTP/1 .1',
    'HTTP/1,1',
    'HTTP 1.1',
    'HTTPS/1.1',
    'XTTP/1.1',
    'HTTP/\xb1.1',
    'ICY/1.1',
  ].map((version) => refused('9112 2.3', `version ${JSON.stringify(version)}`, line(`GET / ${version}`))),
  passed('9110 2.5', 'HTTP/1.2 is served as 1.1', line('GET / HTTP/1.2'), { line: 'GET / HTTP/1.1' }),
  closing('9112 2.3', 'HTTP/1.0 is forwarded as 1.1', line('GET / HTTP/1.0'), { line: 'GET / HTTP/1.1' }),
];

const lineEnds: readonly RequestCase[] = [
  refused('9112 2.2', 'bare LF after the request line', 'GET / HTTP/1.1\nHost: a\r\n\r\n'),
  refused('9112 2.2', 'bare LF after a field', 'GET / HTTP/1.1\r\nHost: a\n\r\n'),
  refused('9112 2.2', 'bare LF as the empty line', 'GET / HTTP/1.1\r\nHost: a\r\n\n'),
  refused('9112 2.2', 'bare LF everywhere', 'GET / HTTP/1.1\nHost: a\n\n'),
  refused('9112 2.2', 'bare LF before the request', `\n${get('')}`),
  refused('9112 2.2', 'bare CR before the request', `\r${get('')}`),
  refused('9112 2.2', 'bare CR in the request line', line('GET /\r HTTP/1.1')),
  refused('9112 2.2', 'bare CR in the method', line('GE\rT / HTTP/1.1')),
  refused('9112 2.2', 'bare CR after the version', line('GET / HTTP/1.1\r')),
  refused('9112 2.2', 'bare CR in a value', get('X: a\rb\r\n')),
  refused('9112 2.2', 'bare CR in a name', get('X\rY: b\r\n')),
  refused('9112 2.2', 'bare CR as line end', 'GET / HTTP/1.1\r\nHost: a\rX: b\r\n\r\n'),
  refused('9112 2.2', 'bare CR that hides a length', get('X: a\rContent-Length: 5\r\n')),
  refused('9112 2.2', 'CR CR LF', get('X: a\r\r\n')),
  refused('9112 2.2', 'CR CR LF as the empty line', 'GET / HTTP/1.1\r\nHost: a\r\n\r\r\n'),
  refused('9112 2.2', 'LF CR', 'GET / HTTP/1.1\n\rHost: a\n\r\n\r'),
  refused('9112 2.2', 'more empty lines than anyone sends', `${'\r\n'.repeat(6)}${get('')}`),
  refused('9112 2.2', 'space and an empty line first', ` \r\n${get('')}`),
  passed('9112 2.2', 'an empty line before the request', `\r\n${get('')}`),
  passed('9112 2.2', 'three empty lines before the request', `\r\n\r\n\r\n${get('')}`),
];

export const requestLines: readonly RequestCase[] = [
  ...shapes,
  ...methods,
  ...targets,
  ...absolute,
  ...versions,
  ...lineEnds,
];
