/** The counters of reflectors as metrics for Prometheus. */
import { type Clock, systemClock } from '../../base/clock.ts';
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

/** What is shown of a reflector, or of what reads otherwise. */
export type Exposed = Pick<Reflector, 'resource' | 'metrics' | 'hasSynced'>;

export interface ReflectorExposition {
  /** Shows reflectors; the result takes them out again, while what they counted stays counted. */
  add(reflectors: readonly Exposed[]): () => void;
}

/**
 * `fairway_kubernetes_*` metrics with the label `resource`, brought up to date at each exposition. Reflectors of one
 * resource in several namespaces, or of several servers, are one series. Gauges are such that of several processes the
 * largest value is the one to look at.
 */
export function createReflectorExposition(registry: MetricsRegistry, clock: Clock = systemClock): ReflectorExposition {
  const name = (end: string) => `fairway_kubernetes_${end}`;
  const events = registry.counter(name('events_total'), 'Watch events', ['resource', 'type']);
  const objects = registry.gauge(name('objects'), 'Objects that are mirrored', ['resource']);
  const unsynced = registry.gauge(name('unsynced'), '1 until all objects have been listed once', ['resource']);
  const staleness = registry.gauge(
    name('staleness_seconds'),
    'Since the API was last heard of, bookmarks included: how old the mirror may be',
    ['resource'],
  );
  const open = new Set<{ readonly reflector: Exposed; readonly follow: () => void }>();

  function followerOf({ resource, metrics }: Exposed): () => void {
    const followers = counters.map(({ name: end, help, read }) => {
      const follow = createFollower(registry.counter(name(`${end}_total`), help, ['resource']).with(resource));
      return () => follow(read(metrics));
    });
    for (const type of Object.keys(metrics.events) as (keyof typeof metrics.events)[]) {
      const follow = createFollower(events.with(resource, type));
      followers.push(() => follow(metrics.events[type]));
    }
    return () => {
      for (const follow of followers) follow();
    };
  }

  function update(): void {
    for (const gauge of [objects, unsynced, staleness]) gauge.reset();
    for (const { follow } of open) follow();
    const reflectors = [...open].map(({ reflector }) => reflector);
    for (const resource of new Set(reflectors.map((reflector) => reflector.resource))) {
      const members = reflectors.filter((reflector) => reflector.resource === resource);
      objects.with(resource).set(members.reduce((sum, { metrics }) => sum + metrics.objects, 0));
      unsynced.with(resource).set(members.every((member) => member.hasSynced()) ? 0 : 1);
      // A kind that is not served says nothing, and is never stale.
      const heard = members.filter(({ metrics }) => metrics.lastContact > 0).map(({ metrics }) => metrics.lastContact);
      if (heard.length > 0) staleness.with(resource).set(Math.max(0, clock.now() - Math.min(...heard)) / 1000);
    }
  }
  registry.onExpose(update);

  return {
    add(reflectors) {
      const added = reflectors.map((reflector) => ({ reflector, follow: followerOf(reflector) }));
      for (const one of added) open.add(one);
      return () => {
        for (const one of added) {
          one.follow();
          open.delete(one);
        }
      };
    },
  };
}
