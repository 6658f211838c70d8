/** RFC 9113 sections 3.4, 4 and 5.5: the preface, frames in general, and what extensions may add. */
import { answered, ask, breaks, end, get, type Http2Case, ignored, open, pause, preface, resets } from '../case.ts';
import {
  code,
  continuation,
  data,
  flag,
  frame,
  goaway,
  headers,
  ping,
  priority,
  reset,
  SMALLEST_MAX_FRAME,
  setting,
  settings,
  settingsAck,
  type,
  uint32,
  windowUpdate,
} from '../frames.ts';
import type { Peer } from '../wire.ts';

const bare = { bare: true };
const text = (bytes: string) => Buffer.from(bytes, 'latin1');
const badStart = { bare: true, silently: true };

const pieces = (bytes: Buffer, size: number) =>
  Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) => bytes.subarray(i * size, (i + 1) * size));

const prefaces: readonly Http2Case[] = [
  breaks(
    '9113 3.4',
    'a preface with other last bytes',
    [text('PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n')],
    [code.protocol],
    badStart,
  ),
  breaks(
    '9113 3.4',
    'a preface of another version',
    [text('PRI * HTTP/2.1\r\n\r\nSM\r\n\r\n')],
    [code.protocol],
    badStart,
  ),
  breaks(
    '9113 3.4',
    'a preface in small letters',
    [text('pri * http/2.0\r\n\r\nsm\r\n\r\n')],
    [code.protocol],
    badStart,
  ),
  breaks(
    '9113 3.4',
    'HTTP/1.1 where ALPN has chosen h2',
    [text('GET / HTTP/1.1\r\nHost: a\r\n\r\n')],
    [code.protocol],
    {
      ...badStart,
      only: 'tls',
    },
  ),
  breaks('9113 3.4', 'frames without a preface', [settings(), ask(1)], [code.protocol], badStart),
  breaks('9113 3.4', 'the preface twice', [preface, preface], [code.protocol, code.frameSize], badStart),
  ...(
    [
      ['a request', ask(1)],
      ['PING', ping('12345678')],
      ['WINDOW_UPDATE', windowUpdate(0, 1)],
      ['SETTINGS with ACK', settingsAck],
      ['an unknown frame', frame(0xbb, 0, 0, text('abc'))],
    ] as const
  ).map(([name, bytes]) =>
    breaks('9113 3.4', `${name} instead of SETTINGS`, [preface, bytes], [code.protocol], badStart),
  ),
  answered(
    '9113 3.4',
    'a request at once behind the preface',
    [Buffer.concat([preface, settings(), ask(1)])],
    [{}],
    bare,
  ),
  answered(
    '9113 3.4',
    'preface and request in pieces of 3 bytes',
    pieces(Buffer.concat([preface, settings(), ask(1)]), 3).flatMap((piece) => [piece, pause(0)]),
    [{}],
    bare,
  ),
  answered('9113 3.4', 'the server begins with SETTINGS and acknowledges those of the client', [ask(1)], [{}], {
    check: (peer) =>
      peer.firstFrame() === type.settings && peer.settingsAcks() === 1 ? undefined : 'SETTINGS do not come first',
  }),
];

/** A byte more than the server has said it takes. */
const tooLarge = (kind: number, flags: number, stream: number) => (peer: Peer) =>
  frame(kind, flags, stream, Buffer.alloc(Math.min(peer.settings.get(setting.maxFrame)! + 1, 2 ** 24 - 1)));

const sizes: readonly Http2Case[] = [
  answered(
    '9113 4.2',
    'DATA of the size that all must take',
    [open(1), data(1, Buffer.alloc(SMALLEST_MAX_FRAME, 'x'), flag.endStream)],
    [{ data: 'x'.repeat(SMALLEST_MAX_FRAME) }],
  ),
  resets('9113 4.2', 'DATA that is too large', [open(1), tooLarge(type.data, 0, 1)], [code.frameSize]),
  breaks('9113 4.2', 'HEADERS that are too large', [tooLarge(type.headers, flag.endHeaders, 1)], [code.frameSize]),
  breaks(
    '9113 4.2',
    'CONTINUATION that is too large',
    [headers(1, get(), flag.endStream), tooLarge(type.continuation, flag.endHeaders, 1)],
    [code.frameSize],
  ),
  breaks('9113 4.2', 'SETTINGS that are too large', [tooLarge(type.settings, 0, 0)], [code.frameSize]),
  breaks('9113 4.2', 'PING that is too large', [tooLarge(type.ping, 0, 0)], [code.frameSize]),
  breaks('9113 4.2', 'an unknown frame that is too large', [tooLarge(0xbb, 0, 0)], [code.frameSize]),
  breaks(
    '9113 4.2',
    'a frame of 16 MiB, of which only the head comes',
    [frame(type.headers, flag.endHeaders, 1, text('x'), 2 ** 24 - 1)],
    [code.frameSize],
  ),
];

/** Field blocks end before anything else comes (section 4.3). */
const interrupted: readonly Http2Case[] = (
  [
    ['DATA', data(1, 'x')],
    ['DATA of another stream', data(3, 'x')],
    ['HEADERS of the same stream', ask(1)],
    ['HEADERS of another stream', ask(3)],
    ['PRIORITY', priority(1, 3)],
    ['RST_STREAM', reset(1)],
    ['SETTINGS', settings()],
    ['PING', ping('12345678')],
    ['WINDOW_UPDATE', windowUpdate(0, 1)],
    ['CONTINUATION of another stream', continuation(3, Buffer.alloc(0))],
    ['CONTINUATION of stream 0', continuation(0, Buffer.alloc(0))],
    ['an unknown frame', frame(0xbb, 0, 1, text('abc'))],
  ] as const
).map(([name, bytes]) =>
  breaks(
    name === 'an unknown frame' ? '9113 5.5' : '9113 4.3',
    `${name} inside a field block`,
    [headers(1, get(), flag.endStream), bytes, continuation(1, Buffer.alloc(0))],
    [code.protocol],
  ),
);

const extensions: readonly Http2Case[] = [
  ignored('9113 4.1', 'an unknown frame on the connection', [frame(0xbb, 0xff, 0, text('abc'))]),
  ignored('9113 4.1', 'an unknown frame on an idle stream', [frame(0xbb, 0xff, 1, text('abc'))]),
  ignored('9113 4.1', 'an empty unknown frame', [frame(0xff, 0, 0, text(''))]),
  answered(
    '9113 4.1',
    'an unknown frame inside a request',
    [open(1), frame(0xbb, 0, 1, text('abc')), data(1, 'x', flag.endStream)],
    [{ data: 'x' }],
  ),
  answered('9113 4.1', 'unknown flags of HEADERS', [headers(1, get(), flag.endHeaders | flag.endStream | 0x80 | 0x40)]),
  answered('9113 4.1', 'unknown flags of DATA', [open(1), data(1, 'x', flag.endStream | 0xf2)], [{ data: 'x' }]),
  answered('9113 4.1', 'the reserved bit of a stream identifier', [
    frame(type.headers, flag.endHeaders | flag.endStream, 2 ** 31 + 1, get()),
  ]),
  ignored('9113 4.1', 'the reserved bit of stream 0', [frame(type.ping, 0, 2 ** 31, text('12345678'))], {
    check: (peer) => (peer.pongs.has('12345678') ? undefined : 'no PING with ACK'),
  }),
  ignored('9113 5.5', 'unknown settings', [settings([0xbb, 1], [0xfff0, 2 ** 32 - 1])], {
    check: (peer) => (peer.settingsAcks() === 2 ? undefined : 'not acknowledged'),
  }),
  ignored('9218 7.1', 'PRIORITY_UPDATE', [frame(0x10, 0, 0, Buffer.concat([uint32(1), text('u=1')]))]),
  ignored('8336 2.1', 'ORIGIN from a client', [frame(0x0c, 0, 0, text('\x00\x05http:'))]),
  ignored('7838 4', 'ALTSVC from a client', [frame(0x0a, 0, 0, text('\x00\x00'))]),
  answered(
    '9113 5.4.1',
    'GOAWAY of a client without an error leaves its requests alone',
    [ask(1), goaway(0, code.none), end(1)],
    [{}],
    { last: true },
  ),
];

export const connection: readonly Http2Case[] = [...prefaces, ...sizes, ...interrupted, ...extensions];
