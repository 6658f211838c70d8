/**
 * How long a change of endpoints took to be served: from the moment that the endpoint controller wrote down to now
 * (sig-scalability's DNS programming latency SLI).
 */
import type { Clock } from '../../../base/clock.ts';
import type { MetricsRegistry } from '../../../base/metrics.ts';
import type { StoreReader } from '../../../kube/store/store.ts';
import { type KubeObject, type Service, serviceNameLabel } from '../../../kube/types/index.ts';
import { triggerAnnotation } from '../../objects/project.ts';
import type { LogLine } from '../setup.ts';

/** 1 ms to about 9 minutes, doubling, as CoreDNS has them. */
const buckets = Array.from({ length: 20 }, (_, i) => 0.001 * 2 ** i);

export interface LatencyOptions {
  /** All objects: one that comes into view later has not changed then. */
  readonly store: StoreReader;
  /** Those that are shown: only their Services count. */
  readonly exposed: StoreReader;
  /** Changes count from when all objects were read: those of the first list are older than this server. */
  readonly synced: () => boolean;
  readonly clock: Clock;
  readonly metrics: MetricsRegistry;
  readonly log: LogLine;
}

function isHeadless({ spec }: Service): boolean {
  return (spec?.clusterIPs?.[0] ?? spec?.clusterIP) === 'None';
}

/** Follows the EndpointSlices; the result ends that. */
export function watchProgrammingLatency(options: LatencyOptions): () => void {
  const { store, exposed, clock } = options;
  const histogram = options.metrics.histogram(
    'coredns_kubernetes_dns_programming_duration_seconds',
    'Histogram of the time (in seconds) it took to program a dns instance.',
    buckets,
    ['service_kind'],
  );

  function observe({ metadata }: KubeObject, text: string): void {
    const name = metadata.labels?.[serviceNameLabel];
    const service = name && exposed.get<Service>('services', `${metadata.namespace ?? 'default'}/${name}`);
    if (!service) return;
    const since = Date.parse(text);
    if (Number.isNaN(since)) {
      options.log(
        'warning',
        `EndpointSlice ${metadata.namespace}/${metadata.name}: ${triggerAnnotation} is no time: ${text}`,
      );
      return;
    }
    // Clocks of two machines may differ: no change is served before it happened.
    const seconds = Math.max(0, (clock.now() - since) / 1000);
    histogram.with(isHeadless(service) ? 'headless_with_selector' : 'cluster_ip').observe(seconds);
  }

  return store.subscribe(({ resource, type, object, previous }) => {
    if (resource !== 'endpointslices.discovery.k8s.io' || type === 'DELETED') return;
    const text = object.metadata.annotations?.[triggerAnnotation];
    // Written again for another reason: its endpoints are those of before.
    if (text === undefined || text === previous?.metadata.annotations?.[triggerAnnotation]) return;
    if (options.synced()) observe(object, text);
  });
}
