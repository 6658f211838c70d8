/** One metrics page of all workers. */
import { type GaugeRules, keepCounts, processGauges, sumMetrics } from '../../base/sum-metrics.ts';
import type { Worker } from './crew.ts';
import { proxyGauges } from './gauges.ts';

export interface Scrape {
  /** `own`: the page of this process; the workers' are added to it. */
  page(own: string, workers: readonly Worker[]): Promise<string>;
  heard(worker: number, id: number, text: string): void;
  /** What it counted goes on being told, so that no sum falls. */
  left(worker: number): void;
}

const gauges: GaugeRules = { ...processGauges, ...proxyGauges };

/** `timeoutMs`: a worker that does not answer within it is shown as it was when it last did. */
export function createScrape(timeoutMs: number): Scrape {
  const waiting = new Map<string, (text: string | undefined) => void>();
  const lastPages = new Map<number, string>();
  let gone = '';
  let lastId = 0;

  async function ask(worker: Worker): Promise<void> {
    const id = ++lastId;
    const key = `${worker.id} ${id}`;
    const text = await new Promise<string | undefined>((resolve) => {
      const timer = setTimeout(resolve, timeoutMs, undefined);
      waiting.set(key, (answer) => {
        clearTimeout(timer);
        resolve(answer);
      });
      worker.send({ kind: 'metrics', id });
    });
    waiting.delete(key);
    if (text !== undefined) lastPages.set(worker.id, text);
  }

  return {
    async page(own, workers) {
      await Promise.all(workers.map(ask));
      const living = [...lastPages.values()];
      gone = keepCounts([gone], sumMetrics(living, gauges));
      return sumMetrics([own, ...living, gone], gauges);
    },
    heard: (worker, id, text) => waiting.get(`${worker} ${id}`)?.(text),
    left(worker) {
      const last = lastPages.get(worker);
      lastPages.delete(worker);
      if (last !== undefined) gone = keepCounts([gone, last]);
      for (const [key, settle] of waiting) if (key.startsWith(`${worker} `)) settle(undefined);
    },
  };
}
