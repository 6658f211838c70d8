/** Counts search-list misses by workload and name: the most wasteful groups only, so that memory is bounded. */
import { type Clock, systemClock } from '../../base/clock.ts';
import type { Counter, MetricsRegistry } from '../../base/metrics.ts';
import { dotCount, stageCount, type WasteGroup, type WasteName, type WastePage } from './page.ts';
import { type Counted, createTop, type Top } from './top.ts';

export interface WasteOptions {
  /** Workloads or addresses that are told apart. Default 100. */
  groups?: number;
  /** Names that are told apart in each of them. Default 10. */
  names?: number;
}

/** One query in vain. */
export interface WasteEvent {
  /** Whose it is: `groupId` of the three below. */
  readonly group: string;
  readonly namespace: string;
  readonly workload: string;
  readonly address: string;
  /** Absolute, in lower case. */
  readonly name: string;
  readonly kind: WasteName['kind'];
  /** 0 to 2: which domain of the search list stood behind it. */
  readonly stage: number;
  /** Dots in the name as the program wrote it. */
  readonly dots: number;
}

/**
 * At most `groups * names` names of at most about 1 KB each and half a KB for each group: about 1 MB with the defaults
 * at worst, 100 KB with names of usual length.
 */
export interface WasteLedger {
  count(event: WasteEvent): void;
  page(): WastePage;
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };
type CountedName = Mutable<WasteName>;

interface Group extends Counted {
  namespace: string;
  readonly workload: string;
  readonly address: string;
  readonly stages: number[];
  readonly dots: number[];
  readonly names: Top<CountedName>;
  series: Counter | undefined;
}

/** How often the series of groups that left are removed at most, ms. */
const tidyEveryMs = 1000;

const zeros = (length: number): number[] => Array<number>(length).fill(0);

export function createWasteLedger(
  shared: { readonly metrics: MetricsRegistry; readonly clock?: Clock },
  options: WasteOptions = {},
): WasteLedger {
  const { metrics, clock = systemClock } = shared;
  const limits = { groups: options.groups ?? 100, names: options.names ?? 10 };
  const since = new Date(clock.now()).toISOString();
  const stages = zeros(stageCount);
  const dots = zeros(dotCount);
  let queries = 0;
  let tidyAt = 0;
  /** Series made since the last tidying. */
  let exposed = 0;
  /** The event of the moment, for the maker of groups and names. */
  let event: WasteEvent;

  const total = metrics
    .counter(
      'fairway_dns_search_misses_total',
      'Queries in vain: names that are whole already, with a domain of the search list behind them.',
    )
    .with();
  const series = metrics.counter(
    'fairway_dns_search_waste_queries_total',
    'Search-list misses of the most wasteful workloads; the workload is a client address where no Pod is known.',
    ['namespace', 'workload'],
  );
  const seriesOf = ({ namespace, workload, address }: Group): Counter => series.with(namespace, workload || address);

  const groups = createTop<Group>(limits.groups, () => ({
    ...{ namespace: event.namespace, workload: event.workload, address: event.workload ? '' : event.address },
    ...{ queries: 0, error: 0, stages: zeros(stageCount), dots: zeros(dotCount), series: undefined },
    names: createTop<CountedName>(limits.names, () => ({ name: event.name, kind: event.kind, queries: 0, error: 0 })),
  }));

  /** Series of groups that left go; those that came get theirs. Never more series than groups. */
  function tidy(): void {
    if (!groups.evicted) return;
    const now = clock.now();
    if (now < tidyAt) return;
    groups.evicted = false;
    tidyAt = now + tidyEveryMs;
    series.reset();
    exposed = 0;
    for (const group of groups.list()) {
      group.series = undefined;
      expose(group);
    }
  }

  /** While groups come and go, new ones wait for the next tidying, so that the series stay within the limit. */
  function expose(group: Group): void {
    if (group.series) group.series.inc();
    else if (exposed < limits.groups) {
      exposed++;
      group.series = seriesOf(group);
      group.series.inc(group.queries);
    }
  }

  function pageOf({ names, series: _, ...group }: Group): WasteGroup {
    return { ...group, stages: [...group.stages], dots: [...group.dots], names: names.list().map((n) => ({ ...n })) };
  }

  return {
    count(next) {
      event = next;
      queries++;
      total.inc();
      const stage = Math.min(next.stage, stageCount - 1);
      const dotted = Math.min(next.dots, dotCount - 1);
      stages[stage]!++;
      dots[dotted]!++;
      const group = groups.count(next.group);
      // The namespace of an address shows in the first domain of its search list only.
      group.namespace ||= next.namespace;
      group.stages[stage]!++;
      group.dots[dotted]!++;
      group.names.count(next.name);
      expose(group);
      tidy();
    },
    page: () => ({
      ...{ since, queries, limits, stages: [...stages], dots: [...dots] },
      floor: groups.floor(),
      groups: groups.list().map(pageOf),
    }),
  };
}
