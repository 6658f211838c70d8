/**
 * Random conversations: those that keep to the rules come to their ends, within all windows and bounds; those that were
 * tampered with never make the engine throw, nor hold more than it may.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Stream } from './connection.ts';
import { resetStream } from './ends.ts';
import { uint32 } from './frames.ts';
import { flag, frameType } from './protocol.ts';
import { passHeld } from './receive-data.ts';
import { abandonRequest, sendBytes, sendEnd, sendHead, sendText } from './send.ts';
import { type Bench, block, createBench, END, frame, greeting, openStream, request, windowUpdate } from './testing.ts';

const options = {
  client: { maxHeadBytes: 4_096 },
  http2: {
    maxConcurrentStreams: 8,
    streamWindowBytes: 8_192,
    connectionWindowBytes: 65_535,
    maxIdleFrames: 2_000,
    maxResets: 500,
  },
  relay: { bufferBytes: 16_384 },
};

/** What the application makes of a request. */
interface Plan {
  /** Bytes of the response's body, sent in pieces of so many, as text or bytes. */
  readonly size: number;
  readonly piece: number;
  readonly asText: boolean;
  readonly trailers: boolean;
  /** Takes the request's body only when told to. */
  readonly lazy: boolean;
  /** Before the request is whole. */
  readonly early: boolean;
}

const plan: fc.Arbitrary<Plan> = fc.record({
  size: fc.constantFrom(0, 1, 100, 5_000, 16_384, 20_000, 70_000),
  piece: fc.constantFrom(100, 9_000, 50_000),
  asText: fc.boolean(),
  trailers: fc.boolean(),
  lazy: fc.boolean(),
  early: fc.boolean(),
});

const bodyOf = (id: number, size: number) => `<${id}>`.repeat(Math.ceil(size / 3)).slice(0, size);

interface Task {
  readonly stream: Stream;
  readonly plan: Plan;
  received: string;
  taking: boolean;
  answered: boolean;
}

interface World {
  readonly bench: Bench;
  readonly tasks: Map<number, Task>;
}

function createWorld(plans: readonly Plan[]): World {
  const tasks = new Map<number, Task>();
  let count = 0;
  const taskOf = (stream: Stream) => tasks.get(stream.id)!;
  const bench = createBench(options, {
    opened(connection, id, whole) {
      const stream = openStream(connection, id, whole);
      const one = plans[count++ % plans.length]!;
      const task = { stream, plan: one, received: '', taking: !one.lazy, answered: false };
      tasks.set(id, task);
      if (whole || one.early) answer(task);
    },
    takes(stream, bytes, start, end) {
      const task = taskOf(stream);
      if (task.taking) task.received += bytes.toString('latin1', start, end);
      return task.taking;
    },
    ended: (stream) => finish(taskOf(stream)),
  });
  return { bench, tasks };
}

/** The whole request is there, if nothing of it is held. */
function finish(task: Task): void {
  if (task.stream.closed || !passHeld(task.stream) || !task.stream.remoteClosed) return;
  if (!task.answered) answer(task);
}

function answer(task: Task): void {
  const { stream, plan: how } = task;
  task.answered = true;
  const body = bodyOf(stream.id, how.size);
  const bytes = Buffer.from(body, 'latin1');
  sendHead(stream, 200, `Server: x\r\nNumber: ${stream.id}\r\n`, false);
  for (let at = 0; at < body.length; at += how.piece) {
    const end = Math.min(body.length, at + how.piece);
    if (how.asText) sendText(stream, body.slice(at, end), false);
    else {
      const passing = Buffer.from(bytes);
      sendBytes(stream, passing, at, end, false);
    }
  }
  sendEnd(stream, how.trailers ? 'Sum: 7\r\n' : '');
  abandonRequest(stream);
}

type Op =
  | { readonly kind: 'get' }
  | { readonly kind: 'resume' }
  | { readonly kind: 'stop' }
  | { readonly kind: 'take' }
  | { readonly kind: 'post'; readonly size: number; readonly padded: boolean }
  | { readonly kind: 'reset'; readonly which: number }
  | { readonly kind: 'grant'; readonly which: number }
  | { readonly kind: 'window'; readonly size: number };

const op: fc.Arbitrary<Op> = fc.oneof(
  { arbitrary: fc.record({ kind: fc.constantFrom<'get'>('get') }), weight: 5 },
  {
    arbitrary: fc.record({
      kind: fc.constant('post' as const),
      size: fc.constantFrom(0, 1, 500, 3_000, 8_000),
      padded: fc.boolean(),
    }),
    weight: 5,
  },
  { arbitrary: fc.constantFrom<Op>({ kind: 'resume' }, { kind: 'stop' }, { kind: 'take' }), weight: 3 },
  { arbitrary: fc.record({ kind: fc.constant('reset' as const), which: fc.nat(20) }), weight: 1 },
  { arbitrary: fc.record({ kind: fc.constant('grant' as const), which: fc.nat(20) }), weight: 3 },
  {
    arbitrary: fc.record({ kind: fc.constant('window' as const), size: fc.constantFrom(0, 10, 1_000, 65_535) }),
    weight: 2,
  },
);

/** Frames of a request with a body, within the windows that every stream begins with. */
function post(id: number, size: number, padded: boolean): string {
  const body = bodyOf(id, size);
  const head = frame(frameType.headers, flag.endHeaders, id, request('POST'));
  const half = size >> 1;
  const first = padded ? `\x03${body.slice(0, half)}\0\0\0` : body.slice(0, half);
  return (
    head +
    frame(frameType.data, padded ? flag.padded : 0, id, first) +
    frame(frameType.data, flag.endStream, id, body.slice(half))
  );
}

/** Makes a move that the rules permit. */
function move(
  { bench, tasks }: World,
  one: Op,
  next: { id: number; readonly reset: Set<number> },
  chunk: number,
): void {
  const { connection } = bench;
  if (one.kind === 'stop' || one.kind === 'resume') bench.setTaking(one.kind === 'resume');
  else if (one.kind === 'take') takeAll(tasks);
  else if (one.kind === 'window') bench.sendSettings(one.size);
  else if (one.kind === 'grant') {
    const id = [0, ...tasks.keys()][one.which % (tasks.size + 1)]!;
    if (id <= connection.lastStream) bench.grant(id, 5_000);
  } else if (one.kind === 'reset') {
    const id = [...tasks.keys()][one.which % Math.max(1, tasks.size)];
    if (id === undefined) return;
    next.reset.add(id);
    bench.send(frame(frameType.rstStream, 0, id, uint32(8)), chunk);
  } else if (connection.streams.size < options.http2.maxConcurrentStreams) {
    const id = next.id;
    next.id += 2;
    if (one.kind === 'get') bench.send(frame(frameType.headers, END, id, request()), chunk);
    else if (one.kind === 'post' && connection.receiveWindow > one.size + 10)
      bench.send(post(id, one.size, one.padded), chunk);
  }
}

function takeAll(tasks: World['tasks']): void {
  for (const task of tasks.values()) {
    task.taking = true;
    finish(task);
  }
}

/** Lets everything that waits come to its end. */
function settle({ bench, tasks }: World): void {
  bench.setTaking(true);
  bench.sendSettings(65_535);
  takeAll(tasks);
  bench.send('');
  for (let i = 0; i < 200 && bench.connection.streams.size > 0; i++) {
    bench.grant(0, 10_000);
    for (const id of [...bench.connection.streams.keys()]) bench.grant(id, 10_000);
  }
}

describe('a client that keeps to the rules', () => {
  it('gets every answer whole, and nothing beyond its windows', () => {
    fc.assert(
      fc.property(
        fc.array(plan, { minLength: 1, maxLength: 6 }),
        fc.array(op, { maxLength: 60 }),
        fc.constantFrom(1, 7, 100, 100_000),
        (plans, ops, chunk) => {
          const world = createWorld(plans);
          const { bench, tasks } = world;
          const { connection } = bench;
          bench.send(greeting, chunk);
          const next = { id: 1, reset: new Set<number>() };
          for (const one of ops) {
            move(world, one, next, chunk);
            expect(connection.heldBytes).toBeLessThanOrEqual(options.http2.connectionWindowBytes);
            expect(connection.streams.size).toBeLessThanOrEqual(options.http2.maxConcurrentStreams);
          }
          settle(world);
          expect([...bench.faults, ...bench.overruns]).toEqual([]);
          expect(bench.goaways).toEqual([]);
          for (const [id, { plan: how, received, stream }] of tasks) {
            if (next.reset.has(id)) continue;
            const seen = bench.seen(id);
            expect(seen).toMatchObject({ status: 200, ended: true, body: bodyOf(id, how.size) });
            expect(seen.trailers).toEqual(how.trailers ? ['sum: 7'] : []);
            if (!how.early) expect(received).toBe(bodyOf(id, received.length));
            expect(stream.closed).toBe(true);
          }
          // All windows are open again, and nothing is left.
          expect(connection.receiveWindow + connection.unreturned).toBe(options.http2.connectionWindowBytes);
          expect([connection.streams.size, connection.queuedBytes, connection.heldBytes]).toEqual([0, 0, 0]);
          expect(connection.waiting.size).toBe(0);
        },
      ),
      { numRuns: 300 },
    );
  });
});

/** Frames of all kinds, in no order, some of them with what they must not have. */
const anyFrame: fc.Arbitrary<string> = fc.oneof(
  fc.integer({ min: 0, max: 15 }).map((n) => frame(frameType.headers, END, 2 * n + 1, request())),
  fc.integer({ min: 0, max: 15 }).map((n) => post(2 * n + 1, 900, n % 2 === 0)),
  fc.integer({ min: 0, max: 15 }).map((n) => windowUpdate(n, 1 + n * 999)),
  fc
    .record({
      type: fc.nat(11),
      flags: fc.constantFrom(0, 1, 4, 5, 8, 9, 12, 32, 37, 45, 255),
      id: fc.constantFrom(0, 1, 2, 3, 5, 9, 31, 0x7fffffff),
      payload: fc.string({
        unit: fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code)),
        maxLength: 40,
      }),
    })
    .map(({ type, flags, id, payload }) => frame(type, flags, id, payload)),
  fc
    .array(fc.tuple(fc.constantFrom('x-a', ':path', 'te', 'cookie', 'X', ''), fc.string({ maxLength: 9 })), {
      maxLength: 5,
    })
    .map((fields) => frame(frameType.headers, END, 7, block(fields, true))),
);

interface Harm {
  readonly at: number;
  readonly kind: 'flip' | 'cut' | 'add' | 'again';
  readonly byte: number;
}

const harm: fc.Arbitrary<Harm> = fc.record({
  at: fc.nat(5_000),
  kind: fc.constantFrom('flip', 'cut', 'add', 'again'),
  byte: fc.nat(255),
});

function spoil(text: string, { at: place, kind, byte }: Harm): string {
  const at = place % Math.max(1, text.length);
  if (kind === 'cut') return text.slice(0, at) + text.slice(at + 1 + (byte % 9));
  if (kind === 'again') return text.slice(0, at) + text.slice(Math.max(0, at - byte));
  return text.slice(0, at) + String.fromCharCode(byte) + text.slice(kind === 'flip' ? at + 1 : at);
}

describe('a client that breaks the rules', () => {
  it('makes nothing throw, and holds nothing beyond the bounds', () => {
    fc.assert(
      fc.property(
        fc.array(plan, { minLength: 1, maxLength: 4 }),
        fc.array(anyFrame, { maxLength: 40 }),
        fc.array(harm, { maxLength: 4 }),
        fc.constantFrom(1, 5, 64, 100_000),
        (plans, frames, harms, chunk) => {
          const { bench, tasks } = createWorld(plans);
          const { connection } = bench;
          bench.send(harms.reduce(spoil, greeting + frames.join('')), chunk);
          takeAll(tasks);
          for (const { stream } of [...tasks.values()]) resetStream(stream, 8);
          expect(bench.faults).toEqual([]);
          expect(connection.streams.size).toBe(0);
          expect([connection.queuedBytes, connection.heldBytes, connection.waiting.size]).toEqual([0, 0, 0]);
          expect(connection.block?.bytes ?? 0).toBeLessThanOrEqual(2 * options.client.maxHeadBytes);
          expect(connection.receiveWindow + connection.unreturned).toBeLessThanOrEqual(
            options.http2.connectionWindowBytes,
          );
          // It has ended with a word on why, or goes on.
          expect(bench.goaways.filter(([, code]) => code !== 0).length).toBe(connection.failed ? 1 : 0);
        },
      ),
      { numRuns: 1_500 },
    );
  });
});
