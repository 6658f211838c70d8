/** The side of a worker process: its pages are served by the primary, which asks for them. */
import { err, ok } from '../../base/result.ts';
import type { HostPort } from '../server/addresses.ts';
import type { HttpDoors, Pages } from '../server/http-doors.ts';
import type { DnsDoor } from '../server/listeners.ts';
import type { FromWorker, ToWorker } from './messages.ts';

export interface WorkerLink {
  /** Takes the place of the HTTP servers of a process that is alone. */
  readonly doors: HttpDoors;
  /** Whether this is the worker that speaks for all. */
  speaks(): boolean;
  started(doors: readonly DnsDoor[]): void;
  failed(reason: string): void;
}

function tell(message: FromWorker): void {
  // The primary is gone: `disconnect` says so.
  if (process.connected) process.send!(message);
}

/** `onStop`: the primary asks to stop, or is gone. */
export function createWorkerLink(onStop: () => void): WorkerLink {
  const waiting = new Map<number, (message: Extract<ToWorker, { kind: 'opened' }>) => void>();
  let pages: Pages = new Map();
  let bound: Record<string, HostPort> = {};
  let speaks = false;
  let lastId = 0;

  async function answer({ id, address, path, search }: Extract<ToWorker, { kind: 'page' }>): Promise<void> {
    try {
      const page = pages.get(address)?.get(path);
      tell({ kind: 'page', id, answer: (await page?.(new URLSearchParams(search))) ?? { status: 404, text: '' } });
    } catch (error) {
      tell({ kind: 'page', id, answer: { status: 500, text: `${error instanceof Error ? error.message : error}\n` } });
    }
  }

  process.on('message', (message: ToWorker) => {
    if (message.kind === 'stop') onStop();
    if (message.kind === 'speak') speaks = true;
    if (message.kind === 'page') void answer(message);
    if (message.kind === 'opened') waiting.get(message.id)?.(message);
  });
  process.once('disconnect', onStop);

  const doors: HttpDoors = {
    async open(wanted) {
      const id = ++lastId;
      const list = Object.fromEntries([...wanted].map(([address, found]) => [address, [...found.keys()]]));
      const before = pages;
      // The primary may ask for a page as soon as its door is open.
      pages = wanted;
      const opened = await new Promise<Extract<ToWorker, { kind: 'opened' }>>((resolve) => {
        waiting.set(id, resolve);
        tell({ kind: 'pages', id, pages: list });
      });
      waiting.delete(id);
      bound = opened.bound;
      if (opened.error === undefined) return ok(undefined);
      pages = before;
      return err(opened.error);
    },
    bound: (address) => bound[address],
    close: async () => {
      pages = new Map();
    },
  };

  return {
    doors,
    speaks: () => speaks,
    started: (open) => tell({ kind: 'started', doors: open }),
    failed: (reason) => tell({ kind: 'failed', reason }),
  };
}
