/** RFC 9112 section 6 and RFC 9110 section 8.6: where a request ends. */
import { chunked, controls, get, named, passed, post, type RequestCase, refused, smuggled, spoiled } from '../case.ts';

const end = '0\r\n\r\n';
const both = (lines: string, version = '1.1') => `POST / HTTP/${version}\r\nHost: a\r\n${lines}\r\n${end}${smuggled}`;

const bothFramings: readonly RequestCase[] = [
  refused(
    '9112 6.3',
    'Content-Length before Transfer-Encoding',
    both('Content-Length: 5\r\nTransfer-Encoding: chunked\r\n'),
  ),
  refused(
    '9112 6.3',
    'Transfer-Encoding before Content-Length',
    both('Transfer-Encoding: chunked\r\nContent-Length: 5\r\n'),
  ),
  refused(
    '9112 6.3',
    'both with other lines between',
    both('Content-Length: 5\r\nX: a\r\nTransfer-Encoding: chunked\r\n'),
  ),
  refused('9112 6.3', 'both with length zero', both('Content-Length: 0\r\nTransfer-Encoding: chunked\r\n')),
  refused('9112 6.3', 'both with an empty length', both('Content-Length:\r\nTransfer-Encoding: chunked\r\n')),
  refused('9112 6.3', 'both in other cases', both('CONTENT-LENGTH: 5\r\ntransfer-encoding: CHUNKED\r\n')),
  refused('9112 6.3', 'both, the coding unknown', both('Content-Length: 5\r\nTransfer-Encoding: xchunked\r\n')),
  refused('9112 6.3', 'both, the coding identity', both('Content-Length: 5\r\nTransfer-Encoding: identity\r\n')),
  refused('9112 6.3', 'both in HTTP/1.0', both('Content-Length: 5\r\nTransfer-Encoding: chunked\r\n', '1.0')),
  refused(
    '9112 6.3',
    'both, Connection naming one',
    both('Connection: Transfer-Encoding\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n'),
  ),
];

const badLengths: readonly [name: string, value: string][] = [
  ['signed', '+5'],
  ['negative', '-5'],
  ['negative zero', '-0'],
  ['hexadecimal', '0x5'],
  ['octal', '0o5'],
  ['in scientific notation', '5e0'],
  ['with a point', '5.0'],
  ['with a space inside', '1 2'],
  ['with a tab inside', '1\t2'],
  ['with an underscore', '1_0'],
  ['with thousands', '1,000'],
  ['with a unit', '5b'],
  ['with a semicolon', '5;'],
  ['quoted', '"5"'],
  ['empty', ''],
  ['of white space', ' \t '],
  ['over any number', '9'.repeat(30)],
  ['of 2^64 and 5', '18446744073709551621'],
  ['of 2^63', '9223372036854775808'],
  ['in other digits', '\xd9\xa5'],
  ['with superscript', '5\xb2'],
  ['NaN', 'NaN'],
  ['Infinity', 'Infinity'],
  ['in words', 'five'],
  ['as a list of different ones', '5, 6'],
  ['as a list with an empty member', '5,'],
  ['as a list that begins empty', ',5'],
  ['as a list with the same number in other digits', '5, 05'],
];

const lengths: readonly RequestCase[] = [
  ...badLengths.map(([name, value]) =>
    refused('9110 8.6', `length ${name}`, post(`Content-Length: ${value}\r\n`, `hello${smuggled}`)),
  ),
  ...controls.map((code) =>
    refused(
      '9110 8.6',
      `length with ${named(code)}`,
      post(`Content-Length: ${String.fromCharCode(code)}5\r\n`, 'hello'),
    ),
  ),
  refused('9112 6.3', 'two different lengths', post('Content-Length: 5\r\nContent-Length: 6\r\n', `hello${smuggled}`)),
  refused(
    '9112 6.3',
    'two different lengths, the larger first',
    post('Content-Length: 6\r\nContent-Length: 5\r\n', `hello${smuggled}`),
  ),
  refused('9112 6.3', 'two lengths, one malformed', post('Content-Length: 5\r\nContent-Length: x\r\n', 'hello')),
  refused('9112 6.3', 'two lengths, one empty', post('Content-Length: 5\r\nContent-Length:\r\n', 'hello')),
  refused(
    '9112 6.3',
    'two lengths, equal but for zeros',
    post('Content-Length: 5\r\nContent-Length: 005\r\n', 'hello'),
  ),
  refused('9112 6.3', 'length zero and another', post('Content-Length: 0\r\nContent-Length: 5\r\n', 'hello')),
  refused('9110 8.6', 'bad length of a GET', get('Content-Length: x\r\n')),
  refused('9110 8.6', 'bad length in HTTP/1.0', 'POST / HTTP/1.0\r\nHost: a\r\nContent-Length: -1\r\n\r\n'),
  passed('9112 6.3', 'the same length twice', post('Content-Length: 5\r\nContent-Length: 5\r\n', 'hello'), {
    data: 'hello',
  }),
  passed('9112 6.3', 'the same length in a list', post('Content-Length: 5, 5\r\n', 'hello'), { data: 'hello' }),
  passed('9110 8.6', 'length zero', post('Content-Length: 0\r\n'), { data: '' }),
  passed('9110 8.6', 'length with leading zeros', post('Content-Length: 0005\r\n', 'hello'), {
    data: 'hello',
    has: ['Content-Length: 5'],
  }),
  passed('9112 6.3', 'POST without a length has no body', post('')),
  passed('9110 9.3.1', 'GET with a body', `${get('Content-Length: 5\r\n')}hello`, { data: 'hello' }),
  passed('9110 9.3.5', 'DELETE with a body', 'DELETE / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello', {
    data: 'hello',
  }),
  spoiled(
    '9112 6.3',
    'bytes behind the length are another request',
    `${post('Content-Length: 5\r\n', 'hello')}!\r\n\r\n`,
    [{ data: 'hello' }],
  ),
];

const codings: readonly [name: string, value: string][] = [
  ['gzip', 'gzip'],
  ['gzip before chunked', 'gzip, chunked'],
  ['gzip after chunked', 'chunked, gzip'],
  ['chunked twice', 'chunked, chunked'],
  ['chunked and a comma', 'chunked,'],
  ['a comma and chunked', ', chunked'],
  ['identity', 'identity'],
  ['identity before chunked', 'identity, chunked'],
  ['identity after chunked', 'chunked, identity'],
  ['almost chunked', 'xchunked'],
  ['chunked and more', 'chunkedx'],
  ['chunked as a part', 'x chunked'],
  ['chunked with a parameter', 'chunked;a=b'],
  ['chunked with an empty parameter', 'chunked;'],
  ['quoted chunked', '"chunked"'],
  ['single-quoted chunked', "'chunked'"],
  ['empty', ''],
  ['trailers', 'trailers'],
  ['deflate', 'deflate'],
  ['compress before chunked', 'compress, chunked'],
  ['chunked with a Kelvin sign', 'chun\xe2\x84\xaaed'],
  ['chunked with a long s', 'chunked\xc5\xbf'],
  ['chunked behind a no-break space', '\xa0chunked'],
  ['chunked before a next-line byte', 'chunked\x85'],
  ['chunked with a space inside', 'chunk ed'],
];

const transferEncodings: readonly RequestCase[] = [
  ...codings.map(([name, value]) =>
    refused('9112 6.1', `coding ${name}`, post(`Transfer-Encoding: ${value}\r\n`, `${end}${smuggled}`)),
  ),
  ...controls.map((code) =>
    refused(
      '9112 6.1',
      `coding chunked behind ${named(code)}`,
      post(`Transfer-Encoding: ${String.fromCharCode(code)}chunked\r\n`, end),
    ),
  ),
  refused(
    '9112 6.1',
    'chunked in two lines',
    post('Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n', end),
  ),
  refused(
    '9112 6.1',
    'chunked and identity in two lines',
    post('Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n', end),
  ),
  refused(
    '9112 6.1',
    'identity and chunked in two lines',
    post('Transfer-Encoding: identity\r\nTransfer-Encoding: chunked\r\n', end),
  ),
  refused('9112 6.1', 'empty line and chunked', post('Transfer-Encoding:\r\nTransfer-Encoding: chunked\r\n', end)),
  refused('9112 6.1', 'chunked in HTTP/1.0', `POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n${end}`),
  refused(
    '9112 6.1',
    'chunked in HTTP/1.0 with keep-alive',
    `POST / HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n${end}${smuggled}`,
  ),
  passed('9112 7', 'chunked in another case', post('Transfer-Encoding: ChunKed\r\n', `5\r\nhello\r\n${end}`), {
    data: 'hello',
    has: ['Transfer-Encoding: chunked'],
  }),
  passed('9112 6.1', 'white space around chunked', post('Transfer-Encoding: \t chunked\t \r\n', end), {
    data: '',
    has: ['Transfer-Encoding: chunked'],
  }),
  passed('9110 9.3.1', 'GET with chunks', get('Transfer-Encoding: chunked\r\n') + `5\r\nhello\r\n${end}`, {
    data: 'hello',
  }),
  passed(
    '9110 5.1',
    'a name that only looks like it',
    post('Transfer_Encoding: chunked\r\nContent-Length: 5\r\n', 'hello'),
    { data: 'hello' },
  ),
  passed('9110 5.1', 'a name that ends like it', post('X-Transfer-Encoding: chunked\r\nX-Content-Length: 9\r\n')),
  passed(
    '9112 6.1',
    'chunked body that holds a request',
    chunked(`${smuggled.length.toString(16)}\r\n${smuggled}\r\n${end}`),
    { data: smuggled },
  ),
  passed(
    '9112 6.3',
    'body with a length that holds a request',
    post(`Content-Length: ${smuggled.length}\r\n`, smuggled),
    { data: smuggled },
  ),
];

export const framing: readonly RequestCase[] = [...bothFramings, ...lengths, ...transferEncodings];
