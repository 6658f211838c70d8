/** RFC 9110 sections 7.6 and 10.1 and RFC 9112 section 9: what belongs to one hop, expectations, connections. */
import {
  chunked,
  closing,
  get,
  passed,
  pipelined,
  post,
  type RequestCase,
  refused,
  smuggled,
  spoiled,
} from '../case.ts';

const hop: readonly RequestCase[] = [
  ...[
    'Keep-Alive: timeout=5',
    'Proxy-Connection: keep-alive',
    'TE: trailers',
    'TE: gzip',
    'Upgrade: h2c',
    'HTTP2-Settings: AAMAAABkAAQ',
  ].map((line) =>
    passed('9110 7.6.1', `${line} stays here`, get(`${line}\r\n`), {
      lacks: new RegExp(`^${line.slice(0, line.indexOf(':'))}:`, 'im'),
    }),
  ),
  passed('9110 7.6.1', 'Connection: keep-alive stays here', get('Connection: keep-alive\r\n'), {
    lacks: /^connection: keep-alive/im,
  }),
  closing('9110 7.6.1', 'Connection: close stays here', get('Connection: close\r\n'), {
    lacks: /^connection: close/im,
  }),
  closing('9110 7.6.1', 'Connection: close among others', get('Connection: X, Close\r\nX: a\r\n'), {
    lacks: /^(connection|x):/im,
  }),
  closing(
    '9110 7.6.1',
    'Connection: close in a line of its own',
    get('Connection: keep-alive\r\nConnection: close\r\n'),
  ),
  passed('9110 7.6.1', 'what Connection names', get('Connection: x-a, X-B\r\nX-A: 1\r\nX-B: 2\r\nX-C: 3\r\n'), {
    has: ['X-C: 3'],
    lacks: /^x-[ab]:/im,
  }),
  passed(
    '9110 7.6.1',
    'what several Connection lines name',
    get('Connection: x-a\r\nX-A: 1\r\nConnection: x-b\r\nX-B: 2\r\n'),
    { lacks: /^x-[ab]:/im },
  ),
  passed(
    '9110 7.6.1',
    'Connection that names Host and Content-Length',
    post('Connection: host, content-length\r\nContent-Length: 5\r\n', 'hello'),
    { data: 'hello', has: ['Host: a'] },
  ),
  passed(
    '9110 7.6.1',
    'Connection that names Transfer-Encoding',
    post('Connection: transfer-encoding\r\nTransfer-Encoding: chunked\r\n', '5\r\nhello\r\n0\r\n\r\n'),
    { data: 'hello' },
  ),
  passed('9110 7.6.1', 'Connection that names X-Forwarded-For', get('Connection: x-forwarded-for\r\n'), {
    has: ['X-Forwarded-Proto: http'],
  }),
  passed('9110 7.6.1', 'Connection with empty members', get('Connection: , ,x-a,\r\nX-A: 1\r\n'), { lacks: /^x-a:/im }),
  passed('9110 7.6.1', 'Connection that names what is not there', get('Connection: nothing\r\n')),
  refused('9110 7.6.1', 'Connection with many names', get(`Connection: ${'a,'.repeat(40)}b\r\n`)),
  passed('9110 10.1.4', 'TE: trailers that Connection names', get('Connection: TE\r\nTE: trailers, deflate\r\n'), {
    has: ['Connection: TE', 'TE: trailers'],
    lacks: /deflate/,
  }),
  passed('9110 7.8', 'Upgrade that Connection does not name', get('Upgrade: websocket\r\n'), { lacks: /^upgrade:/im }),
  passed(
    '9113 3.1',
    'h2c by Upgrade',
    get('Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQ\r\n'),
    { lacks: /^(upgrade|http2-settings|connection):/im },
  ),
  passed('9110 7.8', 'h2c among other protocols', get('Connection: Upgrade\r\nUpgrade: h2c, websocket\r\n'), {
    has: ['Upgrade: websocket'],
    lacks: /h2c/,
  }),
];

const maxForwards = (method: string, value: string) =>
  `${method} / HTTP/1.1\r\nHost: a\r\nMax-Forwards: ${value}\r\n\r\n`;

const hops: readonly RequestCase[] = [
  passed('9110 7.6.2', 'Max-Forwards of OPTIONS counts down', maxForwards('OPTIONS', '3'), {
    has: ['Max-Forwards: 2'],
    lacks: /forwards: 3/,
  }),
  passed('9110 7.6.2', 'Max-Forwards of TRACE counts down', maxForwards('TRACE', '1'), {
    has: ['Max-Forwards: 0'],
    lacks: /forwards: 1/,
  }),
  passed('9110 7.6.2', 'Max-Forwards of GET means nothing', maxForwards('GET', '0'), { has: ['Max-Forwards: 0'] }),
  {
    rfc: '9110 7.6.2',
    name: 'Max-Forwards 0 of OPTIONS ends here',
    bytes: maxForwards('OPTIONS', '0'),
    statuses: [204],
    seen: [],
    closed: false,
  },
  {
    rfc: '9110 7.6.2',
    name: 'Max-Forwards 0 of TRACE ends here',
    bytes: maxForwards('TRACE', '0'),
    statuses: [405],
    seen: [],
    closed: false,
  },
  refused('9110 7.6.2', 'Max-Forwards of OPTIONS that is no number', maxForwards('OPTIONS', 'x')),
];

const expectations: readonly RequestCase[] = [
  refused('9110 10.1.1', 'unknown expectation', get('Expect: tea\r\n'), 417),
  refused('9110 10.1.1', '100-continue and another', get('Expect: 100-continue, tea\r\n'), 417),
  refused('9110 10.1.1', 'empty expectation', get('Expect:\r\n'), 417),
  passed(
    '9110 10.1.1',
    '100-continue in another case',
    post('Expect: 100-Continue\r\nContent-Length: 5\r\n', 'hello'),
    { data: 'hello' },
  ),
  passed('9110 10.1.1', '100-continue without a body', get('Expect: 100-continue\r\n')),
  closing(
    '9110 10.1.1',
    '100-continue of HTTP/1.0 is ignored',
    'POST / HTTP/1.0\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\nhello',
    { data: 'hello', lacks: /^expect:/im },
  ),
  closing(
    '9110 10.1.1',
    'unknown expectation of HTTP/1.0 is ignored',
    'GET / HTTP/1.0\r\nHost: a\r\nExpect: tea\r\n\r\n',
    { lacks: /^expect:/im },
  ),
];

const claims: readonly RequestCase[] = [
  ...[
    'X-Forwarded-For: 9.9.9.9',
    'x-forwarded-for: 9.9.9.9',
    'X-Forwarded-For: 9.9.9.9\r\nX-Forwarded-For: 8.8.8.8',
    'X-Forwarded-Proto: https',
    'X-Forwarded-Host: evil',
    'X-Forwarded-Port: 443',
    'X-Real-IP: 9.9.9.9',
    'Forwarded: for=9.9.9.9',
  ].map((line) =>
    passed('7239 8.1', `a stranger’s ${JSON.stringify(line)} is not believed`, get(`${line}\r\n`), {
      lacks: /9\.9\.9\.9|8\.8\.8\.8|evil|https|443/,
    }),
  ),
];

const connections: readonly RequestCase[] = [
  pipelined(
    '9112 9.3.2',
    'three requests at once',
    ['/1', '/2', '/3'].map((path) => get('').replace('/', path)).join(''),
    ['/1', '/2', '/3'].map((path) => ({ line: `GET ${path} HTTP/1.1` })),
  ),
  pipelined(
    '9112 9.3.2',
    'bodies of both framings in a row',
    post('Content-Length: 5\r\n', 'hello') + chunked('5\r\nworld\r\n0\r\n\r\n') + get(''),
    [{ data: 'hello' }, { data: 'world' }, {}],
  ),
  pipelined('9112 9.3.2', 'a request behind a body', `${post('Content-Length: 5\r\n', 'hello')}${smuggled}`, [
    { data: 'hello' },
    { line: 'GET /smuggled HTTP/1.1' },
  ]),
  pipelined('9112 2.2', 'a line end behind a body', `${post('Content-Length: 5\r\n', 'hello')}\r\n${get('')}`, [
    { data: 'hello' },
    {},
  ]),
  spoiled('9112 9.3.2', 'a bad request behind a good one', `${get('')}GET / HTTP/1.1\r\n\r\n${smuggled}`, [{}]),
  spoiled(
    '9112 9.3.2',
    'both framings behind a good request',
    `${get('')}${post('Content-Length: 5\r\nTransfer-Encoding: chunked\r\n', `0\r\n\r\n${smuggled}`)}`,
    [{}],
  ),
  spoiled('9112 9.3.2', 'another version behind a good request', `${get('')}GET / HTTP/2.0\r\n\r\n`, [{}], 505),
  closing('9112 9.6', 'requests behind Connection: close are not served', `${get('Connection: close\r\n')}${smuggled}`),
  closing('9112 9.3', 'HTTP/1.0 closes', 'GET / HTTP/1.0\r\nHost: a\r\n\r\n'),
  closing('9112 9.3', 'HTTP/1.0 closes before another request', `GET / HTTP/1.0\r\nHost: a\r\n\r\n${smuggled}`),
  passed('9112 9.3', 'HTTP/1.0 with keep-alive stays', 'GET / HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\n\r\n'),
  closing('9112 9.3', 'HTTP/1.0 without Host gets one', 'GET / HTTP/1.0\r\n\r\n', { has: ['Host: 127.83.5.1:8080'] }),
  { ...closing('9112 9.6', 'a client that only stops sending gets its answer', get('')), halfClose: true },
  {
    ...closing('9112 9.6', 'half-closed after a whole body', post('Content-Length: 5\r\n', 'hello'), { data: 'hello' }),
    halfClose: true,
  },
  {
    rfc: '9112 9.6',
    name: 'half-closed after two requests',
    bytes: get('') + get(''),
    statuses: [200, 200],
    seen: [{}, {}],
    closed: true,
    halfClose: true,
  },
  {
    rfc: '9112 8',
    name: 'half-closed within a head',
    bytes: 'GET / HTTP/1.1\r\nHost: a\r\n',
    statuses: [],
    seen: [],
    closed: true,
    halfClose: true,
  },
  {
    rfc: '9112 8',
    name: 'half-closed within a body',
    bytes: post('Content-Length: 9\r\n', 'hello'),
    statuses: [],
    seen: [],
    closed: true,
    halfClose: true,
  },
  {
    rfc: '9112 8',
    name: 'half-closed within chunks',
    bytes: chunked('5\r\nhel'),
    statuses: [],
    seen: [],
    closed: true,
    halfClose: true,
  },
  {
    rfc: '9112 8',
    name: 'half-closed before the last chunk',
    bytes: chunked('5\r\nhello\r\n'),
    statuses: [],
    seen: [],
    closed: true,
    halfClose: true,
  },
];

export const forwarding: readonly RequestCase[] = [...hop, ...hops, ...expectations, ...claims, ...connections];
