/** Requests to API servers as metrics for Prometheus, under the names that CoreDNS has for those of its client. */
import type { MetricsRegistry } from '../../base/metrics.ts';
import type { RequestObserver } from './client.ts';

/** Seconds: the default buckets of the Prometheus client libraries. */
const buckets = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
const prefix = 'coredns_kubernetes_rest_client';

/** Requests without an answer have the code `<error>`. */
export function createRequestMetrics(registry: MetricsRegistry): RequestObserver {
  const place = ['verb', 'host'];
  const duration = registry.histogram(
    `${prefix}_request_duration_seconds`,
    'Request latency in seconds. Broken down by verb and host.',
    buckets,
    place,
  );
  const waiting = registry.histogram(
    `${prefix}_rate_limiter_duration_seconds`,
    'Client side rate limiter latency in seconds. Broken down by verb and host.',
    buckets,
    place,
  );
  const requests = registry.counter(
    `${prefix}_requests_total`,
    'Number of HTTP requests, partitioned by status code, method, and host.',
    ['code', 'method', 'host'],
  );
  return {
    answered(method, host, code, seconds) {
      duration.with(method, host).observe(seconds);
      requests.with(code === undefined ? '<error>' : String(code), method, host).inc();
    },
    waited: (method, host, seconds) => waiting.with(method, host).observe(seconds),
  };
}
