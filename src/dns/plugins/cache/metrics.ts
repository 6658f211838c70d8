/** Counters of the cache, under CoreDNS' names. */
import type { Counter, MetricsRegistry } from '../../../base/metrics.ts';
import type { Scope } from '../scope.ts';

export type Half = 'success' | 'denial';

/** Remembers the series of each scope, so that a query makes no labels. */
function perScope(make: (scope: Scope | undefined) => Counter): (scope: Scope | undefined) => Counter {
  const known = new Map<Scope | undefined, Counter>();
  return (scope) => {
    let counter = known.get(scope);
    if (!counter) {
      counter = make(scope);
      known.set(scope, counter);
    }
    return counter;
  };
}

/** `zones`: those of the directive, as the label has them. */
export function cacheMetrics(metrics: MetricsRegistry, zones: string) {
  const plain = ['server', 'zones', 'view'];
  const typed = ['server', 'type', 'zones', 'view'];
  const counter = (name: string, help: string) => {
    const family = metrics.counter(`coredns_cache_${name}`, help, plain);
    const count = perScope((scope) => family.with(scope?.server ?? '', zones, scope?.view ?? ''));
    return (scope: Scope | undefined) => count(scope).inc();
  };
  const typedCounter = (name: string, help: string) => {
    const family = metrics.counter(`coredns_cache_${name}`, help, typed);
    const series = (type: Half) =>
      perScope((scope) => family.with(scope?.server ?? '', type, zones, scope?.view ?? ''));
    const counts = { success: series('success'), denial: series('denial') };
    return (scope: Scope | undefined, type: Half) => counts[type](scope).inc();
  };
  const entries = metrics.gauge('coredns_cache_entries', 'The number of elements in the cache.', typed);
  return {
    requested: counter('requests_total', 'The count of cache requests.'),
    missed: counter(
      'misses_total',
      'The count of cache misses. Deprecated, derive misses from cache hits/requests counters.',
    ),
    prefetched: counter('prefetch_total', 'The number of times the cache has prefetched a cached item.'),
    dropped: counter('drops_total', 'The number responses that are not cached, because the reply is malformed.'),
    servedStale: counter('served_stale_total', 'The number of requests served from stale cache entries.'),
    hit: typedCounter('hits_total', 'The count of cache hits.'),
    evicted: typedCounter('evictions_total', 'The count of cache evictions.'),
    size: (scope: Scope | undefined, type: Half, count: number) =>
      entries.with(scope?.server ?? '', type, zones, scope?.view ?? '').set(count),
  };
}
