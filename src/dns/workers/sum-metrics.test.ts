import { describe, expect, it } from 'vitest';
import { createMetricsRegistry } from '../../base/metrics.ts';
import { mergePages } from './merge-pages.ts';
import { sumMetrics } from './sum-metrics.ts';

function page(queries: number, seconds: readonly number[], cached: number): string {
  const metrics = createMetricsRegistry();
  metrics.counter('coredns_dns_requests_total', 'Requests.', ['type']).with('A').inc(queries);
  metrics.counter('coredns_dns_requests_total', 'Requests.', ['type']).with(`T"${queries}`).inc(1);
  for (const value of seconds) metrics.histogram('took_seconds', 'Time.', [0.1, 1]).with().observe(value);
  metrics.gauge('coredns_cache_entries', 'Entries.').with().set(cached);
  metrics.gauge('coredns_build_info', 'Build.', ['version']).with('1').set(1);
  return metrics.expose();
}

describe('metrics of several processes', () => {
  it('are one sum, but for gauges that say the same in each', () => {
    expect(sumMetrics([page(3, [0.05], 7), page(4, [0.5, 2], 2)])).toBe(`# HELP coredns_build_info Build.
# TYPE coredns_build_info gauge
coredns_build_info{version="1"} 1
# HELP coredns_cache_entries Entries.
# TYPE coredns_cache_entries gauge
coredns_cache_entries 9
# HELP coredns_dns_requests_total Requests.
# TYPE coredns_dns_requests_total counter
coredns_dns_requests_total{type="A"} 7
coredns_dns_requests_total{type="T\\"3"} 1
coredns_dns_requests_total{type="T\\"4"} 1
# HELP took_seconds Time.
# TYPE took_seconds histogram
took_seconds_bucket{le="0.1"} 1
took_seconds_bucket{le="1"} 2
took_seconds_bucket{le="+Inf"} 3
took_seconds_sum 2.55
took_seconds_count 3
`);
  });

  it('of one process stay as they are', () => {
    expect(sumMetrics([page(3, [0.05], 7)])).toBe(page(3, [0.05], 7));
  });
});

describe('pages of several processes', () => {
  it('are well only when all are, with the reasons of those that are not', () => {
    const good = { status: 200, text: 'OK' };
    expect(mergePages('/ready', [good, good])).toEqual(good);
    const bad = (text: string) => ({ status: 503, text });
    expect(mergePages('/ready', [good, bad('kubernetes\nforward'), bad('kubernetes')])).toEqual(
      bad('kubernetes\nforward'),
    );
    expect(mergePages('/metrics', [bad('no'), good]).status).toBe(503);
    expect(mergePages('/health', []).status).toBe(503);
  });
});
