/** What the control process shows of its workers, and how their gauges become one. */
import type { MetricsRegistry } from '../../base/metrics.ts';
import type { GaugeRules } from '../../base/sum-metrics.ts';

/** Connections add up. A plan is as old as the worker that is furthest behind has it; the rest is alike in all. */
export const proxyGauges: GaugeRules = {
  fairway_proxy_connections_open: 'sum',
  fairway_proxy_streams_open: 'sum',
  fairway_proxy_plan_generation: 'min',
  fairway_proxy_plan_age_seconds: 'max',
  fairway_proxy_certificates: 'max',
  fairway_proxy_certificate_expiry_timestamp_seconds: 'max',
  fairway_proxy_endpoints: 'max',
  fairway_proxy_requests_pending: 'sum',
};

export function createWorkerFamilies(registry: MetricsRegistry) {
  return {
    workers: registry.gauge('fairway_proxy_workers', 'Worker processes that serve.').with(),
    ends: registry.counter('fairway_proxy_worker_ends_total', 'Worker processes that ended by accident.').with(),
  };
}
