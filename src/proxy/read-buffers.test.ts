/** What was written must be what was read, however late it leaves: a model of connections that read and write at random. */
import type { Writable } from 'node:stream';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { borrow, createReadBuffers, createReader, lasting, type ReadBuffers, SHARED_BYTES } from './read-buffers.ts';

/** A socket that writes go to. Some leave at once, with their callback to come; the others wait. */
function createTaker() {
  const waiting: { readonly bytes: Buffer; readonly copy: Buffer; readonly done: (() => void) | undefined }[] = [];
  const calls: (() => void)[] = [];
  return {
    waiting,
    get writableLength() {
      return waiting.reduce((sum, { bytes }) => sum + bytes.length, 0);
    },
    write(bytes: Buffer, done: (() => void) | undefined, atOnce: boolean) {
      if (!atOnce || waiting.length > 0) waiting.push({ bytes, copy: Buffer.from(bytes), done });
      else if (done) calls.push(done);
    },
    /** The oldest write leaves. */
    takeOne() {
      const write = waiting.shift();
      if (!write) return;
      expect(write.bytes.equals(write.copy), 'bytes were written over while they waited').toBe(true);
      if (write.done) calls.push(write.done);
    },
    callBack() {
      for (const call of calls.splice(0)) call();
    },
  };
}

type Taker = ReturnType<typeof createTaker>;

interface Relay {
  /** Another one with the next response. */
  taker: Taker;
  /** Gets some of it as well. */
  readonly mirror: Taker;
  bulk: boolean;
  atOnce: boolean;
  read(length: number, value: number): void;
  close(): void;
}

/** As node:net does it: the buffer for the next read is asked for after each. */
function relay(buffers: ReadBuffers, taker: Taker, mirror: Taker): Relay {
  const reader = createReader(
    buffers,
    (bytes, length) => {
      for (const to of length % 3 === 0 ? [self.taker, self.mirror] : [self.taker]) {
        const { bytes: out, done } = borrow(bytes.subarray(0, length), to as unknown as Writable);
        expect(out.equals(bytes.subarray(0, length))).toBe(true);
        to.write(out, done, self.atOnce || to === self.mirror);
      }
    },
    () => self.bulk,
  );
  const next = reader.onread.buffer as () => Buffer;
  let buffer = next();
  const self: Relay = {
    taker,
    mirror,
    bulk: false,
    atOnce: false,
    read(length, value) {
      const filled = Math.min(length, buffer.length);
      buffer.fill(value, 0, filled);
      reader.onread.callback(filled, buffer);
      buffer = next();
    },
    close: () => reader.close(),
  };
  return self;
}

const step = fc.record({
  relay: fc.nat(4),
  act: fc.constantFrom('read', 'read', 'read', 'take', 'call', 'turn', 'at once', 'other'),
  length: fc.integer({ min: 1, max: 300_000 }),
});

describe.skipIf(process.platform === 'win32')('read buffers', () => {
  it('are not written over before what was read has left', () => {
    fc.assert(
      fc.property(fc.nat(4), fc.array(step, { minLength: 20, maxLength: 120, size: 'max' }), (most, steps) => {
        const buffers = createReadBuffers(most);
        const takers = [createTaker(), createTaker(), createTaker()];
        const relays = Array.from({ length: 5 }, (_, i) => relay(buffers, takers[i % 3]!, takers[(i + 1) % 3]!));
        for (const [number, { relay: at, act, length }] of steps.entries()) {
          const one = relays[at]!;
          if (act === 'read') one.read(length, number % 251);
          else if (act === 'take') one.taker.takeOne();
          else if (act === 'call') one.taker.callBack();
          else if (act === 'turn') one.bulk = !one.bulk;
          else if (act === 'other') one.taker = takers[length % takers.length]!;
          else one.atOnce = !one.atOnce;
        }
        expect(buffers.count().made).toBeLessThanOrEqual(most);
        for (const one of relays) one.close();
        for (const taker of takers) {
          while (taker.waiting.length > 0) taker.takeOne();
          taker.callBack();
        }
        expect(buffers.count().used).toBe(0);
      }),
      { numRuns: 150 },
    );
  });

  it('are the shared one until there is much to read, and again afterwards', () => {
    const buffers = createReadBuffers(1);
    let bulk = false;
    const { onread, close } = createReader(
      buffers,
      () => {},
      () => bulk,
    );
    const next = onread.buffer as () => Buffer;
    expect(next()).toBe(buffers.shared);
    onread.callback(100, buffers.shared);
    expect(next()).toBe(buffers.shared);
    bulk = true;
    onread.callback(100, buffers.shared);
    const own = next();
    expect(own.length).toBeGreaterThan(SHARED_BYTES);
    expect(buffers.count()).toEqual({ made: 1, used: 1 });
    onread.callback(100, own);
    expect(next()).toBe(own);
    bulk = false;
    onread.callback(100, own);
    expect(next()).toBe(buffers.shared);
    expect(buffers.count()).toEqual({ made: 1, used: 0 });
    close();
  });

  it('are lent to one socket at a time', () => {
    const buffers = createReadBuffers(2);
    const { bytes } = buffers.take()!;
    const [one, other] = [createTaker(), createTaker()].map((taker) => taker as unknown as Writable);
    expect(borrow(bytes, one!).bytes.buffer).toBe(bytes.buffer);
    expect(borrow(bytes, one!).bytes.buffer).toBe(bytes.buffer);
    expect(borrow(bytes, other!).bytes.buffer).not.toBe(bytes.buffer);
    expect(buffers.count()).toEqual({ made: 2, used: 2 });
    expect(borrow(bytes, other!).bytes.equals(bytes)).toBe(true);
  });

  it('leave bytes of other memory alone', () => {
    const bytes = Buffer.from('of the caller');
    expect(lasting(bytes)).toBe(bytes);
    expect(borrow(bytes, createTaker() as unknown as Writable).bytes).toBe(bytes);
    const { shared } = createReadBuffers(0);
    expect(lasting(shared.subarray(0, 5))).not.toBe(shared.subarray(0, 5));
    expect(lasting(shared.subarray(0, 5)).buffer).not.toBe(shared.buffer);
  });
});
