/** RFC 9112 section 7.1: chunk sizes, extensions, ends and trailers. The proxy frames anew what it forwards. */
import { chunked, controls, named, passed, type RequestCase, refused, smuggled, spoiled } from '../case.ts';

const end = '0\r\n\r\n';
const sized = (size: string) => chunked(`${size}\r\nhello\r\n${end}${smuggled}`);

const badSizes: readonly [name: string, size: string][] = [
  ['that is no number', 'z'],
  ['that is empty', ''],
  ['with a prefix', '0x5'],
  ['with a sign', '+5'],
  ['that is negative', '-5'],
  ['with an underscore', '1_0'],
  ['behind a space', ' 5'],
  ['behind a tab', '\t5'],
  ['before a space', '5 '],
  ['before a tab', '5\t'],
  ['before spaces and an extension', '5 ;a'],
  ['with a letter behind', '5g'],
  ['with an h', '5h'],
  ['with a point', '5.0'],
  ['with a comma', '5,5'],
  ['over any number', 'fffffffffffffffff'],
  ['of 2^64 and 5', '10000000000000005'],
  ['of 2^53 and 5', '20000000000005'],
  ['of 2^32 and 5 behind zeros', '00000000000100000005'],
  ['with endless zeros', `${'0'.repeat(40)}5`],
  ['quoted', '"5"'],
];

const sizes: readonly RequestCase[] = [
  ...badSizes.map(([name, size]) => refused('9112 7.1', `size ${name}`, sized(size))),
  ...controls.map((code) => refused('9112 7.1', `size before ${named(code)}`, sized(`5${String.fromCharCode(code)}`))),
  passed('9112 7.1', 'sizes in both cases', chunked(`A\r\n${'x'.repeat(10)}\r\na\r\n${'y'.repeat(10)}\r\n${end}`), {
    data: 'x'.repeat(10) + 'y'.repeat(10),
  }),
  passed('9112 7.1', 'a few leading zeros', chunked(`0005\r\nhello\r\n000\r\n\r\n`), { data: 'hello' }),
  passed('9112 7.1', 'many small chunks', chunked(`${'1\r\nx\r\n'.repeat(500)}${end}`), { data: 'x'.repeat(500) }),
  passed('9112 7.1', 'data that looks like chunks', chunked(`5\r\n0\r\n\r\n\r\n${end}`), { data: '0\r\n\r\n' }),
];

const ends: readonly RequestCase[] = [
  refused('9112 7.1', 'bare LF after the size', chunked(`5\nhello\r\n${end}`)),
  refused('9112 7.1', 'bare LF after the data', chunked(`5\r\nhello\n${end}`)),
  refused('9112 7.1', 'bare CR after the size', chunked(`5\rhello\r\n${end}`)),
  refused('9112 7.1', 'bare CR after the data', chunked(`5\r\nhello\r${end}`)),
  refused('9112 7.1', 'CR CR LF after the size', chunked(`5\r\r\nhello\r\n${end}`)),
  refused('9112 7.1', 'no line end after the data', chunked(`5\r\nhello${end}`)),
  refused('9112 7.1', 'two bytes in place of the line end', chunked(`5\r\nhelloXX${end}${smuggled}`)),
  refused('9112 7.1', 'data longer than its size', chunked(`5\r\nhello!\r\n${end}${smuggled}`)),
  refused('9112 7.1', 'data shorter than its size', chunked(`6\r\nhello\r\n${end}${smuggled}`)),
  refused('9112 7.1', 'bare LF in the end', chunked('5\r\nhello\r\n0\n\n')),
  refused('9112 7.1', 'bare LF as the last line', chunked('5\r\nhello\r\n0\r\n\n')),
  refused('9112 7.1', 'empty line between chunks', chunked(`5\r\nhello\r\n\r\n${end}`)),
  spoiled('9112 7.1', 'garbage behind the end', `${chunked(end)}G@RBAGE\r\n\r\n`, [{ data: '' }]),
];

const extensions: readonly RequestCase[] = [
  refused('9112 7.1.1', 'extension over the bound', chunked(`5;${'a'.repeat(100)}\r\nhello\r\n${end}`)),
  refused('9112 7.1.1', 'extension over the bound without an end', chunked(`5;${'a'.repeat(1_000)}`)),
  refused('9112 7.1.1', 'extension over the bound at the last chunk', chunked(`0;${'a'.repeat(100)}\r\n\r\n`)),
  refused(
    '9112 7.1.1',
    'extensions of many chunks together',
    chunked(`${`1;${'a'.repeat(30)}\r\nx\r\n`.repeat(600)}${end}`),
  ),
  refused('9112 7.1.1', 'bare LF in an extension', chunked(`5;a\nhello\r\n${end}${smuggled}`)),
  refused('9112 7.1.1', 'bare LF at the end of an extension', chunked(`5;a=b\nhello\r\n${end}`)),
  refused('9112 7.1.1', 'bare CR in an extension', chunked(`5;a\rb\r\nhello\r\n${end}`)),
  refused('9112 7.1.1', 'line end in a quoted extension', chunked(`5;a="\r\n"\r\nhello\r\n${end}`)),
  ...controls.map((code) =>
    refused(
      '9112 7.1.1',
      `extension with ${named(code)}`,
      chunked(`5;a${String.fromCharCode(code)}\r\nhello\r\n${end}`),
    ),
  ),
  ...[';', ';a', ';a=b', ';a="b"', ';a;b=c', '; a = b', ';a="\\""'].map((extension) =>
    passed(
      '9112 7.1.1',
      `extension ${extension} is taken out`,
      chunked(`5${extension}\r\nhello\r\n0${extension}\r\n\r\n`),
      {
        data: 'hello',
      },
    ),
  ),
];

const tail = (lines: string) => chunked(`5\r\nhello\r\n0\r\n${lines}\r\n`);

const trailers: readonly RequestCase[] = [
  refused('9112 7.1.2', 'trailers over the bound', tail(`X: ${'a'.repeat(300)}\r\n`)),
  refused('9112 7.1.2', 'too many trailers', tail('X:\r\n'.repeat(70))),
  refused('9112 7.1.2', 'malformed trailer', tail('nonsense\r\n')),
  refused('9112 7.1.2', 'bare LF in the trailers', tail('X: a\n')),
  refused('9112 7.1.2', 'bare CR in the trailers', tail('X: a\rb\r\n')),
  refused('9112 7.1.2', 'NUL in the trailers', tail('X: a\0\r\n')),
  refused('9112 7.1.2', 'obs-fold in the trailers', tail('X: a\r\n b\r\n')),
  refused('9112 7.1.2', 'space before the colon of a trailer', tail('X : a\r\n')),
  refused('9112 7.1.2', 'a request for a trailer', tail('GET /smuggled HTTP/1.1\r\nHost: a\r\n')),
  passed('9110 6.5', 'trailer', tail('X-Sum: 1\r\n'), { data: 'hello', trailer: 'X-Sum: 1\r\n\r\n' }),
  ...[
    'Content-Length: 9',
    'Transfer-Encoding: chunked',
    'Host: b',
    'Connection: close',
    'Authorization: x',
    'Content-Type: a/b',
    'X-Forwarded-For: 9.9.9.9',
    'Expect: 100-continue',
    'Upgrade: x',
    'TE: trailers',
    'Trailer: X',
    'Max-Forwards: 1',
    'Cookie: a=b',
    'Set-Cookie: a=b',
    'Content-Encoding: gzip',
    'Content-Range: bytes 0-1/2',
    'Cache-Control: no-store',
    'Proxy-Authorization: x',
  ].map((line) =>
    passed('9110 6.5.1', `trailer ${line.slice(0, line.indexOf(':'))} is taken out`, tail(`${line}\r\nX-Sum: 1\r\n`), {
      data: 'hello',
      trailer: 'X-Sum: 1\r\n\r\n',
    }),
  ),
];

export const chunks: readonly RequestCase[] = [...sizes, ...ends, ...extensions, ...trailers];
