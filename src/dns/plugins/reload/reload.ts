/** Looks at the Corefile from time to time and puts a changed one into service. */
import { randomInt } from 'node:crypto';
import type { Plugin } from '../plugin.ts';
import type { LogLine, Shared } from '../setup.ts';

export interface ReloadOptions {
  /** `jitterMs`: at most this is added to or taken from each interval, so that replicas do not reload in step. */
  times(): { readonly intervalMs: number; readonly jitterMs: number };
  readonly shared: Pick<Shared, 'reload' | 'metrics' | 'configurationHash'>;
  readonly log: LogLine;
}

export function createReload({ times, shared, log }: ReloadOptions): Plugin {
  const failed = shared.metrics
    .counter('coredns_reload_failed_total', 'Counter of the number of failed reload attempts.')
    .with();
  const info = shared.metrics.gauge(
    'coredns_reload_version_info',
    'A metric with a constant 1 value labeled by hash, and value which type of hash generated.',
    ['hash', 'value'],
  );
  let timer: NodeJS.Timeout | undefined;
  let closed = false;
  let lastError: string | undefined;

  function note(): void {
    info.reset();
    info.with('sha512', shared.configurationHash()).set(1);
    log('info', `Running configuration SHA512 = ${shared.configurationHash()}`);
  }

  function later(): void {
    const { intervalMs, jitterMs } = times();
    const shift = jitterMs > 0 ? randomInt(-Math.floor(jitterMs), Math.floor(jitterMs) + 1) : 0;
    timer = setTimeout(check, Math.max(100, intervalMs + shift));
    timer.unref();
  }

  async function check(): Promise<void> {
    const { error, changed } = await shared.reload();
    // A change that was put into service has closed this plugin; its successor goes on.
    if (closed) return;
    if (error !== undefined && error !== lastError) {
      failed.inc();
      log('error', `Corefile changed but reload failed: ${error}`);
    }
    lastError = changed ? error : undefined;
    later();
  }

  return {
    name: 'reload',
    start() {
      note();
      later();
    },
    close() {
      closed = true;
      clearTimeout(timer);
    },
  };
}
