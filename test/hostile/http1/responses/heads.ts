/** RFC 9112 sections 4 and 5: status lines, fields and interim responses of backends. */
import { controls, delimiters, named } from '../case.ts';
import { bad, good, ok, type ResponseCase } from '../response-case.ts';

const tail = '\r\nContent-Length: 2\r\n\r\nok';
const line = (text: string) => `${text}${tail}`;

const statusLines: readonly ResponseCase[] = [
  bad('9112 4', 'garbage', '\x00\xff\x17garbage\r\n\r\n'),
  bad('9112 4', 'HTML without a head', '<html>hello</html>', { finally: 'close' }),
  bad('9113 3.4', 'HTTP/2 settings', '\x00\x00\x12\x04\x00\x00\x00\x00\x00'),
  bad('9112 4', 'SSH', 'SSH-2.0-OpenSSH_9\r\n'),
  bad('9112 4', 'SMTP', '220 mail ESMTP\r\n'),
  bad('8446 6', 'a TLS alert', '\x15\x03\x01\x00\x02\x02\x46', { finally: 'close' }),
  bad('9112 4', 'a request for a response', 'GET / HTTP/1.1\r\nHost: a\r\n\r\n'),
  bad('9112 4', 'an empty line first', `\r\n${line('HTTP/1.1 200 OK')}`),
  bad('9112 4', 'a space first', line(' HTTP/1.1 200 OK')),
  bad('9112 4', 'a NUL first', `\0${line('HTTP/1.1 200 OK')}`),
  ...['20', '2000', '2x0', '+20', '-20', ' 200', '099', '000', '0x2', '2.0', '', '\xb2\xb3\xb9'].map((status) =>
    bad('9112 4', `status ${JSON.stringify(status)}`, line(`HTTP/1.1 ${status} OK`)),
  ),
  ...[
    'HTTP/2 200',
    'HTTP/2.0 200',
    'HTTP/0.9 200',
    'http/1.1 200',
    'HTTP/1.10 200',
    'HTTP/11.1 200',
    'HTTP/1 200',
    'HTTP/1.x 200',
    'HTTP1.1 200',
    'ICY 200',
    'HTTP/1.1\t200',
    'HTTP/1.1  200',
    'HTTP/1.1-200',
    'HTTPS/1.1 200',
  ].map((start) => bad('9112 2.3', `status line that begins ${JSON.stringify(start)}`, line(`${start} OK`))),
  bad('9112 4', 'reason right behind the status', line('HTTP/1.1 200OK')),
  bad('9112 4', 'tab behind the status', line('HTTP/1.1 200\tOK')),
  ...controls.map((code) =>
    bad('9112 4', `reason with ${named(code)}`, line(`HTTP/1.1 200 O${String.fromCharCode(code)}K`)),
  ),
  bad('9112 2.2', 'bare CR in the reason', line('HTTP/1.1 200 O\rK')),
  bad('9112 2.2', 'bare LF after the status line', 'HTTP/1.1 200 OK\nContent-Length: 2\r\n\r\nok'),
  bad('9112 2.2', 'bare LF everywhere', 'HTTP/1.1 200 OK\nContent-Length: 2\n\nok'),
  good('9112 4', 'no reason', line('HTTP/1.1 200 '), 'ok'),
  good('9112 4', 'no reason and no space', line('HTTP/1.1 200'), 'ok'),
  good('9112 4', 'reason with obs-text', line('HTTP/1.1 200 \xc3\xbc'), 'ok'),
  good('9112 4', 'long reason', line(`HTTP/1.1 200 ${'a'.repeat(500)}`), 'ok'),
  good('9110 15', 'unknown status of a known class', line('HTTP/1.1 299 Odd'), 'ok', { status: 299 }),
  good('9110 15', 'status of no class', line('HTTP/1.1 999 Odd'), 'ok', { status: 999 }),
  good('9112 2.3', 'HTTP/1.0', line('HTTP/1.0 200 OK'), 'ok'),
  good('9112 2.3', 'HTTP/1.9', line('HTTP/1.9 200 OK'), 'ok'),
];

const end = 'Content-Length: 2\r\n';

const fields: readonly ResponseCase[] = [
  ...controls.map((code) =>
    bad('9110 5.5', `value with ${named(code)}`, ok(`X: a${String.fromCharCode(code)}b\r\n${end}`, 'ok')),
  ),
  ...controls.map((code) =>
    bad('9110 5.1', `name with ${named(code)}`, ok(`X${String.fromCharCode(code)}: b\r\n${end}`, 'ok')),
  ),
  ...delimiters
    .filter((one) => one !== ':')
    .map((one) => bad('9110 5.1', `name with ${one}`, ok(`X${one}A: b\r\n${end}`, 'ok'))),
  bad('9112 2.2', 'bare CR in a value', ok(`X: a\rb\r\n${end}`, 'ok')),
  bad('9112 2.2', 'bare LF in the fields', ok(`X: a\nY: b\r\n${end}`, 'ok')),
  bad('9112 2.2', 'CR CR LF', ok(`X: a\r\r\n${end}`, 'ok')),
  bad('9112 5.2', 'obs-fold', ok(`X: a\r\n b\r\n${end}`, 'ok')),
  bad('9112 5.2', 'obs-fold with a tab', ok(`X: a\r\n\tb\r\n${end}`, 'ok')),
  bad('9112 5', 'line without a colon', ok(`nonsense\r\n${end}`, 'ok')),
  bad('9112 5', 'empty name', ok(`: a\r\n${end}`, 'ok')),
  bad('9110 5.1', 'space inside a name', ok(`X Y: a\r\n${end}`, 'ok')),
  bad('9112 5.1', 'space before the colon of a length', ok('Content-Length : 2\r\n', 'ok')),
  bad('9112 5.1', 'space before the colon of a coding', ok('Transfer-Encoding : chunked\r\n', '0\r\n\r\n')),
  bad('6585 5', 'too many fields', ok(`${'X: a\r\n'.repeat(100)}${end}`, 'ok')),
  bad('6585 5', 'huge head', ok(`X: ${'a'.repeat(100_000)}\r\n${end}`, 'ok')),
  bad('6585 5', 'huge head without an end', `HTTP/1.1 200 OK\r\nX: ${'a'.repeat(1_000_000)}`),
  bad('6585 5', 'huge reason', line(`HTTP/1.1 200 ${'a'.repeat(100_000)}`)),
  good('9112 5.1', 'space before another colon is taken out', ok(`X-A : b\r\n${end}`, 'ok'), 'ok', { has: ['X-A: b'] }),
  good('9110 5.5', 'obs-text in a value', ok(`X: \xc3\xbc\r\n${end}`, 'ok'), 'ok', { has: ['X: \xc3\xbc'] }),
  good(
    '9110 7.6.1',
    'fields of the hop stay here',
    ok(`Connection: x-a\r\nX-A: 1\r\nKeep-Alive: timeout=5\r\nProxy-Connection: a\r\nUpgrade: x\r\n${end}`, 'ok'),
    'ok',
    { lacks: /^(x-a|keep-alive|proxy-connection|upgrade|connection):/im },
  ),
  good('9110 7.6.1', 'Connection that names Content-Length', ok(`Connection: content-length\r\n${end}`, 'ok'), 'ok'),
  good('9110 6.6.1', 'Date is added', ok(end, 'ok'), 'ok', { has: [] }),
];

const early = 'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n';
const upgradeLines = 'Connection: Upgrade\r\nUpgrade: x\r\n';

const interim: readonly ResponseCase[] = [
  good('9110 15.2', 'one interim response', early + ok(end, 'ok'), 'ok', { interim: [103] }),
  good('9110 15.2', 'several interim responses', early.repeat(3) + ok(end, 'ok'), 'ok', { interim: [103, 103, 103] }),
  good('9110 15.2.1', '100 that nobody asked for', `HTTP/1.1 100 Continue\r\n\r\n${ok(end, 'ok')}`, 'ok', {
    interim: [100],
  }),
  good(
    '9110 8.6',
    'a length in an interim response is taken out',
    `HTTP/1.1 103 Early Hints\r\nContent-Length: 5\r\n\r\n${ok(end, 'ok')}`,
    'ok',
    { interim: [103], lacks: /^content-length: 5/im },
  ),
  good(
    '9112 6.1',
    'a coding in an interim response is taken out',
    `HTTP/1.1 103 Early Hints\r\nTransfer-Encoding: chunked\r\n\r\n${ok(end, 'ok')}`,
    'ok',
    { interim: [103], lacks: /^transfer-encoding/im },
  ),
  good('9110 15.2', 'none for HTTP/1.0', early + ok(end, 'ok'), 'ok', { version: '1.0', interim: [] }),
  bad('9110 15.2', 'endless interim responses', early.repeat(50), { interim: Array.from({ length: 16 }, () => 103) }),
  bad('9110 15.2', 'interim response and no more', early, { finally: 'close', interim: [103] }),
  bad('9110 15.2', 'malformed head behind an interim response', `${early}nonsense\r\n\r\n`, { interim: [103] }),
  bad(
    '9112 6.3',
    'interim response with both framings',
    `HTTP/1.1 103 Early Hints\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n${ok(end, 'ok')}`,
  ),
  bad('9110 15.2.2', 'switch nobody asked for', `HTTP/1.1 101 Switching Protocols\r\n${upgradeLines}\r\n`),
  bad('9110 7.8', 'switch for HTTP/1.0', `HTTP/1.1 101 Switching Protocols\r\n${upgradeLines}\r\n`, {
    version: '1.0',
    lines: upgradeLines,
  }),
  bad(
    '9110 7.8',
    'switch to what was not offered',
    `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: other\r\n\r\n`,
    { lines: upgradeLines },
  ),
  bad('9110 7.8', 'switch without naming a protocol', 'HTTP/1.1 101 Switching Protocols\r\n\r\n', {
    lines: upgradeLines,
  }),
  bad('9113 3.1', 'switch to h2c', 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n', {
    lines: 'Connection: Upgrade\r\nUpgrade: h2c\r\n',
  }),
];

export const heads: readonly ResponseCase[] = [...statusLines, ...fields, ...interim];
