/**
 * Several worker processes on the same addresses. The primary answers no query: it starts workers, starts those again
 * that end by accident, and has the HTTP doors, where the pages of all workers are one.
 *
 * Workers share the sockets that the primary binds for them (node:cluster), or have sockets of their own on one port
 * where Node can (server/reuse-port.ts).
 */
import cluster, { type Worker } from 'node:cluster';
import type { LogLine, PageAnswer } from '../plugins/setup.ts';
import { createHttpDoors, type Pages } from '../server/http-doors.ts';
import type { DnsDoor } from '../server/listeners.ts';
import { tracePath } from '../trace/pages.ts';
import { mergePages } from './merge-pages.ts';
import type { FromWorker, PageList, ToWorker } from './messages.ts';

export interface PrimaryOptions {
  /** Worker processes, at least 1. */
  readonly count: number;
  readonly log: LogLine;
  /** Called once, when the first worker answers queries. */
  onStarted(doors: readonly DnsDoor[]): void;
  /** For the page of one worker, ms. Default 2,000. */
  readonly pageTimeoutMs?: number;
  /** Before a worker that ended by accident is started again, ms; doubled each time up to `maxRestartMs`. Default 100 and 5,000. */
  readonly restartMs?: number;
  readonly maxRestartMs?: number;
}

export interface Primary {
  /** Settles when all workers have ended: with the reason when it was not `stop`. */
  readonly ended: Promise<string | undefined>;
  /** Asks all workers to stop gently. */
  stop(): void;
}

interface Live {
  readonly worker: Worker;
  started: boolean;
  /** Pages that it was asked for; undefined when it ended before it answered. */
  readonly asked: Map<number, (answer: PageAnswer | undefined) => void>;
}

/** A traced query may wait for upstreams as long as any other, ms. */
const traceTimeoutMs = 8000;

const workersMetric = (count: number): string =>
  `# HELP fairway_dns_workers Processes that answer queries.\n# TYPE fairway_dns_workers gauge\nfairway_dns_workers ${count}\n`;

export function startPrimary(options: PrimaryOptions): Primary {
  const { log, pageTimeoutMs = 2000, restartMs = 100, maxRestartMs = 5000 } = options;
  const doors = createHttpDoors((wanted) => wanted);
  const live = new Map<number, Live>();
  let stopping = false;
  let reason: string | undefined;
  let announced = false;
  /** All have answered queries at one time; one that is started again later does not make the others unready. */
  let complete = false;
  let lastId = 0;
  let restarts = 0;
  let finish = (_: string | undefined) => {};
  const ended = new Promise<string | undefined>((resolve) => {
    finish = resolve;
  });

  const tell = ({ worker }: Live, message: ToWorker) => {
    if (worker.isConnected()) worker.send(message);
  };

  function askOne(one: Live, address: string, path: string, search: string): Promise<PageAnswer | undefined> {
    const id = ++lastId;
    return new Promise((resolve) => {
      const timer = setTimeout(() => settle(undefined), path === tracePath ? traceTimeoutMs : pageTimeoutMs);
      const settle = (answer: PageAnswer | undefined) => {
        clearTimeout(timer);
        one.asked.delete(id);
        resolve(answer);
      };
      one.asked.set(id, settle);
      tell(one, { kind: 'page', id, address, path, search });
    });
  }

  /** What only the primary knows: how many answer, and whether all have come up. */
  function withWorkers(path: string, answer: PageAnswer, count: number): PageAnswer {
    if (path === '/metrics') return { ...answer, text: answer.text + workersMetric(count) };
    if (path === '/ready' && !complete) return { ...answer, status: 503, text: 'workers' };
    return answer;
  }

  /** Pages that ask all workers each time. */
  function pagesFor(list: PageList): Pages {
    const page = (address: string, path: string) => async (search: URLSearchParams) => {
      const all = [...live.values()].filter(({ started }) => started);
      // A trace is a query with consequences, and each worker has a cache of its own: one of them says what it does.
      const asked = path === tracePath ? all.slice(0, 1) : all;
      const answers = await Promise.all(asked.map((one) => askOne(one, address, path, search.toString())));
      const merged = mergePages(
        path,
        answers.filter((answer) => answer !== undefined),
      );
      return withWorkers(path, merged, all.length);
    };
    return new Map(
      Object.entries(list).map(([address, paths]) => [
        address,
        new Map(paths.map((path) => [path, page(address, path)])),
      ]),
    );
  }

  async function openPages(one: Live, { id, pages }: Extract<FromWorker, { kind: 'pages' }>): Promise<void> {
    const opened = await doors.open(pagesFor(pages));
    const bound = Object.fromEntries(
      Object.keys(pages).flatMap((address) => {
        const at = doors.bound(address);
        return at ? [[address, at]] : [];
      }),
    );
    tell(one, { kind: 'opened', id, bound, ...(!opened.ok && { error: opened.error }) });
  }

  /** The oldest worker that answers speaks for all, until it ends. */
  function appointSpeaker(): void {
    const [oldest] = [...live.values()].filter(({ started }) => started);
    if (oldest) tell(oldest, { kind: 'speak' });
  }

  function hasStarted(one: Live, { doors: open }: Extract<FromWorker, { kind: 'started' }>): void {
    one.started = true;
    restarts = 0;
    appointSpeaker();
    if (!announced) options.onStarted(open);
    announced = true;
    complete ||= [...live.values()].filter(({ started }) => started).length >= options.count;
    while (!stopping && live.size < options.count) start();
  }

  function stop(): void {
    stopping = true;
    for (const one of live.values()) tell(one, { kind: 'stop' });
  }

  function hear(one: Live, message: FromWorker): void {
    if (message.kind === 'page') one.asked.get(message.id)?.(message.answer);
    if (message.kind === 'pages') void openPages(one, message);
    if (message.kind === 'started') hasStarted(one, message);
    if (message.kind === 'failed') {
      reason ??= message.reason;
      stop();
    }
  }

  async function hasEnded(one: Live, code: number | null, signal: string | null): Promise<void> {
    live.delete(one.worker.id);
    for (const settle of one.asked.values()) settle(undefined);
    if (!stopping && !announced) {
      reason ??= `the worker process ended with ${signal ?? code} before it answered`;
      stopping = true;
    }
    if (stopping) {
      if (live.size > 0) return;
      await doors.close();
      finish(reason);
      return;
    }
    appointSpeaker();
    const delay = Math.min(maxRestartMs, restartMs * 2 ** restarts++);
    log(
      'error',
      `workers: process ${one.worker.process.pid} ended with ${signal ?? code}; another starts in ${delay} ms`,
    );
    setTimeout(() => !stopping && live.size < options.count && start(), delay);
  }

  function start(): void {
    const worker = cluster.fork();
    const one: Live = { worker, started: false, asked: new Map() };
    live.set(worker.id, one);
    worker.on('message', (message: FromWorker) => hear(one, message));
    worker.once('exit', (code, signal) => void hasEnded(one, code, signal));
    // A worker that ends takes its channel along; `exit` tells.
    worker.on('error', () => {});
  }

  // Workers take connections themselves instead of getting them from here one by one.
  cluster.schedulingPolicy = cluster.SCHED_NONE;
  start();
  return { ended, stop };
}
