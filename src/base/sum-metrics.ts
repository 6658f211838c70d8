/** Pages of Prometheus' text format (0.0.4) of several processes as one: what is counted adds up. */

/** How a gauge of several processes becomes one. */
export type GaugeRule = 'sum' | 'max' | 'min';

/** By metric; a gauge that is not listed says the same in every process, and the largest is taken. */
export type GaugeRules = Readonly<Record<string, GaugeRule>>;

/** For the figures of processes themselves. */
export const processGauges: GaugeRules = {
  process_resident_memory_bytes: 'sum',
  process_start_time_seconds: 'min',
};

interface Metric {
  readonly head: string[];
  readonly type: string;
  readonly samples: Map<string, number>;
}

type Metrics = Map<string, Metric>;

const combine: Readonly<Record<GaugeRule, (a: number, b: number) => number>> = {
  sum: (a, b) => a + b,
  max: Math.max,
  min: Math.min,
};

/** The metric that a series belongs to: histograms have three names of their own. */
function metricOf(series: string, metrics: Metrics): string {
  const name = series.slice(0, series.search(/[{ ]|$/));
  if (metrics.has(name)) return name;
  const base = name.replace(/_(bucket|sum|count)$/, '');
  return metrics.has(base) ? base : name;
}

/** `wanted`: which series of which metrics to take in. */
function read(
  page: string,
  metrics: Metrics,
  rules: GaugeRules,
  wanted: (metric: Metric, series: string) => boolean = () => true,
): void {
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
    if (!metric || Number.isNaN(value) || !wanted(metric, series)) continue;
    const before = metric.samples.get(series);
    const rule = metric.type === 'gauge' ? (Object.hasOwn(rules, name_) ? rules[name_]! : 'max') : 'sum';
    metric.samples.set(series, before === undefined ? value : combine[rule](before, value));
  }
}

function numberText(value: number): string {
  return value === Infinity ? '+Inf' : value === -Infinity ? '-Inf' : String(value);
}

function textOf(metrics: Metrics): string {
  const lines = [...metrics]
    .filter(([, { samples }]) => samples.size > 0)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([, { head, samples }]) => [
      ...head,
      ...[...samples].map(([series, value]) => `${series} ${numberText(value)}`),
    ]);
  return lines.length > 0 ? `${lines.join('\n')}\n` : '';
}

/** One page of many. Metrics are sorted by name; series stand in the order of the first page that has them. */
export function sumMetrics(pages: readonly string[], gauges: GaugeRules = processGauges): string {
  const metrics: Metrics = new Map();
  for (const page of pages) read(page, metrics, gauges);
  return textOf(metrics);
}

/**
 * What processes that have ended had counted, added up, so that a sum does not fall because one of them is gone.
 * `living`: a page with the series that are still told of; others are forgotten with the processes that had them.
 */
export function keepCounts(pages: readonly string[], living?: string): string {
  const alive: Metrics = new Map();
  if (living !== undefined) read(living, alive, {});
  const told = new Set([...alive.values()].flatMap(({ samples }) => [...samples.keys()]));
  const metrics: Metrics = new Map();
  const wanted = ({ type }: Metric, series: string) => type !== 'gauge' && (living === undefined || told.has(series));
  for (const page of pages) read(page, metrics, {}, wanted);
  return textOf(metrics);
}
