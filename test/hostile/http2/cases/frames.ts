/** RFC 9113 section 6: what each type of frame must look like, and what it does. */
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
  open,
  pause,
  post,
  resets,
  SLOW_MS,
  slowly,
} from '../case.ts';
import {
  code,
  continuation,
  data,
  flag,
  frame,
  goaway,
  headers,
  INITIAL_WINDOW,
  MAX_WINDOW,
  padded,
  ping,
  priority,
  priorityFields,
  pushPromise,
  reset,
  setting,
  settings,
  type,
  uint32,
  windowUpdate,
} from '../frames.ts';
import type { Peer } from '../wire.ts';

const bytes = (length: number) => Buffer.alloc(length);
const PADDED_END = flag.padded | flag.endStream;

const dataFrames: readonly Http2Case[] = [
  breaks('9113 6.1', 'DATA on stream 0', [data(0, 'x')], [code.protocol]),
  breaks(
    '9113 6.1',
    'DATA, padding as long as the payload',
    [open(1), data(1, Buffer.from([5, 1, 2, 3, 4]), PADDED_END)],
    [code.protocol],
  ),
  breaks(
    '9113 6.1',
    'DATA, padding beyond the frame',
    [open(1), data(1, Buffer.from([255, 1]), PADDED_END)],
    [code.protocol],
  ),
  breaks(
    '9113 6.1',
    'DATA without its Pad Length',
    [open(1), data(1, '', PADDED_END)],
    [code.protocol, code.frameSize],
  ),
  answered(
    '9113 6.1',
    'padded DATA',
    [open(1), data(1, padded(Buffer.from('hello'), 200), PADDED_END)],
    [{ data: 'hello' }],
  ),
  answered(
    '9113 6.1',
    'DATA with padding of no bytes',
    [open(1), data(1, padded(Buffer.from('hello'), 0), PADDED_END)],
    [{ data: 'hello' }],
  ),
  answered(
    '9113 6.1',
    'DATA of padding alone',
    [open(1), data(1, padded(Buffer.alloc(0), 255), PADDED_END)],
    [{ data: '' }],
  ),
  answered(
    '9113 6.1',
    'empty DATA before and between',
    [open(1), data(1), data(1, 'a'), data(1), data(1, 'b'), data(1, '', flag.endStream)],
    [{ data: 'ab' }],
  ),
];

const withPriority = (fields: Buffer, ...more: Buffer[]) => Buffer.concat([fields, ...more]);

const headersFrames: readonly Http2Case[] = [
  breaks('9113 6.2', 'HEADERS on stream 0', [headers(0, get(), END)], [code.protocol]),
  breaks(
    '9113 6.2',
    'HEADERS, padding beyond the frame',
    [headers(1, Buffer.concat([Buffer.from([255]), get()]), END | flag.padded)],
    [code.protocol],
  ),
  breaks(
    '9113 6.2',
    'HEADERS without their Pad Length',
    [headers(1, bytes(0), END | flag.padded)],
    [code.protocol, code.frameSize],
  ),
  breaks(
    '9113 6.2',
    'HEADERS too short for their priority',
    [headers(1, bytes(4), END | flag.priority)],
    [code.protocol, code.frameSize],
  ),
  breaks(
    '9113 6.2',
    'HEADERS, padding into their priority',
    [headers(1, Buffer.concat([Buffer.from([3]), bytes(6)]), END | flag.priority | flag.padded)],
    [code.protocol, code.frameSize],
  ),
  answered('9113 6.2', 'padded HEADERS', [headers(1, padded(get(), 255), END | flag.padded)]),
  answered('9113 6.2', 'HEADERS with priority', [
    headers(1, withPriority(priorityFields(3, 255, true), get()), END | flag.priority),
  ]),
  answered('9113 6.2', 'HEADERS with priority and padding', [
    headers(1, padded(withPriority(priorityFields(0), get()), 9), END | flag.priority | flag.padded),
  ]),
  answered('9113 6.2', 'HEADERS with END_STREAM and CONTINUATION', [
    headers(1, get(), flag.endStream),
    continuation(1, bytes(0)),
  ]),
];

const priorityFrames: readonly Http2Case[] = [
  breaks('9113 6.3', 'PRIORITY on stream 0', [frame(type.priority, 0, 0, priorityFields(1))], [code.protocol]),
  resets('9113 6.3', 'PRIORITY of 4 bytes', [open(1), frame(type.priority, 0, 1, bytes(4))], [code.frameSize]),
  resets('9113 6.3', 'PRIORITY of 6 bytes', [open(1), frame(type.priority, 0, 1, bytes(6))], [code.frameSize]),
  answered('9113 5.3', 'PRIORITY of a stream that depends on itself', [priority(1, 1), ask(1)]),
  answered('9113 5.3', 'HEADERS of a stream that depends on itself', [
    headers(1, withPriority(priorityFields(1), get()), END | flag.priority),
  ]),
  answered('9113 5.3', 'PRIORITY in a circle', [priority(1, 3), priority(3, 5), priority(5, 1), ask(1)]),
];

const resetFrames: readonly Http2Case[] = [
  breaks('9113 6.4', 'RST_STREAM on stream 0', [reset(0)], [code.protocol]),
  breaks('9113 6.4', 'RST_STREAM on an idle stream', [reset(9)], [code.protocol]),
  breaks('9113 6.4', 'RST_STREAM of 3 bytes', [open(1), frame(type.rstStream, 0, 1, bytes(3))], [code.frameSize]),
  breaks('9113 6.4', 'RST_STREAM of 5 bytes', [open(1), frame(type.rstStream, 0, 1, bytes(5))], [code.frameSize]),
  ignored('9113 7', 'RST_STREAM with an unknown code', [open(1), reset(1, 0xdead)]),
  ignored('9113 6.4', 'RST_STREAM without an error', [open(1), reset(1, code.none)]),
];

const acknowledged = (times: number) => (peer: Peer) =>
  peer.settingsAcks() === times ? undefined : `${peer.settingsAcks()} SETTINGS with ACK`;

const settingsFrames: readonly Http2Case[] = [
  breaks('9113 6.5', 'SETTINGS on a stream', [frame(type.settings, 0, 1, bytes(0))], [code.protocol]),
  breaks(
    '9113 6.5',
    'SETTINGS with ACK and a payload',
    [frame(type.settings, flag.ack, 0, bytes(6))],
    [code.frameSize],
  ),
  breaks('9113 6.5', 'SETTINGS of 5 bytes', [frame(type.settings, 0, 0, bytes(5))], [code.frameSize]),
  breaks('9113 6.5', 'SETTINGS of 7 bytes', [frame(type.settings, 0, 0, bytes(7))], [code.frameSize]),
  breaks('9113 6.5.2', 'ENABLE_PUSH of 2', [settings([setting.push, 2])], [code.protocol]),
  breaks('9113 6.5.2', 'INITIAL_WINDOW_SIZE of 2^31', [settings([setting.window, 2 ** 31])], [code.flowControl]),
  breaks('9113 6.5.2', 'MAX_FRAME_SIZE of 16383', [settings([setting.maxFrame, 16_383])], [code.protocol]),
  breaks('9113 6.5.2', 'MAX_FRAME_SIZE of 2^24', [settings([setting.maxFrame, 2 ** 24])], [code.protocol]),
  breaks('8441 3', 'ENABLE_CONNECT_PROTOCOL of 2', [settings([0x8, 2])], [code.protocol]),
  ignored('9113 6.5.2', 'bounds at their ends', [
    settings([setting.maxFrame, 2 ** 24 - 1], [setting.window, MAX_WINDOW], [setting.maxStreams, 0], [setting.push, 0]),
  ]),
  ignored('9113 6.5.3', 'each SETTINGS is acknowledged', [settings(), settings([setting.push, 0]), settings()], {
    check: acknowledged(4),
  }),
  answered('9113 6.5.3', 'of a setting that comes twice the last one counts', [
    settings([setting.window, 0], [setting.window, 65_535]),
    ask(1),
  ]),
  answered(
    '9113 6.5.2',
    'a header table of no bytes',
    [settings([setting.tableSize, 0]), ask(1), end(1), ask(3), end(3)],
    [{}, {}],
    { stream: 3 },
  ),
  answered(
    '9113 6.5.2',
    'a header table of 4 GiB',
    [settings([setting.tableSize, 2 ** 32 - 1]), ask(1), end(1), ask(3)],
    [{}, {}],
    { stream: 3 },
  ),
];

const otherFrames: readonly Http2Case[] = [
  breaks('9113 6.6', 'PUSH_PROMISE from a client', [ask(1), pushPromise(1, 2, get())], [code.protocol], {
    seen: [{}],
    race: true,
  }),
  breaks('9113 6.6', 'PUSH_PROMISE on an idle stream', [pushPromise(1, 2, get())], [code.protocol]),
  breaks('9113 6.6', 'PUSH_PROMISE on stream 0', [pushPromise(0, 2, get())], [code.protocol]),
  breaks('9113 6.7', 'PING on a stream', [frame(type.ping, 0, 1, bytes(8))], [code.protocol]),
  breaks('9113 6.7', 'PING of 7 bytes', [frame(type.ping, 0, 0, bytes(7))], [code.frameSize]),
  breaks('9113 6.7', 'PING of 9 bytes', [frame(type.ping, 0, 0, bytes(9))], [code.frameSize]),
  breaks('9113 6.7', 'PING without a payload', [frame(type.ping, 0, 0, bytes(0))], [code.frameSize]),
  ignored('9113 6.7', 'PING is answered with its payload', [ping('\x00\xffabcdef'), pause(20)], {
    check: (peer) => (peer.pongs.has('\x00\xffabcdef') ? undefined : 'no such PING with ACK'),
  }),
  // Nobody has asked, which section 5.4 leaves to the receiver.
  resets('9113 6.7', 'PING with ACK is not answered', [ping('not here', flag.ack), pause(20)], [code.protocol], {
    orNothing: true,
    check: (peer) => (peer.pongs.has('not here') ? 'answered' : undefined),
  }),
  breaks('9113 6.8', 'GOAWAY on a stream', [frame(type.goaway, 0, 1, bytes(8))], [code.protocol]),
  breaks('9113 6.8', 'GOAWAY of 7 bytes', [frame(type.goaway, 0, 0, bytes(7))], [code.frameSize]),
  answered(
    '9113 6.8',
    'GOAWAY leaves the requests before it alone',
    [askSlow(1), goaway(0, code.none, 'going'), end(1)],
    [{ line: 'GET /slow HTTP/1.1' }],
    { last: true },
  ),
  breaks('9113 6.10', 'CONTINUATION on stream 0', [continuation(0, get())], [code.protocol]),
  breaks(
    '9113 6.10',
    'CONTINUATION behind END_HEADERS',
    [headers(1, get()), continuation(1, bytes(0))],
    [code.protocol],
  ),
  breaks('9113 6.10', 'CONTINUATION behind DATA', [open(1), data(1, 'x'), continuation(1, bytes(0))], [code.protocol]),
  answered('9113 6.10', 'a field block in single bytes', [
    headers(1, get().subarray(0, 1), flag.endStream),
    // Fewer than what may pass for a flood.
    continuation(1, get().subarray(1, 2), 0),
    continuation(1, get().subarray(2, 3), 0),
    continuation(1, get().subarray(3)),
  ]),
  answered('9113 6.10', 'HEADERS without a byte of their block', [
    headers(1, bytes(0), flag.endStream),
    continuation(1, get()),
  ]),
];

/** A response that waits until the window lets it. */
const bodySize = (peer: Peer) => peer.stream(1).bodyBytes;

/** For requests after the case. */
const reopened = [end(1), settings([setting.window, INITIAL_WINDOW])];

const windows: readonly Http2Case[] = [
  breaks('9113 6.9', 'WINDOW_UPDATE of 0 for the connection', [windowUpdate(0, 0)], [code.protocol]),
  resets('9113 6.9', 'WINDOW_UPDATE of 0 for a stream', [open(1), windowUpdate(1, 0)], [code.protocol]),
  breaks('9113 6.9', 'WINDOW_UPDATE of 3 bytes', [frame(type.windowUpdate, 0, 0, bytes(3))], [code.frameSize]),
  breaks('9113 6.9', 'WINDOW_UPDATE of 5 bytes', [frame(type.windowUpdate, 0, 0, bytes(5))], [code.frameSize]),
  breaks('9113 6.9.1', 'a window of the connection above 2^31-1', [windowUpdate(0, MAX_WINDOW)], [code.flowControl]),
  resets('9113 6.9.1', 'a window of a stream above 2^31-1', [open(1), windowUpdate(1, MAX_WINDOW)], [code.flowControl]),
  breaks(
    '9113 6.9.2',
    'SETTINGS that take a window above 2^31-1',
    [open(1), windowUpdate(1, MAX_WINDOW - 65_535), settings([setting.window, 65_536])],
    [code.flowControl],
  ),
  answered('9113 6.9', 'the reserved bit of an increment', [
    frame(type.windowUpdate, 0, 0, uint32(2 ** 31 + 1)),
    ask(1),
  ]),
  answered('9113 6.9.1', 'a response keeps to the window of its stream', [
    settings([setting.window, 1]),
    ask(1),
    (peer) => peer.until(() => bodySize(peer) >= 1),
    pause(20),
    (peer) => {
      if (bodySize(peer) !== 1) peer.faults.push(`${bodySize(peer)} bytes through a window of 1`);
      return windowUpdate(1, 1);
    },
    ...reopened,
  ]),
  answered('9113 6.9.2', 'a window below zero is opened by WINDOW_UPDATE', [
    settings([setting.window, 1]),
    ask(1),
    (peer) => peer.until(() => bodySize(peer) >= 1),
    // Now at -1.
    settings([setting.window, 0]),
    windowUpdate(1, 1),
    pause(20),
    (peer) => {
      if (bodySize(peer) !== 1) peer.faults.push(`${bodySize(peer)} bytes through a window below zero`);
      return windowUpdate(1, 1);
    },
    ...reopened,
  ]),
  answered('9113 6.9.2', 'SETTINGS open a window of a stream that waits', [
    settings([setting.window, 0]),
    ask(1),
    (peer) => peer.until(() => peer.stream(1).status === 200),
    settings([setting.window, 100]),
  ]),
  answered('9113 6.9', 'HEADERS are not flow-controlled', [
    settings([setting.window, 0]),
    headers(1, post(), END),
    (peer) => peer.until(() => peer.stream(1).status === 200),
    windowUpdate(1, 2),
    ...reopened,
  ]),
  resets(
    '9113 6.9.1',
    'reset by an overflow while the backend works',
    [headers(1, slowly('GET'), END), pause(SLOW_MS / 3), windowUpdate(1, MAX_WINDOW)],
    [code.flowControl],
    { seen: [{ line: 'GET /slow HTTP/1.1' }], race: true },
  ),
];

export const frames: readonly Http2Case[] = [
  ...dataFrames,
  ...headersFrames,
  ...priorityFrames,
  ...resetFrames,
  ...settingsFrames,
  ...otherFrames,
  ...windows,
];
