/** docs/data-plane.md says what the code does: metrics with types and labels, flags, limits with defaults. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import type { Family, MetricsRegistry } from '../base/metrics.ts';
import { packageRoot } from '../base/package-root.ts';
import { rowsBelow } from '../base/testing/doc-table.ts';
import { addDataPlaneFlags } from '../cli/data-plane-flags.ts';
import { addTelemetryFlags } from '../cli/telemetry-flags.ts';
import { parseDataPlane } from '../local/data-plane-file.ts';
import { accessFlags } from './access.ts';
import { schema } from './config/schema.ts';
import { openAccessLog } from './log/access-log.ts';
import { createFamilies } from './metrics/families.ts';
import { defaults } from './options.ts';
import { streamFlags } from './stream/record.ts';
import { exporterDefaults } from './trace/otlp/exporter.ts';
import { createSpanFamilies } from './trace/otlp/families.ts';
import { createWorkerFamilies } from './workers/gauges.ts';

const page = readFileSync(join(packageRoot, 'docs/data-plane.md'), 'utf8');

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
    const documented = rowsBelow(page, 'metric', 'type', 'labels', 'counts').map((row) => row.slice(0, 3));
    expect(documented.sort()).toEqual((await declaredMetrics()).sort());
  });

  it('lists the flags', () => {
    const documented = rowsBelow(page, 'flag', 'status', 'meaning').flatMap(([flags]) => flags!.split(', '));
    expect(documented.sort()).toEqual([...accessFlags].sort());
  });

  it('lists the flags of streams', () => {
    const documented = rowsBelow(page, 'flag of a stream', 'meaning').map(([flag]) => flag);
    expect(documented.sort()).toEqual([...streamFlags].sort());
  });

  const limits = Object.entries(defaults).flatMap(([section, values]) =>
    Object.entries(values)
      .filter(([name, value]) => typeof value === 'number' && !name.endsWith('Rate'))
      .map(([name, value]) => [`${section}.${name}`, value as number] as const),
  );

  it('lists the limits with their defaults', () => {
    const documented = rowsBelow(page, 'limit', 'default', 'when it is reached').map(([name, value]) => [
      name,
      Number(value),
    ]);
    expect(documented.sort()).toEqual(limits.map((limit) => [...limit]).sort());
  });

  it('lists the other options with their defaults', () => {
    const documented = rowsBelow(page, 'option', 'default', 'does').map(([name, value]) => [name, value]);
    const named = new Set<string>(limits.map(([name]) => name));
    const others = Object.entries(schema).flatMap(([section, rules]) =>
      'read' in rules
        ? [[section, 'none']]
        : Object.keys(rules)
            .map((name) => [`${section}.${name}`, shown(defaultOf(section, name))])
            .filter(([name]) => !named.has(name!)),
    );
    expect(documented.sort()).toEqual(others.sort());
  });

  it('shows the file of its example, which is right', () => {
    const file = 'examples/data-plane.yaml';
    const text = readFileSync(join(packageRoot, file), 'utf8');
    expect(page).toContain(`\`\`\`yaml\n${text}\`\`\`\n`);
    expect(parseDataPlane(file, text)).toMatchObject({
      diagnostics: [],
      options: { client: { headTimeoutMs: 10_000 } },
    });
  });

  it('lists the flags of the command line', () => {
    const command = new Command('up');
    addTelemetryFlags(command);
    addDataPlaneFlags(command);
    const documented = [
      ...rowsBelow(page, 'flag of `fairway up`', 'does'),
      ...rowsBelow(page, 'flag of `fairway up`, for how traffic is carried', 'does'),
    ].map(([flag]) => flag!.split(' ')[0]);
    const flags = command.options.map(({ long }) => long);
    expect(documented.sort()).toEqual([...flags, '--workers'].sort());
  });

  it('says what the exporter of spans holds and waits for', () => {
    const { maxQueued, maxBatch, maxAttempts } = exporterDefaults;
    const prose = page.replaceAll(/\s+/g, ' ');
    expect(prose).toContain(`${maxQueued.toLocaleString('en')} spans may wait; they leave in batches of ${maxBatch}`);
    expect(prose).toContain(`within ${exporterDefaults.timeoutMs / 1000} s, is sent up to ${maxAttempts} times`);
    expect(prose).toContain(`or ${exporterDefaults.backoffMs / 1000} s, then twice as long each time, at most 30 s.`);
    expect([exporterDefaults.maxBackoffMs, exporterDefaults.flushMs]).toEqual([30_000, 1_000]);
  });
});

const defaultOf = (section: string, name: string): unknown =>
  (defaults as unknown as Readonly<Record<string, Readonly<Record<string, unknown>>>>)[section]![name];

/** As the page has it. */
function shown(value: unknown): string {
  const isNothing = value === '' || (Array.isArray(value) && value.length === 0);
  return isNothing ? 'none' : String(value);
}
