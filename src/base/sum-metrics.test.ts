import { describe, expect, it } from 'vitest';
import { createMetricsRegistry } from './metrics.ts';
import { addProcessMetrics } from './process-metrics.ts';
import { keepCounts, processGauges, sumMetrics } from './sum-metrics.ts';

function page(queries: number, seconds: readonly number[], cached: number): string {
  const metrics = createMetricsRegistry();
  metrics.counter('coredns_dns_requests_total', 'Requests.', ['type']).with('A').inc(queries);
  metrics.counter('coredns_dns_requests_total', 'Requests.', ['type']).with(`T"${queries}`).inc(1);
  for (const value of seconds) metrics.histogram('took_seconds', 'Time.', [0.1, 1]).with().observe(value);
  metrics.gauge('coredns_cache_entries', 'Entries.').with().set(cached);
  metrics.gauge('coredns_build_info', 'Build.', ['version']).with('1').set(1);
  metrics.gauge('oldest', 'Age.').with().set(cached);
  return metrics.expose();
}

describe('metrics of several processes', () => {
  it('are one sum, but for gauges, which have rules', () => {
    const rules = { coredns_cache_entries: 'sum', oldest: 'min' } as const;
    expect(sumMetrics([page(3, [0.05], 7), page(4, [0.5, 2], 2)], rules)).toBe(`# HELP coredns_build_info Build.
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
# HELP oldest Age.
# TYPE oldest gauge
oldest 2
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

  it('of the processes themselves add up', () => {
    const text = (memory: number, start: number) =>
      `# HELP process_resident_memory_bytes M.\n# TYPE process_resident_memory_bytes gauge\nprocess_resident_memory_bytes ${memory}\n` +
      `# HELP process_start_time_seconds S.\n# TYPE process_start_time_seconds gauge\nprocess_start_time_seconds ${start}\n`;
    expect(sumMetrics([text(5, 20), text(6, 30)], processGauges)).toBe(text(11, 20));
  });
});

describe('counts of processes that have ended', () => {
  it('are kept without gauges, and only for what is still told of', () => {
    const gone = [page(3, [0.05], 7), page(4, [0.5, 2], 2)];
    const kept = keepCounts(gone);
    expect(kept).toContain('coredns_dns_requests_total{type="A"} 7\n');
    expect(kept).toContain('took_seconds_count 3\n');
    expect(kept).not.toContain('coredns_cache_entries');
    const living = keepCounts([kept], page(4, [], 1));
    expect(living).toContain('coredns_dns_requests_total{type="A"} 7\n');
    expect(living).toContain('coredns_dns_requests_total{type="T\\"4"} 1\n');
    expect(living).not.toContain('T\\"3');
    expect(living).not.toContain('took_seconds');
  });

  it('hold the CPU time that they took, so that its sum does not fall', () => {
    const metrics = createMetricsRegistry();
    addProcessMetrics(metrics);
    const page = metrics.expose();
    expect(page).toContain('# TYPE process_cpu_seconds_total counter\n');
    const [, seconds] = /^process_cpu_seconds_total (\S+)$/m.exec(page)!;
    expect(Number(seconds)).toBeGreaterThan(0);
    const kept = keepCounts([keepCounts([page])], page);
    expect(kept).toContain(`process_cpu_seconds_total ${seconds}\n`);
    expect(kept).not.toContain('process_resident_memory_bytes');
  });

  it('of nobody are none', () => {
    expect(keepCounts([], page(1, [], 1))).toBe('');
  });
});
