/**
 * Measures how late this process is: the time that a callback waits for its turn once a second. CoreDNS fetches its
 * own page for the same purpose; a busy event loop is what would make that slow here.
 */
import type { MetricsRegistry } from '../../../base/metrics.ts';
import type { Plugin } from '../plugin.ts';

const buckets = [0.00025, 0.0025, 0.025, 0.25, 2.5];
const intervalMs = 1000;

export function createHealth(metrics: MetricsRegistry): Plugin {
  const took = metrics
    .histogram(
      'coredns_health_request_duration_seconds',
      'Histogram of the time (in seconds) each request took.',
      buckets,
    )
    .with();
  metrics.counter('coredns_health_request_failures_total', 'The number of times the health check failed.').with();
  let timer: NodeJS.Timeout | undefined;
  return {
    name: 'health',
    start() {
      timer = setInterval(() => {
        const asked = performance.now();
        setImmediate(() => took.observe((performance.now() - asked) / 1000));
      }, intervalMs).unref();
    },
    close: () => clearInterval(timer),
  };
}
