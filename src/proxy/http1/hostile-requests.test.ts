/**
 * Requests that are wrong or look so, raw over sockets. Each row: the section that decides, what is sent, the status of
 * the first response, and how many requests a backend may see. A connection that was refused is closed.
 */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type RecordingBackend, recordingBackend } from '../testing/backend.ts';
import { createFront } from '../testing/front.ts';
import { endpoint, host, listener, planOf, route } from '../testing/plans.ts';
import { dial } from '../testing/sockets.ts';

const address = '127.79.2.1';
const port = 8080;
const limits = { maxHeadBytes: 4_096, maxTargetBytes: 1_024, maxHeaders: 20, headTimeoutMs: 500, bodyTimeoutMs: 500 };
const front = createFront({ client: limits, relay: { maxChunkExtensionBytes: 32, maxTrailerBytes: 256 } });
let app: RecordingBackend;

beforeAll(async () => {
  app = await recordingBackend(address, 8081);
  await front.endpoints({ app: [endpoint(address, 8081)] });
  await front.plan(planOf([listener(address, port, [host('*', [route()])])]));
});

beforeEach(() => {
  app.requests.length = 0;
});

afterAll(async () => {
  await front.close();
  await app.close();
});

type Row = readonly [section: string, what: string, bytes: string, status: number];

const get = (lines: string) => `GET / HTTP/1.1\r\nHost: a\r\n${lines}\r\n`;
const post = (lines: string, body = '') => `POST / HTTP/1.1\r\nHost: a\r\n${lines}\r\n${body}`;
const chunked = (body: string) => post('Transfer-Encoding: chunked\r\n', body);
/** What an attacker hopes to have taken for a request of its own. */
const smuggled = 'GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n';

const refused: readonly Row[] = [
  // Request line
  ['9112 3', 'no version', 'GET /\r\nHost: a\r\n\r\n', 400],
  ['9112 3', 'two spaces before the target', 'GET  / HTTP/1.1\r\nHost: a\r\n\r\n', 400],
  ['9112 3', 'two spaces before the version', 'GET /  HTTP/1.1\r\nHost: a\r\n\r\n', 400],
  ['9112 3', 'tab as separator', 'GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n', 400],
  ['9112 3', 'space before the method', ' GET / HTTP/1.1\r\nHost: a\r\n\r\n', 400],
  ['9112 3', 'space after the version', 'GET / HTTP/1.1 \r\nHost: a\r\n\r\n', 400],
  ['9110 9.1', 'method that is no token', 'GE(T / HTTP/1.1\r\nHost: a\r\n\r\n', 400],
  ['9110 9.1', 'endless method', `${'A'.repeat(100)} / HTTP/1.1\r\nHost: a\r\n\r\n`, 501],
  ['9112 3.2', 'space in the target', 'GET /a b HTTP/1.1\r\nHost: a\r\n\r\n', 400],
  ['9112 3.2', 'control byte in the target', 'GET /a\x01 HTTP/1.1\r\nHost: a\r\n\r\n', 400],
  ['9112 3.2', 'NUL in the target', 'GET /a\0b HTTP/1.1\r\nHost: a\r\n\r\n', 400],
  ['3986 2.1', 'raw UTF-8 in the target', 'GET /\xc3\xbc HTTP/1.1\r\nHost: a\r\n\r\n', 400],
  ['9112 3.2', 'fragment in the target', 'GET /a#b HTTP/1.1\r\nHost: a\r\n\r\n', 400],
  ['9112 3.2.1', 'target without a slash', 'GET a HTTP/1.1\r\nHost: a\r\n\r\n', 400],
  ['9112 3.2.2', 'absolute-form of another scheme', 'GET ftp://a/ HTTP/1.1\r\nHost: a\r\n\r\n', 400],
  ['9112 3.2.2', 'absolute-form without a host', 'GET http:///a HTTP/1.1\r\nHost: a\r\n\r\n', 400],
  ['9110 4.2.4', 'absolute-form with user information', 'GET http://u@a/ HTTP/1.1\r\nHost: a\r\n\r\n', 400],
  ['9112 3.2.3', 'CONNECT', 'CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n', 501],
  ['9112 3.2.4', 'asterisk with GET', 'GET * HTTP/1.1\r\nHost: a\r\n\r\n', 400],
  ['9110 15.5.15', 'long target', `GET /${'a'.repeat(2000)} HTTP/1.1\r\nHost: a\r\n\r\n`, 414],
  ['9112 2.3', 'HTTP/0.9', 'GET /\r\n', 400],
  ['9112 2.3', 'HTTP/2.0', 'GET / HTTP/2.0\r\nHost: a\r\n\r\n', 505],
  ['9113 3.4', 'HTTP/2 preface', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 505],
  ['9112 2.3', 'lower-case name', 'GET / http/1.1\r\nHost: a\r\n\r\n', 400],
  ['9112 2.3', 'two digits', 'GET / HTTP/1.10\r\nHost: a\r\n\r\n', 400],
  ['9112 2.3', 'no minor', 'GET / HTTP/1\r\nHost: a\r\n\r\n', 400],
  ['9112 2.2', 'more empty lines than anyone sends', `${'\r\n'.repeat(6)}${get('')}`, 400],
  ['8446 4.1.2', 'TLS on a plain port', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03', 400],
  // Line ends
  ['9112 2.2', 'bare LF after the request line', 'GET / HTTP/1.1\nHost: a\r\n\r\n', 400],
  ['9112 2.2', 'bare LF after a field', 'GET / HTTP/1.1\r\nHost: a\n\r\n', 400],
  ['9112 2.2', 'bare LF as the empty line', 'GET / HTTP/1.1\r\nHost: a\r\n\n', 400],
  ['9112 2.2', 'bare CR in the request line', 'GET /\r HTTP/1.1\r\nHost: a\r\n\r\n', 400],
  ['9112 2.2', 'bare CR in a value', get('X: a\rb\r\n'), 400],
  ['9112 2.2', 'bare CR as line end', 'GET / HTTP/1.1\r\nHost: a\rX: b\r\n\r\n', 400],
  ['9112 2.2', 'CR CR LF', get('X: a\r\r\n'), 400],
  // Fields
  ['9112 5.1', 'space before the colon', get('X-A : b\r\n'), 400],
  ['9112 5.1', 'space before the colon of Content-Length', post('Content-Length : 5\r\n', 'hello'), 400],
  ['9112 5.1', 'tab before the colon of Transfer-Encoding', post('Transfer-Encoding\t: chunked\r\n', '0\r\n\r\n'), 400],
  ['9112 5.2', 'obs-fold', get('X: a\r\n b\r\n'), 400],
  ['9112 5.2', 'obs-fold with a tab', get('X: a\r\n\tb\r\n'), 400],
  ['9112 2.2', 'white space before the first field', 'GET / HTTP/1.1\r\n X: a\r\nHost: a\r\n\r\n', 400],
  ['9112 5', 'line without a colon', get('nonsense\r\n'), 400],
  ['9112 5', 'empty name', get(': a\r\n'), 400],
  ['9110 5.1', 'name that is no token', get('X(A): b\r\n'), 400],
  ['9110 5.1', 'name with a byte of UTF-8', get('X\xc3: b\r\n'), 400],
  ['9110 5.5', 'NUL in a value', get('X: a\0b\r\n'), 400],
  ['9110 5.5', 'control byte in a value', get('X: a\x02b\r\n'), 400],
  ['9110 5.5', 'DEL in a value', get('X: a\x7fb\r\n'), 400],
  ['6585 5', 'head over the limit', get(`X: ${'a'.repeat(5000)}\r\n`), 431],
  ['6585 5', 'head over the limit, unfinished', `GET / HTTP/1.1\r\nHost: a\r\nX: ${'a'.repeat(5000)}`, 431],
  ['6585 5', 'too many fields', get('X: a\r\n'.repeat(30)), 431],
  // Host
  ['9112 3.2', 'no Host', 'GET / HTTP/1.1\r\n\r\n', 400],
  ['9112 3.2', 'Host twice', get('Host: b\r\n'), 400],
  ['9112 3.2', 'the same Host twice', get('Host: a\r\n'), 400],
  ['9112 3.2', 'Host twice in HTTP/1.0', 'GET / HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n', 400],
  ['9112 3.2', 'Host twice with absolute-form', 'GET http://a/ HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n', 400],
  ['9110 7.2', 'Host with a path', 'GET / HTTP/1.1\r\nHost: a/b\r\n\r\n', 400],
  ['9110 7.2', 'Host with user information', 'GET / HTTP/1.1\r\nHost: u@a\r\n\r\n', 400],
  ['9110 7.2', 'Host with a space', 'GET / HTTP/1.1\r\nHost: a b\r\n\r\n', 400],
  ['9110 7.2', 'Host with a port that is none', 'GET / HTTP/1.1\r\nHost: a:b\r\n\r\n', 400],
  ['3986 3.2.2', 'Host with half a literal', 'GET / HTTP/1.1\r\nHost: [::1\r\n\r\n', 400],
  ['3986 3.2.2', 'Host with text after a literal', 'GET / HTTP/1.1\r\nHost: [::1]x\r\n\r\n', 400],
  ['9110 7.2', 'Host with a backslash', 'GET / HTTP/1.1\r\nHost: a\\b\r\n\r\n', 400],
  // Framing
  [
    '9112 6.3',
    'Content-Length and Transfer-Encoding',
    post('Content-Length: 5\r\nTransfer-Encoding: chunked\r\n', `0\r\n\r\n${smuggled}`),
    400,
  ],
  [
    '9112 6.3',
    'Transfer-Encoding and Content-Length',
    post('Transfer-Encoding: chunked\r\nContent-Length: 5\r\n', `0\r\n\r\n${smuggled}`),
    400,
  ],
  ['9112 6.3', 'differing lengths', post('Content-Length: 5\r\nContent-Length: 6\r\n', `hello${smuggled}`), 400],
  ['9112 6.3', 'differing lengths in a list', post('Content-Length: 5, 6\r\n', `hello${smuggled}`), 400],
  ['9112 6.3', 'list with an empty member', post('Content-Length: 5,\r\n', 'hello'), 400],
  ['9110 8.6', 'signed length', post('Content-Length: +5\r\n', 'hello'), 400],
  ['9110 8.6', 'negative length', post('Content-Length: -5\r\n', 'hello'), 400],
  ['9110 8.6', 'hexadecimal length', post('Content-Length: 0x5\r\n', 'hello'), 400],
  ['9110 8.6', 'length with a point', post('Content-Length: 5.0\r\n', 'hello'), 400],
  ['9110 8.6', 'length with a space inside', post('Content-Length: 1 2\r\n', 'hello'), 400],
  ['9110 8.6', 'empty length', post('Content-Length:\r\n', 'hello'), 400],
  ['9110 8.6', 'length over any number', post(`Content-Length: ${'9'.repeat(30)}\r\n`, 'hello'), 400],
  ['9112 6.1', 'unknown coding', post('Transfer-Encoding: gzip\r\n', smuggled), 400],
  ['9112 6.1', 'coding before chunked', post('Transfer-Encoding: gzip, chunked\r\n', '0\r\n\r\n'), 400],
  ['9112 6.1', 'coding after chunked', post('Transfer-Encoding: chunked, gzip\r\n', '0\r\n\r\n'), 400],
  ['9112 6.1', 'chunked twice', post('Transfer-Encoding: chunked, chunked\r\n', '0\r\n\r\n'), 400],
  [
    '9112 6.1',
    'chunked in two lines',
    post('Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n', '0\r\n\r\n'),
    400,
  ],
  ['9112 6.1', 'identity', post('Transfer-Encoding: identity\r\n', smuggled), 400],
  ['9112 6.1', 'almost chunked', post('Transfer-Encoding: xchunked\r\n', '0\r\n\r\n'), 400],
  ['9112 6.1', 'chunked with a parameter', post('Transfer-Encoding: chunked;a=b\r\n', '0\r\n\r\n'), 400],
  ['9112 6.1', 'quoted chunked', post('Transfer-Encoding: "chunked"\r\n', '0\r\n\r\n'), 400],
  ['9112 6.1', 'vertical tab before chunked', post('Transfer-Encoding: \x0bchunked\r\n', '0\r\n\r\n'), 400],
  ['9112 6.1', 'empty coding', post('Transfer-Encoding:\r\n', '0\r\n\r\n'), 400],
  ['9112 6.1', 'chunked in HTTP/1.0', 'POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n', 400],
  ['9110 10.1.1', 'unknown expectation', get('Expect: tea\r\n'), 417],
  ['9110 7.6.1', 'Connection with many names', get(`Connection: ${'a,'.repeat(40)}b\r\n`), 400],
  // Chunked bodies
  ['9112 7.1', 'size that is no number', chunked(`z\r\nhello\r\n0\r\n\r\n${smuggled}`), 400],
  ['9112 7.1', 'empty size', chunked('\r\nhello\r\n0\r\n\r\n'), 400],
  ['9112 7.1', 'size with a prefix', chunked('0x5\r\nhello\r\n0\r\n\r\n'), 400],
  ['9112 7.1', 'signed size', chunked('+5\r\nhello\r\n0\r\n\r\n'), 400],
  ['9112 7.1', 'space before the size', chunked(' 5\r\nhello\r\n0\r\n\r\n'), 400],
  ['9112 7.1', 'space after the size', chunked('5 \r\nhello\r\n0\r\n\r\n'), 400],
  ['9112 7.1', 'underscore in the size', chunked('1_0\r\nhello\r\n0\r\n\r\n'), 400],
  ['9112 7.1', 'size over any number', chunked('fffffffffffffffff\r\nhello\r\n0\r\n\r\n'), 400],
  ['9112 7.1', 'endless zeros', chunked(`${'0'.repeat(40)}5\r\nhello\r\n0\r\n\r\n`), 400],
  ['9112 7.1', 'bare LF after the size', chunked('5\nhello\r\n0\r\n\r\n'), 400],
  ['9112 7.1', 'bare LF after the data', chunked('5\r\nhello\n0\r\n\r\n'), 400],
  ['9112 7.1', 'data longer than its size', chunked(`5\r\nhello!\r\n0\r\n\r\n${smuggled}`), 400],
  ['9112 7.1', 'bare LF in the end', chunked('5\r\nhello\r\n0\n\n'), 400],
  ['9112 7.1.1', 'extensions over the bound', chunked(`5;${'a'.repeat(100)}\r\nhello\r\n0\r\n\r\n`), 400],
  ['9112 7.1.1', 'bare LF in an extension', chunked(`5;a\nhello\r\n0\r\n\r\n${smuggled}`), 400],
  ['9112 7.1.1', 'bare CR in an extension', chunked('5;a\rb\r\nhello\r\n0\r\n\r\n'), 400],
  ['9112 7.1.1', 'NUL in an extension', chunked('5;a\0\r\nhello\r\n0\r\n\r\n'), 400],
  ['9112 7.1.2', 'trailers over the bound', chunked(`0\r\nX: ${'a'.repeat(300)}\r\n\r\n`), 400],
  ['9112 7.1.2', 'malformed trailer', chunked('0\r\nnonsense\r\n\r\n'), 400],
  ['9112 7.1.2', 'bare LF in the trailers', chunked('0\r\nX: a\n\r\n'), 400],
  ['9112 7.1.2', 'obs-fold in the trailers', chunked('0\r\nX: a\r\n b\r\n\r\n'), 400],
];

/** Forwarded as one request, and the connection serves another after it. */
const accepted: readonly Row[] = [
  ['9112 2.2', 'an empty line before the request', `\r\n${get('')}`, 200],
  ['9110 9.1', 'unknown method', 'FETCH! / HTTP/1.1\r\nHost: a\r\n\r\n', 200],
  ['9110 5.1', 'name with all token characters', get("!#$%&'*+-.^_`|~09aZ: b\r\n"), 200],
  ['9110 5.5', 'obs-text in a value', get('X: \xc3\xbc\r\n'), 200],
  ['9110 5.5', 'empty value', get('X:\r\n'), 200],
  ['9110 5.5', 'tab in a value', get('X: a\tb\r\n'), 200],
  ['9112 3.2', 'empty Host', 'GET / HTTP/1.1\r\nHost:\r\n\r\n', 200],
  ['3986 3.2.2', 'IPv6 literal with a port', 'GET / HTTP/1.1\r\nHost: [2001:db8::1]:8080\r\n\r\n', 200],
  ['3986 3.2.2', 'percent-encoded host', 'GET / HTTP/1.1\r\nHost: a%2d.b\r\n\r\n', 200],
  ['9112 3.2.2', 'absolute-form of another host', 'GET http://b:81/x?y HTTP/1.1\r\nHost: a\r\n\r\n', 200],
  ['9112 3.2.2', 'absolute-form with a query and no path', 'GET http://b?y HTTP/1.1\r\nHost: a\r\n\r\n', 200],
  ['9112 6.3', 'the same length twice', post('Content-Length: 5\r\nContent-Length: 5\r\n', 'hello'), 200],
  ['9112 6.3', 'the same length in a list', post('Content-Length: 5, 5\r\n', 'hello'), 200],
  ['9110 8.6', 'length zero', post('Content-Length: 0\r\n'), 200],
  ['9112 6.1', 'chunked in another case', post('Transfer-Encoding: Chunked\r\n', '5\r\nhello\r\n0\r\n\r\n'), 200],
  ['9112 6.3', 'GET with a body', get('Content-Length: 5\r\n') + 'hello', 200],
  ['9112 7.1', 'sizes in both cases', chunked(`A\r\n${'x'.repeat(10)}\r\na\r\n${'y'.repeat(10)}\r\n0\r\n\r\n`), 200],
  ['9112 7.1.1', 'short extension', chunked('5;a=b;c="d"\r\nhello\r\n0;e\r\n\r\n'), 200],
  ['9112 7.1.2', 'trailer', chunked('5\r\nhello\r\n0\r\nX-Sum: 1\r\nContent-Length: 9\r\n\r\n'), 200],
  [
    '9110 7.6.1',
    'Connection that names Host and Content-Length',
    post('Connection: host, content-length\r\nContent-Length: 5\r\n', 'hello'),
    200,
  ],
];

const statusOf = (text: string) => Number(/^HTTP\/1\.1 (\d{3}) /.exec(text)?.[1]);
const title = (row: Row): [string, Row] => [`${row[0]} ${row[1]}`, row];

describe('refused, and the connection closed', () => {
  it.each(refused.map(title))('RFC %s', async (_, [, , bytes, status]) => {
    const client = await dial(address, port);
    client.send(bytes);
    const text = await client.closed();
    client.socket.destroy();
    expect(statusOf(text)).toBe(status);
    expect(text).toContain('\r\nConnection: close\r\n');
    expect(text).toContain('\r\nContent-Type: text/plain');
    expect(text.match(/HTTP\/1\.1 /g)).toHaveLength(1);
    expect(app.requests).toEqual([]);
  });
});

describe('taken as one request', () => {
  it.each(accepted.map(title))('RFC %s', async (_, [, , bytes, status]) => {
    const client = await dial(address, port);
    client.send(bytes);
    expect(statusOf(await client.until('\r\n\r\nok'))).toBe(status);
    client.send('GET /next HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
    const text = await client.closed();
    client.socket.destroy();
    expect(text.match(/HTTP\/1\.1 200 OK/g)).toHaveLength(2);
    expect(app.requests).toHaveLength(2);
    expect(app.requests[1]?.line).toBe('GET /next HTTP/1.1');
  });

  it('RFC 9112 3.2 HTTP/1.0 without Host gets one', async () => {
    const client = await dial(address, port);
    client.send('GET / HTTP/1.0\r\n\r\n');
    expect(statusOf(await client.closed())).toBe(200);
    expect(app.requests[0]?.lines).toContain(`Host: ${address}:${port}`);
    client.socket.destroy();
  });
});

describe('too slow', () => {
  it.each([
    ['9110 15.5.9 no end of the head', 'GET / HTTP/1.1\r\nHost: a\r\n', 408, 0],
    ['9110 15.5.9 no end of the request line', 'GET /', 408, 0],
    ['9110 15.5.9 no end of the body', post('Content-Length: 10\r\n', 'hello'), 408, 0],
    ['9110 15.5.9 no end of the chunks', chunked('5\r\nhello\r\n'), 408, 0],
  ])('RFC %s', async (_, bytes, status, requests) => {
    const client = await dial(address, port);
    client.send(bytes);
    expect(statusOf(await client.closed())).toBe(status);
    expect(app.requests).toHaveLength(requests);
    client.socket.destroy();
  });

  it('closes a connection on which nothing comes, without a word', async () => {
    const client = await dial(address, port);
    expect(await client.closed()).toBe('');
    client.socket.destroy();
  });

  it('is not fooled by a head that drips in', async () => {
    const client = await dial(address, port);
    const drip = setInterval(() => client.send('x'), 50);
    client.send('GET / HTTP/1.1\r\nHost: a\r\nX: ');
    expect(statusOf(await client.closed(2_000))).toBe(408);
    clearInterval(drip);
    client.socket.destroy();
  });
});
