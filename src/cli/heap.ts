/** How V8 grows the heap of a role that holds many small objects for long and makes short-lived garbage. */
import { Session } from 'node:inspector';
import { type EventLoopUtilization, performance } from 'node:perf_hooks';
import { getHeapStatistics, setFlagsFromString } from 'node:v8';

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

export interface IdleCollection {
  /** How often it is looked whether the process has nothing to do. Milliseconds; default 1,000. */
  readonly everyMs?: number;
  /** No more of that time has gone into work: 0 to 1; default 0.05. */
  readonly busyShare?: number;
  /** Pause between two collections, at least. Milliseconds; default 60,000. */
  readonly pauseMs?: number;
  /** A heap that holds no more garbage and empty pages is left alone. Bytes; default 48 MiB. */
  readonly worthBytes?: number;
}

/** Looks in a row that must find the process idle. */
const idleLooks = 3;

/**
 * Collects all garbage once the process has come to rest after a burst of work, such as its start. V8 leaves that to the
 * next work, however little: with 5,000 routes, 90 MB of 384 until then, and the collection cost as much as 100 changes.
 * A heap that has hardly grown since the last time is left alone. The process stops for up to 3 ms per MB that lives, so
 * this is for control processes, not for those that carry traffic. Returns what ends it.
 */
export function collectWhenIdle(wishes: IdleCollection = {}): () => void {
  const { everyMs = 1_000, busyShare = 0.05, pauseMs = 60_000, worthBytes = 48 * 1024 * 1024 } = wishes;
  let before: EventLoopUtilization = performance.eventLoopUtilization();
  let idle = 0;
  let living = 0;
  let last = Number.NEGATIVE_INFINITY;

  function look(): void {
    const now = performance.eventLoopUtilization();
    const isIdle = performance.eventLoopUtilization(now, before).utilization <= busyShare;
    before = now;
    idle = isIdle ? idle + 1 : 0;
    if (idle < idleLooks || performance.now() - last < pauseMs) return;
    if (getHeapStatistics().total_heap_size < living + worthBytes) return;
    last = performance.now();
    collect(() => {
      living = getHeapStatistics().used_heap_size;
    });
  }

  const timer = setInterval(look, everyMs);
  timer.unref();
  return () => clearInterval(timer);
}

/**
 * All that V8 can free, and pages that are empty then go back to the system: what an application asks for when its platform
 * is short of memory. Node has that for inspectors only; the function `gc` of `--expose-gc` keeps the pages.
 */
function collect(done: () => void): void {
  const session = new Session();
  session.connect();
  session.post('HeapProfiler.collectGarbage', () => {
    done();
    // A session that ends within its own answer stops the process for good.
    setImmediate(() => session.disconnect());
  });
}
