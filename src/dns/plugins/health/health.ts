/**
 * Fetches the process' own page once a second, as CoreDNS does: how long that takes shows whether the process keeps up
 * with its queries.
 */
import { get } from 'node:http';
import type { MetricsRegistry } from '../../../base/metrics.ts';
import type { Plugin } from '../plugin.ts';
import type { LogLine } from '../setup.ts';

export interface HealthOptions {
  readonly metrics: MetricsRegistry;
  readonly log: LogLine;
  /** Where the page is; undefined when another process serves it. '' is every address. */
  readonly door: () => { readonly host: string; readonly port: number } | undefined;
  /** Between two checks, ms. Default 1,000. */
  readonly intervalMs?: number;
  /** For one check, ms. Default 3,000. */
  readonly timeoutMs?: number;
}

const buckets = [0.00025, 0.0025, 0.025, 0.25, 2.5];
/** A local page that takes longer is worth a line in the log. */
const slowMs = 1000;

/** Fetches a page; the error says why it did not come. */
function fetchPage(host: string, port: number, timeoutMs: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const request = get(
      { host, port, path: '/health', agent: false, signal: AbortSignal.timeout(timeoutMs) },
      (response) => {
        response.on('end', () => resolve(undefined)).on('error', (error) => resolve(error.message));
        response.resume();
      },
    );
    request.on('error', (error) =>
      resolve(error.name === 'AbortError' ? `no answer in ${timeoutMs} ms` : error.message),
    );
  });
}

export function createHealth({ metrics, log, door, intervalMs = 1000, timeoutMs = 3000 }: HealthOptions): Plugin {
  const took = metrics
    .histogram(
      'coredns_health_request_duration_seconds',
      'Histogram of the time (in seconds) each request took.',
      buckets,
    )
    .with();
  const failures = metrics
    .counter('coredns_health_request_failures_total', 'The number of times the health check failed.')
    .with();
  let timer: NodeJS.Timeout | undefined;
  let checking = false;
  let closed = false;

  async function check(): Promise<void> {
    const at = door();
    if (!at || checking) return;
    checking = true;
    const host = at.host === '' ? 'localhost' : at.host;
    const startedAt = performance.now();
    const error = await fetchPage(host, at.port, timeoutMs);
    checking = false;
    if (closed) return;
    const elapsedMs = performance.now() - startedAt;
    took.observe(elapsedMs / 1000);
    const request = `Local health request to "http://${host}:${at.port}/health"`;
    if (error !== undefined) {
      failures.inc();
      log('warning', `${request} failed: ${error}`);
    } else if (elapsedMs > slowMs) log('warning', `${request} took more than 1s: ${(elapsedMs / 1000).toFixed(3)}s`);
  }

  return {
    name: 'health',
    start() {
      timer = setInterval(() => void check(), intervalMs).unref();
    },
    close() {
      closed = true;
      clearInterval(timer);
    },
  };
}
