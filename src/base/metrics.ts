/** Counters, gauges and histograms, and their text for Prometheus (exposition format 0.0.4). */

export interface Counter {
  inc(by?: number): void;
}

export interface Gauge {
  set(value: number): void;
  inc(by?: number): void;
}

export interface Histogram {
  observe(value: number): void;
}

/** All series of one metric. `with` finds or makes the series of label values, in the order of the names. */
export interface Family<T> {
  with(...values: string[]): T;
  /** Forgets the series of these values. */
  remove(...values: string[]): void;
  /** Forgets all series. */
  reset(): void;
}

export interface MetricsRegistry {
  /**
   * Asking again for a name gives the same metric. `labels` must be those of the first time. `most`: series that it may
   * have; those beyond are not shown. Without it 10,000, for the values of labels may come from clients.
   */
  counter(name: string, help: string, labels?: readonly string[], most?: number): Family<Counter>;
  gauge(name: string, help: string, labels?: readonly string[], most?: number): Family<Gauge>;
  /** A gauge that is read when it is asked for; or a counter, when it never falls. */
  sampled(name: string, help: string, read: () => number, type?: 'gauge' | 'counter'): void;
  /** `buckets`: upper bounds, ascending, without +Inf. */
  histogram(
    name: string,
    help: string,
    buckets: readonly number[],
    labels?: readonly string[],
    most?: number,
  ): Family<Histogram>;
  /** Called before each exposition, to bring up to date what is not kept so all the time. */
  onExpose(update: () => void): void;
  /** Text of all metrics, sorted by name. */
  expose(): string;
}

const defaultMost = 10_000;

interface Stored {
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly help: string;
  lines(name: string): string[];
}

function escapeValue(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}

function labelText(names: readonly string[], values: readonly string[], extra = ''): string {
  const pairs = names.map((name, i) => `${name}="${escapeValue(values[i] ?? '')}"`);
  if (extra) pairs.push(extra);
  return pairs.length > 0 ? `{${pairs.join(',')}}` : '';
}

function numberText(value: number): string {
  return value === Infinity ? '+Inf' : value === -Infinity ? '-Inf' : String(value);
}

interface Series<T> {
  readonly values: readonly string[];
  readonly item: T;
}

const keyOf = (values: readonly string[]) => (values.length === 1 ? values[0]! : values.join('\u0000'));

function createFamily<T>(make: () => T, most = defaultMost): Family<T> & { series(): Series<T>[] } {
  const all = new Map<string, Series<T>>();
  /** Takes what goes beyond the limit and is not shown. */
  const overflow = make();
  return {
    with(...values) {
      const key = keyOf(values);
      const known = all.get(key);
      if (known) return known.item;
      if (all.size >= most) return overflow;
      const item = make();
      all.set(key, { values, item });
      return item;
    },
    remove: (...values) => void all.delete(keyOf(values)),
    reset: () => all.clear(),
    series: () => [...all.values()],
  };
}

interface Cell {
  value: number;
  inc(by?: number): void;
  set(value: number): void;
}

function createCell(): Cell {
  const cell: Cell = {
    value: 0,
    inc(by = 1) {
      cell.value += by;
    },
    set(value) {
      cell.value = value;
    },
  };
  return cell;
}

interface HistogramCell extends Histogram {
  readonly counts: Float64Array;
  readonly sum: () => number;
}

function createHistogramCell(buckets: readonly number[]): HistogramCell {
  const counts = new Float64Array(buckets.length + 1);
  let sum = 0;
  return {
    counts,
    sum: () => sum,
    observe(value) {
      let i = 0;
      while (i < buckets.length && value > buckets[i]!) i++;
      counts[i]!++;
      sum += value;
    },
  };
}

function histogramLines(
  name: string,
  labels: readonly string[],
  buckets: readonly number[],
  series: readonly Series<HistogramCell>[],
): string[] {
  return series.flatMap(({ values, item }) => {
    let total = 0;
    const lines = [...buckets, Infinity].map((bound, i) => {
      total += item.counts[i]!;
      return `${name}_bucket${labelText(labels, values, `le="${numberText(bound)}"`)} ${total}`;
    });
    const own = labelText(labels, values);
    return [...lines, `${name}_sum${own} ${item.sum()}`, `${name}_count${own} ${total}`];
  });
}

export function createMetricsRegistry(): MetricsRegistry {
  const stored = new Map<string, Stored & { readonly family?: unknown }>();
  const updates: (() => void)[] = [];

  function cells(
    type: 'counter' | 'gauge',
    name: string,
    help: string,
    labels: readonly string[],
    most: number | undefined,
  ): Family<Cell> {
    const known = stored.get(name);
    if (known) return known.family as Family<Cell>;
    const family = createFamily(createCell, most);
    if (labels.length === 0) family.with();
    const lines = () => family.series().map((s) => `${name}${labelText(labels, s.values)} ${numberText(s.item.value)}`);
    stored.set(name, { type, help, lines, family });
    return family;
  }

  return {
    counter: (name, help, labels = [], most) => cells('counter', name, help, labels, most),
    gauge: (name, help, labels = [], most) => cells('gauge', name, help, labels, most),
    sampled(name, help, read, type = 'gauge') {
      stored.set(name, { type, help, lines: () => [`${name} ${numberText(read())}`] });
    },
    histogram(name, help, buckets, labels = [], most) {
      const known = stored.get(name);
      if (known) return known.family as Family<Histogram>;
      const family = createFamily(() => createHistogramCell(buckets), most);
      if (labels.length === 0) family.with();
      const lines = () => histogramLines(name, labels, buckets, family.series());
      stored.set(name, { type: 'histogram', help, lines, family });
      return family;
    },
    onExpose: (update) => updates.push(update),
    expose() {
      for (const update of updates) update();
      const names = [...stored.keys()].sort();
      const text = names.flatMap((name) => {
        const { type, help, lines } = stored.get(name)!;
        const found = lines(name);
        const escaped = help.replaceAll('\\', '\\\\').replaceAll('\n', '\\n');
        return found.length > 0 ? [`# HELP ${name} ${escaped}`, `# TYPE ${name} ${type}`, ...found] : [];
      });
      return `${text.join('\n')}\n`;
    },
  };
}
