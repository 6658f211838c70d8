/** Figures of the process itself. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { arch, version as nodeVersion } from 'node:process';
import type { MetricsRegistry } from '../../../base/metrics.ts';
import { packageRoot } from '../../../base/package-root.ts';

function ownVersion(): string {
  const text = readFileSync(join(packageRoot, 'package.json'), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}

/** Build, CPU, memory and start time, under the names that the Prometheus client libraries use. */
export function addProcessMetrics(metrics: MetricsRegistry): void {
  metrics
    .gauge('coredns_build_info', 'A metric with a constant 1 value labeled by version, revision, and goversion.', [
      ...['version', 'revision', 'goversion'],
    ])
    .with(`fairway-${ownVersion()}`, '', `node ${nodeVersion} ${arch}`)
    .set(1);
  metrics.counter('coredns_panics_total', 'A metrics that counts the number of panics.').with();
  metrics.sampled('process_resident_memory_bytes', 'Resident memory size in bytes.', () => process.memoryUsage.rss());
  metrics.sampled('process_cpu_seconds_total', 'Total user and system CPU time spent in seconds.', () => {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1e6;
  });
  metrics.sampled(
    'process_start_time_seconds',
    'Start time of the process since unix epoch in seconds.',
    () => Date.now() / 1000 - process.uptime(),
  );
}
