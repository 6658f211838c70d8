/** Figures of a controller that runs against a Kubernetes API. */
import type { MetricsRegistry } from '../../base/metrics.ts';
import type { EventMetrics } from '../events.ts';

export interface StatusMetrics {
  written(): void;
  conflicted(): void;
  failed(): void;
}

export interface ClusterFigures {
  isLeader(): boolean;
  isReady(): boolean;
  /** Statuses that wait to be written. */
  pending(): number;
}

export function createStatusMetrics(registry: MetricsRegistry): StatusMetrics {
  const writes = registry.counter('fairway_controller_status_writes_total', 'Attempts to write a status, by outcome.', [
    'outcome',
  ]);
  return {
    written: () => writes.with('written').inc(),
    conflicted: () => writes.with('conflict').inc(),
    failed: () => writes.with('failed').inc(),
  };
}

export function createEventMetrics(registry: MetricsRegistry): EventMetrics {
  const events = registry.counter('fairway_controller_events_total', 'Events about objects, by outcome.', ['outcome']);
  return {
    written: () => events.with('written').inc(),
    dropped: () => events.with('dropped').inc(),
    failed: () => events.with('failed').inc(),
  };
}

export function showClusterFigures(registry: MetricsRegistry, { isLeader, isReady, pending }: ClusterFigures): void {
  registry.sampled('fairway_controller_leader', '1 while this replica writes statuses.', () => Number(isLeader()));
  registry.sampled('fairway_controller_ready', '1 while this replica is ready.', () => Number(isReady()));
  registry.sampled('fairway_controller_pending_statuses', 'Statuses that wait to be written.', pending);
}
