/**
 * Reading on after an outage. Each kind tries again by itself, ever more slowly; the first one that finds the API answering
 * wakes the others, so that all are read soon and an API that is away is asked seldom.
 */
import { type ApiReader, isAway } from './api-watch.ts';

export interface ResumeOptions {
  /** Those that there are now. */
  readers(): readonly ApiReader[];
  /** Others are woken within so long, each at a moment by chance, in milliseconds. Default 500. */
  readonly spreadMs?: number;
}

/** To be called now and then; says whether the API is away for any of them. */
export function createResume({ readers, spreadMs = 500 }: ResumeOptions): () => boolean {
  let away: ReadonlySet<ApiReader> = new Set();
  return () => {
    const now = new Set(readers().filter(({ error }) => error && isAway(error)));
    const isBack = [...away].some((each) => !now.has(each) && each.state !== 'stopped');
    if (isBack) for (const each of now) setTimeout(each.hurry, Math.random() * spreadMs).unref();
    away = now;
    return now.size > 0;
  };
}
