/** docs/data-plane.md says what the code does: metrics with types and labels, flags, limits with defaults. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Family, MetricsRegistry } from '../base/metrics.ts';
import { packageRoot } from '../base/package-root.ts';
import { accessFlags } from './access.ts';
import { openAccessLog } from './log/access-log.ts';
import { createFamilies } from './metrics/families.ts';
import { defaults } from './options.ts';
import { streamFlags } from './stream/record.ts';
import { createSpanFamilies } from './trace/otlp/families.ts';
import { createWorkerFamilies } from './workers/gauges.ts';

const page = readFileSync(join(packageRoot, 'docs/data-plane.md'), 'utf8');

/** Rows of the table that begins with these column names; cells without backticks. */
function rowsBelow(...columns: string[]): string[][] {
  const lines = page.split('\n');
  const start = lines.indexOf(`| ${columns.join(' | ')} |`);
  expect(start, columns.join()).toBeGreaterThan(0);
  const after = lines.slice(start + 2);
  const rows = after.slice(0, after.findIndex((line) => !line.startsWith('|')) >>> 0);
  return rows.map((row) =>
    row
      .slice(1, -1)
      .split('|')
      .map((cell) => cell.replaceAll('`', '').trim()),
  );
}

/** A registry that only writes down what it is asked for, as rows of the table. */
async function declaredMetrics(): Promise<string[][]> {
  const rows: string[][] = [];
  const declare =
    (type: string) =>
    <T>(name: string, labels: readonly string[] = []): Family<T> => {
      rows.push([name, type, labels.join(', ')]);
      return { with: () => ({}) as T, remove: () => {}, reset: () => {} };
    };
  const registry: MetricsRegistry = {
    counter: (name, _help, labels) => declare('counter')(name, labels),
    gauge: (name, _help, labels) => declare('gauge')(name, labels),
    sampled: (name) => void declare('gauge')(name),
    histogram: (name, _help, _buckets, labels) => declare('histogram')(name, labels),
    onExpose: () => {},
    expose: () => '',
  };
  createFamilies(registry);
  createWorkerFamilies(registry);
  createSpanFamilies(registry);
  await (await openAccessLog({ path: '/dev/null', format: 'json', metrics: registry })).close();
  return rows;
}

describe('docs/data-plane.md', () => {
  it('lists the metrics with their types and labels', async () => {
    const documented = rowsBelow('metric', 'type', 'labels', 'counts').map((row) => row.slice(0, 3));
    expect(documented.sort()).toEqual((await declaredMetrics()).sort());
  });

  it('lists the flags', () => {
    const documented = rowsBelow('flag', 'status', 'meaning').flatMap(([flags]) => flags!.split(', '));
    expect(documented.sort()).toEqual([...accessFlags].sort());
  });

  it('lists the flags of streams', () => {
    const documented = rowsBelow('flag of a stream', 'meaning').map(([flag]) => flag);
    expect(documented.sort()).toEqual([...streamFlags].sort());
  });

  it('lists the limits with their defaults', () => {
    const documented = rowsBelow('limit', 'default', 'when it is reached').map(([name, value]) => [
      name,
      Number(value),
    ]);
    const limits = Object.entries(defaults).flatMap(([section, values]) =>
      Object.entries(values)
        .filter(([name, value]) => typeof value === 'number' && !name.endsWith('Rate'))
        .map(([name, value]) => [`${section}.${name}`, value]),
    );
    expect(documented.sort()).toEqual(limits.sort());
  });
});
