/** RFC 9112 sections 6 to 8: where a response ends, lies about it, and backends that leave or hang. */
import { controls, named } from '../case.ts';
import { bad, broken, chunkedOk, good, ok, poison, type ResponseCase } from '../response-case.ts';

const end = '0\r\n\r\n';

const framing: readonly ResponseCase[] = [
  bad(
    '9112 6.3',
    'Content-Length before Transfer-Encoding',
    ok('Content-Length: 5\r\nTransfer-Encoding: chunked\r\n', `${end}${poison}`),
  ),
  bad(
    '9112 6.3',
    'Transfer-Encoding before Content-Length',
    ok('Transfer-Encoding: chunked\r\nContent-Length: 5\r\n', `${end}${poison}`),
  ),
  bad('9112 6.3', 'two different lengths', ok('Content-Length: 5\r\nContent-Length: 6\r\n', 'hello')),
  bad('9112 6.3', 'different lengths in a list', ok('Content-Length: 5, 6\r\n', 'hello')),
  ...['five', '+5', '-5', '0x5', '5.0', '5 5', '', '5,', '9'.repeat(30), '18446744073709551621', '"5"'].map((value) =>
    bad('9110 8.6', `length ${JSON.stringify(value)}`, ok(`Content-Length: ${value}\r\n`, 'hello')),
  ),
  ...[
    'gzip',
    'gzip, chunked',
    'chunked, gzip',
    'chunked, chunked',
    'identity',
    'xchunked',
    'chunked;a=b',
    '"chunked"',
    '',
    '\x0bchunked',
    'chunked\xa0',
  ].map((value) => bad('9112 6.1', `coding ${JSON.stringify(value)}`, ok(`Transfer-Encoding: ${value}\r\n`, end))),
  bad('9112 6.1', 'chunked in two lines', ok('Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n', end)),
  bad('9112 6.1', 'chunked in HTTP/1.0', `HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${end}`),
  bad('9112 6.3', 'both framings of a HEAD', ok('Content-Length: 5\r\nTransfer-Encoding: chunked\r\n'), {
    method: 'HEAD',
    body: '',
  }),
  good('9112 6.3', 'the same length twice', ok('Content-Length: 5\r\nContent-Length: 5\r\n', 'hello'), 'hello'),
  good('9112 6.3', 'the same length in a list', ok('Content-Length: 5, 5\r\n', 'hello'), 'hello', {
    has: ['Content-Length: 5'],
  }),
  good('9110 8.6', 'length with leading zeros', ok('Content-Length: 005\r\n', 'hello'), 'hello', {
    has: ['Content-Length: 5'],
  }),
  good('9112 7', 'chunked in another case', ok('Transfer-Encoding: CHUNKED\r\n', `5\r\nhello\r\n${end}`), 'hello', {
    has: ['Transfer-Encoding: chunked'],
  }),
  good('9112 6.3', 'neither, until the end', ok('', 'hello'), 'hello', { finally: 'close' }),
  good('9112 6.3', 'neither, and empty', ok(''), '', { finally: 'close' }),
  good('9112 6.3', 'chunks for HTTP/1.0', chunkedOk(`5\r\nhello\r\n${end}`), 'hello', {
    version: '1.0',
    lacks: /^transfer-encoding/im,
  }),
];

const withoutBody: readonly ResponseCase[] = [
  good('9110 9.3.2', 'HEAD with a length', ok('Content-Length: 500\r\n'), '', {
    method: 'HEAD',
    has: ['Content-Length: 500'],
  }),
  good('9110 9.3.2', 'HEAD of chunks', ok('Transfer-Encoding: chunked\r\n'), '', { method: 'HEAD' }),
  good('9110 9.3.2', 'HEAD with a body all the same', ok('Content-Length: 6\r\n', 'poison'), '', { method: 'HEAD' }),
  good('9110 9.3.2', 'HEAD with neither', ok(''), '', { method: 'HEAD' }),
  good('9110 15.3.5', '204', 'HTTP/1.1 204 No Content\r\n\r\n', '', { status: 204 }),
  good('9110 8.6', '204 with a length', 'HTTP/1.1 204 No Content\r\nContent-Length: 6\r\n\r\npoison', '', {
    status: 204,
    lacks: /^content-length/im,
  }),
  good('9112 6.1', '204 with chunks', `HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n${end}`, '', {
    status: 204,
    lacks: /^transfer-encoding/im,
  }),
  good('9110 15.4.5', '304 with a length', 'HTTP/1.1 304 Not Modified\r\nContent-Length: 500\r\n\r\n', '', {
    status: 304,
    has: ['Content-Length: 500'],
  }),
  good(
    '9110 15.4.5',
    '304 with a body all the same',
    'HTTP/1.1 304 Not Modified\r\nContent-Length: 6\r\n\r\npoison',
    '',
    { status: 304 },
  ),
  good('9110 15.3.6', '205 with length zero', 'HTTP/1.1 205 Reset Content\r\nContent-Length: 0\r\n\r\n', '', {
    status: 205,
  }),
];

const chunks: readonly ResponseCase[] = [
  ...['z', '', '0x5', '+5', '-5', ' 5', '5 ', '5g', 'fffffffffffffffff', '10000000000000005', '0'.repeat(40)].map(
    (size) => broken('9112 7.1', `size ${JSON.stringify(size)}`, chunkedOk(`${size}\r\nhello\r\n${end}`)),
  ),
  ...controls.map((code) =>
    broken('9112 7.1', `size before ${named(code)}`, chunkedOk(`5${String.fromCharCode(code)}\r\nhello\r\n${end}`)),
  ),
  broken('9112 7.1', 'bare LF after the size', chunkedOk(`5\nhello\r\n${end}`)),
  broken('9112 7.1', 'bare LF after the data', chunkedOk(`5\r\nhello\n${end}`)),
  broken('9112 7.1', 'data longer than its size', chunkedOk(`4\r\nhello\r\n${end}`)),
  broken('9112 7.1', 'bare LF as the end', chunkedOk('5\r\nhello\r\n0\n\n')),
  broken('9112 7.1', 'garbage behind a chunk', chunkedOk('5\r\nhello\r\nzz\r\n'), { body: 'hello' }),
  broken('9112 7.1.1', 'extension over the bound', chunkedOk(`5;${'a'.repeat(400)}\r\nhello\r\n${end}`)),
  broken('9112 7.1.1', 'bare LF in an extension', chunkedOk(`5;a\nhello\r\n${end}`)),
  broken('9112 7.1.2', 'trailers over the bound', chunkedOk(`0\r\nX: ${'a'.repeat(10_000)}\r\n\r\n`)),
  broken('9112 7.1.2', 'malformed trailer', chunkedOk('0\r\nnonsense\r\n\r\n')),
  broken('9112 7.1.2', 'bare CR in a trailer', chunkedOk('0\r\nX: a\rb\r\n\r\n')),
  good('9112 7.1.1', 'extension is taken out', chunkedOk(`5;a=b\r\nhello\r\n${end}`), 'hello'),
  good('9110 6.5', 'trailer', chunkedOk('5\r\nhello\r\n0\r\nX-Sum: 1\r\n\r\n'), 'hello'),
];

const lies: readonly ResponseCase[] = [
  good('9112 9.2', 'two answers at once', ok('Content-Length: 5\r\n', `hello${poison}`), 'hello'),
  good('9112 9.2', 'two answers, the first in chunks', chunkedOk(`5\r\nhello\r\n${end}${poison}`), 'hello'),
  good(
    '9112 9.2',
    'an answer and an interim one',
    ok('Content-Length: 5\r\n', 'helloHTTP/1.1 103 Early Hints\r\n\r\n'),
    'hello',
  ),
  good('9112 6.3', 'more than its length', ok('Content-Length: 5\r\n', 'hellopoison'), 'hello'),
  good('9112 6.3', 'length zero and a body', ok('Content-Length: 0\r\n', 'poison'), ''),
  good('9112 9.6', 'Connection: close and silence', ok('Connection: close\r\nContent-Length: 5\r\n', 'hello'), 'hello'),
  good('9112 9.6', 'keep-alive and the end', ok('Connection: keep-alive\r\nContent-Length: 5\r\n', 'hello'), 'hello', {
    finally: 'close',
  }),
  good('9112 9.6', 'keep-alive and a reset', ok('Connection: keep-alive\r\nContent-Length: 5\r\n', 'hello'), 'hello', {
    finally: 'reset',
  }),
  broken('9112 8', 'shorter than its length', ok('Content-Length: 10\r\n', 'hello'), {
    finally: 'close',
    body: 'hello',
  }),
  broken('9112 8', 'reset within its length', ok('Content-Length: 10\r\n', 'hello'), {
    finally: 'reset',
    body: 'hello',
  }),
  broken('9112 8', 'length and nothing', ok('Content-Length: 10\r\n'), { finally: 'close' }),
  broken('9112 8', 'end within a chunk', chunkedOk('5\r\nhel'), { finally: 'close' }),
  broken('9112 8', 'end between chunks', chunkedOk('5\r\nhello\r\n'), { finally: 'close', body: 'hello' }),
  broken('9112 8', 'end within the trailers', chunkedOk('5\r\nhello\r\n0\r\nX: '), { finally: 'close', body: 'hello' }),
  broken('9112 8', 'reset between chunks', chunkedOk('5\r\nhello\r\n'), { finally: 'reset' }),
  broken('9112 8', 'reset of what would end with the connection', ok('', 'hello'), { finally: 'reset' }),
  broken('9112 8', 'chunks that break off for HTTP/1.0', chunkedOk('5\r\nhello\r\n'), {
    finally: 'close',
    version: '1.0',
  }),
];

const leaving: readonly ResponseCase[] = [
  bad('9112 9.5', 'end before the head', '', { finally: 'close' }),
  bad('9112 9.5', 'reset before the head', '', { finally: 'reset' }),
  bad('9112 8', 'end within the status line', 'HTTP/1.1 20', { finally: 'close' }),
  bad('9112 8', 'end within the head', 'HTTP/1.1 200 OK\r\nConte', { finally: 'close' }),
  bad('9112 8', 'end before the empty line', 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n', { finally: 'close' }),
  bad('9112 8', 'reset within the head', 'HTTP/1.1 200 OK\r\nX: ', { finally: 'reset' }),
  bad('9110 15.6.5', 'silence', '', { status: 504 }),
  bad('9110 15.6.5', 'silence within the status line', 'HTTP/1.1 2', { status: 504 }),
  bad('9110 15.6.5', 'silence within the head', 'HTTP/1.1 200 OK\r\nX: ', { status: 504 }),
  bad('9110 15.6.5', 'a head that drips in', `HTTP/1.1 200 OK\r\nX: ${'a'.repeat(200)}`, { status: 504, dripMs: 20 }),
  bad('9110 15.6.5', 'an interim response and silence', 'HTTP/1.1 103 Early Hints\r\n\r\n', {
    status: 504,
    interim: [103],
  }),
  broken('9110 15.6.5', 'silence within the length', ok('Content-Length: 10\r\n', 'hello'), { body: 'hello' }),
  broken('9110 15.6.5', 'silence between chunks', chunkedOk('5\r\nhello\r\n'), { body: 'hello' }),
];

export const bodies: readonly ResponseCase[] = [...framing, ...withoutBody, ...chunks, ...lies, ...leaving];
