import { describe, expect, it } from 'vitest';
import { createMetricsRegistry } from './metrics.ts';

describe('metrics', () => {
  it('are written as Prometheus reads them, sorted by name', () => {
    const registry = createMetricsRegistry();
    const counter = registry.counter('b_total', 'Counts\nthings.', ['kind']);
    counter.with('a"\\\n').inc();
    counter.with('x').inc(2.5);
    registry.gauge('a', 'A gauge.').with().set(-1);
    registry.sampled('c', 'Read when asked.', () => 7);
    const histogram = registry.histogram('d_seconds', 'Times.', [0.1, 1], ['to']).with('y');
    for (const value of [0.1, 0.5, 3]) histogram.observe(value);
    registry.counter('none_total', 'Has no series yet.', ['kind']);
    expect(registry.expose()).toBe(
      [
        ...['# HELP a A gauge.', '# TYPE a gauge', 'a -1'],
        ...['# HELP b_total Counts\\nthings.', '# TYPE b_total counter'],
        ...['b_total{kind="a\\"\\\\\\n"} 1', 'b_total{kind="x"} 2.5'],
        ...[
          '# HELP c Read when asked.',
          '# TYPE c gauge',
          'c 7',
          '# HELP d_seconds Times.',
          '# TYPE d_seconds histogram',
        ],
        ...['d_seconds_bucket{to="y",le="0.1"} 1', 'd_seconds_bucket{to="y",le="1"} 2'],
        ...['d_seconds_bucket{to="y",le="+Inf"} 3', 'd_seconds_sum{to="y"} 3.6', 'd_seconds_count{to="y"} 3', ''],
      ].join('\n'),
    );
  });

  it('are the same when asked for again, and bounded', () => {
    const registry = createMetricsRegistry();
    registry.counter('a_total', 'A.', ['x']).with('1').inc();
    registry.counter('a_total', 'A.', ['x']).with('1').inc();
    expect(registry.expose()).toContain('a_total{x="1"} 2');
    for (let i = 0; i < 20_000; i++) registry.counter('a_total', 'A.', ['x']).with(`v${i}`).inc();
    expect(registry.expose().split('\n').length).toBeLessThan(10_010);
  });
});
