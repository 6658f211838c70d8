import { describe, expect, it } from 'vitest';
import { createMetricsRegistry } from '../../base/metrics.ts';
import { createFamilies } from '../metrics/families.ts';
import { proxyGauges } from './gauges.ts';

describe('gauges of workers', () => {
  it('each have a rule that makes one of many', () => {
    const gauges = new Set<string>();
    const registry = createMetricsRegistry();
    createFamilies({
      ...registry,
      gauge(name, ...rest) {
        gauges.add(name);
        return registry.gauge(name, ...rest);
      },
      sampled(name, ...rest) {
        gauges.add(name);
        registry.sampled(name, ...rest);
      },
    });
    expect(Object.keys(proxyGauges).sort()).toEqual([...gauges].sort());
  });
});
