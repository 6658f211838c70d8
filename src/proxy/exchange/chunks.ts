/** Decoded data on its way out, as one chunk or bare. */
import { type Outbox, putBytes } from '../outbox.ts';

/** Used again by every call of the decoder: what it finds is passed on at once. */
export const runs: number[] = [];

/** Puts the runs (pairs of from and to) into the outbox, joined to one chunk when `chunked`; returns their bytes. */
export function putRuns(
  outbox: Outbox,
  bytes: Buffer,
  pairs: readonly number[],
  chunked: boolean,
  owned: boolean,
): number {
  const total = totalOf(pairs);
  if (total === 0) return 0;
  if (chunked) outbox.text += `${total.toString(16)}\r\n`;
  for (let i = 0; i < pairs.length; i += 2) putBytes(outbox, bytes, pairs[i]!, pairs[i + 1]!, owned);
  if (chunked) outbox.text += '\r\n';
  return total;
}

/** One copy of what the runs hold, `total` bytes: a buffer for each of many short runs takes more than its bytes. */
export function joinRuns(bytes: Buffer, pairs: readonly number[], total: number): Buffer {
  const joined = Buffer.allocUnsafe(total);
  let at = 0;
  for (let i = 0; i < pairs.length; i += 2) at += bytes.copy(joined, at, pairs[i]!, pairs[i + 1]!);
  return joined;
}

/** Bytes that the runs hold. */
export function totalOf(pairs: readonly number[]): number {
  let total = 0;
  for (let i = 0; i < pairs.length; i += 2) total += pairs[i + 1]! - pairs[i]!;
  return total;
}
