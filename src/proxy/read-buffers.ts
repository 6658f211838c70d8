/**
 * Memory that sockets read into. Heads and small messages are read into one buffer that all connections share: what is in
 * it is gone with the event that brought it. A connection that moves a large body reads into a buffer of its own, which is
 * written as it is and read into again once the socket it was written to has taken it.
 */
import type { OnReadOpts } from 'node:net';
import type { Writable } from 'node:stream';

/** Size of the buffer that connections share. */
export const SHARED_BYTES = 65_536;
/** Size of the others: fewer, longer reads cost less. */
const OWN_BYTES = 262_144;

/** One buffer that may be written without being copied. */
interface Lent {
  readonly bytes: Buffer;
  readonly home: ReadBuffers;
  /** Writes of it that are not done, all to `holder`. */
  writes: number;
  holder: Writable | undefined;
  /** A connection reads into it. */
  reading: boolean;
  /** To be called when a write of it is done, well or not. */
  readonly done: () => void;
}

/** The buffers of one data plane. */
export interface ReadBuffers {
  readonly shared: Buffer;
  /** A buffer that nobody uses; undefined when there are as many as there may be. */
  take(): Lent | undefined;
  giveBack(lent: Lent): void;
  /** Buffers that exist beside the shared one, and those of them that are in use. */
  count(): { readonly made: number; readonly used: number };
}

/** What is known of the memory that bytes are in; nothing of memory that was not read into here. */
const homes = new WeakMap<ArrayBufferLike, ReadBuffers>();
const lents = new WeakMap<ArrayBufferLike, Lent>();

/** `most` buffers beside the shared one. */
export function createReadBuffers(most: number): ReadBuffers {
  const free: Lent[] = [];
  let made = 0;
  const buffers: ReadBuffers = {
    shared: Buffer.allocUnsafeSlow(SHARED_BYTES),
    take() {
      const lent = free.pop();
      if (lent || made >= most) return lent;
      made++;
      return createLent(buffers);
    },
    giveBack: (lent) => void free.push(lent),
    count: () => ({ made, used: made - free.length }),
  };
  homes.set(buffers.shared.buffer, buffers);
  return buffers;
}

function createLent(home: ReadBuffers): Lent {
  const lent: Lent = {
    bytes: Buffer.allocUnsafeSlow(OWN_BYTES),
    home,
    writes: 0,
    holder: undefined,
    reading: false,
    done() {
      if (--lent.writes > 0) return;
      lent.holder = undefined;
      if (!lent.reading) home.giveBack(lent);
    },
  };
  lents.set(lent.bytes.buffer, lent);
  return lent;
}

/** The bytes themselves, or a copy where the next event may write over them. */
export function lasting(bytes: Buffer): Buffer {
  return homes.has(bytes.buffer) || lents.has(bytes.buffer) ? Buffer.from(bytes) : bytes;
}

/** Bytes to write, and whom to call when the write is done. */
export interface Loan {
  bytes: Buffer;
  done: (() => void) | undefined;
}

/** Used again by every call: what it says is used at once. */
const loan: Loan = { bytes: Buffer.alloc(0), done: undefined };

/**
 * Sees to it that bytes last until they are written to `to`, which must happen. Those of a read buffer are lent where that
 * can wait, otherwise copied: into a buffer that is used again, or into memory of their own.
 */
export function borrow(bytes: Buffer, to: Writable): Loan {
  const own = lents.get(bytes.buffer);
  if (own && (own.writes === 0 || own.holder === to)) return lend(own, bytes, to);
  const home = own ? own.home : homes.get(bytes.buffer);
  const spare = home?.take();
  if (spare) return lend(spare, spare.bytes.subarray(0, bytes.copy(spare.bytes)), to);
  loan.bytes = home ? Buffer.from(bytes) : bytes;
  loan.done = undefined;
  return loan;
}

function lend(lent: Lent, bytes: Buffer, to: Writable): Loan {
  lent.holder = to;
  lent.writes++;
  loan.bytes = bytes;
  loan.done = lent.done;
  return loan;
}

/** What has no bytes waiting has handed all of them on, even if the callbacks of its writes are still to come. */
const isFree = ({ writes, holder }: Lent): boolean => writes === 0 || holder!.writableLength === 0;

/** On Windows a read has its buffer before there is anything to read, so connections cannot share one. */
const readsEarly = process.platform === 'win32';

function readAlone(buffers: ReadBuffers, take: (bytes: Buffer, length: number) => void): Reader {
  const buffer = Buffer.allocUnsafeSlow(SHARED_BYTES);
  homes.set(buffer.buffer, buffers);
  const callback = (length: number, bytes: Uint8Array) => {
    take(bytes as Buffer, length);
    return true;
  };
  return { onread: { buffer, callback }, close() {} };
}

/** Reads of one socket. */
export interface Reader {
  /** For the socket. */
  readonly onread: OnReadOpts;
  /** To be called when nothing is read any more. */
  close(): void;
}

/**
 * `take` gets what was read: `length` bytes at the beginning of a buffer, valid during the call only. `isBulk` is asked
 * after each read, with its length, whether much more is to come.
 */
export function createReader(
  buffers: ReadBuffers,
  take: (bytes: Buffer, length: number) => void,
  isBulk: (length: number) => boolean,
): Reader {
  if (readsEarly) return readAlone(buffers, take);
  let own: Lent | undefined;
  let last = 0;
  let closed = false;

  function leave(): void {
    if (!own) return;
    own.reading = false;
    if (own.writes === 0) own.home.giveBack(own);
    own = undefined;
  }

  return {
    onread: {
      buffer() {
        if (last === 0 || closed || !isBulk(last)) {
          if (own) leave();
          return buffers.shared;
        }
        if (own && isFree(own)) return own.bytes;
        leave();
        own = buffers.take();
        if (!own) return buffers.shared;
        own.reading = true;
        return own.bytes;
      },
      callback(length, bytes) {
        last = length;
        take(bytes as Buffer, length);
        return true;
      },
    },
    close() {
      closed = true;
      leave();
    },
  };
}
