/** Figures of the process itself. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { arch, version as nodeVersion } from 'node:process';
import type { MetricsRegistry } from '../../../base/metrics.ts';
import { packageRoot } from '../../../base/package-root.ts';
import { addProcessMetrics as addFigures } from '../../../base/process-metrics.ts';

function ownVersion(): string {
  const text = readFileSync(join(packageRoot, 'package.json'), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}

/** Build, CPU, memory and start time. */
export function addProcessMetrics(metrics: MetricsRegistry): void {
  metrics
    .gauge('coredns_build_info', 'A metric with a constant 1 value labeled by version, revision, and goversion.', [
      ...['version', 'revision', 'goversion'],
    ])
    .with(`fairway-${ownVersion()}`, '', `node ${nodeVersion} ${arch}`)
    .set(1);
  metrics.counter('coredns_panics_total', 'A metrics that counts the number of panics.').with();
  addFigures(metrics);
}
