/** Heads as text. */

/** Below this size the search for the end of a head costs more than making text of all bytes. */
const WHOLE_BYTES = 4_096;

/**
 * The bytes in `[start, end)` as text, one character per byte, at least up to the end of a head that begins at `start`.
 * Not more than a little over `maxHeadBytes`, however long the body behind it.
 */
export function headText(bytes: Buffer, start: number, end: number, maxHeadBytes: number): string {
  if (end - start <= WHOLE_BYTES) return bytes.toString('latin1', start, end);
  const blank = bytes.indexOf('\r\n\r\n', start, 'latin1');
  const stop = blank < 0 ? end : Math.min(blank + 4, end);
  return bytes.toString('latin1', start, Math.min(stop, start + maxHeadBytes + 1));
}
