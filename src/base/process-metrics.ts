/** Figures of the process itself, under the names that the Prometheus client libraries use. */
import type { MetricsRegistry } from './metrics.ts';

/** Memory, CPU and start time, read at each exposition. */
export function addProcessMetrics(metrics: MetricsRegistry): void {
  metrics.sampled('process_resident_memory_bytes', 'Resident memory size in bytes.', () => process.memoryUsage.rss());
  metrics.sampled(
    'process_cpu_seconds_total',
    'Total user and system CPU time spent in seconds.',
    cpuSeconds,
    'counter',
  );
  metrics.sampled(
    'process_start_time_seconds',
    'Start time of the process since unix epoch in seconds.',
    () => Date.now() / 1000 - process.uptime(),
  );
}

function cpuSeconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}
