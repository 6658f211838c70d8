/** The page that says whether all plugins can do their work. */
import type { LogLine, Page, Shared } from '../setup.ts';

export interface ReadyOptions {
  readonly shared: Pick<Shared, 'notReady' | 'stopping'>;
  readonly log: LogLine;
  /** A plugin that was ready once is asked again. */
  readonly continuously: boolean;
}

/** 200 and `OK`, or 503 and the names of the plugins that are not ready; 503 from the moment the process is to stop. */
export function readyPage({ shared, log, continuously }: ReadyOptions): Page {
  /** Plugins that were not ready whenever they were asked; undefined before the first time. */
  let waiting: readonly string[] | undefined;
  return () => {
    if (shared.stopping()) return { status: 503, text: 'Shutting down' };
    const now = waiting?.length === 0 && !continuously ? [] : [...new Set(shared.notReady())].sort();
    const missing = continuously ? now : now.filter((name) => !waiting || waiting.includes(name));
    waiting = missing;
    if (missing.length === 0) return { status: 200, text: 'OK' };
    const names = missing.join(',');
    log('info', `Plugins not ready: "${names}"`);
    return { status: 503, text: names };
  };
}
