/**
 * The processes of a data plane: as many as wanted, each replaced when it ends by accident. One that ends at once again
 * and again is replaced more and more slowly.
 */
import { type ChildProcess, fork, type SendHandle } from 'node:child_process';
import type { FromWorker, ToWorker } from './messages.ts';
import type { SocketHandle } from './sockets.ts';

/** What runs a worker: a module and its arguments. */
export interface WorkerCommand {
  readonly file: string;
  readonly args: readonly string[];
}

export interface CrewLimits {
  /** Before a worker that ended soon after its start is replaced, again; doubled each time. Milliseconds. */
  readonly restartMs: number;
  readonly maxRestartMs: number;
  /** A worker that has served for so long did not end soon. Milliseconds. */
  readonly soonMs: number;
  /** A process that is not there after so long is ended and replaced. Milliseconds. */
  readonly startMs: number;
  /** A worker that owes an answer for so long is ended and replaced. Milliseconds. */
  readonly hungMs: number;
  /** What a worker gets beyond the grace of `close` before it is killed. Milliseconds. */
  readonly closeMs: number;
}

export const crewLimits: CrewLimits = {
  restartMs: 100,
  maxRestartMs: 5_000,
  soonMs: 10_000,
  startMs: 30_000,
  hungMs: 30_000,
  closeMs: 1_000,
};

export interface Worker {
  /** Never used again for another process. */
  readonly id: number;
  readonly pid: number | undefined;
  send(message: ToWorker, socket?: SocketHandle): void;
  /** It owes an answer, or has none to give any more. */
  owes(answer: boolean): void;
}

export interface CrewEvents {
  /** `awaited`: it is one of those that were wanted from the start, and not in the place of another. */
  began(worker: Worker, awaited: boolean): void;
  heard(worker: Worker, message: FromWorker): void;
  /** `how`: exit code, signal or why it could not be started. `failures`: ends in a row that came soon. */
  ended(worker: Worker, how: string, failures: number): void;
}

export interface Crew {
  readonly workers: ReadonlyMap<number, Worker>;
  /** Begins the processes. */
  start(): void;
  /** Asks all to end and kills those that have not after `graceMs` and `closeMs`. */
  close(graceMs: number): Promise<void>;
}

interface Running extends Worker {
  readonly process: ChildProcess;
  /** Milliseconds since it first owed nothing; 0 before. */
  servedMs(): number;
  readonly gone: Promise<void>;
}

export function createCrew(count: number, command: WorkerCommand, limits: CrewLimits, events: CrewEvents): Crew {
  const workers = new Map<number, Running>();
  const waits = new Set<NodeJS.Timeout>();
  let closing = false;
  let lastId = 0;

  /** `failures`: how many before it in its place ended soon, in a row. */
  function begin(failures: number, awaited: boolean): void {
    const child = launch(command);
    const worker = createWorker(++lastId, child, limits);
    workers.set(worker.id, worker);
    child.on('message', (message: FromWorker) => events.heard(worker, message));
    void worker.gone.then(() => {
      end(worker, worker.servedMs() < limits.soonMs ? failures + 1 : 1);
    });
    events.began(worker, awaited);
  }

  function end(worker: Running, failures: number): void {
    workers.delete(worker.id);
    if (closing) return;
    const delay = failures < 2 ? 0 : Math.min(limits.maxRestartMs, limits.restartMs * 2 ** (failures - 2));
    const wait = setTimeout(() => {
      waits.delete(wait);
      begin(failures, false);
    }, delay);
    waits.add(wait);
    events.ended(worker, howEnded(worker.process), failures);
  }

  return {
    workers,
    start() {
      for (let i = 0; i < count; i++) begin(0, true);
    },
    async close(graceMs) {
      closing = true;
      for (const wait of waits) clearTimeout(wait);
      const last = [...workers.values()];
      const timer = setTimeout(() => {
        for (const { process } of last) process.kill('SIGKILL');
      }, graceMs + limits.closeMs);
      for (const worker of last) {
        // Answers are not waited for any more, and must not cut the grace short.
        worker.owes(false);
        worker.send({ kind: 'close', graceMs });
      }
      await Promise.all(last.map(({ gone }) => gone));
      clearTimeout(timer);
    },
  };
}

/** Its standard output is nobody's: what the data plane has to say, it says to this process. */
function launch({ file, args }: WorkerCommand): ChildProcess {
  return fork(file, args, { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
}

function createWorker(id: number, child: ChildProcess, { startMs, hungMs }: CrewLimits): Running {
  const end = () => child.kill('SIGKILL');
  let timer: NodeJS.Timeout | undefined = setTimeout(end, startMs);
  let servesSince: number | undefined;
  const gone = goneOf(child);
  void gone.then(() => clearTimeout(timer));
  return {
    id,
    pid: child.pid,
    process: child,
    gone,
    servedMs: () => (servesSince === undefined ? 0 : performance.now() - servesSince),
    owes(answer) {
      clearTimeout(timer);
      timer = answer ? setTimeout(end, hungMs) : undefined;
      if (!answer) servesSince ??= performance.now();
    },
    send(message, socket) {
      // One that has just ended cannot be sent anything; that it has is told by `gone`.
      if (child.connected) child.send(message, socket as unknown as SendHandle, () => {});
    },
  };
}

/** What it said last may still be on its way when it has exited. Milliseconds. */
const lastWordsMs = 1_000;

/** Settles when it has ended, or could not be started, and all that it said was heard. */
function goneOf(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    child.once('exit', () => {
      if (!child.connected) return resolve();
      child.once('disconnect', resolve);
      setTimeout(resolve, lastWordsMs).unref();
    });
    child.on('error', (error) => {
      if (child.pid !== undefined) return;
      notStarted.set(child, error.message);
      resolve();
    });
  });
}

/** Why processes could not be started. */
const notStarted = new WeakMap<ChildProcess, string>();

function howEnded(child: ChildProcess): string {
  const failure = notStarted.get(child);
  if (failure !== undefined) return `could not be started: ${failure}`;
  return child.signalCode ? `ended by ${child.signalCode}` : `ended with exit code ${child.exitCode}`;
}
