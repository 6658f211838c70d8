/** What the autoscaler counts, for `/metrics`. */
import type { MetricsRegistry } from '../../base/metrics.ts';
import type { ClusterSize } from './cluster-size.ts';

export interface AutoscalerMetrics {
  polled(good: boolean, at: number): void;
  badParams(): void;
  sized(size: ClusterSize): void;
  expected(replicas: number): void;
  updated(target: string): void;
  leads(leading: boolean): void;
}

export function createAutoscalerMetrics(metrics: MetricsRegistry): AutoscalerMetrics {
  const name = (text: string) => `fairway_dns_autoscaler_${text}`;
  const polls = metrics.counter(name('polls_total'), 'Looks at the cluster, by how they ended.', ['result']);
  const lastGood = metrics.gauge(name('last_success_timestamp_seconds'), 'When a look went well last.').with();
  const badParams = metrics
    .counter(
      name('bad_params_total'),
      'Versions of the ConfigMap that could not be used; the last good one stays in force.',
    )
    .with();
  const nodes = metrics.gauge(name('nodes'), 'Nodes of the cluster.', ['kind']);
  const cores = metrics.gauge(name('cores'), 'Allocatable cores of the cluster, rounded up.', ['kind']);
  const expected = metrics.gauge(name('expected_replicas'), 'Replicas that the cluster needs.');
  const updates = metrics.counter(name('updates_total'), 'Changes of the replicas of a target.', ['target']);
  const leader = metrics.gauge(name('leader'), '1 for the replica that scales, 0 for those that wait.').with();
  for (const result of ['success', 'failure']) polls.with(result);
  return {
    polled(good, at) {
      polls.with(good ? 'success' : 'failure').inc();
      if (good) lastGood.set(at / 1000);
    },
    badParams: () => badParams.inc(),
    sized(size) {
      nodes.with('total').set(size.totalNodes);
      nodes.with('schedulable').set(size.schedulableNodes);
      cores.with('total').set(size.totalCores);
      cores.with('schedulable').set(size.schedulableCores);
    },
    expected: (replicas) => expected.with().set(replicas),
    updated: (target) => updates.with(target).inc(),
    leads: (leading) => leader.set(leading ? 1 : 0),
  };
}
