/** The counters of reflectors as metrics for Prometheus. */
import type { Counter, MetricsRegistry } from '../../base/metrics.ts';
import type { Reflector } from './reflector.ts';
import type { ReflectorMetrics } from './reflector-metrics.ts';

interface CounterRow {
  readonly name: string;
  readonly help: string;
  readonly read: (metrics: ReflectorMetrics) => number;
}

const counters: readonly CounterRow[] = [
  { name: 'lists', help: 'Lists that came to their end', read: ({ lists }) => lists },
  { name: 'relists', help: 'Lists after the first one', read: ({ relists }) => relists },
  { name: 'list_failures', help: 'Lists that broke off', read: ({ listFailures }) => listFailures },
  { name: 'watches', help: 'Watches that were opened', read: ({ watches }) => watches },
  {
    name: 'watch_failures',
    help: 'Watches that broke off or were refused',
    read: ({ watchFailures }) => watchFailures,
  },
  {
    name: 'bad_lines',
    help: 'Lines of watches that were incomplete, no events, or too long',
    read: ({ halfLines, garbageLines, longLines }) => halfLines + garbageLines + longLines,
  },
  {
    name: 'projection_failures',
    help: 'Objects that could not be read and were left out',
    read: ({ projectionFailures }) => projectionFailures,
  },
  { name: 'received_bytes', help: 'Bytes of lists and watches', read: ({ bytes }) => bytes },
];

/** Adds what a total has grown by since the last look. */
function createFollower(counter: Counter): (total: number) => void {
  let told = 0;
  return (total) => {
    counter.inc(total - told);
    told = total;
  };
}

/**
 * Registers `fairway_kube_*` metrics with the label `resource`. Call what it returns before each exposition: it brings
 * the metrics up to date. Reflectors of one resource in several namespaces are one series.
 */
export function createReflectorExposition(registry: MetricsRegistry, reflectors: readonly Reflector[]): () => void {
  const events = registry.counter('fairway_kube_events_total', 'Watch events', ['resource', 'type']);
  const objects = registry.gauge('fairway_kube_objects', 'Objects that are mirrored', ['resource']);
  const synced = registry.gauge('fairway_kube_synced', '1 once all objects have been listed', ['resource']);
  const contact = registry.gauge(
    'fairway_kube_last_contact_timestamp_seconds',
    'When the API was last heard of; its age is how old the mirror may be',
    ['resource'],
  );

  const followers = reflectors.flatMap(({ resource, metrics }) => [
    ...counters.map(({ name, help, read }) => {
      const follow = createFollower(registry.counter(`fairway_kube_${name}_total`, help, ['resource']).with(resource));
      return () => follow(read(metrics));
    }),
    ...Object.keys(metrics.events).map((type) => {
      const follow = createFollower(events.with(resource, type));
      return () => follow(metrics.events[type as keyof typeof metrics.events]);
    }),
  ]);
  const names = new Set(reflectors.map(({ resource }) => resource));
  const groups = [...names].map((name) => [name, reflectors.filter(({ resource }) => resource === name)] as const);

  return () => {
    for (const follow of followers) follow();
    for (const [resource, members] of groups) {
      objects.with(resource).set(members.reduce((sum, { metrics }) => sum + metrics.objects, 0));
      synced.with(resource).set(members.every((member) => member.hasSynced()) ? 1 : 0);
      contact.with(resource).set(Math.min(...members.map(({ metrics }) => metrics.lastContact)) / 1000);
    }
  };
}
