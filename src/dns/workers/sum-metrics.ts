/** Pages of Prometheus' text format (0.0.4) of several processes as one: what is counted adds up. */

/** Gauges that add up; all others say the same in every process, and the largest is taken. */
const addable = new Set([
  'coredns_cache_entries',
  'process_resident_memory_bytes',
  'process_cpu_seconds_total',
  'process_open_fds',
]);

interface Metric {
  readonly head: string[];
  readonly type: string;
  readonly samples: Map<string, number>;
}

/** The metric that a series belongs to: histograms have three names of their own. */
function metricOf(series: string, metrics: ReadonlyMap<string, Metric>): string {
  const name = series.slice(0, series.search(/[{ ]|$/));
  if (metrics.has(name)) return name;
  const base = name.replace(/_(bucket|sum|count)$/, '');
  return metrics.has(base) ? base : name;
}

function read(page: string, metrics: Map<string, Metric>): void {
  for (const line of page.split('\n')) {
    if (line === '') continue;
    const [, keyword, name = '', rest = ''] = /^# (HELP|TYPE) (\S+) ?(.*)$/.exec(line) ?? [];
    if (keyword) {
      const known = metrics.get(name);
      if (!known) metrics.set(name, { head: [line], type: '', samples: new Map() });
      else if (known.head.length < 2 && keyword === 'TYPE')
        metrics.set(name, { ...known, head: [...known.head, line], type: rest });
      continue;
    }
    const cut = line.lastIndexOf(' ');
    const series = line.slice(0, cut);
    const value = Number(line.slice(cut + 1).replace('Inf', 'Infinity'));
    const name_ = metricOf(series, metrics);
    const metric = metrics.get(name_);
    if (!metric || Number.isNaN(value)) continue;
    const before = metric.samples.get(series);
    const adds = metric.type !== 'gauge' || addable.has(name_);
    metric.samples.set(series, before === undefined ? value : adds ? before + value : Math.max(before, value));
  }
}

function numberText(value: number): string {
  return value === Infinity ? '+Inf' : value === -Infinity ? '-Inf' : String(value);
}

/** One page of many. Metrics are sorted by name; series stand in the order of the first page that has them. */
export function sumMetrics(pages: readonly string[]): string {
  const metrics = new Map<string, Metric>();
  for (const page of pages) read(page, metrics);
  const lines = [...metrics]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([, { head, samples }]) => [
      ...head,
      ...[...samples].map(([series, value]) => `${series} ${numberText(value)}`),
    ]);
  return `${lines.join('\n')}\n`;
}
