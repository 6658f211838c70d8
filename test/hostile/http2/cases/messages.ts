/** RFC 9113 sections 8.1 and 8.2: messages, their fields, length and trailers. */
import { controls, delimiters, named } from '../../http1/case.ts';
import { answered, ask, END, end, type Http2Case, malformed, open, pause, post, postWith, pseudo } from '../case.ts';
import { code, data, flag, headers, reset } from '../frames.ts';
import { block, type Field } from '../hpack.ts';

const FIN = flag.endStream;
const trailers = (...fields: readonly Field[]) => headers(1, block(fields), END);

const framing: readonly Http2Case[] = [
  answered(
    '9113 8.1',
    'a body in several frames',
    [open(1), data(1, 'he'), data(1, 'llo', FIN)],
    [{ line: 'POST / HTTP/1.1', data: 'hello' }],
  ),
  answered(
    '9113 8.1',
    'a body that ends with an empty frame',
    [open(1), data(1, 'hello'), data(1, '', FIN)],
    [{ data: 'hello' }],
  ),
  answered(
    '9113 8.1',
    'a body that ends with trailers',
    [open(1, ['te', 'trailers']), data(1, 'hello'), trailers(['x-sum', 'abc'])],
    [{ data: 'hello', trailer: 'x-sum: abc' }],
  ),
  answered('9113 8.1', 'trailers without a body', [open(1), trailers(['x-sum', 'abc'])], [{ data: '' }]),
  answered('9113 8.1', 'a POST without a body', [headers(1, post(), END)], [{ line: 'POST / HTTP/1.1', data: '' }]),
  answered(
    '9110 9.3.1',
    'GET with a body',
    [headers(1, block(pseudo())), data(1, 'hello', FIN)],
    [{ line: 'GET / HTTP/1.1', data: 'hello' }],
  ),
  answered(
    '9110 9.3.2',
    'HEAD',
    [headers(1, block(pseudo({ ':method': 'HEAD' })), END)],
    [{ line: 'HEAD / HTTP/1.1' }],
    {
      check: (peer) => (peer.stream(1).body === '' ? undefined : 'a body'),
    },
  ),
  malformed('9113 8.1', 'trailers without END_STREAM', [open(1), data(1, 'x'), headers(1, block([['x-a', 'b']]))]),
  malformed('9113 8.1', 'a second head', [open(1), headers(1, post())]),
  malformed('9113 8.1', 'trailers without END_STREAM, and DATA', [
    open(1),
    headers(1, block([['x-a', 'b']])),
    data(1, 'x', FIN),
  ]),
  malformed('9113 8.1', 'trailers with pseudo-header fields', [
    open(1),
    data(1, 'x'),
    trailers([':path', '/smuggled']),
  ]),
  malformed('9113 8.1', 'trailers with :status', [open(1), data(1, 'x'), trailers([':status', '200'])]),
  malformed('9113 8.1', 'trailers with an upper-case name', [open(1), data(1, 'x'), trailers(['X-Sum', 'b'])]),
  malformed('9113 8.1', 'trailers with a line end', [open(1), data(1, 'x'), trailers(['x-sum', 'b\r\nx: y'])]),
  malformed('9113 8.2.2', 'trailers with transfer-encoding', [
    open(1),
    data(1, 'x'),
    trailers(['transfer-encoding', 'chunked']),
  ]),
  malformed('9110 6.5.1', 'trailers with another content-length', [
    open(1),
    data(1, 'hello'),
    trailers(['content-length', '500']),
  ]),
  answered(
    '9110 6.5.1',
    'trailers with host do not change the host',
    [open(1), data(1, 'hello'), trailers(['host', 'other.example'])],
    [{ data: 'hello', has: ['host: a'] }],
  ),
  answered(
    '9113 8.1',
    'a body that the client gives up never becomes whole',
    [open(1), data(1, 'hel'), pause(30), reset(1, code.cancel), ask(3), end(3)],
    [{ line: 'GET / HTTP/1.1' }],
    {
      stream: 3,
    },
  ),
];

const declared = (length: string, ...frames: readonly Buffer[]) => [open(1, ['content-length', length]), ...frames];

const lengths: readonly Http2Case[] = [
  answered('9113 8.1.1', 'a body of its declared length', declared('5', data(1, 'hello', FIN)), [{ data: 'hello' }]),
  answered(
    '9113 8.1.1',
    'a body of its declared length, padded',
    declared('5', data(1, Buffer.from('\x03hello\0\0\0'), FIN | flag.padded)),
    [{ data: 'hello' }],
  ),
  answered('9113 8.1.1', 'a declared length of 0', [headers(1, post(['content-length', '0']), END)], [{ data: '' }]),
  malformed('9113 8.1.1', 'a body that is longer than declared', declared('1', data(1, 'hello', FIN))),
  malformed(
    '9113 8.1.1',
    'a body that is longer than declared, in a second frame',
    declared('5', data(1, 'hello'), data(1, 'x', FIN)),
    {
      // Whole for the backend before the error comes.
      ...{ seen: [{ data: 'hello' }], race: true },
      statuses: [200, 400],
    },
  ),
  malformed('9113 8.1.1', 'a body that is shorter than declared', declared('50', data(1, 'hello', FIN))),
  malformed(
    '9113 8.1.1',
    'a body that is shorter than declared, with trailers',
    declared('50', data(1, 'hello'), trailers(['x-a', 'b'])),
  ),
  malformed(
    '9113 8.1.1',
    'a body that holds a request behind its length',
    declared('1', data(1, 'xGET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n', FIN)),
  ),
  malformed('9113 8.1.1', 'a declared length, and no body', [headers(1, post(['content-length', '5']), END)]),
  malformed('9113 8.1.1', 'a declared length of 0, and a body', declared('0', data(1, 'x', FIN)), {
    ...{ seen: [{ data: '' }], race: true },
    statuses: [200, 400],
  }),
  ...['', ' ', '-1', '+5', '5x', '0x5', '5.0', '5, 6', '1e1', '99999999999999999999', '5,', '\xb5'].map((value) =>
    malformed('9110 8.6', `a length of ${JSON.stringify(value)}`, declared(value, data(1, 'hello', FIN))),
  ),
  malformed('9110 8.6', 'two lengths', [
    open(1, ['content-length', '5'], ['content-length', '6']),
    data(1, 'hello', FIN),
  ]),
  malformed('9110 8.6', 'a bad length of a GET without a body', [ask(1, ['content-length', 'x'])]),
];

const connectionFields: readonly Field[] = [
  ['connection', 'close'],
  ['connection', 'keep-alive'],
  ['connection', 'x-forwarded-for'],
  ['keep-alive', 'timeout=5'],
  ['proxy-connection', 'keep-alive'],
  ['transfer-encoding', 'chunked'],
  ['transfer-encoding', 'identity'],
  ['upgrade', 'h2c'],
  ['upgrade', 'websocket'],
  ['te', 'gzip'],
  ['te', 'trailers, gzip'],
  ['te', 'chunked'],
  ['te', ''],
];

const nameBytes: readonly number[] = [...controls, 9, 10, 13, 32, 58, 128, 195, 255];
/** Allowed by section 8.2.1's least checks, and no token of RFC 9110 section 5.1. */
const valueBytes: readonly number[] = [0, 10, 13];
const char = (byte: number) => String.fromCharCode(byte);

const fields: readonly Http2Case[] = [
  ...connectionFields.map(([name, value]) =>
    malformed('9113 8.2.2', `${name}: ${value}`, [postWith('0\r\n\r\n', [name, value])]),
  ),
  answered('9113 8.2.2', 'te: trailers', [ask(1, ['te', 'trailers'])]),
  malformed('9113 8.2.1', 'an upper-case name', [ask(1, ['X-Upper', 'x'])]),
  malformed('9113 8.2.1', 'a name with one upper-case letter', [ask(1, ['x-uppeR', 'x'])]),
  malformed('9113 8.2.1', 'an upper-case Transfer-Encoding', [postWith('0\r\n\r\n', ['Transfer-Encoding', 'chunked'])]),
  malformed('9113 8.2.1', 'an empty name', [ask(1, ['', 'x'])]),
  ...nameBytes.map((byte) => malformed('9113 8.2.1', `a name with ${named(byte)}`, [ask(1, [`x${char(byte)}y`, 'z'])])),
  ...delimiters
    .filter((one) => one !== ':')
    .map((one) => malformed('9110 5.1', `a name with ${one}`, [ask(1, [`x${one}y`, 'z'])])),
  malformed('9113 8.2.1', 'a name that ends with a colon', [ask(1, ['x-a:', 'z'])]),
  malformed('9113 8.2.1', 'a name that is a field line', [ask(1, ['x-a: b\r\nx-b', 'z'])]),
  malformed('9113 8.2.1', 'a name that hides transfer-encoding', [
    postWith('0\r\n\r\n', ['transfer-encoding ', 'chunked']),
  ]),
  ...valueBytes.map((byte) =>
    malformed('9113 8.2.1', `a value with ${named(byte)}`, [ask(1, ['x-a', `y${char(byte)}z`])]),
  ),
  ...controls
    .filter((byte) => byte !== 0)
    .map((byte) => malformed('9110 5.5', `a value with ${named(byte)}`, [ask(1, ['x-a', `y${char(byte)}z`])])),
  malformed('9113 8.2.1', 'a value that holds a field line', [ask(1, ['x-a', 'y\r\ntransfer-encoding: chunked'])]),
  malformed('9113 8.2.1', 'a value that holds a request', [
    ask(1, ['x-a', 'y\r\n\r\nGET /smuggled HTTP/1.1\r\nhost: a\r\n\r\n']),
  ]),
  malformed('9113 8.2.1', 'a value that begins with a space', [ask(1, ['x-a', ' y'])]),
  malformed('9113 8.2.1', 'a value that ends with a space', [ask(1, ['x-a', 'y '])]),
  malformed('9113 8.2.1', 'a value that begins with a tab', [ask(1, ['x-a', '\ty'])]),
  malformed('9113 8.2.1', 'a value that ends with a tab', [ask(1, ['x-a', 'y\t'])]),
  answered('9113 8.2.1', 'an empty value', [ask(1, ['x-a', ''])]),
  answered(
    '9113 8.2.1',
    'a value with a tab and bytes above 0x7f',
    [ask(1, ['x-a', 'y\tz\xe9'])],
    [{ has: ['x-a: y\tz\xe9'] }],
  ),
  answered(
    '9113 8.2.3',
    'crumbs of a cookie come together',
    [ask(1, ['cookie', 'a=b'], ['x-a', 'y'], ['cookie', 'c=d'])],
    [{ has: ['cookie: a=b; c=d'] }],
  ),
  answered(
    '9110 5.3',
    'a field that comes twice',
    [ask(1, ['x-a', 'b'], ['x-a', 'c'])],
    [{ has: ['x-a: b', 'x-a: c'] }],
  ),
  answered(
    '9110 10.1.1',
    'Expect: 100-continue',
    [open(1, ['expect', '100-continue'], ['content-length', '2']), pause(20), data(1, 'ab', FIN)],
    [{ data: 'ab' }],
  ),
  malformed('9110 10.1.1', 'an unknown expectation', [ask(1, ['expect', 'x'])], { statuses: [417] }),
];

export const messages: readonly Http2Case[] = [...framing, ...lengths, ...fields];
