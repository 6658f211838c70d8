/** What the engine does beyond the rules of frames, for which test/hostile/http2 has tables: order, turns, bounds, ends. */
import { describe, expect, it } from 'vitest';
import type { Connection, Stream } from './connection.ts';
import { announceEnd, beginEnd, resetStream } from './ends.ts';
import { uint32 } from './frames.ts';
import { errorCode, flag, frameType, MAX_31_BITS, setting } from './protocol.ts';
import { goOn, receive } from './receive.ts';
import { abandonRequest, isFull, sendBytes, sendEnd, sendHead, sendText } from './send.ts';
import {
  type Bench,
  block,
  createBench,
  END,
  frame,
  greeting,
  openStream,
  request,
  settingsFrame,
  windowUpdate,
} from './testing.ts';
import { consume } from './windows.ts';

const get = (id: number) => frame(frameType.headers, END, id, request());
const open = (id: number) => frame(frameType.headers, flag.endHeaders, id, request('POST'));

/** A bench that keeps its streams and lets a test answer them. */
function createStage(
  http2 = {},
  more = {},
): { bench: Bench; streams: Map<number, Stream>; closed: [number, number][] } {
  const streams = new Map<number, Stream>();
  const closed: [number, number][] = [];
  const bench = createBench(
    { http2, relay: { bufferBytes: 65_536 } },
    {
      opened: (connection, id, whole) => void streams.set(id, openStream(connection, id, whole)),
      closed: (stream, code) => void closed.push([stream.id, code]),
      ...more,
    },
  );
  bench.send(greeting);
  return { bench, streams, closed };
}

describe('an idle connection', () => {
  it('keeps no large head', () => {
    const { bench, streams } = createStage();
    const large: [string, string][] = Array.from({ length: 10 }, (_, i) => [`x${i}`, 'v'.repeat(1_000)]);
    bench.send(get(1) + get(3));
    expect(bench.connection.decoder.fields).toHaveLength(4);
    bench.send(frame(frameType.headers, END, 5, request() + block(large)));
    expect(bench.connection.decoder.fields).toHaveLength(0);
    const lines = large.map(([name, value]) => `${name}: ${value}\r\n`).join('');
    for (const id of [1, 3, 5]) sendHead(streams.get(id)!, 200, lines, true);
    expect(bench.connection.encoder.lastBlock).toBe('');
    bench.send('');
    expect(bench.faults).toEqual([]);
  });
});

describe('responses', () => {
  it('do not wait for a socket that would not tell them to go on', () => {
    const { bench, streams } = createStage();
    bench.send(settingsFrame([setting.initialWindowSize, 1_000_000]) + windowUpdate(0, 1_000_000) + get(1));
    const sink = bench.connection.out.socket as unknown as { writableHighWaterMark: number };
    sink.writableHighWaterMark = 200_000;
    bench.setTaking(false);
    const bytes = Buffer.alloc(100_000, 'x');
    sendHead(streams.get(1)!, 200, '', false);
    sendBytes(streams.get(1)!, bytes, 0, bytes.length, true);
    bench.send('');
    expect(bench.connection.out.socket.writableLength).toBeGreaterThan(100_000);
    expect(isFull(bench.connection)).toBe(false);
    sendBytes(streams.get(1)!, bytes, 0, bytes.length, true);
    bench.send('');
    expect(isFull(bench.connection)).toBe(true);
  });

  it('of many streams share the window of the connection by turns', () => {
    const { bench, streams } = createStage();
    bench.send(get(1) + get(3) + get(5));
    for (const stream of streams.values()) {
      sendHead(stream, 200, '', false);
      const bytes = Buffer.alloc(100_000, 'x');
      // All of the window has gone to the first.
      sendBytes(stream, bytes, 0, bytes.length, true);
      sendEnd(stream, '');
    }
    bench.send('');
    expect([1, 3, 5].map((id) => bench.seen(id).body.length)).toEqual([65_535, 0, 0]);
    for (const id of [1, 3, 5]) bench.grant(id, 100_000);
    for (let i = 0; i < 6; i++) bench.grant(0, 16_384);
    expect([1, 3, 5].map((id) => bench.seen(id).body.length)).toEqual([98_303, 32_768, 32_768]);
    bench.grant(0, 200_000);
    expect([1, 3, 5].every((id) => bench.seen(id).ended)).toBe(true);
    expect([...bench.faults, ...bench.overruns]).toEqual([]);
  });

  it('that had to wait wait for the socket as well, and it is told when they have left', () => {
    const drained: number[] = [];
    const { bench, streams } = createStage({}, { drained: ({ id }: Stream) => drained.push(id) });
    bench.grant(0, 1_000_000);
    bench.send(get(1));
    const stream = streams.get(1)!;
    bench.setTaking(false);
    sendHead(stream, 200, '', false);
    const bytes = Buffer.alloc(60_000, 'x');
    for (let i = 0; i < 4; i++) sendBytes(stream, bytes, 0, bytes.length, false);
    expect(stream.queued).toBe(240_000 - 65_535);
    expect(isFull(bench.connection)).toBe(true);
    bench.grant(1, 1_000_000);
    expect(stream.queued).toBe(240_000 - 65_535);
    expect(drained).toEqual([]);
    for (let i = 0; i < 4; i++) bench.setTaking(true);
    expect(drained).toEqual([1]);
    expect(bench.seen(1).body.length).toBe(240_000);
  });

  it('that are broken off are reset, and never look whole', () => {
    const { bench, streams } = createStage();
    bench.send(get(1));
    const stream = streams.get(1)!;
    sendHead(stream, 200, 'Content-Length: 500000\r\n', false);
    sendText(stream, 'x'.repeat(100_000), false);
    resetStream(stream, errorCode.internal);
    bench.send('');
    bench.grant(0, 1_000_000);
    expect(bench.seen(1)).toMatchObject({ ended: false, reset: errorCode.internal });
    expect(bench.connection.queuedBytes).toBe(0);
    expect(bench.faults).toEqual([]);
  });

  it('before the end of their requests tell the client to stop, once they are sent', () => {
    const { bench, streams } = createStage();
    bench.send(open(1));
    const stream = streams.get(1)!;
    sendHead(stream, 413, '', false);
    sendText(stream, 'x'.repeat(70_000), true);
    abandonRequest(stream);
    bench.send('');
    expect(bench.seen(1).reset).toBeUndefined();
    bench.grant(0, 10_000);
    bench.grant(1, 10_000);
    expect(bench.seen(1)).toMatchObject({ ended: true, reset: errorCode.none });
    // What was on its way is not an error.
    bench.send(frame(frameType.data, 0, 1, 'more') + get(3));
    expect(bench.goaways).toEqual([]);
    expect(streams.has(3)).toBe(true);
  });

  it('have heads of any length', () => {
    const { bench, streams } = createStage();
    bench.send(get(1));
    const lines = Array.from({ length: 50 }, (_, i) => `X-${i}: ${'y'.repeat(1_000)}\r\n`).join('');
    sendHead(streams.get(1)!, 200, lines, true);
    bench.send('');
    expect(bench.counts.get(frameType.continuation)).toBe(3);
    expect(bench.seen(1)).toMatchObject({ status: 200, ended: true });
  });
});

describe('bodies of requests', () => {
  it('open windows again only as they are taken', () => {
    let taking = false;
    const { bench, streams } = createStage({ streamWindowBytes: 40_000 }, { takes: () => taking });
    const data = frame(frameType.data, 0, 1, 'x'.repeat(10_000));
    bench.send(open(1) + data + data + data);
    const before = bench.counts.get(frameType.windowUpdate);
    expect(bench.connection.heldBytes).toBe(30_000);
    taking = true;
    const stream = streams.get(1)!;
    bench.connection.heldBytes -= stream.held!.total;
    const { total } = stream.held!;
    stream.held = undefined;
    consume(stream, total);
    bench.send('');
    expect(bench.counts.get(frameType.windowUpdate)).toBe((before ?? 0) + 1);
    expect(stream.receiveWindow).toBe(40_000);
  });

  it('beyond a window end the stream, or the connection', () => {
    const { bench } = createStage({ streamWindowBytes: 20_000, connectionWindowBytes: 70_000 }, { takes: () => false });
    const data = (id: number) => frame(frameType.data, 0, id, 'x'.repeat(16_000));
    bench.send(open(1) + data(1) + data(1));
    expect(bench.seen(1).reset).toBe(errorCode.flowControl);
    // Of the connection's window, what that stream has had is not told of yet.
    bench.send([3, 5].map((id) => open(id) + data(id)).join(''));
    expect(bench.goaways).toEqual([]);
    bench.send(open(7) + data(7));
    expect(bench.goaways).toEqual([[7, errorCode.flowControl]]);
  });
});

describe('many requests at once', () => {
  it('let others have their turn', () => {
    const { bench, streams } = createStage({ maxConcurrentStreams: 1_000 });
    const bytes = Buffer.from(Array.from({ length: 300 }, (_, i) => get(2 * i + 1)).join(''), 'latin1');
    expect(receive(bench.connection, bytes)).toBe(false);
    expect(streams.size).toBe(32);
    // What waits is not in memory that is read into again.
    bytes.fill(0xee);
    for (let turns = 2; turns < 10; turns++) {
      expect(goOn(bench.connection)).toBe(false);
      expect(streams.size).toBe(32 * turns);
    }
    expect(goOn(bench.connection)).toBe(true);
    expect(streams.size).toBe(300);
  });

  it('beyond the bound are refused, which counts once the client knows it', () => {
    const { bench, streams } = createStage({ maxConcurrentStreams: 2, maxResets: 3, resetsPerSecond: 0 });
    bench.send([1, 3, 5, 7, 9].map(get).join(''));
    expect(streams.size).toBe(2);
    expect([5, 7, 9].map((id) => bench.seen(id).reset)).toEqual(Array(3).fill(errorCode.refusedStream));
    expect(bench.goaways).toEqual([]);
    bench.send(get(11));
    expect(bench.goaways).toEqual([[11, errorCode.enhanceYourCalm]]);
  });

  it('are refused while the connection holds too much', () => {
    const { bench } = createStage({ maxSessionBytes: 5_000 });
    bench.send(get(1) + get(3) + get(5));
    expect(bench.seen(5).reset).toBe(errorCode.enhanceYourCalm);
  });
});

describe('bounds', () => {
  const tired = [[expect.any(Number), errorCode.enhanceYourCalm]];
  it.each([
    ['SETTINGS', settingsFrame()],
    ['PING', frame(frameType.ping, 0, 0, '12345678')],
    ['PING with ACK', frame(frameType.ping, flag.ack, 0, '12345678')],
    ['PRIORITY', frame(frameType.priority, 0, 9, `${uint32(3)}x`)],
    ['WINDOW_UPDATE', windowUpdate(0, 1)],
    ['WINDOW_UPDATE of a stream', windowUpdate(1, 1)],
    ['empty DATA', frame(frameType.data, 0, 1)],
    ['DATA of padding', frame(frameType.data, flag.padded, 1, '\x02\0\0')],
    ['GOAWAY', frame(frameType.goaway, 0, 0, uint32(0) + uint32(0))],
    ['unknown frames', frame(77, 0, 0, 'x')],
  ])('end a connection with too many %s', (_, text) => {
    const { bench } = createStage({ maxIdleFrames: 20, idleFramesPerSecond: 1 });
    bench.send(open(1) + text.repeat(15));
    expect(bench.goaways).toEqual([]);
    bench.send(text.repeat(10));
    expect(bench.goaways).toEqual(tired);
  });

  it('leave a client alone that moves something as well', () => {
    const { bench } = createStage({ maxIdleFrames: 20, idleFramesPerSecond: 1 });
    const ping = frame(frameType.ping, 0, 0, '12345678');
    bench.send(open(1));
    for (let i = 0; i < 200; i++) bench.send(frame(frameType.data, 0, 1, 'x') + ping + windowUpdate(0, 1));
    expect(bench.goaways).toEqual([]);
  });

  it.each([
    ['CONTINUATION', frame(frameType.continuation, 0, 1, 'x')],
    ['empty CONTINUATION', frame(frameType.continuation, 0, 1)],
  ])('end a connection with too many %s of one block', (_, text) => {
    const { bench } = createStage({ maxContinuations: 5 });
    bench.send(frame(frameType.headers, 0, 1, request()) + text.repeat(5));
    expect(bench.goaways).toEqual([]);
    bench.send(text);
    expect(bench.goaways).toEqual(tired);
  });

  it('end a connection with a block that is too large', () => {
    const { bench } = createStage();
    const part = frame(frameType.continuation, 0, 1, block([['x', 'y'.repeat(16_000)]]));
    bench.send(frame(frameType.headers, 0, 1, request()) + part.repeat(5));
    expect(bench.goaways).toEqual(tired);
  });

  it('on resets are the same whoever resets', () => {
    const byClient = createStage({ maxResets: 10, resetsPerSecond: 0 }, countsResets());
    const byServer = createStage({ maxResets: 10, resetsPerSecond: 0 }, countsResets());
    for (let i = 0; i < 11; i++) {
      byClient.bench.send(get(2 * i + 1) + frame(frameType.rstStream, 0, 2 * i + 1, uint32(8)));
      byServer.bench.send(get(2 * i + 1) + windowUpdate(2 * i + 1, 0));
    }
    expect(byClient.bench.connection.resets.left).toBe(byServer.bench.connection.resets.left);
  });
});

/** Handlers that count as session.ts does. */
function countsResets() {
  return { closed: ({ connection }: { connection: Connection }) => void connection.resets.left-- };
}

describe('an end in good order', () => {
  it('is announced, then begun when the client has heard of it: later requests are refused, earlier ones are not', () => {
    const { bench, streams } = createStage();
    bench.send(get(1));
    announceEnd(bench.connection);
    announceEnd(bench.connection);
    bench.send('');
    expect(bench.goaways).toEqual([[MAX_31_BITS, errorCode.none]]);
    // It was on its way.
    bench.send(get(3));
    expect(streams.has(3)).toBe(true);
    bench.send(frame(frameType.ping, flag.ack, 0, 'going\0\0\0'));
    expect(bench.goaways[1]).toEqual([3, errorCode.none]);
    bench.send(get(5));
    expect(bench.seen(5).reset).toBe(errorCode.refusedStream);
    sendHead(streams.get(3)!, 200, '', true);
    bench.send('');
    expect(bench.seen(3)).toMatchObject({ status: 200, ended: true });
    beginEnd(bench.connection);
    expect(bench.goaways).toHaveLength(2);
  });
});

describe('settings', () => {
  it('are ours from the beginning, and the client is told of the window', () => {
    const { bench } = createStage({ connectionWindowBytes: 100_000 });
    expect(bench.counts.get(frameType.settings)).toBe(2);
    expect(bench.counts.get(frameType.windowUpdate)).toBe(1);
    expect(bench.connection.acknowledged).toBe(true);
  });

  it('of the client permit larger frames, and smaller tables', () => {
    const { bench, streams } = createStage();
    bench.send(settingsFrame([setting.maxFrameSize, 1 << 20], [setting.headerTableSize, 0]));
    expect(bench.connection.peerFrameBytes).toBe(65_536);
    bench.send(get(1) + get(3));
    for (const stream of streams.values()) sendHead(stream, 200, 'Server: x\r\n', true);
    bench.send('');
    expect(bench.connection.encoder.size).toBe(0);
    expect(bench.faults).toEqual([]);
    expect(bench.seen(3).status).toBe(200);
  });
});
