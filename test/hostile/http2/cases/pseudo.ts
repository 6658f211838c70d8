/** RFC 9113 sections 8.3 and 8.5: pseudo-header fields, hosts, paths and CONNECT. */
import { controls, named } from '../../http1/case.ts';
import { answered, END, type Http2Case, malformed, pseudo } from '../case.ts';
import { headers } from '../frames.ts';
import { block, type Field } from '../hpack.ts';

type Changes = Readonly<Record<string, string | undefined>>;
const request = (changed: Changes, ...fields: readonly Field[]) => [
  headers(1, block([...pseudo(changed), ...fields]), END),
];
const fieldsOnly = (...fields: readonly Field[]) => [headers(1, block(fields), END)];
const bad = (name: string, steps: readonly Buffer[], section = '8.3.1', statuses = [400]) =>
  malformed(`9113 ${section}`, name, steps, { statuses });

const method: Field = [':method', 'GET'];
const scheme: Field = [':scheme', 'http'];
const path: Field = [':path', '/'];
const authority: Field = [':authority', 'a'];

const order: readonly Http2Case[] = [
  bad('an unknown pseudo-header field', request({}, [':unknown', 'x']), '8.3'),
  bad('an empty pseudo-header name', request({}, [':', 'x']), '8.3'),
  bad('a pseudo-header field of responses', request({ ':status': '200' }), '8.3'),
  bad('an upper-case pseudo-header field', fieldsOnly([':Method', 'GET'], scheme, path, authority), '8.3'),
  bad('a pseudo-header field behind a regular one', fieldsOnly(method, scheme, ['x-a', 'b'], authority, path), '8.3'),
  bad('a pseudo-header field again behind a regular one', request({}, ['x-a', 'b'], path), '8.3'),
  ...[method, scheme, path, authority].map((one) =>
    bad(`${one[0]} twice`, fieldsOnly(method, scheme, path, authority, one), '8.3'),
  ),
  bad(':path twice, and they differ', fieldsOnly(method, scheme, path, authority, [':path', '/admin']), '8.3'),
  bad(':authority twice, and they differ', fieldsOnly(method, scheme, path, authority, [':authority', 'b']), '8.3'),
  bad('no field at all', fieldsOnly(), '8.3.1'),
  bad('regular fields alone', fieldsOnly(['host', 'a']), '8.3.1'),
  ...['', ' '].flatMap((empty) =>
    [':method', ':scheme', ':path'].map((name) =>
      bad(`${name} of ${JSON.stringify(empty)}`, request({ [name]: empty })),
    ),
  ),
  ...[':method', ':scheme', ':path'].map((name) => bad(`no ${name}`, request({ [name]: undefined }))),
  answered('9113 8.3', 'pseudo-header fields in another order', fieldsOnly(path, authority, scheme, method)),
];

const badMethods = ['GE T', 'GET\0', 'GET\r\n', 'G\xc9T', 'GET /smuggled HTTP/1.1\r\nhost: b\r\n\r\n', '(', 'GET:'];

const methods: readonly Http2Case[] = [
  ...badMethods.map((value) => bad(`a method of ${JSON.stringify(value)}`, request({ ':method': value }))),
  answered('9110 9.1', 'a method that nobody knows', request({ ':method': 'BREW' }), [{ line: 'BREW / HTTP/1.1' }]),
  answered('9110 9.1', 'a method in small letters is another', request({ ':method': 'get' }), [
    { line: 'get / HTTP/1.1' },
  ]),
  // As over HTTP/1.1: routes are for paths.
  answered(
    '9110 9.3.7',
    'OPTIONS for the whole server has no route',
    request({ ':method': 'OPTIONS', ':path': '*' }),
    [],
    {
      status: 404,
    },
  ),
];

const badPaths = [
  'x',
  '?q',
  '*',
  'http://a/',
  'a:80',
  '/a b',
  '/ HTTP/1.1',
  '/ HTTP/1.1\r\nx-smuggled: y',
  '/\r\n\r\nGET /smuggled HTTP/1.1\r\nhost: a\r\n\r\n',
  '/a#b',
  '\\',
];

const paths: readonly Http2Case[] = [
  ...badPaths.map((value) => bad(`a path of ${JSON.stringify(value)}`, request({ ':path': value }))),
  ...[...controls, 9, 10, 13, 32].map((byte) =>
    bad(`a path with ${named(byte)}`, request({ ':path': `/x${String.fromCharCode(byte)}y` })),
  ),
  bad('a path with a byte above 0x7f', request({ ':path': '/\xe9' })),
  answered('9113 8.3.1', 'a path with a query', request({ ':path': '/a?b=c&d' }), [{ line: 'GET /a?b=c&d HTTP/1.1' }]),
  answered('9113 8.3.1', 'a path with percent-encoding', request({ ':path': '/%0d%0a%00' }), [
    { line: 'GET /%0d%0a%00 HTTP/1.1' },
  ]),
];

const badSchemes = ['ht tp', '1http', 'http\r\n', 'http://a/?', 'h\xe9'];

const schemes: readonly Http2Case[] = [
  ...badSchemes.map((value) => bad(`a scheme of ${JSON.stringify(value)}`, request({ ':scheme': value }))),
  answered('9113 8.3.1', 'a scheme in capitals', request({ ':scheme': 'HTTP' })),
];

const badAuthorities = [
  'user@a',
  'user:password@a',
  '@a',
  'a@',
  'a b',
  'a/b',
  'a?b',
  'a#b',
  'a\\b',
  'http://a',
  'a:port',
  'a:123456',
  'a:80:80',
  '[::1',
  '::1',
  'a\0',
  'a\r\n',
  'a\r\nx-smuggled: y',
  'a\xe9',
  '',
];

const hosts: readonly Http2Case[] = [
  ...badAuthorities.map((value) => bad(`an authority of ${JSON.stringify(value)}`, request({ ':authority': value }))),
  ...['', 'a b', 'user@a', 'a/b'].map((value) =>
    bad(`a host of ${JSON.stringify(value)}`, request({ ':authority': undefined }, ['host', value])),
  ),
  bad('Host that differs from :authority', request({}, ['host', 'b'])),
  bad('Host that differs from :authority in its port', request({}, ['host', 'a:81'])),
  bad('an empty Host beside :authority', request({}, ['host', ''])),
  bad('two Hosts', request({ ':authority': undefined }, ['host', 'a'], ['host', 'b'])),
  bad('two equal Hosts beside :authority', request({}, ['host', 'a'], ['host', 'a'])),
  bad('neither Host nor :authority', request({ ':authority': undefined })),
  answered('9113 8.3.1', 'Host that repeats :authority', request({}, ['host', 'a']), [{ has: ['host: a'] }]),
  answered('9113 8.3.1', 'Host alone', request({ ':authority': undefined }, ['host', 'a']), [{ has: ['host: a'] }]),
  answered('9113 8.3.1', ':authority alone becomes Host', request({ ':authority': 'b.example:8080' }), [
    { has: ['host: b.example:8080'] },
  ]),
];

const connect = (changed: Changes, ...fields: readonly Field[]) =>
  request(
    { ':method': 'CONNECT', ':scheme': undefined, ':path': undefined, ':authority': 'a:443', ...changed },
    ...fields,
  );
/** This proxy opens no tunnels. */
const refusals = [400, 405, 501];

const connects: readonly Http2Case[] = [
  bad('CONNECT', connect({}), '8.5', refusals),
  bad('CONNECT without a port', connect({ ':authority': 'a' }), '8.5', refusals),
  bad('CONNECT with :path', connect({ ':path': '/' }), '8.5', refusals),
  bad('CONNECT with :scheme', connect({ ':scheme': 'http' }), '8.5', refusals),
  bad('CONNECT with :scheme and :path', connect({ ':scheme': 'http', ':path': '/' }), '8.5', refusals),
  bad('CONNECT without :authority', connect({ ':authority': undefined }), '8.5', refusals),
  bad('CONNECT with Host alone', connect({ ':authority': undefined }, ['host', 'a:443']), '8.5', refusals),
  malformed(
    '9113 8.5',
    'CONNECT that stays open',
    [headers(1, block(pseudo({ ':method': 'CONNECT', ':scheme': undefined, ':path': undefined })))],
    {
      statuses: refusals,
    },
  ),
  malformed('8441 4', ':protocol of a GET', request({ ':protocol': 'websocket' })),
  malformed(
    '8441 4',
    ':protocol that nobody has offered',
    request({ ':method': 'CONNECT', ':protocol': 'x-unknown' }),
    {
      statuses: refusals,
    },
  ),
  malformed('8441 4', ':protocol without :path', connect({ ':protocol': 'websocket' }), { statuses: refusals }),
];

export const pseudoHeaders: readonly Http2Case[] = [...order, ...methods, ...paths, ...schemes, ...hosts, ...connects];
