/** What is counted of spans on their way to a collector. */
import type { Counter, Family, MetricsRegistry } from '../../../base/metrics.ts';

/** `queue_full`: too many wait. `refused`: by the collector. `unreachable`: it did not take them in time. `shutdown`: they were left over. */
export type DropReason = 'queue_full' | 'refused' | 'unreachable' | 'shutdown';

export interface SpanFamilies {
  readonly exported: Family<Counter>;
  readonly dropped: Family<Counter>;
}

export function createSpanFamilies(registry: MetricsRegistry): SpanFamilies {
  return {
    exported: registry.counter('fairway_proxy_spans_exported_total', 'Spans that the collector has taken.'),
    dropped: registry.counter('fairway_proxy_spans_dropped_total', 'Spans that were not exported.', ['reason']),
  };
}
