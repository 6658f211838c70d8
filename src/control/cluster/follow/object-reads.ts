/**
 * Single objects read by their names (GET), so many at a time. A read that nobody answers holds all back for a while, ever
 * longer; one that is refused is tried again by itself, and does not stand in the way of others.
 */
import { setMaxListeners } from 'node:events';
import { err, type Result } from '../../../base/result.ts';
import { type ApiError, isNotFound } from '../../../kube/client/api-error.ts';
import type { KubeClient } from '../../../kube/client/client.ts';
import { isObject } from '../../../kube/client/pages.ts';
import { resourcePath } from '../../../kube/client/paths.ts';
import { type Backoff, type BackoffOptions, createBackoff } from '../../../kube/client/timing.ts';
import { keyOf, type Resource, resourceName } from '../../../kube/resources.ts';
import type { KubeObject } from '../../../kube/types/index.ts';
import { type ApiReader, isAway } from '../api-watch.ts';
import { partsOf } from './follower.ts';

/**
 * What is thought of an answer: it is good; the object has changed meanwhile; or it is older than what is known, and the
 * server needs some time.
 */
export type Verdict = 'good' | 'again' | 'later';

export interface ObjectReadsOptions {
  readonly client: KubeClient;
  readonly resource: Resource;
  /** Reads under way at once. Default 16. */
  readonly atOnce?: number;
  readonly backoff?: BackoffOptions;
  /** Whether reads may begin. */
  isOpen(): boolean;
  /** Undefined: there is none. `isWanted`: it was asked for again while it was being read. */
  onRead(key: string, object: KubeObject | undefined, isWanted: boolean): Verdict;
  readonly onBytes?: (bytes: number) => void;
  readonly onError?: (error: ApiError) => void;
}

export interface ObjectReads extends ApiReader {
  /** Reads an object, once more where it is being read. */
  want(key: string): void;
  forget(key: string): void;
  /** To be called when reads may begin. */
  pump(): void;
  stop(): void;
}

interface Task {
  state: 'queued' | 'reading' | 'resting';
  isWanted: boolean;
  /** Of one that has failed before. */
  backoff?: Backoff;
  error?: ApiError;
  wake?(): void;
}

/** Whether others would fare no better. */
const concernsAll = (error: ApiError) =>
  isAway(error) || error.kind === 'credentials' || error.code === 401 || error.code === 429;

export function createObjectReads(options: ObjectReadsOptions): ObjectReads {
  const { client, resource, atOnce = 16, onRead, onBytes } = options;
  const { timing } = client;
  const maxPauseMs = options.backoff?.maxMs ?? 30_000;
  const newBackoff = () => createBackoff({ ...options.backoff, maxMs: maxPauseMs }, timing.random);
  const shared = newBackoff();
  const tasks = new Map<string, Task>();
  /** In the order in which they were asked for. */
  const queue = new Set<string>();
  let underWay = 0;
  /** Why all of them rest, and what ends it. */
  let failure: ApiError | undefined;
  let resting: AbortController | undefined;
  let isStopped = false;
  const stopping = new AbortController();
  // The head of an answer and its body each listen for it.
  setMaxListeners(2 * atOnce, stopping.signal);

  function enqueue(key: string, task: Task): void {
    task.state = 'queued';
    queue.add(key);
  }

  function pump(): void {
    for (const key of queue) {
      if (resting || isStopped || underWay >= atOnce || !options.isOpen()) return;
      queue.delete(key);
      void read(key, tasks.get(key)!);
    }
  }

  async function read(key: string, task: Task): Promise<void> {
    task.state = 'reading';
    task.isWanted = false;
    underWay++;
    const result = await request(key);
    underWay--;
    if (tasks.get(key) === task && !isStopped) settle(key, task, result);
    pump();
  }

  async function request(key: string): Promise<Result<KubeObject, ApiError>> {
    const path = resourcePath(resource, partsOf(key));
    const answer = await client.request<unknown>({
      ...{ path, retries: 0, signal: stopping.signal },
      ...(onBytes && { onBytes }),
    });
    if (!answer.ok) return answer;
    const { value } = answer;
    if (isObject(value) && keyOf(value) === key) return { ok: true, value };
    return err({ kind: 'malformed', message: `GET ${client.server}${path}: the answer is another object` });
  }

  function settle(key: string, task: Task, result: Result<KubeObject, ApiError>): void {
    if (!result.ok && !isNotFound(result.error)) {
      failed(key, task, result.error);
      return;
    }
    failure = undefined;
    shared.reset();
    delete task.error;
    const verdict = onRead(key, result.ok ? result.value : undefined, task.isWanted);
    if (verdict === 'again') enqueue(key, task);
    else if (verdict === 'later') void retry(key, task, pauseOf(task));
    else tasks.delete(key);
  }

  function failed(key: string, task: Task, error: ApiError): void {
    options.onError?.(error);
    const least = Math.min(error.retryAfterMs ?? 0, maxPauseMs);
    if (!concernsAll(error)) {
      task.error = error;
      void retry(key, task, Math.max(pauseOf(task), least));
      return;
    }
    failure = error;
    enqueue(key, task);
    // Others that were under way with it fail too, which makes it no worse.
    if (!resting) void rest(Math.max(shared.next(), least));
  }

  async function rest(pause: number): Promise<void> {
    const waking = new AbortController();
    resting = waking;
    await timing.sleep(pause, waking.signal);
    resting = undefined;
    pump();
  }

  async function retry(key: string, task: Task, pause: number): Promise<void> {
    task.state = 'resting';
    const waking = new AbortController();
    task.wake = () => waking.abort();
    await timing.sleep(pause, waking.signal);
    if (tasks.get(key) !== task || isStopped || task.state !== 'resting') return;
    enqueue(key, task);
    pump();
  }

  function pauseOf(task: Task): number {
    task.backoff ??= newBackoff();
    return task.backoff.next();
  }

  const refusal = () => [...tasks.values()].find(({ error }) => error)?.error;

  return {
    resource: resourceName(resource),
    get state() {
      if (isStopped) return 'stopped';
      return resting ? 'waiting' : 'watching';
    },
    get error() {
      // What failed last may be what is not wanted any more.
      return tasks.size === 0 ? undefined : (failure ?? refusal());
    },
    want(key) {
      if (isStopped) return;
      const known = tasks.get(key);
      if (known) {
        // One that rests goes on at its own pace.
        known.isWanted = true;
        return;
      }
      const task: Task = { state: 'queued', isWanted: false };
      tasks.set(key, task);
      enqueue(key, task);
      pump();
    },
    forget(key) {
      const task = tasks.get(key);
      tasks.delete(key);
      queue.delete(key);
      task?.wake?.();
    },
    pump,
    hurry: () => resting?.abort(),
    stop() {
      isStopped = true;
      resting?.abort();
      stopping.abort();
      for (const { wake } of tasks.values()) wake?.();
      tasks.clear();
      queue.clear();
    },
  };
}
