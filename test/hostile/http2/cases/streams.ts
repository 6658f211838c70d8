/** RFC 9113 sections 5.1 and 5.2: states of streams, their numbers and how many there may be. */
import {
  answered,
  ask,
  askSlow,
  breaks,
  END,
  end,
  get,
  type Http2Case,
  ignored,
  MAX_STREAMS,
  open,
  pause,
  resets,
  SLOW_MS,
} from '../case.ts';
import {
  code,
  continuation,
  data,
  flag,
  headers,
  MAX_WINDOW,
  priority,
  reset,
  setting,
  windowUpdate,
} from '../frames.ts';
import { block } from '../hpack.ts';
import type { Peer } from '../wire.ts';

const trailer = (stream: number) => headers(stream, block([['x-a', 'b']]), END);

const idle: readonly Http2Case[] = [
  breaks('9113 5.1', 'idle: DATA', [data(1, 'x', flag.endStream)], [code.protocol]),
  breaks('9113 5.1', 'idle: RST_STREAM', [reset(1)], [code.protocol]),
  breaks('9113 5.1', 'idle: WINDOW_UPDATE', [windowUpdate(1, 100)], [code.protocol]),
  breaks('9113 5.1', 'idle: CONTINUATION', [continuation(1, get())], [code.protocol]),
  breaks('9113 5.1', 'idle: DATA on a stream of the server', [data(2, 'x')], [code.protocol]),
  breaks('9113 5.1', 'idle: WINDOW_UPDATE on a stream of the server', [windowUpdate(2, 1)], [code.protocol]),
  ignored('9113 5.1', 'idle: PRIORITY', [priority(5, 3)]),
];

const slow = { seen: [{ line: 'GET /slow HTTP/1.1' }], race: true };

const halfClosed: readonly Http2Case[] = [
  resets('9113 5.1', 'half-closed: DATA', [askSlow(1), data(1, 'x', flag.endStream)], [code.streamClosed], slow),
  resets('9113 5.1', 'half-closed: empty DATA', [askSlow(1), data(1, '', flag.endStream)], [code.streamClosed], slow),
  resets('9113 5.1', 'half-closed: HEADERS', [askSlow(1), trailer(1)], [code.streamClosed], slow),
  resets('9113 5.1', 'half-closed: another request', [askSlow(1), ask(1)], [code.streamClosed], slow),
  breaks(
    '9113 6.10',
    'half-closed: CONTINUATION',
    [askSlow(1), continuation(1, get())],
    [code.protocol, code.streamClosed],
    slow,
  ),
  answered('9113 5.1', 'half-closed: WINDOW_UPDATE', [askSlow(1), windowUpdate(1, 100)], slow.seen),
  answered('9113 5.1', 'half-closed: PRIORITY', [askSlow(1), priority(1, 3)], slow.seen),
  ignored('9113 5.1', 'half-closed: RST_STREAM', [askSlow(1), pause(SLOW_MS / 3), reset(1), pause(SLOW_MS)], {
    ...slow,
    check: (peer) => (peer.stream(1).status === 0 ? undefined : 'an answer on a stream that was given up'),
  }),
];

const over = [code.streamClosed, code.protocol];
const afterEnd = { seen: [{}], orNothing: true };

const closed: readonly Http2Case[] = [
  resets('9113 5.1', 'closed: DATA after the answer', [ask(1), end(1), data(1, 'x')], over, afterEnd),
  resets('9113 5.1', 'closed: HEADERS after the answer', [ask(1), end(1), trailer(1)], over, afterEnd),
  breaks('9113 5.1.1', 'closed: another request after the answer', [ask(1), end(1), ask(1)], over, { seen: [{}] }),
  breaks('9113 6.10', 'closed: CONTINUATION after the answer', [ask(1), end(1), continuation(1, get())], over, {
    seen: [{}],
  }),
  ignored('9113 5.1', 'closed: WINDOW_UPDATE after the answer', [ask(1), end(1), windowUpdate(1, 1)], { seen: [{}] }),
  ignored('9113 5.1', 'closed: RST_STREAM after the answer', [ask(1), end(1), reset(1)], { seen: [{}] }),
  ignored('9113 5.1', 'closed: PRIORITY after the answer', [ask(1), end(1), priority(1, 3)], { seen: [{}] }),
  resets('9113 5.1', 'closed: DATA after RST_STREAM', [open(1), reset(1), data(1, 'x')], over, { orNothing: true }),
  resets('9113 5.1', 'closed: HEADERS after RST_STREAM', [open(1), reset(1), trailer(1)], over, { orNothing: true }),
  breaks('9113 6.10', 'closed: CONTINUATION after RST_STREAM', [open(1), reset(1), continuation(1, get())], over),
  ignored('9113 5.1', 'closed: RST_STREAM twice', [open(1), reset(1), reset(1)]),
];

const numbers: readonly Http2Case[] = [
  breaks('9113 5.1.1', 'a stream with an even number', [ask(2)], [code.protocol]),
  breaks('9113 5.1.1', 'a request on stream 0', [ask(0)], [code.protocol]),
  breaks('9113 5.1.1', 'a number below the last', [ask(5), end(5), ask(3)], [code.protocol, code.streamClosed], {
    seen: [{}],
  }),
  answered('9113 5.1.1', 'numbers may be left out', [ask(7), end(7), ask(1_001)], [{}, {}], { stream: 1_001 }),
  resets('9113 5.1.1', 'DATA on a number that was left out', [ask(5), end(5), data(3, 'x')], over, {
    ...afterEnd,
    stream: 3,
  }),
  answered('9113 5.1.1', 'the largest number', [ask(MAX_WINDOW), end(MAX_WINDOW)], [{}], {
    stream: MAX_WINDOW,
    last: true,
  }),
];

const upTo = (count: number) => Array.from({ length: count }, (_, i) => 2 * i + 1);
const TOO_MANY = 2 * MAX_STREAMS + 1;

const concurrency: readonly Http2Case[] = [
  resets(
    '9113 5.1.2',
    'one stream more than the server has said it takes',
    [
      ...upTo(MAX_STREAMS).map((stream) => open(stream)),
      ask(TOO_MANY),
      (peer) => peer.until(() => peer.stream(TOO_MANY).reset !== undefined || peer.over()),
      ...upTo(MAX_STREAMS).map((stream) => reset(stream)),
    ],
    [code.protocol, code.refused],
    {
      stream: TOO_MANY,
      check: (peer) =>
        peer.settings.get(setting.maxStreams) === MAX_STREAMS ? undefined : 'another bound in SETTINGS',
    },
  ),
  answered(
    '9113 5.1.2',
    'as many streams as the server has said it takes, again and again',
    [
      ...[0, 1, 2].flatMap((round) => [
        ...upTo(MAX_STREAMS).map((stream) => ask(stream + 2 * MAX_STREAMS * round)),
        end(TOO_MANY - 2 + 2 * MAX_STREAMS * round),
        (peer: Peer) =>
          peer.until(() => upTo(MAX_STREAMS).every((s) => peer.stream(s + 2 * MAX_STREAMS * round).ended)),
      ]),
    ],
    Array.from({ length: 3 * MAX_STREAMS }, () => ({})),
  ),
];

export const streams: readonly Http2Case[] = [...idle, ...halfClosed, ...closed, ...numbers, ...concurrency];
