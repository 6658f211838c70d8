/**
 * Bytes of a request body that nobody takes yet. They are copied into blocks, so that many small frames cost what their
 * bytes cost, and none of them keeps the whole chunk in memory that it came in.
 */
export interface HeldBytes {
  readonly blocks: Buffer[];
  /** How much of the last block is used. */
  filled: number;
  /** All together. */
  total: number;
}

const MIN_BLOCK_BYTES = 512;
const MAX_BLOCK_BYTES = 16_384;

export const createHeldBytes = (): HeldBytes => ({ blocks: [], filled: 0, total: 0 });

export function hold(held: HeldBytes, bytes: Buffer, start: number, end: number): void {
  held.total += end - start;
  for (let at = start; at < end; ) {
    const last = held.blocks.at(-1);
    if (!last || held.filled === last.length) {
      addBlock(held, end - at);
      continue;
    }
    const copied = bytes.copy(last, held.filled, at, end);
    held.filled += copied;
    at += copied;
  }
}

/** Each block is as large as all before it, up to a bound. */
function addBlock(held: HeldBytes, needed: number): void {
  const size = Math.min(MAX_BLOCK_BYTES, Math.max(MIN_BLOCK_BYTES, needed, held.total - needed));
  held.blocks.push(Buffer.allocUnsafeSlow(size));
  held.filled = 0;
}

/** Takes the first bytes out; undefined when there are none. */
export function release(held: HeldBytes): Buffer | undefined {
  const first = held.blocks.shift();
  if (!first) return undefined;
  const bytes = held.blocks.length === 0 ? first.subarray(0, held.filled) : first;
  held.total -= bytes.length;
  return bytes;
}

/** Puts back what was released last. */
export function unrelease(held: HeldBytes, bytes: Buffer): void {
  held.blocks.unshift(bytes);
  held.total += bytes.length;
  if (held.blocks.length === 1) held.filled = bytes.length;
}
