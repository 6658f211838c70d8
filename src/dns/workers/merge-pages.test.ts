import { describe, expect, it } from 'vitest';
import { createMetricsRegistry } from '../../base/metrics.ts';
import { mergePages } from './merge-pages.ts';

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

  it('add up what is counted and cached', () => {
    const metrics = createMetricsRegistry();
    metrics.counter('queries_total', 'Queries.').with().inc(2);
    metrics.gauge('coredns_cache_entries', 'Entries.').with().set(3);
    const one = { status: 200, text: metrics.expose() };
    const { text } = mergePages('/metrics', [one, one]);
    expect(text).toContain('\nqueries_total 4\n');
    expect(text).toContain('\ncoredns_cache_entries 6\n');
  });
});
