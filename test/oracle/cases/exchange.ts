/** What backends get and what clients get back: header sets, bodies, copies, cookies, redirects, pages of errors. */
import fc from 'fast-check';
import type { OracleCase } from '../harness/case.ts';
import { tell } from '../harness/echo.ts';
import { requests, someHeaders } from '../harness/generate.ts';
import { ingress, location, nobody, server } from '../harness/lines.ts';

const wireHeaders = fc.subarray(
  [
    ['Connection', 'close'],
    ['Connection', 'X-Hop, keep-alive'],
    ['X-Hop', '1'],
    ['Keep-Alive', 'timeout=5'],
    ['TE', 'gzip'],
    ['Proxy-Connection', 'keep-alive'],
    ['Proxy-Authorization', 'Basic eA=='],
    ['Accept-Encoding', 'br, gzip'],
    ['X-Forwarded-For', '203.0.113.9'],
    ['X-Forwarded-For', '203.0.113.10'],
    ['X-Request-Id', 'mine'],
    ['Range', 'bytes=0-1'],
    ['If-None-Match', '"x"'],
    ['Content-Type', 'text/x; charset=utf-8'],
    ['X-Empty', ''],
    ['X-Dots.in.name', 'kept?'],
    ['X_Under', 'dropped'],
    ['X-Repeated', 'a'],
    ['X-Repeated', 'b'],
    ['Cookie', 'a=1'],
    ['Cookie', 'b=2'],
  ] as [string, string][],
  { maxLength: 6 },
);

const answerHeaders = fc.subarray(
  [
    ['Set-Cookie', 'a=1; Path=/'],
    ['Set-Cookie', 'b=2; HttpOnly'],
    ['Server', 'backend/1'],
    ['Date', 'Thu, 01 Jan 1970 00:00:00 GMT'],
    ['X-Powered-By', 'something'],
    ['X-Accel-Expires', '10'],
    ['X-Accel-Buffering', 'no'],
    ['X-Pad', 'x'],
    ['Vary', 'Accept'],
    ['Cache-Control', 'no-store'],
    ['Content-Type', 'application/json'],
    ['Content-Encoding', 'identity'],
    ['Refresh', '5; url=/x'],
    ['Via', '1.1 backend'],
    ['Keep-Alive', 'timeout=5'],
    ['X_Under', 'kept?'],
    ['Expires', '0'],
    ['Link', '</a>; rel=preload'],
    ['Strict-Transport-Security', 'max-age=1'],
  ] as [string, string][],
  { maxLength: 6 },
);

const statuses = fc.constantFrom(200, 200, 200, 201, 204, 206, 301, 302, 304, 400, 401, 404, 410, 500, 502, 503, 599);

/** Backends answer in all sorts of ways. */
const toldAlpha = fc
  .record({ status: statuses, headers: answerHeaders })
  .map((instruction) => [tell('alpha', instruction)]);

export const exchangeCases: readonly OracleCase[] = [
  {
    name: 'header sets',
    manifests:
      ingress({ name: 'plain', rules: { 'a.test': [['Prefix', '/', 'alpha']] } }) +
      ingress({ name: 'vhost', annotations: { 'upstream-vhost': 'inside.example' }, rules: { 'b.test': [['Prefix', '/', 'alpha']] } }), // biome-ignore format: one line
    nginx: {
      servers:
        nobody +
        server('a.test', location('"/"', 'alpha')) +
        server('b.test', location('"/"', 'alpha', { host: '"inside.example"' })),
    },
    share: 3,
    requests: requests({
      hosts: ['a.test', 'A.Test:80', 'b.test'],
      paths: ['/', '/x', '/x?y=z'],
      headers: fc.tuple(someHeaders, wireHeaders).map(([some, wire]) => [...some, ...wire]),
      bodies: fc.constantFrom(undefined, '', 'a=1', 'x'.repeat(20_000)),
    }),
  },
  {
    name: 'responses',
    manifests: ingress({ name: 'plain', rules: { 'a.test': [['Prefix', '/', 'alpha']] } }),
    nginx: { servers: nobody + server('a.test', location('"/"', 'alpha')) },
    share: 2,
    requests: requests({ hosts: ['a.test'], paths: ['/'], headers: toldAlpha }),
  },
  {
    name: 'upgrade',
    manifests: ingress({ name: 'plain', rules: { 'a.test': [['Prefix', '/', 'alpha']] } }),
    nginx: { servers: nobody + server('a.test', location('"/"', 'alpha')) },
    // The backend declines: it answers as if nothing had been asked for.
    always: ['websocket', 'WebSocket', 'h2c', 'foo'].flatMap((upgrade) =>
      ['Upgrade', 'upgrade', 'keep-alive, Upgrade'].map((connection) => ({
        host: 'a.test',
        target: '/ws',
        headers: [['Connection', connection], ['Upgrade', upgrade], ['Sec-WebSocket-Key', 'dGhlIHNhbXBsZSBub25jZQ=='], ['Sec-WebSocket-Version', '13']] as const, // biome-ignore format: one line
      })),
    ),
  },
  {
    name: 'proxy-body-size',
    manifests:
      ingress({ name: 'usual', rules: { 'usual.test': [['Prefix', '/', 'alpha']] } }) +
      ingress({
        name: 'small',
        annotations: { 'proxy-body-size': '100' },
        rules: { 'small.test': [['Prefix', '/', 'alpha']] },
      }) + // biome-ignore format: one line
      ingress({
        name: 'unit',
        annotations: { 'proxy-body-size': '1k' },
        rules: { 'unit.test': [['Prefix', '/', 'alpha']] },
      }) + // biome-ignore format: one line
      ingress({
        name: 'any',
        annotations: { 'proxy-body-size': '0' },
        rules: { 'any.test': [['Prefix', '/', 'alpha']] },
      }),
    nginx: {
      servers:
        nobody +
        server('usual.test', location('"/"', 'alpha')) +
        server('small.test', location('"/"', 'alpha').replace('client_max_body_size 1m', 'client_max_body_size 100')) +
        server('unit.test', location('"/"', 'alpha').replace('client_max_body_size 1m', 'client_max_body_size 1k')) +
        server('any.test', location('"/"', 'alpha').replace('client_max_body_size 1m', 'client_max_body_size 0')),
    },
    always: ['usual', 'small', 'unit', 'any'].flatMap((name) =>
      [0, 1, 100, 101, 1024, 1025, 1_048_576, 1_048_577].flatMap((size) =>
        ['POST', 'GET'].map((method) => ({ host: `${name}.test`, target: '/', method, body: 'x'.repeat(size) })),
      ),
    ),
  },
  {
    name: 'cookies and redirects of backends',
    manifests:
      ingress({
        name: 'cookies',
        annotations: {
          'proxy-cookie-domain': 'inside.example outside.example',
          'proxy-cookie-path': '/inside /outside',
        },
        rules: { 'cookies.test': [['Prefix', '/', 'alpha']] },
      }) +
      ingress({
        name: 'redirects',
        annotations: {
          'proxy-redirect-from': 'http://inside.example/app/',
          'proxy-redirect-to': 'https://outside.example/',
        },
        rules: { 'redirects.test': [['Prefix', '/', 'alpha']] },
      }) +
      ingress({
        name: 'default',
        annotations: { 'proxy-redirect-from': 'off' },
        rules: { 'default.test': [['Prefix', '/', 'alpha']] },
      }),
    nginx: {
      servers:
        nobody +
        server(
          'cookies.test',
          location('"/"', 'alpha', { cookieDomain: 'inside.example outside.example', cookiePath: '/inside /outside' }),
        ) + // biome-ignore format: one line
        server(
          'redirects.test',
          location('"/"', 'alpha', { redirect: 'http://inside.example/app/ https://outside.example/' }),
        ) + // biome-ignore format: one line
        server('default.test', location('"/"', 'alpha')),
    },
    requests: requests({
      hosts: ['cookies.test', 'redirects.test', 'default.test'],
      paths: ['/x'],
      headers: fc
        .record({
          status: fc.constantFrom(200, 201, 301, 302, 307),
          cookies: fc.subarray([
            'a=1; Domain=inside.example; Path=/inside',
            'b=2; domain=.inside.example; path=/inside/deep',
            'c=3; Path=/other; Domain=other.example',
            'd=4; DOMAIN=INSIDE.example; Path=/insider; Secure',
            'e=5;Path=/inside;HttpOnly',
            'f=6',
            'g=inside.example; Path=/',
            'h="; Path=/inside"; Domain="inside.example"',
          ]),
          location: fc.constantFrom(undefined, 'http://inside.example/app/x', 'http://inside.example/app', 'HTTP://INSIDE.example/app/x', '/app/x', 'http://inside.example:80/app/x', 'https://inside.example/app/x', 'http://inside.example/app/'), // biome-ignore format: one line
          refresh: fc.constantFrom(undefined, '3; url=http://inside.example/app/y', '3'),
        })
        .map(({ status, cookies, location: to, refresh }) => [
          tell('alpha', {
            status,
            headers: [
              ...cookies.map((cookie) => ['Set-Cookie', cookie] as const),
              ...(to ? [['Location', to] as const] : []),
              ...(refresh ? [['Refresh', refresh] as const] : []),
            ],
          }),
        ]),
    }),
  },
];
