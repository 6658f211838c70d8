/** How V8 grows the heap of a role that holds many small objects for long and makes short-lived garbage. */
import { setFlagsFromString } from 'node:v8';

/**
 * By itself V8 lets the heap grow to twice what lives in it and more, and keeps 34 MB for new objects: with a large
 * cluster a third of the resident memory was garbage that nobody had collected yet. Here the old generation grows by
 * half between collections, and the new one stays as large as it is when this is called. Both flags are read each time
 * that V8 sizes a space, so that they work at run time; a V8 without them ignores the call. Command lines that set
 * `--max-semi-space-size` or `--heap-growing-percent` themselves (NODE_OPTIONS) are left alone.
 */
export function keepHeapSmall(
  given: string = [...process.execArgv, process.env['NODE_OPTIONS'] ?? ''].join(' '),
): void {
  if (!/semi[-_]space/.test(given)) setFlagsFromString('--semi-space-growth-factor=1');
  if (!/heap[-_]growing/.test(given)) setFlagsFromString('--heap-growing-percent=50');
}

/**
 * The same for a role that makes much garbage in bursts, which a small space of new objects would make dear: only the old
 * generation is kept within less than half beyond what lives in it. With 5,000 routes that is a tenth of the resident
 * memory of `fairway up`, for a twentieth of the processor time of its start.
 */
export function growHeapSlowly(
  given: string = [...process.execArgv, process.env['NODE_OPTIONS'] ?? ''].join(' '),
): void {
  if (!/heap[-_]growing/.test(given)) setFlagsFromString('--heap-growing-percent=40');
}
