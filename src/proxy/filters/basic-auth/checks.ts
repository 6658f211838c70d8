/**
 * Checks of passwords whose hashes take long (bcrypt, SHA-crypt): computed in a thread, and what was right is remembered. Belongs
 * to the data plane and not to a plan, so that a new plan does not ask for everything to be computed again.
 */
import { createHmac, randomBytes } from 'node:crypto';
import { Worker } from 'node:worker_threads';

export interface PasswordChecks {
  /** What a right password is remembered by: good for this hash only. */
  mark(name: string, password: Buffer, hash: string): string;
  isRemembered(mark: string): boolean;
  remember(mark: string): void;
  /**
   * Compares with such a hash. `done` is called later, with undefined when the thread has failed. Returns what gives
   * the check up; undefined when too many wait.
   */
  compare(password: string, hash: string, done: (right: boolean | undefined) => void): (() => void) | undefined;
  close(): void;
}

export interface PasswordCheckOptions {
  /** Different passwords that wait. */
  readonly maxQueue: number;
  /** The thread has failed. */
  readonly onFault: (why: string) => void;
  /** Plain JavaScript. */
  readonly thread?: URL;
}

/** Right passwords that are known again without computing their hash. */
const MAX_REMEMBERED = 4_096;
const THREAD_HEAP_MB = 16;

interface Job {
  readonly key: string;
  readonly password: string;
  readonly hash: string;
  /** Who waits for it: a browser asks for many things at once with the same password. */
  readonly waiting: Set<(right: boolean | undefined) => void>;
}

export function createPasswordChecks(options: PasswordCheckOptions): PasswordChecks {
  const { maxQueue, onFault, thread = new URL('./password-thread.js', import.meta.url) } = options;
  const secret = randomBytes(32);
  const remembered = new Set<string>();
  const jobs = new Map<string, Job>();
  let current: Job | undefined;
  let worker: Worker | undefined;

  function start(): Worker {
    const started = new Worker(thread, { resourceLimits: { maxOldGenerationSizeMb: THREAD_HEAP_MB } });
    started.unref();
    started.on('message', (right: boolean) => finish(right));
    started.on('error', (error) => onFault(error.message));
    started.on('exit', () => {
      if (worker !== started) return;
      worker = undefined;
      finish(undefined);
    });
    return started;
  }

  function finish(right: boolean | undefined): void {
    const job = current;
    current = undefined;
    if (job) forget(job);
    for (const done of job?.waiting ?? []) done(right);
    next();
  }

  /** Who has got an answer may ask the same at once: another job may have the key by now. */
  function forget(job: Job): void {
    if (jobs.get(job.key) === job) jobs.delete(job.key);
  }

  /** Hands the thread one job at a time, so that those given up by then are never computed. */
  function next(): void {
    const [job] = jobs.values();
    if (current || !job) return;
    current = job;
    worker ??= start();
    worker.postMessage({ password: job.password, hash: job.hash });
  }

  function enqueue(key: string, password: string, hash: string): Job | undefined {
    const known = jobs.get(key);
    if (known || jobs.size > maxQueue) return known;
    const job: Job = { key, password, hash, waiting: new Set() };
    jobs.set(key, job);
    return job;
  }

  return {
    mark: (name, password, hash) =>
      createHmac('sha256', secret)
        .update(JSON.stringify([name, hash]))
        .update(password)
        .digest('base64'),
    isRemembered: (mark) => remembered.has(mark),
    remember(mark) {
      remembered.add(mark);
      for (const oldest of remembered) {
        if (remembered.size <= MAX_REMEMBERED) return;
        remembered.delete(oldest);
      }
    },
    compare(password, hash, done) {
      const job = enqueue(`${hash} ${password}`, password, hash);
      if (!job) return undefined;
      job.waiting.add(done);
      next();
      return () => {
        job.waiting.delete(done);
        if (job.waiting.size === 0 && job !== current) forget(job);
      };
    },
    close() {
      jobs.clear();
      current = undefined;
      void worker?.terminate();
      worker = undefined;
    },
  };
}
